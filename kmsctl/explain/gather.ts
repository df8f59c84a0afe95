// SPDX-License-Identifier: Apache-2.0
//
// Fills PoolFacts from a running pool. How a host is reached is the reader's business: up-reader.ts for `kmsctl up`.

import { type HostStatus, hostStatusSchema, UserError } from '@kmspool/crds';
import { APPLICATIONS, PRODUCTS } from '@kmspool/kms/catalog';
import { CMID_RETENTION_MS } from '@kmspool/kms/counting';
import { type ApplicationFacts, type DomainFacts, EXPIRY_DAYS, type PoolFacts } from './pool-facts.ts';

/** A running pool, as far as it has to be read. */
export interface PoolReader {
  readonly pool: string;
  /** Names of its hosts; never empty. */
  readonly hosts: readonly string[];
  /** The body of GET `path` of one host, with the admin token. Rejects with an Error of one line. */
  get(host: string, path: string): Promise<string>;
  /** What is wanted in DNS and what is there. Never rejects. */
  domains(statuses: readonly HostStatus[]): Promise<readonly DomainFacts[]>;
}

const PAGE = 1000;
/** 100,000 clients, the most that an inventory keeps by default; and enough events to name the refused products. */
const CLIENT_PAGES = 100;
const EVENT_PAGES = 5;
const DAY_MS = 86_400_000;

interface Contact {
  readonly atMs: number;
  readonly application: number;
  readonly hresult: number;
  readonly cmid: string;
  readonly countedId: string;
  readonly workstationName: string;
}

interface Duplicate {
  readonly cmid: string;
  readonly application: number;
  readonly names: readonly { readonly workstationName: string }[];
}

/** The facts as of `nowMs`. Throws a UserError if no host answers. */
export async function gatherFacts(reader: PoolReader, nowMs: number): Promise<PoolFacts> {
  const asked = await Promise.all(reader.hosts.map((host) => askHost(reader, host)));
  const answered = asked.filter((host) => host.status !== undefined);
  const statuses = answered.flatMap(({ status }) => status ?? []);
  const [first] = statuses;
  const source = answered[0]?.name;
  if (first === undefined || source === undefined)
    throw new UserError(`--pool: no host of ${reader.pool} answers; ${asked[0]?.problem ?? ''}`);
  const pages = <T>(path: string, most: number): Promise<Pages<T>> =>
    readPages<T>((query) => reader.get(source, query), path, most);
  const [clients, events, duplicates, failures, domains] = await Promise.all([
    pages<Contact>('/clients', CLIENT_PAGES),
    pages<Contact>('/events', EVENT_PAGES),
    pages<Duplicate>('/duplicates', CLIENT_PAGES),
    failuresOf(
      reader,
      answered.map(({ name }) => name),
    ),
    reader.domains(statuses),
  ]);
  return {
    pool: reader.pool,
    applications: first.counts.flatMap((count) => applicationFacts(count, clients.items, nowMs)),
    duplicates: duplicates.items.map(({ cmid, application, names }) => ({
      cmid: cmid.toLowerCase(),
      application: APPLICATIONS[application]?.name,
      names: names.map(({ workstationName }) => workstationName),
    })),
    failures: [...failures].map(([code, count]) => ({ code, count, products: productsRefused(events.items, code) })),
    hosts: asked.map(({ name, status, problem }) => ({
      name,
      ready: status?.ready ?? false,
      reasons: status?.reasons ?? [problem ?? 'it does not answer'],
    })),
    domains,
    hostKeys: first.hostKeys,
    clockSkewMs: largest(statuses.flatMap(({ clockSkewMilliseconds: skew }) => skew ?? [])),
    store: worstStore(statuses),
    truncated: clients.more,
  };
}

interface Asked {
  readonly name: string;
  readonly status?: HostStatus;
  readonly problem?: string;
}

async function askHost(reader: PoolReader, name: string): Promise<Asked> {
  try {
    const parsed = hostStatusSchema.safeParse(JSON.parse(await reader.get(name, '/status')));
    return parsed.success ? { name, status: parsed.data } : { name, problem: `${name} is no host of kmspool` };
  } catch (error) {
    return { name, problem: error instanceof Error ? error.message : String(error) };
  }
}

interface Pages<T> {
  readonly items: readonly T[];
  /** There were more pages than were read. */
  readonly more: boolean;
}

async function readPages<T>(get: (query: string) => Promise<string>, path: string, most: number): Promise<Pages<T>> {
  const items: T[] = [];
  let after: string | undefined;
  for (let page = 0; page < most; page += 1) {
    const cursor = after === undefined ? '' : `&after=${encodeURIComponent(after)}`;
    const body: unknown = JSON.parse(await get(`${path}?limit=${PAGE}${cursor}`));
    if (!isPage<T>(body)) throw new UserError(`--pool: ${path} is not what a host of kmspool answers`);
    items.push(...body.items);
    after = body.next;
    if (after === undefined) return { items, more: false };
  }
  return { items, more: true };
}

function isPage<T>(value: unknown): value is { readonly items: readonly T[]; readonly next?: string } {
  return typeof value === 'object' && value !== null && 'items' in value && Array.isArray(value.items);
}

/** An entry expires 30 days after its client was last counted (S3-11, S3-12). */
function applicationFacts(
  count: HostStatus['counts'][number],
  clients: readonly Contact[],
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
async function failuresOf(reader: PoolReader, hosts: readonly string[]): Promise<Map<number, number>> {
  const sums = new Map<number, number>();
  for (const host of hosts) {
    for (const { code, value } of refusals(await reader.get(host, '/metrics')))
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

function productsRefused(events: readonly Contact[], code: number): string[] {
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
