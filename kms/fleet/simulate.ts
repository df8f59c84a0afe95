// SPDX-License-Identifier: Apache-2.0
//
// The virtual clock: it goes from minute to minute, serves every machine that is due in the order of time, and applies
// changes in between. The machine's life is kms/client, the host's kms/host and kms/counting; nothing of them is here.

import {
  advance,
  afterDiscovery,
  afterReply,
  beginTry,
  type Client,
  nextChangeAtMs,
  rearmed,
} from '../client/index.ts';
import { Agenda, SLOT_MS } from './agenda.ts';
import { arrivals } from './arrival.ts';
import { bornFrom, changeMachine } from './machine-changes.ts';
import { Machines, PHASE } from './machines.ts';
import { Marks } from './marks.ts';
import type { Change, FleetPlan } from './plan.ts';
import { VirtualPool } from './pool.ts';
import { type Checkpoint, stateIndex, Tally, type TryOutcome } from './tally.ts';
import { World } from './world.ts';

const DAY_MS = 86_400_000;

/** One try, told as it ends. */
export interface TrySeen {
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly machine: number;
  /** The client before and after. */
  readonly before: Client;
  readonly after: Client;
  /** The host that answered, as the client called it; empty if none did. */
  readonly host: string;
  /** What it was told; undefined without a count. */
  readonly count: number | undefined;
  readonly hresult: number;
}

export interface SimulationTerms {
  readonly plan: FleetPlan;
  /** Numbers in [0, 1); the same sequence gives the same simulation. */
  readonly random: () => number;
  /** 32 hex digits for machine n, different for each. */
  readonly cmidOf: (machine: number) => string;
  /** Moments, in milliseconds since the start, at which the states of every group are kept. */
  readonly checkpointsMs?: readonly number[];
  readonly onTry?: ((seen: TrySeen) => void) | undefined;
  /** Called with the share done, 0 … 1, some hundred times. */
  readonly onProgress?: ((share: number) => void) | undefined;
}

export interface Simulated {
  readonly machines: Machines;
  readonly tally: Tally;
  readonly checkpoints: readonly Checkpoint[];
  /** Arrivals, tries and ends of states that were served. */
  readonly events: number;
}

/** Plays the whole plan. */
export function simulate(terms: SimulationTerms): Simulated {
  const simulation = new Simulation(terms);
  simulation.run();
  return simulation.result();
}

class Simulation {
  readonly #terms: SimulationTerms;
  readonly #world: World;
  readonly #machines: Machines;
  readonly #agenda: Agenda;
  readonly #tally: Tally;
  readonly #marks = new Marks();
  readonly #checkpoints: Checkpoint[] = [];
  readonly #endMs: number;
  #events = 0;

