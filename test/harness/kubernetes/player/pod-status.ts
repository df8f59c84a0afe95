// SPDX-License-Identifier: Apache-2.0

// What a kubelet writes into a Pod's status, made from what the player knows of it. Pure.
import type { FullPod } from './kinds.ts';

/** The end of a container's process. */
export interface Ended {
  readonly exitCode: number;
  /** The last of what it wrote, for `terminationMessagePolicy: FallbackToLogsOnError`. */
  readonly message: string;
}

/** The one container, as a kubelet sees it. Times are RFC 3339 text. */
export interface ContainerFacts {
  readonly now:
    | { readonly kind: 'waiting'; readonly reason: string; readonly message?: string | undefined }
    | { readonly kind: 'running'; readonly startedAt: string };
  readonly last: (Ended & { readonly finishedAt: string }) | undefined;
  readonly ready: boolean;
  readonly restarts: number;
}

export interface PodFacts {
  readonly address: string;
  readonly hostAddress: string;
  /** When the node took the Pod in. */
  readonly takenAt: string;
  /** Since when the Pod is as ready as it is. */
  readonly readySince: string;
  readonly container: ContainerFacts;
}

/** Why there is no node for it, and since when. */
export function unscheduledStatus(message: string, since: string): object {
  const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message };
  return { conditions: [{ ...condition, lastTransitionTime: since }] };
}

/** The whole of the status that the player owns. */
export function podStatus(pod: FullPod, facts: PodFacts): object {
  const { address, hostAddress, takenAt, readySince, container } = facts;
  const started = container.now.kind === 'running' || container.last !== undefined;
  const notReady = { reason: 'ContainersNotReady', message: `containers with unready status: [${name(pod)}]` };
  const readiness = container.ready ? { status: 'True' } : { status: 'False', ...notReady };
  const always = ['PodScheduled', 'Initialized', 'PodReadyToStartContainers'];
  return {
    phase: started ? 'Running' : 'Pending',
    hostIP: hostAddress,
    hostIPs: [{ ip: hostAddress }],
    podIP: address,
    podIPs: [{ ip: address }],
    startTime: takenAt,
    conditions: [
      ...always.map((type) => ({ type, status: 'True', lastTransitionTime: takenAt })),
      ...['ContainersReady', 'Ready'].map((type) => ({ type, ...readiness, lastTransitionTime: readySince })),
    ],
    containerStatuses: [containerStatus(pod, container)],
  };
}

function name(pod: FullPod): string {
  return pod.spec.containers[0]?.name ?? '';
}

function containerStatus(pod: FullPod, { now, last, ready, restarts }: ContainerFacts): object {
  const { image = '', terminationMessagePolicy } = pod.spec.containers[0] ?? {};
  const state =
    now.kind === 'running'
      ? { running: { startedAt: now.startedAt } }
      : { waiting: { reason: now.reason, message: now.message } };
  const failed = last !== undefined && last.exitCode !== 0;
  const message = failed && terminationMessagePolicy === 'FallbackToLogsOnError' ? last.message : undefined;
  return {
    name: name(pod),
    image,
    imageID: '',
    ready,
    started: now.kind === 'running',
    restartCount: restarts,
    state,
    lastState: last === undefined ? {} : { terminated: terminated(last, failed ? 'Error' : 'Completed', message) },
  };
}

function terminated(last: Ended & { finishedAt: string }, reason: string, message: string | undefined): object {
  return { exitCode: last.exitCode, reason, message, finishedAt: last.finishedAt, startedAt: null };
}
