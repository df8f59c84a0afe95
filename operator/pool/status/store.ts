// SPDX-License-Identifier: Apache-2.0

// StoreAvailable: whether the hosts reach the one table that they share. Hosts that are not ready are heard as well, for they are the ones that know. Pure.
import type { PoolStore } from '@kmspool/crds';
import { oldJudgement, type PoolJudgement, type StatusInput, type Testimony, testimonies } from './input.ts';
import { clipped, joined, listOf, sentence } from './text.ts';

/** A host that has just been started has not met the store yet; so long that is no news. */
export const STARTING_GRACE_MS = 10_000;

/**
 * What a host says of a Redis that answers and cannot be used, as its checks word it (docs/redis.md, "What is refused"). Trying again does not cure these.
 */
const UNSUITABLE: readonly RegExp[] = [
  /is too old: use Redis/,
  /which cannot count: give the master's address/,
  /may evict client machine IDs/,
  /Redis refuses the password/,
  /Redis asks for a password/,
  /Redis denies the user/,
  /keys under the pool's name hold something else/,
  /which this version cannot read/,
];

/** Whether a host's words mean that somebody has to change something at Redis or in the spec. */
export function isUnsuitable(storeError: string): boolean {
  return UNSUITABLE.some((words) => words.test(storeError));
}

/** Judges the store. */
export function judgeStore(input: StatusInput): PoolJudgement {
  const { store, replicas } = input.world.pool.spec;
  if (store === undefined) return IN_MEMORY;
  const all = testimonies(input);
  const heard = all.filter((testimony) => !isStarting(testimony, input.nowMs));
  const unsuitable = heard.flatMap((testimony) => unsuitableWords(testimony) ?? []);
  if (unsuitable.length > 0) return unsuitableStore(store, unsuitable);
  const told = heard.filter(({ answer }) => answer?.storeKind === 'redis');
  const lost = told.filter(({ answer }) => answer?.storeState !== 'Available');
  if (lost.length > 0) return lostStore(store, { lost, some: lost.length < told.length });
  if (told.length > 0) return { ...STORE, status: 'True', reason: 'StoreReachable', message: REACHABLE };
  return unknownStore(input, { all, replicas });
}

const STORE = { type: 'StoreAvailable' } as const;
const REACHABLE = 'All hosts that were asked reach the store.';

const IN_MEMORY: PoolJudgement = {
  ...STORE,
  status: 'True',
  reason: 'InMemory',
  message: 'The pool has no spec.store: its count is kept in the memory of its host and ends with it.',
};

/** When a host that is still starting is to be judged; undefined: there is none. */
export function startingUntilMs(input: StatusInput): number | undefined {
  if (input.world.pool.spec.store === undefined) return undefined;
  const starting = testimonies(input).filter((testimony) => isStarting(testimony, input.nowMs));
  const times = starting.map(({ pod }) => Date.parse(pod?.metadata.creationTimestamp ?? '') + STARTING_GRACE_MS);
  return times.length === 0 ? undefined : Math.min(...times);
}

function isStarting({ answer, pod }: Testimony, nowMs: number): boolean {
  if (answer?.storeState !== 'Starting' || isUnsuitable(answer.storeError ?? '')) return false;
  return nowMs < Date.parse(pod?.metadata.creationTimestamp ?? '') + STARTING_GRACE_MS;
}

/** A host ends at its start when Redis cannot be used; its last words are then in the Pod. */
function unsuitableWords({ host, answer, kind, pod }: Testimony): { name: string; words: string } | undefined {
  if (answer !== undefined) {
    const words = answer.storeState === 'Available' ? '' : (answer.storeError ?? '');
    return isUnsuitable(words) ? { name: host.name, words } : undefined;
  }
  if (host.ready || kind === 'answered') return undefined;
  const ends = (pod?.status?.containerStatuses ?? []).flatMap(({ lastState }) => lastState?.terminated?.message ?? []);
  const words = ends.find(isUnsuitable);
  const line = words?.split('\n').findLast(isUnsuitable);
  return line === undefined ? undefined : { name: host.name, words: line };
}

