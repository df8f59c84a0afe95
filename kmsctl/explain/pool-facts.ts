// SPDX-License-Identifier: Apache-2.0
//
// What is true in a pool now, as plain facts, and what they mean for a finding. Pure: gather.ts fills the facts from a
// running pool, tests and other readers make their own.

import {
  type ApplicationName,
  application,
  formatHresult,
  HOST_KEY_STATE_INFO,
  hostKey,
  hostOs,
  type Localised,
} from '@kmspool/kms/catalog';
import { hostKeyOf } from './nslookup.ts';
import { listed, sayer, when } from './remark.ts';
import { publishedDomains, searchedDomains } from './remarks-dns.ts';
import { POOL_SAYINGS } from './sayings-pool.ts';
import type { Finding, Remark } from './types.ts';

export interface ApplicationFacts {
  readonly application: ApplicationName;
  readonly count: number;
  /** The most that the table keeps. */
  readonly cap: number;
  readonly thresholds: readonly { readonly name: string; readonly required: number; readonly met: boolean }[];
  /** Machines whose entry expires within EXPIRY_DAYS if they do not renew. */
  readonly expiring: readonly string[];
}

export interface DomainFacts {
  readonly domain: string;
  /** Targets that the pool wants there, and those that are there; lower case, without the last dot. */
  readonly desired: readonly string[];
  readonly observed: readonly string[];
  /** Why nothing was observed; empty if something was. */
  readonly reason: string;
}

export interface PoolFacts {
  readonly pool: string;
  readonly applications: readonly ApplicationFacts[];
  readonly duplicates: readonly {
    readonly cmid: string;
    readonly application: ApplicationName | undefined;
    readonly names: readonly string[];
  }[];
  /** Refusals since the hosts started; `products` of those whose events are still kept. */
  readonly failures: readonly { readonly code: number; readonly count: number; readonly products: readonly string[] }[];
  readonly hosts: readonly { readonly name: string; readonly ready: boolean; readonly reasons: readonly string[] }[];
  readonly domains: readonly DomainFacts[];
  readonly hostKeys: readonly { readonly product: string; readonly hostOs: string; readonly state: string }[];
  /** The largest of any host against the store; undefined before the store has answered. */
  readonly clockSkewMs: number | undefined;
  readonly store: { readonly state: string; readonly staleSeconds: number };
  /** The clients were too many to be read to the last. */
  readonly truncated: boolean;
}

/** "This week" of the expiry facts. */
export const EXPIRY_DAYS = 7;
/** A skew of a host that is worth a word; clients are refused from four hours on. */
const SKEW_MS = 60_000;

const say = sayer(POOL_SAYINGS);

/** What the pool's facts mean for the finding; never empty. */
export function diagnose(finding: Finding, facts: PoolFacts): Remark[] {
  const remarks = topicsOf(finding).flatMap((topic) => topic(facts, finding));
  return remarks.length > 0 ? remarks : [say('no-part')];
}

type Topic = (facts: PoolFacts, finding: Finding) => Remark[];

const counts: Topic = ({ applications, duplicates, truncated }) => [
  ...applications.flatMap((each) => countRemarks(each, duplicates)),
  ...when(truncated, () => say('truncated')),
];

const THRESHOLDS: Readonly<Record<string, Localised>> = {
  Server: { en: 'Windows Server', ko: 'Windows Server' },
  Client: { en: 'Windows clients', ko: 'Windows 클라이언트' },
  Office: { en: 'Office', ko: 'Office' },
};

/** Applications that nobody uses are not worth a line, unless none is used. */
function countRemarks(facts: ApplicationFacts, duplicates: PoolFacts['duplicates']): Remark[] {
  const { count, thresholds, expiring } = facts;
  if (count === 0 && facts.application !== 'Windows') return [];
  const values = { application: application(facts.application).title, count, days: EXPIRY_DAYS };
  const told = thresholds.map(({ name, required, met }) =>
    say(met ? 'count-met' : 'count-short', {
      ...values,
      threshold: THRESHOLDS[name] ?? name,
      required,
      missing: required - count,
    }),
  );
  const short = thresholds.find(({ met }) => !met);
  const clones = duplicates.filter((each) => each.application === facts.application);
  const mended = clones.reduce((sum, { names }) => sum + names.length - 1, count);
  const left = Math.max(0, count - expiring.length);
  return [
    ...told,
    ...when(expiring.length > 0, () => say('expiring', { ...values, count: expiring.length, names: listed(expiring) })),
    ...when(short !== undefined && (mended > count || left < count), () =>
      say('conclusion', { ...values, mended, left, required: short?.required ?? 0 }),
    ),
  ];
}

