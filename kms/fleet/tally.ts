// SPDX-License-Identifier: Apache-2.0
//
// What is written down of a simulation: series at a fixed distance, totals, and the evidence that verdicts rest on. It
// counts what it is told and decides nothing.

import { APPLICATIONS } from '../catalog/index.ts';
import { PHASE } from './machines.ts';
import type { World } from './world.ts';

/** In what state a machine can be seen: not there yet, the licence states of a KMS client, or with a key of another kind. */
export const STATES = ['absent', 'licensed', 'grace', 'outOfTolerance', 'notification', 'mak', 'retail'] as const;
export type MachineState = (typeof STATES)[number];

/** How a try ended. */
export const OUTCOMES = ['firstActivation', 'renewal', 'countTooLow', 'refused', 'notReached'] as const;
export type TryOutcome = (typeof OUTCOMES)[number];

export type Numbers = readonly number[];

/** One point a step, the first at the start; what happens in a step stands at its end. */
export interface Series {
  /** Milliseconds since the start. */
  readonly atMs: Numbers;
  readonly states: Readonly<Record<MachineState, Numbers>>;
  readonly tries: Readonly<Record<TryOutcome, Numbers>>;
  readonly counts: readonly { readonly pool: string; readonly application: string; readonly count: Numbers }[];
  /** Requests that the host answered, with a count or a refusal. */
  readonly hosts: readonly { readonly host: string; readonly answered: Numbers }[];
}

export interface Leaving {
  readonly machine: number;
  readonly atMs: number;
}

/** The machines of a group in their states at one moment. */
export type GroupStates = Readonly<Record<MachineState, number>>;

export interface Checkpoint {
  readonly atMs: number;
  /** In the order of the plan's groups. */
  readonly groups: readonly GroupStates[];
}

const STATE_OF_STATUS = [4, 1, 2, 3, 2, 4, 2] as const;
const COUNT = STATES.length;

/** Index in STATES of a machine in this phase with this licence status. */
export function stateIndex(phase: number, licenseStatus: number): number {
  if (phase === PHASE.client) return STATE_OF_STATUS[licenseStatus] ?? 0;
  if (phase === PHASE.mak) return 5;
  return phase === PHASE.retail ? 6 : 0;
}

const LICENSED = 1;
const MAK = 5;

export class Tally {
  readonly hresults = new Map<number, number>();
  readonly #world: World;
  readonly #inState: Int32Array;
  readonly #leavings: { times: number; first: Leaving | undefined }[];
  readonly #tries = new Float64Array(OUTCOMES.length);
  readonly #triesInStep = new Float64Array(OUTCOMES.length);
  readonly #answered: Float64Array;
  readonly #answeredInStep: Float64Array;
  readonly #atMs: number[] = [];
  readonly #stateSeries: number[][] = STATES.map(() => []);
  readonly #trySeries: number[][] = OUTCOMES.map(() => []);
  readonly #countSeries: number[][];
  readonly #hostSeries: number[][];
  readonly #hostIndex: ReadonlyMap<string, number>;

  constructor(world: World, groupSizes: readonly number[]) {
    this.#world = world;
    this.#inState = new Int32Array(groupSizes.length * COUNT);
    for (const [group, size] of groupSizes.entries()) this.#inState[group * COUNT] = size;
    this.#leavings = groupSizes.map(() => ({ times: 0, first: undefined }));
    this.#answered = new Float64Array(world.hosts.length);
    this.#answeredInStep = new Float64Array(world.hosts.length);
    this.#countSeries = world.pools.flatMap(() => APPLICATIONS.map(() => []));
    this.#hostSeries = world.hosts.map(() => []);
    this.#hostIndex = new Map(
      world.hosts.flatMap(({ name, fqdn }, at): [string, number][] => [
        [name, at],
        [fqdn, at],
      ]),
    );
  }

  /** A machine of a group went from one state to another. */
  moved(group: number, from: number, to: number, seen: Leaving): void {
    if (from === to) return;
    this.#inState[group * COUNT + from]! -= 1;
    this.#inState[group * COUNT + to]! += 1;
    const leavings = this.#leavings[group];
    if (from !== LICENSED || to === MAK || leavings === undefined) return;
    leavings.times += 1;
    leavings.first ??= seen;
  }

  tried(outcome: TryOutcome, hresult: number): void {
    const at = OUTCOMES.indexOf(outcome);
    this.#tries[at]! += 1;
    this.#triesInStep[at]! += 1;
    if (hresult !== 0) this.hresults.set(hresult, (this.hresults.get(hresult) ?? 0) + 1);
  }

  answered(host: string): void {
    const at = this.#hostIndex.get(host);
    if (at === undefined) return;
    this.#answered[at]! += 1;
    this.#answeredInStep[at]! += 1;
  }

  sample(atMs: number, nowMs: number): void {
    this.#atMs.push(atMs);
    STATES.forEach((_state, state) => {
      let sum = 0;
      for (let at = state; at < this.#inState.length; at += COUNT) sum += this.#inState[at] ?? 0;
      this.#stateSeries[state]?.push(sum);
    });
    this.#world.pools
      .flatMap((pool) => pool.counts(nowMs))
      .forEach((count, at) => {
        this.#countSeries[at]?.push(count);
      });
    drain(this.#triesInStep, this.#trySeries);
    drain(this.#answeredInStep, this.#hostSeries);
  }

  /** The states of every group now. */
  groups(): GroupStates[] {
    return this.#leavings.map((_group, group) => {
      const states = STATES.map((state, at) => [state, this.#inState[group * COUNT + at] ?? 0]);
      return Object.fromEntries(states) as GroupStates;
    });
  }

  leavings(group: number): { readonly times: number; readonly first: Leaving | undefined } {
    return this.#leavings[group] ?? { times: 0, first: undefined };
  }

  totals(): Readonly<Record<TryOutcome, number>> {
    return record(OUTCOMES, (at) => this.#tries[at] ?? 0);
  }

  answeredByHost(): number[] {
    return [...this.#answered];
  }

  series(): Series {
    const { pools, hosts } = this.#world;
    return {
      atMs: this.#atMs,
      states: record(STATES, (at) => this.#stateSeries[at] ?? []),
      tries: record(OUTCOMES, (at) => this.#trySeries[at] ?? []),
      counts: pools.flatMap(({ plan }, pool) =>
        APPLICATIONS.map(({ name: application }, at) => ({
          pool: plan.name,
          application,
          count: this.#countSeries[pool * APPLICATIONS.length + at] ?? [],
        })),
      ),
      hosts: hosts.map(({ name }, at) => ({ host: name, answered: this.#hostSeries[at] ?? [] })),
    };
  }
}

function drain(step: Float64Array, series: readonly number[][]): void {
  for (const [at, points] of series.entries()) points.push(step[at] ?? 0);
  step.fill(0);
}

function record<K extends string, V>(names: readonly K[], valueAt: (at: number) => V): Readonly<Record<K, V>> {
  return Object.fromEntries(names.map((name, at) => [name, valueAt(at)])) as Record<K, V>;
}
