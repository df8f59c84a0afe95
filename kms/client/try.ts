// SPDX-License-Identifier: Apache-2.0
//
// One try as a walk of pure steps: whom to ask next, and what the answers come to. Who asks (a socket, a virtual host) is
// the caller's; so a simulator and a real client take the very same steps. Which hosts, in which order: attempt.ts; what
// an answer does to the client: outcome.ts.

import type { SrvRecord } from '../dns/index.ts';
import { type AttemptTarget, attemptPlan, needsDiscovery } from './attempt.ts';
import { advance } from './life.ts';
import { afterAnswer, afterFailure, afterRefusal, afterSilence } from './outcome.ts';
import type { Client, ClientAnswer, ClientEvent, ClientStep } from './types.ts';

/** What the client does next: ask DNS for SRV records, ask one host, or nothing more. */
export type TryNext = 'discover' | 'over' | AttemptTarget;

/** How far a try has come. */
export interface TryWalk {
  readonly client: Client;
  readonly next: TryNext;
  /** What it came to: 0 licensed, 0xC004F038 too few, or why not. 0 until it is over. */
  readonly hresult: number;
  readonly events: readonly ClientEvent[];
  /** The hosts to ask, first to last; those before `asked` have been. */
  readonly plan: readonly AttemptTarget[];
  readonly asked: number;
  /** DNS was asked in this try. */
  readonly discovered: boolean;
}

/** What a host said, or that it did not. */
export type HostReply =
  | { readonly kind: 'counted'; readonly answer: Omit<ClientAnswer, 'host'> }
  | { readonly kind: 'refused'; readonly hresult: number }
  | { readonly kind: 'silent'; readonly how: 'ConnectFailed' | 'NoAnswer' };

const NO_EVENTS: readonly ClientEvent[] = [];
const NO_RECORDS: readonly SrvRecord[] = [];
const NEVER = (): number => 0;

/** Begins a try. Goes on with {@link afterDiscovery} or {@link afterReply}, as `next` says, until it is `over`. */
export function beginTry(client: Client, nowMs: number): TryWalk {
  const now = advance(client, nowMs);
  const start = { client: now, hresult: 0, events: NO_EVENTS, plan: [], asked: 0, discovered: false };
  if (needsDiscovery(now)) return { ...start, next: 'discover' };
  const plan = attemptPlan(now, NO_RECORDS, NEVER);
  return { ...start, plan, next: plan[0] ?? 'over' };
}

/** What DNS said: the SRV records, or `noDomain` if the client has no domain to look in. */
export interface Found {
  readonly records: readonly SrvRecord[];
  readonly noDomain?: boolean;
}

/** DNS has answered. Without a record, or a domain, the try is over (0x8007232B, 0x8007007B). */
export function afterDiscovery(walk: TryWalk, found: Found, random: () => number, nowMs: number): TryWalk {
  const known: TryWalk = { ...walk, discovered: true };
  if (found.noDomain === true) return concluded(known, afterFailure(walk.client, 'NoDnsDomain', nowMs));
  if (found.records.length === 0) return concluded(known, afterFailure(walk.client, 'NoSrvRecord', nowMs));
  const more = attemptPlan(walk.client, found.records, random).filter(
    ({ host, port }) => !walk.plan.some((before) => before.host === host && before.port === port),
  );
  return goOn({ ...known, plan: [...walk.plan, ...more] }, nowMs);
}

/** The host that `next` named has answered, refused, or was silent; after silence comes the next one (S3-22). */
export function afterReply(walk: TryWalk, reply: HostReply, nowMs: number): TryWalk {
  const { client, next } = walk;
  if (typeof next === 'string') throw new RangeError(`no host was to be asked: the try is at "${next}"`);
  const asked = walk.asked + 1;
  if (reply.kind === 'refused') {
    return concluded({ ...walk, asked }, afterRefusal(client, reply.hresult, nowMs, next));
  }
  if (reply.kind === 'counted') {
    const answer = { ...reply.answer, host: next.host, contactedPort: next.port };
    return concluded({ ...walk, asked }, afterAnswer(client, answer, nowMs));
  }
  const step = afterSilence(client, next, reply.how, nowMs);
  return goOn({ ...walk, asked, client: step.client, events: [...walk.events, ...step.events] }, nowMs);
}

/** On to the next host of the plan. A cached host that is silent is dropped, and then DNS is asked (S1-39). */
function goOn(walk: TryWalk, nowMs: number): TryWalk {
  const next = walk.plan[walk.asked];
  if (next !== undefined) return { ...walk, next };
  if (!walk.discovered && needsDiscovery(walk.client)) return { ...walk, next: 'discover' };
  return concluded(walk, afterFailure(walk.client, 'AllHostsFailed', nowMs));
}

function concluded(walk: TryWalk, step: ClientStep): TryWalk {
  const events = walk.events.length === 0 ? step.events : [...walk.events, ...step.events];
  return { ...walk, next: 'over', client: step.client, hresult: step.hresult, events };
}
