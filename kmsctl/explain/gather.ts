// SPDX-License-Identifier: Apache-2.0
//
// Fills PoolFacts from a pool, wherever it runs (kmsctl/source), and from the DNS that its clients ask.

import { type HostStatus, UserError } from '@kmspool/crds';
import { APPLICATIONS, PRODUCTS } from '@kmspool/kms/catalog';
import { CMID_RETENTION_MS } from '@kmspool/kms/counting';
import { hostFqdn } from '@kmspool/kms/dns';
import type { ContactRecord, DuplicateCmid } from '@kmspool/kms-node';
import type { Discovery } from '../net/index.ts';
import type { Listing, PoolSource } from '../source/source.ts';
import { type ApplicationFacts, type DomainFacts, EXPIRY_DAYS, type PoolFacts } from './pool-facts.ts';

/** As much of a PoolSource as is read here. */
export type FactsSource = Pick<PoolSource, 'pool' | 'hosts' | 'domains' | 'statuses' | 'page' | 'text'>;

const PAGE = 1000;
/** 100,000 clients, the most that an inventory keeps by default; and enough events to name the refused products. */
const CLIENT_PAGES = 100;
const EVENT_PAGES = 5;
const DAY_MS = 86_400_000;

/** The facts as of `nowMs`. @throws UserError if no host answers. */
export async function gatherFacts(source: FactsSource, dns: Pick<Discovery, 'srv'>, nowMs: number): Promise<PoolFacts> {
  const asked = await source.statuses();
  const statuses = asked.flatMap(({ asked: { ok, ...answer } }) => (ok && 'status' in answer ? [answer.status] : []));
  const [first] = statuses;
  if (first === undefined)
    throw new UserError(`--pool: no host of ${source.pool} answers; ${asked.map(reasonOf)[0] ?? 'it has none'}`);
  const names = namesOf(source, first.pool.namespace);
  const [clients, events, duplicates, failures, domains] = await Promise.all([
    readPages<ContactRecord>(source, 'clients', CLIENT_PAGES),
    readPages<ContactRecord>(source, 'events', EVENT_PAGES),
    readPages<DuplicateCmid>(source, 'duplicates', CLIENT_PAGES),
    failuresOf(
      source,
      asked.flatMap(({ host, asked: { ok } }) => (ok ? [host] : [])),
    ),
    Promise.all((source.domains ?? []).map((domain) => domainFacts(domain, names, dns))),
  ]);
  return {
    pool: source.pool,
    applications: first.counts.flatMap((count) => applicationFacts(count, clients.items, nowMs)),
    duplicates: duplicates.items.map(({ cmid, application, names }) => ({
      cmid: cmid.toLowerCase(),
      application: APPLICATIONS[application]?.name,
      names: names.map(({ workstationName }) => workstationName),
    })),
    failures: [...failures].map(([code, count]) => ({ code, count, products: productsRefused(events.items, code) })),
    hosts: asked.map((each) => ({
      name: each.host,
      ready: each.asked.ok && each.asked.status.ready,
      reasons: each.asked.ok ? each.asked.status.reasons : [reasonOf(each)],
    })),
    domains,
    hostKeys: first.hostKeys,
    clockSkewMs: largest(statuses.flatMap(({ clockSkewMilliseconds: skew }) => skew ?? [])),
    store: worstStore(statuses),
    truncated: clients.more,
  };
}

type AskedHost = Awaited<ReturnType<PoolSource['statuses']>>[number];

function reasonOf({ host, asked }: AskedHost): string {
  return asked.ok ? '' : asked.reason || `${host} does not answer`;
}

/** What a host is called where its keeper does not say: by its place in the pool (docs/pool-reference.md, `spec.dns.domains`). */
function namesOf({ hosts, domains, pool }: FactsSource, namespace: string): string[] {
  return hosts.map(({ fqdn }, ordinal) => plain(fqdn ?? hostFqdn(pool, ordinal, namespace, domains?.[0] ?? '')));
}

const plain = (name: string): string => name.toLowerCase().replace(/\.$/, '');

async function domainFacts(
  domain: string,
  desired: readonly string[],
  dns: Pick<Discovery, 'srv'>,
): Promise<DomainFacts> {
  const { records, reason } = await dns.srv(domain);
  return { domain, desired, observed: records.map(({ target }) => plain(target)), reason };
}

interface Pages<T> {
  readonly items: readonly T[];
  /** There were more pages than were read. */
  readonly more: boolean;
}

async function readPages<T>(source: FactsSource, listing: Listing, most: number): Promise<Pages<T>> {
  const items: T[] = [];
  let after: string | undefined;
  for (let page = 0; page < most; page += 1) {
    const { items: some, next } = await source.page<T>(listing, { limit: PAGE, after });
    items.push(...some);
    after = next;
    if (after === undefined) return { items, more: false };
  }
  return { items, more: true };
}

/** An entry expires 30 days after its client was last counted (S3-11, S3-12). */
function applicationFacts(
  count: HostStatus['counts'][number],
  clients: readonly ContactRecord[],
  nowMs: number,
): ApplicationFacts[] {
  const row = APPLICATIONS.find(({ name }) => name === count.application);
  if (row === undefined) return [];
  const from = nowMs - CMID_RETENTION_MS;
  const until = from + EXPIRY_DAYS * DAY_MS;
  const due = clients.filter(
    ({ application, hresult, atMs }) => application === row.index && hresult === 0 && atMs > from && atMs <= until,
  );
  const names = new Map(due.map(({ cmid, workstationName }) => [cmid, workstationName]));
  const { current, cap, thresholds } = count;
  return [{ application: row.name, count: current, cap, thresholds, expiring: [...names.values()] }];
}

/** Requests that each answering host refused, by HRESULT, added up. */
async function failuresOf(source: FactsSource, hosts: readonly string[]): Promise<Map<number, number>> {
  const sums = new Map<number, number>();
  for (const host of hosts) {
    for (const { code, value } of refusals((await source.text(host, '/metrics')) ?? ''))
      sums.set(code, (sums.get(code) ?? 0) + value);
  }
  return sums;
}

/** The samples of kmspool_requests_total that carry a code other than success. */
export function refusals(metrics: string): { readonly code: number; readonly value: number }[] {
  return [...metrics.matchAll(/^kmspool_requests_total\{[^}]*hresult="(0x[0-9A-F]{8})"[^}]*\} (\d+)/gm)]
    .map(([, code, value]) => ({ code: Number(code), value: Number(value) }))
    .filter(({ code, value }) => code !== 0 && value > 0);
}

function productsRefused(events: readonly ContactRecord[], code: number): string[] {
  const names = events
    .filter(({ hresult }) => hresult === code)
    .map(({ countedId }) => PRODUCTS.find((product) => product.countedId === countedId.toLowerCase())?.name)
    .filter((name) => name !== undefined);
  return [...new Set(names)];
}

function largest(skews: readonly number[]): number | undefined {
  return skews.length === 0 ? undefined : Math.max(...skews.map(Math.abs));
}

const STATES: readonly string[] = ['Available', 'LastKnown', 'Starting', 'Refusing'];

/** The store as the host sees it that has most trouble with it. */
function worstStore(statuses: readonly HostStatus[]): PoolFacts['store'] {
  const [worst] = statuses.map(({ store }) => store).sort((a, b) => STATES.indexOf(b.state) - STATES.indexOf(a.state));
  return { state: worst?.state ?? 'Available', staleSeconds: worst?.staleSeconds ?? 0 };
}
