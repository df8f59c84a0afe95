// SPDX-License-Identifier: Apache-2.0

// One change among many pools: how soon it shows in the status, and a host's readiness in the DNSEndpoint.
import type { ObjectRef } from '@kmspool/operator/runtime';
import { POOLS, type PoolObject } from '../../../operator/pool/kinds.ts';
import { dwellEnd, type Figure, judged, quantileOf, spread, told } from './figures.ts';
import { HOSTS } from './pools.ts';
import type { Settled } from './scene.ts';

const MOST_STATUS_SECONDS = 1.5;
const MOST_RECORD_SECONDS = 2;
const DWELL_SECONDS = 1;

/** Every n-th pool, so that they lie in all namespaces; the stride has no divisor in common with round numbers. */
function choose(refs: readonly ObjectRef[], n: number): ObjectRef {
  const ref = refs[(n * 37) % refs.length];
  if (ref === undefined) throw new Error('there is no pool');
  return ref;
}

/** Changes the activation interval of one pool after another; each has settled before the next one is changed. */
export async function measureEdits({ client, eyes, refs, options, progress }: Settled) {
  const took = { observed: [] as number[], reconciling: [] as number[], settled: [] as number[] };
  for (let n = 0; n < options.pace.edits; n++) {
    const ref = choose(refs, n);
    const patch = { spec: { activationIntervalMinutes: 121 + n } };
    const answer = await client.patch<PoolObject>(POOLS, ref, { patch });
    const answeredMs = Date.now();
    const generation = answer.metadata.generation ?? 0;
    const what = `${ref.name} to be settled at generation ${generation}`;
    await eyes.until(what, () => eyes.seen(ref, generation).settledAtMs !== undefined);
    const seen = eyes.seen(ref, generation);
    const after = (atMs: number | undefined): number => Math.max(0, (atMs ?? Number.NaN) - answeredMs);
    took.observed.push(after(seen.observedAtMs));
    took.reconciling.push(after(seen.reconcilingAtMs));
    took.settled.push(after(seen.settledAtMs));
  }
  progress(`${options.pace.edits} edits made`);
  const unseen = took.reconciling.filter(Number.isNaN).length;
  const figures: Figure[] = [
    judged('one edit: status of that generation, p99', {
      value: quantileOf(took.observed, 0.99) / 1000,
      most: MOST_STATUS_SECONDS,
      unit: 's',
      digits: 3,
      beside: spread(took.observed),
    }),
    judged('one edit: Reconciling=True of that generation was never seen', { value: unseen, most: 0, unit: '' }),
    told('one edit: until Reconciling says so', spread(took.reconciling.filter((ms) => !Number.isNaN(ms)))),
    told('one edit: until all hosts run it (Ready, not Reconciling)', spread(took.settled)),
  ];
  return { figures, raw: took };
}

/** Takes the last host of one pool after another out of readiness and back. */
export async function measureFlips(scene: Settled) {
  const { options, refs, progress } = scene;
  const chosen = Array.from({ length: Math.min(options.pace.flips, refs.length) }, (_, n) => choose(refs, n));
  await shortenDwell(scene, chosen);
  const took = { leaving: [] as number[], returning: [] as number[] };
  for (const ref of chosen) {
    const { leaving, returning } = await flip(scene, ref);
    took.leaving.push(leaving);
    took.returning.push(returning);
  }
  progress(`${chosen.length} flips made`);
  const figure = (what: string, valuesMs: readonly number[]): Figure =>
    judged(what, {
      value: quantileOf(valuesMs, 1) / 1000,
      most: MOST_RECORD_SECONDS,
      unit: 's',
      digits: 3,
      beside: spread(valuesMs),
    });
  return {
    figures: [
      figure(`a host unready: out of the DNSEndpoint, after the dwell of ${DWELL_SECONDS} s, longest`, took.leaving),
      figure('a host ready again: back in the DNSEndpoint, longest', took.returning),
    ],
    raw: took,
  };
}

/** So that the dwell is short, and a record may change again at once. */
async function shortenDwell({ client, eyes }: Settled, chosen: readonly ObjectRef[]): Promise<void> {
  const patch = { spec: { dns: { withdrawAfterSeconds: DWELL_SECONDS, minChangeSeconds: 0 } } };
  for (const ref of chosen) {
    const answer = await client.patch<PoolObject>(POOLS, ref, { patch });
    const generation = answer.metadata.generation ?? 0;
    await eyes.until(`${ref.name} to settle`, () => eyes.seen(ref, generation).settledAtMs !== undefined);
  }
}

async function flip({ cluster, eyes }: Settled, ref: ObjectRef): Promise<{ leaving: number; returning: number }> {
  const { namespace = '', name } = ref;
  const host = `${name}-${HOSTS - 1}`;
  const fqdn = `${host}.${namespace}.${name}.bench.test`;
  const set = (ready: boolean): Promise<number> => cluster.surroundings.setReady(namespace, host, ready);
  const downAtMs = await set(false);
  const goneAtMs = await eyes.until(`${fqdn} to leave`, () => !eyes.publishes(ref, fqdn));
  const upAtMs = await set(true);
  const backAtMs = await eyes.until(`${fqdn} to return`, () => eyes.publishes(ref, fqdn));
  await eyes.until(`${name} to settle again`, () => eyes.isSettled(ref));
  return { leaving: goneAtMs - dwellEnd(downAtMs, DWELL_SECONDS), returning: backAtMs - upAtMs };
}
