// SPDX-License-Identifier: Apache-2.0
//
// What a pasted slmgr /dlv says, field by field, in the order of the troubleshooting guide (S1-09…S1-25, S1-33…S1-39).

import { isIPv6 } from 'node:net';
import { EDITIONS, formatHresult, hostOs, hresult, productBySlug, setupKeysEnding } from '@kmspool/kms/catalog';
import { hostOsOfDlv, keyOfDlv } from './host-key.ts';
import { listed, sayer, when } from './remark.ts';
import { DLV_SAYINGS } from './sayings-dlv.ts';
import type { DlvFinding, Remark } from './types.ts';

const say = sayer(DLV_SAYINGS);

const LICENSED = 1;
const MINUTES_A_DAY = 1440;
const VALID_DAYS = 180;
/** Renewals are due every 7 days; several in a row have to fail before it is worth a word. */
const STALE_DAYS = 30;
const SERVER_COUNT = 5;
const CLIENT_COUNT = 25;
const DEFAULT_PORT = 1688;

export function dlvRemarks(dlv: DlvFinding): Remark[] {
  if (dlv.role === 'host') return [...stateRemarks(dlv), ...hostRemarks(dlv)];
  if (dlv.role === 'client') return [...editionRemarks(dlv), ...stateRemarks(dlv), ...clientRemarks(dlv)];
  return [...channelRemarks(dlv), ...stateRemarks(dlv)];
}

const UNLICENSED = {
  host: 'host-not-licensed',
  client: 'not-licensed',
  mak: 'not-licensed-alone',
  other: 'not-licensed-alone',
} as const;

/** S1-12, S1-36: anything but Licensed is wrong. */
function stateRemarks({ state, role, licenseText = '', reasonCode, minutesLeft }: DlvFinding): Remark[] {
  const reason = reasonCode === undefined ? undefined : hresult(reasonCode);
  const why = when(reason !== undefined, () =>
    say('notification-reason', {
      code: formatHresult(reasonCode ?? 0),
      meaning: { en: reason?.texts.en.meaning ?? '', ko: reason?.texts.ko.meaning ?? '' },
    }),
  );
  if (state === undefined) return why;
  if (state === LICENSED) return [say('licensed'), ...(role === 'client' ? renewalRemarks(minutesLeft) : [])];
  return [say(UNLICENSED[role], { status: licenseText }), ...why];
}

/** S1-06: a healthy KMS client renews every 7 of its 180 days. */
function renewalRemarks(minutesLeft: number | undefined): Remark[] {
  const days = Math.floor((minutesLeft ?? 0) / MINUTES_A_DAY);
  const isStale = minutesLeft !== undefined && minutesLeft > 0 && days < VALID_DAYS - STALE_DAYS;
  return when(isStale, () => say('not-renewed', { days, age: VALID_DAYS - days }));
}

function hostRemarks(dlv: DlvFinding): Remark[] {
  const { enabled, count, port, publishing, ...rest } = dlv;
  return [
    ...hostKeyRemarks(dlv),
    ...when(enabled === false, () => say('kms-disabled')),
    ...(count === undefined ? [] : countRemarks(count)),
    ...when(port !== undefined && port !== DEFAULT_PORT, () => say('other-port', { port: port ?? 0 })),
    ...when(publishing === false, () => say('dns-publishing-off')),
    ...requestRemarks(rest.totalRequests, rest.failedRequests, count ?? 0),
  ];
}

/** S1-09, S1-10, S1-11: is it the right key for the clients, and may it be on this Windows? */
function hostKeyRemarks(dlv: DlvFinding): Remark[] {
  const key = keyOfDlv(dlv);
  if (key === undefined) return [];
  const os = hostOsOfDlv(dlv);
  const products = key.covers.products.map((slug) => productBySlug(slug)?.name ?? slug).reverse();
  const allowed = key.hostOs.map((name) => hostOs(name)?.title ?? name).join(', ');
  const misplaced = os !== undefined && !key.hostOs.some((name) => name === os);
  return [
    say('host-key', { key: key.title, products: listed(products) }),
    ...when(misplaced, () => say('host-key-misplaced', { key: key.title, os: hostOs(os ?? '')?.title ?? '', allowed })),
  ];
}

