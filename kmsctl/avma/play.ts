// SPDX-License-Identifier: Apache-2.0
//
// Plays a scenario: each step changes the world, writes records, and is held against what is expected of it. Pure; the rules are
// @kmspool/kms/avma's.

import {
  type AvmaAction,
  type AvmaRecord,
  type AvmaVm,
  type AvmaWorld,
  type GuestKey,
  guestOf,
  step,
} from '@kmspool/kms/avma';
import type { Expectation, Scenario, ScenarioStep } from './scenario.ts';

export interface PlayedStep {
  /** What was done, in a few words. */
  readonly title: string;
  readonly note: string | undefined;
  /** When it began, milliseconds since 1970. */
  readonly atMs: number;
  readonly records: readonly AvmaRecord[];
  readonly verdicts: readonly StepVerdict[];
}

export interface StepVerdict {
  readonly ok: boolean;
  /** `web: license is Licensed`, or what it is instead. */
  readonly text: string;
}

export interface Played {
  readonly steps: readonly PlayedStep[];
  readonly records: readonly AvmaRecord[];
  readonly world: AvmaWorld;
  readonly failed: number;
  readonly expected: number;
}

/** Plays all steps. */
export function playScenario(scenario: Scenario): Played {
  let world = firstWorld(scenario);
  const steps: PlayedStep[] = [];
  for (const each of scenario.steps) {
    const action = actionOf(each, scenario.guests);
    const stepped = step(world, action);
    const verdicts = each.expect.flatMap((wanted) => verdictsOf(wanted, stepped.world, stepped.records));
    steps.push({ title: titleOf(action), note: each.note, atMs: world.nowMs, records: stepped.records, verdicts });
    world = stepped.world;
  }
  const all = steps.flatMap(({ verdicts }) => verdicts);
  const failed = all.filter(({ ok }) => !ok).length;
  return { steps, records: steps.flatMap(({ records }) => records), world, failed, expected: all.length };
}

type ScenarioGuest = Scenario['guests'][number];

function firstWorld({ begin, hosts, guests }: Scenario): AvmaWorld {
  return { nowMs: Date.parse(begin), hosts, guests: guests.map(firstGuest) };
}

function firstGuest({ data, key, ...guest }: ScenarioGuest): AvmaVm {
  const own = keyOf(key, guest);
  return {
    ...guest,
    key: own,
    facts: { osName: `${guest.os} ${guest.edition}`, ...data },
    ...{ running: false, damaged: false, exchanged: undefined, boundTo: undefined, dueMs: undefined },
    license: own.kind === 'Avma' ? 'Unlicensed' : 'OtherKey',
  };
}

function keyOf(key: ScenarioGuest['key'], { os, edition }: Pick<ScenarioGuest, 'os' | 'edition'>): GuestKey {
  if (key === 'Avma') return { kind: 'Avma', os, edition };
  return typeof key === 'string' ? { kind: key } : { kind: 'Avma', ...key };
}

function actionOf(written: ScenarioStep, guests: readonly ScenarioGuest[]): AvmaAction {
  const { start, stop, retry, migrate, setKey, tamper, setGuest, setHost, lose, wait = 0 } = written;
  if (start !== undefined) return { kind: 'start', guest: start };
  if (stop !== undefined) return { kind: 'stop', guest: stop };
  if (retry !== undefined) return { kind: 'retry', guest: retry };
  if (migrate !== undefined) return { kind: 'migrate', ...migrate };
  if (setKey !== undefined) {
    const own = guests.find(({ name }) => name === setKey.guest);
    if (own === undefined) throw new RangeError(`no guest ${setKey.guest}`);
    return { kind: 'setKey', guest: setKey.guest, key: keyOf(setKey.key, own) };
  }
  if (tamper !== undefined) return { kind: 'tamper', ...tamper };
  if (setGuest !== undefined) {
    const { guest, ...to } = setGuest;
    return { kind: 'setGuest', guest, to: given(to) };
  }
  if (setHost !== undefined) {
    const { host, ...to } = setHost;
    return { kind: 'setHost', host, to: given(to) };
  }
  return lose === undefined ? { kind: 'wait', ms: wait } : { kind: 'lose', host: lose };
}

/** The fields that have a value. */
function given<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

function titleOf(action: AvmaAction): string {
  switch (action.kind) {
    case 'wait':
      return `wait ${waitText(action.ms)}`;
    case 'migrate':
      return `migrate ${action.guest} to ${action.to}`;
    case 'setKey':
      return `${action.guest}: ${action.key.kind === 'Avma' ? `AVMA key of ${action.key.os} ${action.key.edition}` : `${action.key.kind} key`}`;
    case 'tamper':
      return `${action.guest}: somebody writes ${Object.keys(given(action.data)).join(', ')}`;
    case 'lose':
      return `${action.host} is lost`;
    case 'setHost':
      return `${action.host}: ${changes(action.to)}`;
    case 'setGuest':
      return `${action.guest}: ${changes(action.to)}`;
    default:
      return `${action.kind} ${action.guest}`;
  }
}

function changes(to: object): string {
  return Object.entries(to)
    .map(([field, value]) => `${field} ${String(value)}`)
    .join(', ');
}

function waitText(ms: number): string {
  const days = ms / 86_400_000;
  return Number.isInteger(days) ? `${days} d` : `${Math.round(ms / 60_000)} min`;
}

/** Each field of an expectation is a verdict of its own. */
function verdictsOf(wanted: Expectation, world: AvmaWorld, records: readonly AvmaRecord[]): StepVerdict[] {
  const { guest: name, ...fields } = wanted;
  const guest = guestOf(world, name);
  const told = records.findLast((record) => record.id === 12309 && record.guest === name);
  const found: Readonly<Record<string, unknown>> = {
    license: guest.license,
    host: guest.host,
    boundTo: guest.boundTo ?? 'nobody',
    notification: told?.notification ?? 'None',
    reason: told?.reason,
    hostLog: records.some((record) => record.id === 12310 && record.guest === name),
    data: guest.exchanged === undefined ? 'Absent' : 'Present',
    fqdn: guest.exchanged?.fqdn,
  };
  return Object.entries(given(fields)).map(([field, value]) => {
    const ok = found[field] === value;
    const instead = ok ? '' : `, and not ${String(value)}`;
    return { ok, text: `${name}: ${field} is ${String(found[field])}${instead}` };
  });
}
