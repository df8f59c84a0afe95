// SPDX-License-Identifier: Apache-2.0
//
// Hosts and guests over time: an action and the world before it give the world after it and the event records that were written.

import { judge } from './attempt.ts';
import type { AvmaRecord, AvmaServer, AvmaVm, ExchangedData, GuestKey, GuestLicense, Occasion } from './types.ts';

const DAY_MS = 86_400_000;
/** How often an activated guest renews. */
export const AVMA_RENEWAL_MS = 7 * DAY_MS;

export interface AvmaWorld {
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  readonly hosts: readonly AvmaServer[];
  readonly guests: readonly AvmaVm[];
}

export type AvmaAction =
  | { readonly kind: 'start' | 'stop' | 'retry'; readonly guest: string }
  | { readonly kind: 'migrate'; readonly guest: string; readonly to: string }
  | { readonly kind: 'setKey'; readonly guest: string; readonly key: GuestKey }
  /** Writes into the key-value pairs as anybody in the guest can. */
  | { readonly kind: 'tamper'; readonly guest: string; readonly data: ExchangedData }
  | {
      readonly kind: 'setGuest';
      readonly guest: string;
      readonly to: Partial<Pick<AvmaVm, 'dataExchange' | 'damaged' | 'connected'>>;
    }
  | {
      readonly kind: 'setHost';
      readonly host: string;
      readonly to: Partial<Pick<AvmaServer, 'activation' | 'answers' | 'connected'>>;
    }
  /** The host is gone; its running guests start on the others of its cluster in turn, or nowhere. */
  | { readonly kind: 'lose'; readonly host: string }
  | { readonly kind: 'wait'; readonly ms: number };

export interface Stepped {
  readonly world: AvmaWorld;
  /** In the order of writing. */
  readonly records: readonly AvmaRecord[];
}

/** The world after an action. Throws a RangeError for a name that is not there: whoever reads names checks them first. */
export function step(world: AvmaWorld, action: AvmaAction): Stepped {
  switch (action.kind) {
    case 'wait':
      return wait(world, action.ms);
    case 'lose':
      return lose(world, hostOf(world, action.host));
    case 'setHost':
      hostOf(world, action.host);
      return quiet({
        ...world,
        hosts: world.hosts.map((host) => (host.name === action.host ? { ...host, ...action.to } : host)),
      });
    default:
      return guestStep(world, guestOf(world, action.guest), action);
  }
}

type GuestAction = Exclude<AvmaAction, { kind: 'wait' | 'setHost' | 'lose' }>;

function guestStep(world: AvmaWorld, guest: AvmaVm, action: GuestAction): Stepped {
  switch (action.kind) {
    case 'start':
      return request(world, started(guest), 'Start');
    case 'stop':
      return quiet(withGuest(world, { ...guest, running: false, dueMs: undefined }));
    case 'retry':
      return request(world, guest, 'Retry');
    case 'migrate':
      hostOf(world, action.to);
      return request(world, { ...guest, host: action.to }, 'Migration');
    case 'setKey': {
      const rekeyed = { ...guest, key: action.key, boundTo: undefined, dueMs: undefined };
      return request(world, { ...rekeyed, license: atStart(rekeyed) }, 'KeyChange');
    }
    case 'tamper':
      // Nobody watches: no record, and no decision rests on it.
      return quiet(withGuest(world, { ...guest, exchanged: { ...guest.exchanged, ...action.data } }));
    case 'setGuest':
      return quiet(withGuest(world, exchanging({ ...guest, ...action.to })));
  }
}

// The guest writes its data anew when it starts, over whatever somebody has put there.
function started(guest: AvmaVm): AvmaVm {
  const exchanged = guest.dataExchange ? undefined : guest.exchanged;
  return { ...guest, running: true, license: atStart(guest), boundTo: undefined, exchanged };
}

function atStart({ key }: AvmaVm): GuestLicense {
  return key.kind === 'Avma' ? 'Unlicensed' : 'OtherKey';
}

