// SPDX-License-Identifier: Apache-2.0
/**
 * What clients' tries say about a fault: was anybody left unserved, and was every count one that a single host with the whole table could have given? Pure: tries in,
 * verdict out. It knows nothing of what was broken.
 */
import type { Tried } from './tried.ts';

/** A fault as the oracle needs it, Unix milliseconds. */
export interface FaultWindow {
  readonly fromMs: number;
  readonly toMs: number;
  /**
   * Hosts without their store know only what they had counted themselves: while it is away, and until journals are sent, a count may be as low as it was
   * when the store went; never higher than the truth.
   */
  readonly storeAway: boolean;
  /** Whether clients without a cached host may be left without an answer, for lack of DNS. */
  readonly dnsAway: boolean;
}

export interface Verdict {
  readonly tries: number;
  /** Failed tries of one host; the client went on to the next. */
  readonly failedHosts: number;
  /** The slowest try of one that was served, milliseconds. */
  readonly slowestMs: number;
  /** From the start of the fault until the last try that met a failing host, or was not served; 0 when none did. */
  readonly recoveryMs: number;
  /** What ought not to be, as text; empty: the fault was survived. */
  readonly offences: readonly string[];
}

/** What was in the table before these tries. */
export interface Known {
  /** Machines with a smaller number were counted before. */
  readonly machines: number;
  /** Machines counted that are not among these clients. */
  readonly others: number;
}

/** Judges the tries that ended in or after the fault. `tries` are all of the same Pod since its start, for the counts' sake. */
export function judge(tries: readonly Tried[], fault: FaultWindow, known: Known): Verdict {
  const seen = tries.filter(({ startedMs, tookMs }) => startedMs + tookMs >= fault.fromMs);
  const offences = [...seen.flatMap((tried) => unserved(tried, fault)), ...miscounted(tries, fault, known)];
  const disturbed = seen.filter((tried) => tried.failed.length > 0 || tried.host === '');
  const last = Math.max(fault.fromMs, ...disturbed.map(({ startedMs, tookMs }) => startedMs + tookMs));
  return {
    tries: seen.length,
    failedHosts: seen.reduce((sum, { failed }) => sum + failed.length, 0),
    slowestMs: Math.max(0, ...seen.filter(({ host }) => host !== '').map(({ tookMs }) => tookMs)),
    recoveryMs: last - fault.fromMs,
    offences,
  };
}

function unserved(tried: Tried, { dnsAway, fromMs, toMs }: FaultWindow): string[] {
  if (tried.host !== '') return [];
  const inFault = tried.startedMs >= fromMs - 5_000 && tried.startedMs <= toMs;
  // A client that can ask nobody for want of DNS gets one of DNS's codes; that is what S4 teaches.
  if (dnsAway && inFault && tried.offered === 0 && [0x8007232b, 0x8007007b].includes(tried.hresult)) return [];
  const hosts = tried.failed.map(({ host, why }) => `${host} (${why})`).join(', ');
  return [`machine ${tried.machine} was served by nobody: ${hosts || tried.dns || 'it had no host'}`];
}

/** Every answer must lie between what had surely been counted before it was asked for, and what could have been counted when it came. */
function miscounted(tries: readonly Tried[], fault: FaultWindow, { machines, others }: Known): string[] {
  const fresh = tries.filter(({ machine }) => machine >= machines);
  const already = machines + others;
  const begun = firstOf(fresh, ({ startedMs }) => startedMs);
  const counted = firstOf(
    fresh.filter(({ host }) => host !== ''),
    ({ startedMs, tookMs }) => startedMs + tookMs,
  );
  const before = (times: readonly number[], atMs: number): number => times.filter((time) => time < atMs).length;
  return tries.flatMap((tried) => {
    if (tried.host === '' || tried.startedMs + tried.tookMs < fault.fromMs) return [];
    const away = fault.storeAway && tried.startedMs <= fault.toMs;
    const floorAtMs = away ? Math.min(tried.startedMs, fault.fromMs - LAG_MS) : tried.startedMs;
    // The answer counts the asker itself.
    const least = Math.max(before(counted, floorAtMs) + already, 1);
    const most = before(begun, tried.startedMs + tried.tookMs + 1) + already;
    if (tried.count >= least && tried.count <= most) return [];
    return [`machine ${tried.machine} was told ${tried.count} by ${tried.host}, which must be ${least} to ${most}`];
  });
}

/** A host's copy of the table is so far behind what other hosts counted (docs/redis.md). */
const LAG_MS = 1_000;

/** When each machine did it first, in no order. */
function firstOf(tries: readonly Tried[], timeOf: (tried: Tried) => number): number[] {
  const first = new Map<number, number>();
  for (const tried of tries)
    first.set(tried.machine, Math.min(timeOf(tried), first.get(tried.machine) ?? Number.POSITIVE_INFINITY));
  return [...first.values()];
}