const shared: Topic = ({ duplicates }) => {
  if (duplicates.length === 0) return [say('no-duplicates')];
  const names = duplicates.flatMap((group) => group.names);
  return [say('duplicates', { machines: names.length, groups: duplicates.length, names: listed(names) })];
};

const hosts: Topic = (facts) => {
  const total = facts.hosts.length;
  const missing = facts.hosts.filter(({ ready }) => !ready);
  const ready = total - missing.length;
  if (missing.length === 0) return [say('hosts-ready', { ready, total })];
  const reasons = [...new Set(missing.flatMap((host) => host.reasons))].join('; ') || '?';
  return [say('hosts-not-ready', { ready, total, names: listed(missing.map(({ name }) => name)), reasons })];
};

const dns: Topic = ({ domains }) => (domains.length === 0 ? [say('dns-none')] : domains.flatMap(domainRemarks));

function domainRemarks({ domain, desired, observed, reason }: DomainFacts): Remark[] {
  const here = desired.filter((target) => observed.includes(target));
  const foreign = observed.filter((target) => !desired.includes(target));
  const values = { domain, desired: desired.length, observed: here.length, why: reason === '' ? '' : ` (${reason})` };
  return [
    say(here.length === desired.length ? 'dns-agrees' : 'dns-differs', values),
    ...when(foreign.length > 0, () => say('dns-foreign', { domain, targets: listed(foreign) })),
  ];
}

const keyStates: Topic = ({ hostKeys }) =>
  hostKeys.map(({ product, hostOs: os, state }) => {
    const told = { product: hostKey(product)?.title ?? product, hostOs: hostOs(os)?.title ?? os, state };
    if (state === 'Activated') return say('key-activated', told);
    const known = HOST_KEY_STATE_INFO.find((info) => info.state === state);
    return say('key-not-activated', { ...told, code: formatHresult(known?.hostCode ?? 0xc004f041) });
  });

const keyList: Topic = ({ hostKeys }) => [say('keys-listed', { keys: listed(hostKeys.map(({ product }) => product)) })];

const clock: Topic = ({ clockSkewMs }) => {
  if (clockSkewMs === undefined) return [];
  const seconds = Math.ceil(Math.abs(clockSkewMs) / 1000);
  return [say(Math.abs(clockSkewMs) > SKEW_MS ? 'clock-off' : 'clock-good', { seconds })];
};

const store: Topic = ({ store: { state, staleSeconds } }) => {
  if (state === 'Available') return [say('store-good')];
  const stale = {
    en: `, silent for ${Math.round(staleSeconds)} s`,
    ko: `, ${Math.round(staleSeconds)}초 동안 응답 없음`,
  };
  return [say('store-off', { state, stale })];
};

/** An application's table is twice the largest of its thresholds at most. */
const caps: Topic = ({ applications }) => {
  const large = applications.filter(
    ({ cap, thresholds }) => cap > 2 * Math.max(...thresholds.map((each) => each.required)),
  );
  if (large.length === 0) return [say('cap-normal')];
  return large.map(({ application: name, cap }) =>
    say('cap-large', { application: application(name).title, cap, asked: cap / 2 }),
  );
};

/** Refusals by the code in question, or all of them. */
const failures: Topic = (facts, finding) => failureRemarks(facts, finding.kind === 'code' ? finding.code : undefined);
const allFailures: Topic = (facts) => failureRemarks(facts, undefined);

function failureRemarks(facts: PoolFacts, wanted: number | undefined): Remark[] {
  const found = facts.failures.filter(({ code, count }) => count > 0 && (wanted === undefined || code === wanted));
  if (found.length === 0 && wanted !== undefined) return [say('no-failures', { code: formatHresult(wanted) })];
  return found.map(({ code, count, products }) => {
    const names = listed(products);
    const told = products.length === 0 ? '' : { en: `, to ${names.en}`, ko: `: ${names.ko}` };
    return say('failures', { count, code: formatHresult(code), products: told });
  });
}