/** S1-13…S1-17, C6. */
function countRemarks(count: number): Remark[] {
  if (count === 0) return [say('count-zero')];
  if (count === 1) return [say('count-one')];
  if (count < SERVER_COUNT) return [say('count-below-all', { count })];
  if (count < CLIENT_COUNT)
    return [say('count-below-client', { count }), ...when(count === 2 * SERVER_COUNT, () => say('count-ten'))];
  return [say('count-enough', { count }), ...when(count >= 2 * CLIENT_COUNT, () => say('count-fifty'))];
}

/** S1-22, S1-23, S1-25: of use only when the count does not rise. */
function requestRemarks(total: number | undefined, failed: number | undefined, count: number): Remark[] {
  if (total === undefined || failed === undefined || failed === 0) return [];
  const share = Math.round((100 * failed) / Math.max(1, total));
  return when(count < CLIENT_COUNT || share >= 20, () => say('failed-requests', { failed, total, share }));
}

/** S1-33, S1-35: is this edition volume-capable, and does the key belong to it? */
function editionRemarks({ name = '', partialKey: key = '' }: DlvFinding): Remark[] {
  const keys = setupKeysEnding(key);
  const edition = editionWord(name);
  const wrong = keys.length > 0 && edition !== undefined && !keys.some((each) => fits(each.name, edition));
  const products = keys.map((each) => each.name).join(', ');
  return [
    ...when(/ultimate|home/i.test(name), () => say('not-a-volume-edition', { name })),
    ...when(keys.length > 0 && !wrong, () => say('setup-key-known', { key, products })),
    ...when(wrong, () => say('setup-key-of-another', { key, products, name })),
  ];
}

/** `Windows(R) 7, ServerDatacenter edition` → `datacenter`; undefined for a word that no edition of the catalogue has. */
function editionWord(name: string): string | undefined {
  const word = /,\s*(?:Server)?([A-Za-z]+?)(?:Eval)? edition/i.exec(name)?.[1]?.toLowerCase();
  return word !== undefined && EDITIONS.some((edition) => fits(edition.name, word)) ? word : undefined;
}

/** `EnterpriseN` of slmgr is `Enterprise N` in the catalogue. */
function fits(name: string, edition: string): boolean {
  const words = name.toLowerCase().split(/\s+/);
  return words.includes(edition) || (words.at(-1) === 'n' && words.includes(edition.replace(/n$/, '')));
}

/** S1-34, S3-82. */
function channelRemarks({ role, description = '' }: DlvFinding): Remark[] {
  if (role === 'mak') return [say('mak-installed')];
  return when(description !== '', () => say('no-kms-client-key', { description }));
}

/** S1-37, S1-38, S1-39, S2-30, C7. */
function clientRemarks({
  machineFromDns,
  machineRegistered,
  discoveryFailed,
  caching,
  rearmsLeft,
}: DlvFinding): Remark[] {
  return [
    ...when(machineFromDns !== undefined, () => say('found-by-dns', { host: machineFromDns ?? '' })),
    ...when(discoveryFailed, () => say('discovery-failed')),
    ...when(machineRegistered !== undefined, () => say('host-set-by-hand', { host: machineRegistered ?? '' })),
    ...when(isIPv6Literal(machineRegistered ?? ''), () => say('ipv6-literal')),
    ...when(caching === false, () => say('caching-off')),
    ...when(caching === true && machineFromDns !== undefined, () => say('caching-on')),
    ...when(rearmsLeft === 0, () => say('no-rearms')),
  ];
}

function isIPv6Literal(hostPort: string): boolean {
  return isIPv6(hostPort) || isIPv6(hostPort.replace(/^\[|\](?::\d+)?$/g, '')) || isIPv6(hostPort.replace(/:\d+$/, ''));
}
