// SPDX-License-Identifier: Apache-2.0
//
// Plans, numbers and CMIDs for this folder's tests. Imported by tests only.

import { hostKeysForEverything, type Product, productBySlug } from '../catalog/index.ts';
import type { FleetPlan, GroupPlan, PoolPlan } from './index.ts';

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
/** A Monday, midnight. */
export const T0 = Date.UTC(2026, 0, 5);

export function product(slug: string): Product {
  const found = productBySlug(slug);
  if (found === undefined) throw new RangeError(`no product ${slug}`);
  return found;
}

export const pool = (over: Partial<PoolPlan> = {}): PoolPlan => ({
  name: 'campus',
  namespace: 'kms',
  replicas: 2,
  port: 1688,
  hostKeys: hostKeysForEverything(),
  activationIntervalMinutes: 120,
  renewalIntervalMinutes: 10_080,
  maxRequiredCount: 25,
  domains: [{ name: 'lab.example' }],
  withdrawAfterMs: 30_000,
  store: { onLoss: 'LastKnown', maxStaleSeconds: 3600 },
  ...over,
});

export const group = (over: Partial<GroupPlan> = {}): GroupPlan => ({
  name: 'pcs',
  product: product('windows-11'),
  count: 30,
  virtual: false,
  key: 'KMS',
  domains: ['lab.example'],
  configuredHost: '',
  configuredPort: 1688,
  hostCaching: true,
  arrival: { kind: 'ramp', atMs: 0, overMs: HOUR },
  clock: { offsetMs: 0, driftMsPerDay: 0 },
  image: { generalized: true, ageMs: 0, rearmsLeft: 3 },
  rearms: 0,
  ...over,
});

export const plan = (over: Partial<FleetPlan> = {}): FleetPlan => ({
  startMs: T0,
  days: 30,
  stepMs: 6 * HOUR,
  pools: [pool()],
  groups: [group()],
  changes: [],
  ...over,
});

/** A small generator for tests (a linear congruence, Numerical Recipes' constants): numbers in [0, 1). */
export function numbers(seed = 1): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

export const cmidOf = (machine: number): string => (machine + 1).toString(16).padStart(32, '0');