/** The host that a client asked or holds to: is it ours? */
const askedHost: Topic = (facts, finding) => {
  const ours = [...new Set(facts.domains.flatMap(({ desired }) => desired))];
  const asked = hostsIn(finding).map((each) => hostKeyOf(each.replace(/:\d+$/, '')));
  return [...new Set(asked)].map((host) =>
    ours.includes(host) || facts.hosts.some(({ name }) => name === host)
      ? say('is-pool-host', { host })
      : say('is-foreign-host', { host, hosts: listed(ours) }),
  );
};

function hostsIn(finding: Finding): string[] {
  if (finding.kind === 'event') return finding.values['server'] === undefined ? [] : [finding.values['server']];
  if (finding.kind === 'dlv') return [finding.machineRegistered ?? finding.machineFromDns ?? []].flat();
  return finding.kind === 'nslookup' ? finding.records.flatMap(({ target }) => target ?? []) : [];
}

const ownCmid: Topic = ({ duplicates }, finding) => {
  const cmid = finding.kind === 'dlv' ? finding.cmid : finding.kind === 'event' ? finding.values['cmid'] : undefined;
  const group = duplicates.find((each) => each.cmid === cmid?.toLowerCase());
  return group === undefined ? [] : [say('own-cmid-shared', { names: listed(group.names) })];
};

const suffixes: Topic = ({ domains }, finding) => {
  const published = domains.map(({ domain }) => domain);
  const searched = domainsIn(finding);
  if (published.length === 0) return [say('dns-none')];
  const common = published.filter((domain) => searched.includes(domain));
  if (common.length > 0) return [say('client-searches', { domains: listed(common) })];
  const none = { en: 'none', ko: '없음' };
  return [
    say('client-does-not-search', {
      published: listed(published),
      searched: searched.length === 0 ? none : listed(searched),
    }),
  ];
};

function domainsIn(finding: Finding): string[] {
  if (finding.kind === 'ipconfig') return searchedDomains(finding);
  return finding.kind === 'nslookup' ? publishedDomains(finding.records) : [];
}

const UNREACHED: readonly Topic[] = [hosts, dns, store];
const DNS: readonly Topic[] = [dns, hosts];
const KEYS: readonly Topic[] = [keyStates];

const TOPICS_OF_CODE: Readonly<Record<number, readonly Topic[]>> = {
  0: [counts],
  [0xc004f038]: [counts, shared],
  [0xc004f042]: [failures, keyList],
  [0xc004f041]: [failures, keyStates],
  [0xc004f051]: KEYS,
  [0xc004c008]: KEYS,
  [0xc004f06c]: [failures, clock],
  [0x8007000d]: [failures, dns],
  [0xc004d104]: [caps],
  [0xc004f039]: UNREACHED,
  [0xc004f074]: [hosts, dns, allFailures, clock, store],
  [0x800706ba]: UNREACHED,
  [0x800706bb]: [store, hosts],
  [0x8007232a]: DNS,
  [0x8007232b]: DNS,
  [0x8007251d]: DNS,
  [0x80092328]: DNS,
  [0x8007007b]: DNS,
  [0xc004f009]: [counts, hosts],
  [0xc004f00f]: [hosts],
};

const TOPICS_OF_EVENT: Readonly<Record<number, readonly Topic[]>> = {
  12288: [askedHost, ownCmid, hosts, dns],
  12289: [counts, shared],
  12290: [ownCmid, counts, shared, failures],
  12291: [hosts, keyStates, store],
  12292: DNS,
  12293: DNS,
  12294: DNS,
};

function topicsOf(finding: Finding): readonly Topic[] {
  switch (finding.kind) {
    case 'code':
      return TOPICS_OF_CODE[finding.code] ?? [];
    case 'event':
      return TOPICS_OF_EVENT[finding.id] ?? [];
    case 'dlv':
      return finding.role === 'client'
        ? [askedHost, ownCmid, counts]
        : finding.role === 'host'
          ? [counts, shared, keyStates]
          : [];
    case 'ipconfig':
      return [suffixes, dns];
    case 'nslookup':
      return finding.records.length === 0 ? DNS : [askedHost, suffixes, dns];
    case 'key':
      return [];
  }
}
