// SPDX-License-Identifier: Apache-2.0
//
// One try of a simulated client as text and as JSON: what it saw, step by step, and what that means.

import { type Edition, EVENTS, eventById, formatHresult, hresult, licenseStatus } from '@kmspool/kms/catalog';
import type { ClientEvent } from '@kmspool/kms/client';
import type { Io } from '../cli/io.ts';
import type { Contact, Machine, Try } from '../net/index.ts';
import { printable, type Style, styleFor } from '../text/style.ts';

export interface ShownTry {
  readonly machine: Machine;
  readonly result: Try;
  /** Searched in DNS, if DNS was. */
  readonly domain: string | undefined;
  readonly dnsServer: string;
  readonly finishedMs: number;
}

/** What a user reads; ends with a line end. */
export function tryText(shown: ShownTry, io: Io): string {
  const style = styleFor(io.color);
  const sections = [
    clientLines(shown),
    dnsLines(shown),
    ...shown.result.contacts.map((contact) => contactLines(contact, shown.result.client.profile.requiredCount)),
    resultLines(shown, style),
    eventLines(shown),
  ];
  return `${sections.flat().join('\n')}\n`;
}

const LABEL_WIDTH = 10;

/** `label` in front of the first line, blanks of the same width in front of the others. */
function section(label: string, lines: readonly string[]): string[] {
  return lines.map((line, at) => `${(at === 0 ? label : '').padEnd(LABEL_WIDTH)}${line}`);
}

function clientLines({ machine, result }: ShownTry): string[] {
  const { name, edition, isClientVm, cmid, protocol } = machine;
  const { requiredCount } = result.client.profile;
  return section('Client', [
    `${printable(name)}, ${edition.name}${isClientVm ? ', a virtual machine' : ''}`,
    `CMID ${cmid}, protocol V${protocol}, needs a count of ${requiredCount}`,
  ]);
}

function dnsLines({ result, domain, dnsServer, machine }: ShownTry): string[] {
  const { discovered, plan } = result;
  if (discovered === undefined || domain === undefined) return [];
  const question = `_vlmcs._tcp.${printable(domain)} SRV, asked of ${dnsServer}`;
  if (discovered.records.length === 0) return section('DNS', [question, `no record: ${discovered.reason}`]);
  const order = machine.product.honoursSrvPriority
    ? 'by priority and weight'
    : 'at random; this product ignores priority';
  const records = [...discovered.records].sort((a, b) => a.priority - b.priority || (a.target < b.target ? -1 : 1));
  return [
    ...section('DNS', [
      question,
      ...records.map(
        ({ priority, weight, port, target }) =>
          `  priority ${priority}, weight ${weight}, port ${port}, ${printable(target)}`,
      ),
    ]),
    ...section('Order', [`${plan.map(({ host }) => printable(host)).join(', ')} (${order})`]),
  ];
}

function contactLines({ target, address, association, answer }: Contact, requiredCount: number): string[] {
  const asked = `${printable(target.host)}:${target.port}${address === target.host || address === '' ? '' : ` (${address})`}`;
  if (answer.kind === 'failed') {
    const { stage, reason, hresult: code } = answer.failure;
    return section('Host', [
      asked,
      ...bindLines(association),
      `no answer at ${stage}: ${reason} -> ${formatHresult(code)}`,
    ]);
  }
  const { syntax, latencyMs, requestBytes, responseBytes } = answer.wire;
  const wire = `${requestBytes} bytes there, ${responseBytes} back, ${syntax}, ${latencyMs.toFixed(1)} ms`;
  const head = section('Host', [asked, ...bindLines(association)]);
  if (answer.kind === 'refused')
    return [...head, ...section('Answer', [`refused with ${formatHresult(answer.hresult)}; ${wire}`])];
  const { currentCount, activationIntervalMinutes, renewalIntervalMinutes, hostPid } = answer.response;
  const answered = [
    `count ${currentCount}, ${requiredCount} needed; ${wire}`,
    `try again every ${activationIntervalMinutes} min, renew every ${renewalIntervalMinutes} min`,
    `host PID ${printable(hostPid)}`,
    ...(answer.hardwareId === undefined ? [] : [`hardware ID ${answer.hardwareId.toString('hex')}`]),
  ];
  return [...head, ...section('Answer', answered)];
}

function bindLines(association: Contact['association']): string[] {
  if (association === undefined) return [];
  const elements = association.elements.map(({ offered, outcome }) => `${offered} ${outcome}`).join('; ');
  return [
    `bound: ${elements}`,
    `port handed over: ${printable(association.secondaryAddress)}; fragments up to ${association.maxFragBytes} bytes`,
  ];
}

function resultLines({ result, machine, finishedMs }: ShownTry, style: Style): string[] {
  const { client, hresult: code } = result;
  const told = explain(code);
  const licensed = client.licenseStatus === 1;
  const until = licensed ? client.validUntilMs : client.graceEndsAtMs;
  const state = licensed
    ? style.green('Licensed')
    : style.yellow(`Not licensed: ${licenseStatus(client.licenseStatus)?.name ?? 'unknown state'}`);
  const cover =
    code === 0xc004f042 ? [`kmsctl catalog ${machine.product.slug} lists the host keys that cover it.`] : [];
  return [
    ...section('Result', [
      `${state}${until === 0 ? '' : ` until ${day(until)}`}; next try ${day(client.nextAttemptAtMs)}, in ${span(client.nextAttemptAtMs - finishedMs)}`,
      `${formatHresult(code)} ${told.symbol}: ${told.meaning}`,
      ...(code === 0 ? [] : [told.remedy]),
      ...cover,
    ]),
  ];
}

