// SPDX-License-Identifier: Apache-2.0
//
// The machines of a fleet against a pool that runs, on real sockets: each is switched on once, at a steady rate, and those
// that were told too small a count try once more at the end. Time is not compressed: changes and expectations of the file
// belong to the virtual clock. What a try does is ../net.

import { setTimeout as delay } from 'node:timers/promises';
import { application } from '@kmspool/kms/catalog';
import { type Client, clientProfile, newClient } from '@kmspool/kms/client';
import type { FleetPlan, GroupPlan } from '@kmspool/kms/fleet';
import { hexToGuid, type PoolKeys } from '@kmspool/kms/wire';
import { type Discovery, type Machine, type Try, tryActivation } from '../net/index.ts';
import { editionOf } from '../verbs/activate.ts';
import { seededCmid } from './random.ts';
import type { Fleet } from './schema.ts';

export interface WireOptions {
  readonly plan: FleetPlan;
  readonly fleet: Fleet;
  readonly seed: number;
  readonly keys: PoolKeys;
  readonly discovery: Discovery;
  /** All machines search this domain, instead of those of their group. */
  readonly domain: string | undefined;
  /** Machines a second. */
  readonly rate: number;
  readonly timeoutMs: number;
  readonly random: () => number;
  readonly aborted: () => boolean;
  readonly onProgress: (share: number, note: string) => void;
}

export interface WireReport {
  readonly fleet: string;
  readonly machines: number;
  readonly tries: number;
  readonly licensed: number;
  /** True if it was ended early. */
  readonly interrupted: boolean;
  readonly seconds: number;
  /** Round trip of the activation request, milliseconds; absent without an answer. */
  readonly latencyMs?: { readonly p50: number; readonly p99: number; readonly highest: number };
  /** The last count that each application was told. */
  readonly counts: Readonly<Record<string, number>>;
  readonly hosts: readonly { readonly host: string; readonly answered: number }[];
  readonly results: readonly { readonly hresult: number; readonly times: number }[];
}

/** So many tries are under way at most: a client waits, a fleet does not. */
const MOST_AT_ONCE = 256;

interface Actor {
  readonly machine: Machine;
  readonly group: GroupPlan;
  client: Client;
}

/** Runs all machines once, and those that were told too few once more. Never rejects for what hosts or DNS do. */
export async function runWire(options: WireOptions): Promise<WireReport> {
  const actors = actorsOf(options);
  const ledger = new Ledger();
  const startMs = performance.now();
  await inTurn(actors, options, ledger);
  const waiting = actors.filter(({ client }) => client.lastHresult === 0xc004f038);
  await inTurn(waiting, options, ledger);
  const licensed = actors.filter(({ client }) => client.licenseStatus === 1).length;
  const seconds = Number(((performance.now() - startMs) / 1000).toFixed(2));
  const interrupted = options.aborted();
  return { fleet: options.fleet.fleet, machines: actors.length, licensed, interrupted, seconds, ...ledger.sums() };
}

/** Every machine that is a KMS client, in the order of the file. */
function actorsOf({ plan, fleet, seed }: WireOptions): Actor[] {
  let first = 0;
  return plan.groups.flatMap((group, at) => {
    const start = first;
    first += group.count;
    if (group.key !== 'KMS') return [];
    const profile = clientProfile(group.product, {
      hostCaching: group.hostCaching,
      configuredHost: group.configuredHost,
      port: group.configuredPort,
    });
    const edition = editionOf(group.product, fleet.machines[at]?.edition);
    return Array.from({ length: group.count }, (_, index): Actor => {
      const cmid = seededCmid(seed, group.image.generalized ? start + index : start);
      const machine = {
        name: `${group.name}-${index + 1}`.slice(0, 63),
        cmid: hexToGuid(cmid),
        product: group.product,
        edition,
        protocol: group.product.protocolVersion,
        isClientVm: group.virtual,
      };
      return { machine, group, client: newClient(profile, Date.now() + group.clock.offsetMs) };
    });
  });
}

async function inTurn(actors: readonly Actor[], options: WireOptions, ledger: Ledger): Promise<void> {
  const underWay = new Set<Promise<void>>();
  const startMs = performance.now();
  for (const [at, actor] of actors.entries()) {
    const waitMs = startMs + (1000 * at) / options.rate - performance.now();
    if (waitMs > 1) await delay(waitMs);
    if (underWay.size >= MOST_AT_ONCE) await Promise.race(underWay);
    if (options.aborted()) break;
    const one = act(actor, options, ledger).finally(() => underWay.delete(one));
    underWay.add(one);
    options.onProgress(at / actors.length, ledger.note());
  }
  await Promise.all(underWay);
}

async function act(actor: Actor, options: WireOptions, ledger: Ledger): Promise<void> {
  const { machine, group } = actor;
  const { keys, timeoutMs, random } = options;
  const domains = options.domain === undefined ? group.domains : [options.domain];
  const result = await tryActivation(actor.client, machine, {
    keys,
    timeoutMs,
    random,
    discovery: searching(options.discovery, domains),
    domain: domains[0],
    clockMs: () => Date.now() + group.clock.offsetMs,
  });
  actor.client = result.client;
  ledger.add(result, machine);
}

/** Looks in each of the domains until one has records, as a suffix search list does. */
function searching(discovery: Discovery, domains: readonly string[]): Discovery {
  return {
    ...discovery,
    srv: async (first) => {
      let found = await discovery.srv(first);
      for (const domain of domains.slice(1)) {
        if (found.records.length > 0) break;
        found = await discovery.srv(domain);
      }
      return found;
    },
  };
}

class Ledger {
  readonly #latenciesMs: number[] = [];
  readonly #counts = new Map<string, number>();
  readonly #hosts = new Map<string, number>();
  readonly #results = new Map<number, number>();
  #tries = 0;

  add({ contacts, hresult }: Try, { product }: Machine): void {
    this.#tries += 1;
    this.#results.set(hresult, (this.#results.get(hresult) ?? 0) + 1);
    const last = contacts.at(-1);
    if (last === undefined || last.answer.kind === 'failed') return;
    const host = last.target.host;
    this.#hosts.set(host, (this.#hosts.get(host) ?? 0) + 1);
    this.#latenciesMs.push(last.answer.wire.latencyMs);
    if (last.answer.kind === 'counted') {
      this.#counts.set(application(product.application).name, last.answer.response.currentCount);
    }
  }

  /** For the progress bar: what the machines are told now. */
  note(): string {
    return [...this.#counts].map(([name, count]) => `${name} ${count}`).join('  ');
  }

  sums(): Pick<WireReport, 'tries' | 'counts' | 'hosts' | 'results' | 'latencyMs'> {
    const sorted = this.#latenciesMs.toSorted((a, b) => a - b);
    const rank = (share: number): number => Number((sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(2));
    return {
      tries: this.#tries,
      counts: Object.fromEntries([...this.#counts].sort()),
      hosts: [...this.#hosts].sort().map(([host, answered]) => ({ host, answered })),
      results: [...this.#results].sort(([, a], [, b]) => b - a).map(([hresult, times]) => ({ hresult, times })),
      ...(sorted.length > 0 && { latencyMs: { p50: rank(0.5), p99: rank(0.99), highest: rank(1) } }),
    };
  }
}