/** The guest asks its host, if it has an AVMA key and runs. */
function request(world: AvmaWorld, guest: AvmaVm, occasion: Occasion): Stepped {
  const { host: at } = guest;
  const verdict = judge(guest, hostOf(world, at));
  if (verdict === undefined) return quiet(withGuest(world, exchanging(guest)));
  const { notification, reason, reachedHost } = verdict;
  const base = { atMs: world.nowMs, guest: guest.name, tenant: guest.tenant, host: at, occasion, notification, reason };
  const records: AvmaRecord[] = [
    ...(reachedHost ? [{ ...base, id: 12310, log: at } as const] : []),
    { ...base, id: 12309, log: guest.name },
  ];
  const success = notification === 'Success';
  // Whoever moved keeps what it has until it is due; a start and a renewal decide at once.
  const kept = occasion === 'Migration' && guest.license === 'Licensed';
  const dueMs = !success && kept ? guest.dueMs : world.nowMs + AVMA_RENEWAL_MS;
  const license = success || kept ? 'Licensed' : 'Notification';
  const boundTo = success ? at : kept ? guest.boundTo : undefined;
  return { world: withGuest(world, exchanging({ ...guest, license, boundTo, dueMs })), records };
}

/** The key-value pairs of a running guest with an AVMA key are there; with another key they go (S5-21). */
function exchanging(guest: AvmaVm): AvmaVm {
  if (guest.key.kind !== 'Avma') return { ...guest, exchanged: undefined };
  const writes = guest.running && guest.dataExchange && guest.exchanged === undefined;
  return writes ? { ...guest, exchanged: guest.facts } : guest;
}

function lose(world: AvmaWorld, lost: AvmaServer): Stepped {
  const answering = world.hosts.filter(({ name, answers }) => answers && name !== lost.name);
  const others = answering.filter(({ cluster }) => cluster !== undefined && cluster === lost.cluster);
  const records: AvmaRecord[] = [];
  let now: AvmaWorld = {
    ...world,
    hosts: world.hosts.map((host) => (host === lost ? { ...host, answers: false } : host)),
  };
  const fallen = world.guests.filter(({ host, running }) => running && host === lost.name);
  for (const [at, guest] of fallen.entries()) {
    const to = others[at % others.length];
    const stepped = to === undefined ? step(now, { kind: 'stop', guest: guest.name }) : restart(now, guest, to);
    records.push(...stepped.records);
    now = stepped.world;
  }
  return { world: now, records };
}

function restart(world: AvmaWorld, guest: AvmaVm, { name }: AvmaServer): Stepped {
  return request(world, started({ ...guest, host: name }), 'Start');
}

/** Lets time pass: whoever is due asks at its time, the earliest first. */
function wait(world: AvmaWorld, ms: number): Stepped {
  const endMs = world.nowMs + ms;
  const records: AvmaRecord[] = [];
  let now = world;
  for (;;) {
    const next = now.guests
      .filter(({ running, dueMs }) => running && dueMs !== undefined && dueMs <= endMs)
      .reduce<AvmaVm | undefined>(
        (best, guest) => ((best?.dueMs ?? Infinity) <= (guest.dueMs ?? 0) ? best : guest),
        undefined,
      );
    if (next?.dueMs === undefined) return { world: { ...now, nowMs: endMs }, records };
    const stepped = request({ ...now, nowMs: Math.max(now.nowMs, next.dueMs) }, next, 'Renewal');
    records.push(...stepped.records);
    now = stepped.world;
  }
}

function quiet(world: AvmaWorld): Stepped {
  return { world, records: [] };
}

function withGuest(world: AvmaWorld, guest: AvmaVm): AvmaWorld {
  return { ...world, guests: world.guests.map((each) => (each.name === guest.name ? guest : each)) };
}

/** The host of this name. Throws a RangeError if there is none. */
export function hostOf(world: AvmaWorld, name: string): AvmaServer {
  const host = world.hosts.find((each) => each.name === name);
  if (host === undefined) throw new RangeError(`no host ${name}`);
  return host;
}

/** The guest of this name. Throws a RangeError if there is none. */
export function guestOf(world: AvmaWorld, name: string): AvmaVm {
  const guest = world.guests.find((each) => each.name === name);
  if (guest === undefined) throw new RangeError(`no guest ${name}`);
  return guest;
}