/** What a code means, from the catalogue. */
export function explain(code: number): { readonly symbol: string; readonly meaning: string; readonly remedy: string } {
  if (code === 0)
    return { symbol: 'Ok', meaning: 'The host counted this client, and the count is enough.', remedy: '' };
  const row = hresult(code);
  if (row === undefined)
    return {
      symbol: 'Unknown',
      meaning: 'The catalogue does not know this code.',
      remedy: 'Look it up in Microsoft\u2019s list of activation errors.',
    };
  return { symbol: row.symbol, ...row.texts.en };
}

function eventLines({ result, machine }: ShownTry): string[] {
  const lines = result.events.flatMap((event) => [
    `${event.id}  ${eventById(event.id)?.title ?? ''}`,
    `       ${eventValues(event, machine).join(',')}`,
  ]);
  return section('Events', lines.length === 0 ? ['none'] : lines);
}

/** The values of an event in the order of its text, by the names that the catalogue gives its fields. */
export function eventValues(
  event: ClientEvent,
  { cmid, edition, isClientVm }: Pick<Machine, 'cmid' | 'isClientVm'> & { readonly edition: Edition },
): string[] {
  const hex = (value: number): string => `0x${(value >>> 0).toString(16).toUpperCase()}`;
  const common = { hresult: formatHresult(event.hresult), flags: hex(event.flags), clientTime: minute(event.atMs) };
  const request = event.id === 12288 && {
    server: event.host === '' ? '' : `${printable(event.host)}:${event.port}`,
    cmid,
    isClientVm: isClientVm ? '1' : '0',
    licenseStatus: String(event.licenseStatus),
    minutesToExpiry: String(event.minutesToExpiry),
    activationId: edition.skuId,
    minimumCount: String(event.requiredCount),
  };
  const answer = event.id === 12289 && {
    activated: event.activated ? '1' : '0',
    unused: '0',
    count: String(event.count),
    activationIntervalMinutes: String(event.activationIntervalMinutes),
    renewalIntervalMinutes: String(event.renewalIntervalMinutes),
  };
  const values: Readonly<Record<string, string>> = { ...common, ...request, ...answer };
  return (EVENTS.find(({ id }) => id === event.id)?.fields ?? []).map(({ name }) => values[name] ?? '');
}

const minute = (ms: number): string => new Date(ms).toISOString().slice(0, 16).replace('T', ' ').replaceAll('-', '/');
const day = (ms: number): string => `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

function span(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  return minutes < 2880 ? `${minutes} min` : `${Math.round(minutes / 1440)} days`;
}

/** The same for a program. Times are RFC 3339. */
export function tryJson({ machine, result, domain, dnsServer }: ShownTry): Record<string, unknown> {
  const { client, hresult: code, discovered, contacts, events } = result;
  const told = explain(code);
  const iso = (ms: number): string | undefined => (ms === 0 ? undefined : new Date(ms).toISOString());
  return {
    licensed: client.licenseStatus === 1,
    licenseStatus: licenseStatus(client.licenseStatus)?.slug,
    hresult: formatHresult(code),
    symbol: told.symbol,
    meaning: told.meaning,
    remedy: told.remedy,
    validUntil: iso(client.validUntilMs),
    graceEndsAt: iso(client.graceEndsAtMs),
    nextAttemptAt: iso(client.nextAttemptAtMs),
    machine: {
      name: machine.name,
      cmid: machine.cmid,
      product: machine.product.slug,
      edition: machine.edition.slug,
      protocol: machine.protocol,
      isClientVm: machine.isClientVm,
    },
    requiredCount: client.profile.requiredCount,
    dns: discovered && {
      domain,
      server: dnsServer,
      records: discovered.records,
      reason: discovered.reason || undefined,
    },
    contacts: contacts.map(contactJson),
    events: events.map((event) => ({
      ...event,
      atMs: undefined,
      hresult: formatHresult(event.hresult),
      at: iso(event.atMs),
      text: eventValues(event, machine).join(','),
    })),
  };
}

function contactJson({ target, address, association, answer }: Contact): Record<string, unknown> {
  const bind = association && {
    elements: association.elements,
    secondaryAddress: association.secondaryAddress,
    maxFragBytes: association.maxFragBytes,
  };
  const base = { host: target.host, port: target.port, source: target.source, address, bind, outcome: answer.kind };
  if (answer.kind === 'failed') return { ...base, ...answer.failure, hresult: formatHresult(answer.failure.hresult) };
  if (answer.kind === 'refused') return { ...base, hresult: formatHresult(answer.hresult), wire: answer.wire };
  const { currentCount, activationIntervalMinutes, renewalIntervalMinutes, hostPid } = answer.response;
  const answered = {
    currentCount,
    activationIntervalMinutes,
    renewalIntervalMinutes,
    hostPid,
    hardwareId: answer.hardwareId?.toString('hex'),
  };
  return { ...base, answer: answered, wire: answer.wire };
}
