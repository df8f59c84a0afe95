// SPDX-License-Identifier: Apache-2.0
//
// What event records say (S1-27…S1-32, S1-40…S1-45), alone and together: several of them tell more than each.

import { formatHresult, hresult, type Localised, licenseStatus, setupKeysEnding } from '@kmspool/kms/catalog';
import { listed, sayer, when } from './remark.ts';
import { EVENT_SAYINGS } from './sayings-events.ts';
import type { EventFinding, Finding, KeyFinding, Remark } from './types.ts';

const say = sayer(EVENT_SAYINGS);

const MINUTES_A_DAY = 1440;
const CLIENT_COUNT = 25;
const COUNT_INSUFFICIENT = 0xc004f038;
const LICENSED = '1';
/** Microsoft's SL_VL_BINDING_ERROR_NOT_ENOUGH_COUNT in the flags of 12289. */
const FLAG_NOT_ENOUGH_COUNT = 0x04000000;

/** Of one event, among all findings. An event of which only the number is known says nothing beyond the catalogue. */
export function eventRemarks(event: EventFinding, all: readonly Finding[]): Remark[] {
  if (Object.keys(event.values).length === 0) return [];
  if (event.id === 12289) return answerRemarks(event, neededBefore(event, all) ?? CLIENT_COUNT);
  return (BY_ID[event.id] ?? codeRemarks)(event);
}

/** Of all events of a paste together. */
export function togetherRemarks(findings: readonly Finding[]): Remark[] {
  const events = findings.filter((finding) => finding.kind === 'event');
  return [...unansweredRemarks(events), ...spreadRemarks(events), ...sharedCmidRemarks(events)];
}

const BY_ID: Readonly<Record<number, (event: EventFinding) => Remark[]>> = {
  12288: (event) => [...requestRemarks(event), ...codeRemarks(event)],
  12290: (event) => [...contactRemarks(event), ...codeRemarks(event)],
  12293: (event) => [say('not-published', { domain: event.values['domain'] ?? 'DNS' }), ...codeRemarks(event)],
  12294: (event) => [say('published', { domain: event.values['domain'] ?? 'DNS' })],
};

/** The code that an event carries; zero is no news. */
function codeRemarks({ values }: EventFinding): Remark[] {
  const code = numberOf(values['hresult']);
  if (code === undefined || code === 0) return [];
  const row = hresult(code);
  if (row === undefined) return [say('code-unknown', { code: formatHresult(code) })];
  const part = (name: 'meaning' | 'remedy'): Localised => ({ en: row.texts.en[name], ko: row.texts.ko[name] });
  return [
    say('code', { code: formatHresult(code), symbol: row.symbol, meaning: part('meaning'), remedy: part('remedy') }),
  ];
}

function requestRemarks({ values }: EventFinding): Remark[] {
  const { server = '', licenseStatus: status, minimumCount: needed = '?' } = values;
  if (server === '' || server.startsWith(':')) return [say('no-host-named')];
  return [say('asked-host', { server, needed, state: stateName(status) })];
}

/** `needed`: what the request before it asked for; without one, only clients need more than 5. */
function answerRemarks({ values }: EventFinding, needed: number): Remark[] {
  const { activated, count = '?', activationIntervalMinutes: interval = '120' } = values;
  if (activated === '1') return [say('activated', { count, renewal: values['renewalIntervalMinutes'] ?? '10080' })];
  const missing = needed - Number(count);
  if (isCountInsufficient(values) && missing > 0)
    return [say('not-activated-count', { count, needed, missing, interval })];
  return [say('not-activated', { count }), ...codeRemarks({ kind: 'event', id: 12289, values })];
}

function isCountInsufficient({ hresult: code, flags }: EventFinding['values']): boolean {
  return numberOf(code) === COUNT_INSUFFICIENT || ((numberOf(flags) ?? 0) & FLAG_NOT_ENOUGH_COUNT) !== 0;
}

