// SPDX-License-Identifier: Apache-2.0

// When which host is asked for its status. Pure; host-poller.ts asks.
import { isDeepStrictEqual } from 'node:util';
import { jittered, type Random } from '../runtime/index.ts';
import type { HostReport } from './world.ts';

/** A host that can be asked. */
export interface PollTarget {
  /** `<pool>-<ordinal>`. */
  readonly name: string;
  readonly podUid: string;
  readonly podName: string;
  readonly namespace: string;
  /** Address of the Pod, IPv4 or IPv6 without brackets. */
  readonly address: string;
  /** hostConfigHash of the configuration that it should run. */
  readonly wantedConfigHash: string;
  /** Whether Kubernetes calls the Pod ready. */
  readonly ready: boolean;
}

/** One host under watch. */
export interface HostState {
  target: PollTarget;
  /** What is known; undefined until its Pod has been asked. */
  report: HostReport | undefined;
  /** Failures in a row since the last answer. */
  failures: number;
  /** Monotonic time since when it is asked often; undefined while it is calm. */
  hurriedSinceMs: number | undefined;
  /** Monotonic time of the next question of its own; undefined while it is calm. */
  dueMs: number | undefined;
  asking: boolean;
}

/** Between two questions to a pool in which all is well. */
const ROUND_MS = 15_000;
const ROUND_JITTER = 0.2;
/** A hurried host is asked each second at first, then as long after the last question as a fifth of the hurry, at most 5 s; after two minutes as calm ones. */
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 5_000;
const HURRY_MS = 120_000;
/** An answer that failed to come is not believed at once: a lost packet must not turn a pool's Ready. */
export const FAILURES_BELIEVED = 3;

/** A host that nothing is known of. */
export function newHost(target: PollTarget): HostState {
  return { target, report: undefined, failures: 0, hurriedSinceMs: undefined, dueMs: undefined, asking: false };
}

/** Whether it is the same Pod, at the same place. */
export function isSamePod(a: PollTarget, b: PollTarget): boolean {
  return a.podUid === b.podUid && a.podName === b.podName && a.address === b.address;
}

/** Whether a question to this host is worth more than one to any other of its pool. */
function needsHurry({ target, report, failures }: HostState): boolean {
  const answer = report?.answer;
  return (
    answer === undefined ||
    failures > 0 ||
    !target.ready ||
    !answer.ready ||
    answer.configHash !== target.wantedConfigHash ||
    !storeAvailable(report)
  );
}

function storeAvailable(report: HostReport | undefined): boolean {
  return report?.answer === undefined || report.answer.storeState === 'Available';
}

/**
 * Sets what is due for each host of a pool after something changed: a host that has begun to need a hurry is asked now, one that no longer does waits for
 * the round. Where one host has lost its store all are asked, for the others may have too.
 */
export function hurry(hosts: Iterable<HostState>, nowMs: number): void {
  const all = [...hosts];
  const storeLost = all.some(({ report }) => !storeAvailable(report));
  for (const host of all) {
    if (!storeLost && !needsHurry(host)) {
      host.hurriedSinceMs = undefined;
      host.dueMs = undefined;
    } else if (host.hurriedSinceMs === undefined) restartHurry(host, nowMs);
  }
}

/** Asks the host now, and often from now on. */
function restartHurry(host: HostState, nowMs: number): void {
  host.hurriedSinceMs = nowMs;
  host.dueMs = nowMs;
}

/** When a host that was just asked is asked again, if it still needs a hurry. */
export function nextDueMs(hurriedSinceMs: number, nowMs: number, random: Random): number {
  const elapsedMs = nowMs - hurriedSinceMs;
  if (elapsedMs >= HURRY_MS) return nowMs + roundMs(random);
  return nowMs + Math.min(LONGEST_WAIT_MS, Math.max(FIRST_WAIT_MS, elapsedMs / 5));
}

/** Until the next round of a pool. */
export function roundMs(random: Random): number {
  return jittered(ROUND_MS, ROUND_JITTER, random) - (ROUND_MS * ROUND_JITTER) / 2;
}

/** The host whose turn it is in a calm pool: the next ready one after `last`, around. Undefined when there is none. */
export function nextInRound(hosts: readonly HostState[], last: string | undefined): HostState | undefined {
  const from = hosts.findIndex(({ target }) => target.name === last) + 1;
  const around = [...hosts.slice(from), ...hosts.slice(0, from)];
  return around.find(({ target, dueMs, asking }) => target.ready && dueMs === undefined && !asking);
}

/** Whether two reports say the same; when they were made does not matter. */
export function saysTheSame(a: HostReport | undefined, b: HostReport): boolean {
  return a !== undefined && a.podUid === b.podUid && a.error === b.error && isDeepStrictEqual(a.answer, b.answer);
}