function unsuitableStore(store: PoolStore, hosts: readonly { name: string; words: string }[]): PoolJudgement {
  const names = listOf(hosts.map(({ name }) => name));
  const words = [...new Set(hosts.map((host) => clipped(host.words.trim(), 300)))];
  const message = `${placeOf(store)} cannot be used, say ${names}: ${sentence(joined(words, 2))} See docs/redis.md.`;
  return { ...STORE, status: 'False', reason: 'StoreUnsuitable', message };
}

function lostStore(store: PoolStore, { lost, some }: { lost: readonly Testimony[]; some: boolean }): PoolJudgement {
  const names = listOf(lost.map(({ host }) => host.name));
  const who = some ? names : `No host (${names})`;
  const verb = some && lost.length > 1 ? 'do not reach' : some ? 'does not reach' : 'reaches';
  const cause = lost.map(({ answer }) => answer?.storeError).find((words) => words !== undefined && words !== '');
  const check = some ? 'Check the network between them.' : 'Check that Redis runs and that the hosts may reach it.';
  const parts = [
    `${who} ${verb} ${placeOf(store)}; ${conduct(store, lost)}.`,
    cause === undefined ? '' : sentence(`${lost[0]?.host.name}: ${clipped(cause, 300)}`),
    check,
  ];
  const message = parts.filter((part) => part !== '').join(' ');
  return { ...STORE, status: 'False', reason: some ? 'StorePartlyLost' : 'StoreLost', message };
}

/** What the hosts without a store do about their clients. */
function conduct(store: PoolStore, lost: readonly Testimony[]): string {
  const refusing = lost.filter(({ answer }) => answer?.storeState !== 'LastKnown').map(({ host }) => host.name);
  if (refusing.length === lost.length) return 'clients that ask there are turned away and try the next host';
  const bound = `from the last known table, for at most ${store.maxStaleSeconds} s`;
  if (refusing.length === 0) return `clients are answered ${bound}`;
  return `clients are answered ${bound}, but not by ${listOf(refusing)}`;
}

type Unheard = { readonly all: readonly Testimony[]; readonly replicas: number };

/** After a start of the operator nobody has been asked yet, and a new Pod knows nothing yet: what was said last stays until somebody has. */
function unknownStore(input: StatusInput, { all, replicas }: Unheard): PoolJudgement {
  const before = oldJudgement(input, 'StoreAvailable');
  const soon = all.some((testimony) => testimony.kind === 'pending' || isStarting(testimony, input.nowMs));
  if (soon && before !== undefined && before.status !== 'Unknown' && before.reason !== 'InMemory') return before;
  const message = `No host could be asked about the store: ${whyUnheard(all, { soon, replicas })}.`;
  return { ...STORE, status: 'Unknown', reason: 'StoreUnknown', message };
}

function whyUnheard(all: readonly Testimony[], { soon, replicas }: { soon: boolean; replicas: number }): string {
  if (soon) return 'they are starting';
  const silent = all.filter(({ kind }) => kind === 'silent').map(({ host }) => host.name);
  if (silent.length > 0) return `${listOf(silent)} did not answer the operator, see the condition Ready`;
  return replicas === 0 ? 'the pool has none' : 'none runs yet';
}

/** Where the store is, without credentials: the spec has none. */
function placeOf({ redis: { url, sentinel, cluster } }: PoolStore): string {
  if (url !== undefined) return `Redis at ${url}`;
  if (sentinel !== undefined) return `Redis (Sentinel ${sentinel.name} at ${listOf(sentinel.addresses, 3)})`;
  return `Redis (cluster at ${listOf(cluster?.addresses ?? [], 3)})`;
}