/** The minimum count of the latest request before an answer, if it was pasted along. */
function neededBefore(answer: EventFinding, all: readonly Finding[]): number | undefined {
  const requests = all.slice(0, all.indexOf(answer)).filter((each) => each.kind === 'event' && each.id === 12288);
  const latest = requests.findLast((each) => each.kind === 'event');
  return numberOf(latest?.values['minimumCount']);
}

const KINDS: Readonly<Record<string, Localised>> = {
  5: { en: 'Windows Server or Office', ko: 'Windows Server 또는 Office' },
  25: { en: 'a Windows client', ko: 'Windows 클라이언트' },
};

/** S1-28, S1-30. */
function contactRemarks({ values }: EventFinding): Remark[] {
  const { workstationName: name = '?', minimumCount: needed = '?', licenseStatus: status } = values;
  const minutes = numberOf(values['minutesToExpiry']) ?? 0;
  const days = Math.floor(minutes / MINUTES_A_DAY);
  const kind = KINDS[needed] ?? { en: 'no product of Windows or Office', ko: 'Windows나 Office 제품이 아님' };
  return [
    say('client-seen', { name, needed, kind, state: stateName(status) }),
    ...when(status === LICENSED, () => say('renewal', { days })),
    ...when(status !== LICENSED && minutes > 0, () => say('first-activation', { days })),
    ...when(Number(needed) > CLIENT_COUNT, () => say('absurd-minimum', { needed, table: 2 * Number(needed) })),
  ];
}

/** S1-41, S1-43: a request, and an answer to it or none. */
function unansweredRemarks(events: readonly EventFinding[]): Remark[] {
  const asked = events.filter(({ id, values }) => id === 12288 && Object.keys(values).length > 0);
  const answered = events.some(({ id }) => id === 12289);
  return when(asked.length > 0 && !answered, () => say('request-without-answer'));
}

/** S1-42. */
function spreadRemarks(events: readonly EventFinding[]): Remark[] {
  const hosts = distinct(
    events.flatMap(({ values }) => values['server']?.toLowerCase() ?? []).filter((each) => each !== ''),
  );
  return when(hosts.length > 1, () => say('several-hosts-asked', { count: hosts.length, hosts: listed(hosts) }));
}

/** S1-17, S1-29. */
function sharedCmidRemarks(events: readonly EventFinding[]): Remark[] {
  const names = new Map<string, string[]>();
  for (const { id, values } of events) {
    const { cmid, workstationName: name } = values;
    if (id !== 12290 || cmid === undefined || name === undefined) continue;
    names.set(cmid.toLowerCase(), distinct([...(names.get(cmid.toLowerCase()) ?? []), name.toLowerCase()]));
  }
  return [...names]
    .filter(([, machines]) => machines.length > 1)
    .map(([cmid, machines]) => say('one-cmid-many-names', { cmid, count: machines.length, names: listed(machines) }));
}

/** Of a product key that was taken out of what a user gave (S4-27). */
export function keyRemarks({ lastFive, joiner }: KeyFinding): Remark[] {
  const products = setupKeysEnding(lastFive).map(({ name }) => name);
  return [
    say('key-removed', { key: lastFive }),
    ...when(joiner === 'dash', () => say('key-dashes')),
    ...when(joiner === 'other', () => say('key-joiner')),
    ...when(products.length > 0, () => say('key-known', { products: products.join(', ') })),
  ];
}

function stateName(value: string | undefined): Localised {
  const row = licenseStatus(Number(value));
  const unknown = `${value ?? '?'}`;
  return row === undefined ? { en: unknown, ko: unknown } : { en: row.texts.en.name, ko: row.texts.ko.name };
}

function numberOf(text: string | undefined): number | undefined {
  const value = text === undefined || text === '' ? Number.NaN : Number(text);
  return Number.isNaN(value) ? undefined : value;
}

function distinct(values: readonly string[]): string[] {
  return [...new Set(values)];
}