  constructor(terms: SimulationTerms) {
    const { plan, cmidOf, random } = terms;
    const lengthMs = plan.days * DAY_MS;
    this.#terms = terms;
    this.#endMs = plan.startMs + lengthMs;
    this.#world = new World(plan.pools.map((pool) => new VirtualPool(pool)));
    this.#machines = new Machines(plan.groups, cmidOf);
    this.#agenda = new Agenda(this.#machines.count, plan.startMs, lengthMs);
    this.#tally = new Tally(
      this.#world,
      plan.groups.map(({ count }) => count),
    );
    for (const [group, { arrival, count }] of plan.groups.entries()) {
      const first = this.#machines.firstOf[group] ?? 0;
      arrivals(arrival, count, plan.startMs, random).forEach((atMs, at) => {
        this.#agenda.set(first + at, plan.startMs + atMs);
      });
    }
    this.#markTimes(lengthMs);
  }

  #markTimes(lengthMs: number): void {
    const { plan, checkpointsMs = [] } = this.#terms;
    for (const change of plan.changes) this.#marks.add(plan.startMs + change.atMs, () => this.#apply(change));
    for (let atMs = 0; atMs <= lengthMs; atMs += plan.stepMs) {
      this.#marks.add(plan.startMs + atMs, (nowMs) => this.#tally.sample(atMs, nowMs));
    }
    for (const atMs of checkpointsMs) {
      this.#marks.add(plan.startMs + atMs, () => {
        this.#checkpoints.push({ atMs, groups: this.#tally.groups() });
      });
    }
  }

  result(): Simulated {
    return {
      machines: this.#machines,
      tally: this.#tally,
      checkpoints: this.#checkpoints,
      events: this.#events,
    };
  }

  run(): void {
    const { slots } = this.#agenda;
    const every = Math.max(1, Math.floor(slots / 200));
    for (let slot = 0; slot < slots; slot++) {
      this.#minute(slot);
      if (slot % every === 0) this.#terms.onProgress?.(slot / slots);
    }
    this.#marks.runUntil(this.#endMs);
  }

  /** Until nothing is left of this minute: who was served may be due again in it, and a change may bring others. */
  #minute(slot: number): void {
    const nextSlotMs = this.#terms.plan.startMs + (slot + 1) * SLOT_MS;
    for (;;) {
      const count = this.#agenda.take(slot);
      if (count > 0) this.#serve(slot, count);
      else if (this.#marks.nextMs < nextSlotMs) this.#marks.runUntil(this.#marks.nextMs);
      else return;
    }
  }

  #serve(slot: number, count: number): void {
    for (let place = 0; place < count; place++) {
      const dueMs = this.#agenda.takenDueMs(place, slot);
      if (this.#marks.nextMs <= dueMs) {
        // A change may call machines that then come before the rest of these.
        this.#agenda.putBack(place, count, slot);
        this.#marks.runUntil(this.#marks.nextMs);
        return;
      }
      const machine = this.#agenda.taken(place);
      if (machine !== undefined) this.#turn(machine, dueMs);
    }
  }

  /** What a machine does when its time has come: it appears, its state ends, it tries. */
  #turn(machine: number, nowMs: number): void {
    this.#events += 1;
    const machines = this.#machines;
    const before = this.#stateOf(machine);
    if (machines.phase(machine) === PHASE.absent) this.#arrive(machine, nowMs);
    if (machines.phase(machine) === PHASE.client) {
      const client = this.#atTime(machine, nowMs);
      const after = client.nextAttemptAtMs <= nowMs ? this.#try(machine, client, nowMs) : client;
      machines.save(machine, after);
      this.#agenda.set(machine, nextChangeAtMs(after));
    } else {
      this.#agenda.remove(machine);
    }
    this.#moved(machine, before, nowMs);
  }

  #arrive(machine: number, nowMs: number): void {
    const machines = this.#machines;
    machines.setPhase(machine, machines.firstPhase(machine));
    machines.save(machine, bornFrom(machines.planOf(machine).image, machines.profileOf(machine), nowMs));
  }

  /** The client as time has made it. Where its administrator rearms, a grace that has run out begins anew (S3-80). */
  #atTime(machine: number, nowMs: number): Client {
    const client = advance(this.#machines.load(machine), nowMs);
    if (client.licenseStatus !== 5 || this.#machines.rearmsLeft(machine) === 0) return client;
    this.#machines.useRearm(machine);
    return rearmed(client, nowMs);
  }

  #try(machine: number, client: Client, nowMs: number): Client {
    const { domains } = this.#machines.planOf(machine);
    const { random } = this.#terms;
    let walk = beginTry(client, nowMs);
    let host = '';
    let count: number | undefined;
    for (let { next } = walk; next !== 'over'; next = walk.next) {
      if (next === 'discover') {
        const found = { records: this.#world.records(domains, nowMs), noDomain: domains.length === 0 };
        walk = afterDiscovery(walk, found, random, nowMs);
        continue;
      }
      const reply = this.#ask(machine, next.host, nowMs);
      walk = afterReply(walk, reply, nowMs);
      if (reply.kind !== 'silent') host = next.host;
      if (reply.kind === 'counted') count = reply.answer.count;
    }
    this.#note(machine, { before: client, hresult: walk.hresult, host, count });
    const { onTry } = this.#terms;
    onTry?.({ atMs: nowMs, machine, before: client, after: walk.client, host, count, hresult: walk.hresult });
    return walk.client;
  }

  #ask(machine: number, host: string, nowMs: number): ReturnType<World['ask']> {
    const { product, clock } = this.#machines.planOf(machine);
    const driftMs = (clock.driftMsPerDay * (nowMs - this.#terms.plan.startMs)) / DAY_MS;
    const request = { product, cmid: this.#machines.cmid(machine), clientTimeMs: nowMs + clock.offsetMs + driftMs };
    return this.#world.ask(host, request, nowMs);
  }

  #note(machine: number, seen: Pick<TrySeen, 'before' | 'hresult' | 'host' | 'count'>): void {
    const { before, hresult, host, count } = seen;
    this.#tally.tried(outcomeOf(before, hresult, host, count), hresult);
    if (host !== '') this.#tally.answered(host);
    if (hresult !== 0) this.#machines.addFailedTry(machine);
  }

  #apply(change: Change): void {
    const nowMs = this.#terms.plan.startMs + change.atMs;
    if (change.kind !== 'machines') {
      const againMs = this.#world.apply(change, nowMs);
      if (againMs !== undefined) this.#marks.add(againMs, () => this.#world.forgetAnswers());
      return;
    }
    for (const [group, { name, count }] of this.#machines.groups.entries()) {
      if (change.group !== undefined && change.group !== name) continue;
      const first = this.#machines.firstOf[group] ?? 0;
      for (let machine = first; machine < first + count; machine++) {
        if (change.share >= 1 || this.#terms.random() < change.share) this.#change(machine, change.what, nowMs);
      }
    }
  }

  #change(machine: number, what: Extract<Change, { kind: 'machines' }>['what'], nowMs: number): void {
    const before = this.#stateOf(machine);
    const next = changeMachine(this.#machines, machine, what, nowMs);
    if (next === 'unchanged') return;
    if (next === undefined) this.#agenda.remove(machine);
    else this.#agenda.set(machine, Math.max(nowMs, nextChangeAtMs(next)));
    this.#moved(machine, before, nowMs);
  }

  #stateOf(machine: number): number {
    return stateIndex(this.#machines.phase(machine), this.#machines.status(machine));
  }

  #moved(machine: number, before: number, nowMs: number): void {
    const seen = { machine, atMs: nowMs - this.#terms.plan.startMs };
    const after = this.#stateOf(machine);
    if (before !== after) this.#tally.moved(this.#machines.groupOf(machine), before, after, seen);
  }
}

function outcomeOf(before: Client, hresult: number, host: string, count: number | undefined): TryOutcome {
  if (hresult === 0) return before.licenseStatus === 1 ? 'renewal' : 'firstActivation';
  if (count !== undefined) return 'countTooLow';
  return host === '' ? 'notReached' : 'refused';
}
