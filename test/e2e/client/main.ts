// SPDX-License-Identifier: Apache-2.0
/**
 * Simulated machines in a Pod of the cluster: they find hosts by SRV through the cluster's DNS and ask to be activated. One line of JSON ({@link Tried}) a try. It is
 * bundled into one file and mounted into the image of kmsctl; it judges nothing, that is the oracle's.
 *
 *   node main.mjs play DOMAIN PRODUCT[:vm|:skew],…   each a new machine, one after another; :skew is one whose clock is a day ahead
 *   node main.mjs load DOMAIN RATE FROM TO        until SIGTERM: RATE tries a second, by machines 0 … FROM-1 at first; from the sixth second on one more every
 *                                                 two seconds, up to TO. Every other machine remembers its host and its address, as Windows does.
 *   node main.mjs fresh DOMAIN COUNT SEED         COUNT machines that have never asked DNS, chosen by a seeded generator
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { type Product, productBySlug } from '@kmspool/kms/catalog';
import { type Client, clientProfile, newClient } from '@kmspool/kms/client';
import { derivePoolKeys } from '@kmspool/kms/wire';
import {
  type Discovery,
  discoveryBy,
  type Machine,
  type Surroundings,
  type Try,
  tryActivation,
} from '@kmspool/kmsctl/net';
import type { Tried } from '../../harness/cluster/tried.ts';

const TIMEOUT_MS = 3_000;
const DAY_MS = 86_400_000;
const NEWCOMERS_AFTER_MS = 6_000;
/** Of the records in examples/campus.yaml. */
const TTL_MS = 60_000;

const [mode = '', domain = '', ...rest] = process.argv.slice(2);
const keys = derivePoolKeys(readFileSync('/key/key'));
const world: Omit<Surroundings, 'random' | 'clockMs'> = {
  keys,
  domain,
  discovery: discoveryBy(undefined, TIMEOUT_MS),
  timeoutMs: TIMEOUT_MS,
};

/** As the DNS client of Windows: an address that was found is good for its TTL. */
function remembering(discovery: Discovery): Discovery {
  const known = new Map<string, { readonly addresses: readonly string[]; readonly untilMs: number }>();
  return {
    ...discovery,
    addresses: async (host) => {
      const remembered = known.get(host);
      if (remembered !== undefined && performance.now() < remembered.untilMs) return remembered.addresses;
      const addresses = await discovery.addresses(host);
      if (addresses.length > 0) known.set(host, { addresses, untilMs: performance.now() + TTL_MS });
      return addresses;
    },
  };
}

interface Player {
  readonly index: number;
  readonly machine: Machine;
  client: Client;
  busy: boolean;
}

function player(index: number, slug: string, options: { vm?: boolean; caches?: boolean } = {}): Player {
  const product: Product | undefined = productBySlug(slug);
  const edition = product?.editions[0];
  if (product === undefined || edition === undefined) throw new Error(`the catalogue has no ${slug}`);
  const hex = createHash('sha256')
    .update(`${mode === 'play' ? process.env['HOSTNAME'] : ''} ${mode} ${index}`)
    .digest('hex');
  const cmid = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  const machine: Machine = {
    name: `e2e-${index}`,
    cmid,
    product,
    edition,
    protocol: product.protocolVersion,
    isClientVm: options.vm ?? false,
  };
  const profile = { ...clientProfile(product), hostCaching: options.caches ?? false };
  return { index, machine, client: newClient(profile, Date.now()), busy: false };
}

const memory = remembering(world.discovery);

async function once(who: Player, random: () => number = Math.random, skewMs = 0): Promise<void> {
  const startedMs = Date.now();
  const before = performance.now();
  const cached = who.client.cachedHost !== '';
  const outcome = await tryActivation(who.client, who.machine, {
    ...world,
    discovery: who.client.profile.hostCaching ? memory : world.discovery,
    random,
    clockMs: () => Date.now() + skewMs,
  });
  who.client = outcome.client;
  tell(who, { startedMs, tookMs: Math.round(performance.now() - before), cached, outcome });
}

function tell(
  { index, machine }: Player,
  { startedMs, tookMs, cached, outcome }: { startedMs: number; tookMs: number; cached: boolean; outcome: Try },
): void {
  const answered = outcome.contacts.find(({ answer }) => answer.kind === 'counted');
  const line: Tried = {
    startedMs,
    tookMs,
    machine: index,
    product: machine.product.slug,
    cached,
    hresult: outcome.hresult,
    count: answered?.answer.kind === 'counted' ? answered.answer.response.currentCount : 0,
    host: answered?.target.host ?? '',
    offered: outcome.plan.length,
    failed: outcome.contacts.flatMap(({ target, answer }) => {
      if (answer.kind === 'counted') return [];
      return [
        {
          host: target.host,
          why: answer.kind === 'failed' ? answer.failure.reason : `0x${answer.hresult.toString(16)}`,
        },
      ];
    }),
    dns: outcome.discovered?.reason ?? '',
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function play(list: string): Promise<void> {
  for (const [index, text] of list.split(',').entries()) {
    const [slug = '', kind] = text.split(':');
    await once(player(index, slug, { vm: kind === 'vm' }), Math.random, kind === 'skew' ? DAY_MS : 0);
  }
}

async function load(rate: number, first: number, most: number): Promise<void> {
  const end = new AbortController();
  process.once('SIGTERM', () => end.abort());
  const machines = Array.from({ length: most }, (_, index) => player(index, 'windows-11', { caches: index % 2 === 0 }));
  const startMs = performance.now();
  let next = 0;
  const running = new Set<Promise<void>>();
  for (let tick = 0; !end.signal.aborted; tick++) {
    const elapsedMs = performance.now() - startMs;
    const present = Math.min(most, first + Math.max(0, Math.floor((elapsedMs - NEWCOMERS_AFTER_MS) / 2_000) + 1));
    // Whose last try still runs is passed over: a machine does one thing at a time.
    const free = Array.from({ length: present }, (_, step) => machines[(next + step) % present]).find(
      (one) => one?.busy === false,
    );
    if (free !== undefined) {
      next = free.index + 1;
      free.busy = true;
      const done = once(free).finally(() => {
        free.busy = false;
        running.delete(done);
      });
      running.add(done);
    }
    const due = ((tick + 1) * 1_000) / rate - (performance.now() - startMs);
    if (due > 0) await delay(due, undefined, { signal: end.signal }).catch(() => undefined);
  }
  await Promise.all(running);
}

/** Mulberry32: small, seeded, good enough to choose hosts by. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

async function fresh(count: number, seed: number): Promise<void> {
  const random = seeded(seed);
  // One machine ID: it is DNS that is looked at, and the count shall not grow.
  for (let index = 0; index < count; index++) await once(player(0, 'windows-11'), random);
}

const numbers = rest.map(Number);
if (mode === 'play') await play(rest[0] ?? '');
else if (mode === 'load') await load(numbers[0] ?? 50, numbers[1] ?? 15, numbers[2] ?? 20);
else if (mode === 'fresh') await fresh(numbers[0] ?? 1_000, numbers[1] ?? 1);
else throw new Error(`no mode ${mode}`);
