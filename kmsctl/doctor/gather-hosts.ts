// SPDX-License-Identifier: Apache-2.0
//
// Knocks at doors: an RPC bind at each address, which no host counts (S1-20), and what the hosts of a pool say of themselves.

import { UserError } from '@kmspool/crds';
import type { ContactRecord, DuplicateCmid } from '@kmspool/kms-node';
import { productOf } from '../insight/contact-view.ts';
import { connectKms, type NameServer } from '../net/index.ts';
import type { PoolSource } from '../source/source.ts';
import type { SrvSeen } from './dns-query.ts';
import type { HostFacts, PoolFacts, ProbeFacts, TargetFacts } from './facts.ts';
import { addressesOf } from './gather-dns.ts';

/** Binds and hangs up. Never rejects. */
export async function probe(address: string, port: number, timeoutMs: number): Promise<ProbeFacts> {
  const connected = await connectKms({ address, port, timeoutMs });
  if (connected.ok) {
    const handed = Number(connected.connection.association.secondaryAddress);
    connected.connection.close();
    return { address, port, outcome: 'kms', reason: '', advertisedPort: Number.isInteger(handed) ? handed : undefined };
  }
  const { stage, reason } = connected.failure;
  const silent = /^no (connection|route)/.test(reason) || reason.includes('timed out');
  const outcome = stage !== 'connect' ? 'notKms' : silent ? 'silent' : 'refused';
  return { address, port, outcome, reason, advertisedPort: undefined };
}

export interface TargetAsking {
  readonly records: readonly SrvSeen[];
  readonly resolvers: readonly NameServer[];
  readonly source: PoolSource | undefined;
  readonly timeoutMs: number;
}

/** Every distinct target of the records: its addresses, and who listens there. */
export async function gatherTargets({ records, resolvers, source, timeoutMs }: TargetAsking): Promise<TargetFacts[]> {
  const distinct = new Map(records.map((record) => [`${record.target}:${record.port}`, record]));
  return Promise.all(
    [...distinct.values()].map(async ({ target, port }) => {
      const { addresses, isCname } = await addressesOf(target, { resolvers, timeoutMs });
      const probes = await Promise.all(addresses.map((address) => probe(address, port, timeoutMs)));
      return { host: target, port, ours: isOurs({ target, port, addresses }, source), isCname, addresses, probes };
    }),
  );
}

/** By its name, or by address and port; undefined where the pool's hosts are not known so. */
function isOurs(
  {
    target,
    port,
    addresses,
  }: { readonly target: string; readonly port: number; readonly addresses: readonly string[] },
  source: PoolSource | undefined,
): boolean | undefined {
  const hosts = source?.hosts.filter(({ fqdn, address }) => fqdn !== undefined || address !== undefined) ?? [];
  if (hosts.length === 0) return undefined;
  return hosts.some(
    (host) =>
      host.fqdn?.toLowerCase() === target ||
      (host.address !== undefined && addresses.includes(host.address) && (host.port ?? port) === port),
  );
}

/** How many of the latest events are looked through. */
const EVENTS_READ = 1000;

/** What the pool's hosts say. */
export async function gatherPool(source: PoolSource, timeoutMs: number): Promise<PoolFacts> {
  const [asked, listings] = await Promise.all([source.statuses(), gatherListings(source)]);
  const hosts = await Promise.all(
    source.hosts.map(async ({ name, fqdn, address, port, ready }, at): Promise<HostFacts> => {
      const said = asked[at]?.asked;
      const direct = address === undefined || port === undefined ? undefined : await probe(address, port, timeoutMs);
      return {
        name,
        fqdn,
        ready,
        status: said?.ok === true ? said.status : undefined,
        reason: said?.ok === false ? said.reason : '',
        probe: direct,
        clockAheadMs: said?.ok === true && said.dateMs !== undefined ? said.dateMs - Date.now() : undefined,
      };
    }),
  );
  const { pool: name, kind, where } = source;
  return { name, kind, where, hosts, ...listings };
}

type Listings = Pick<PoolFacts, 'duplicates' | 'refused' | 'eventsRead' | 'listingProblem'>;

async function gatherListings(source: PoolSource): Promise<Listings> {
  try {
    const events = await source.page<ContactRecord>('events', { limit: EVENTS_READ });
    const groups = await source.page<DuplicateCmid>('duplicates', { limit: 1000 });
    const names = groups.items.reduce((sum, each) => sum + each.names.length, 0);
    return {
      duplicates: { groups: groups.items.length, names },
      refused: refusedOf(events.items),
      eventsRead: events.items.length,
      listingProblem: undefined,
    };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { duplicates: undefined, refused: undefined, eventsRead: 0, listingProblem: error.message };
  }
}

function refusedOf(events: readonly ContactRecord[]): NonNullable<PoolFacts['refused']> {
  const byCode = Map.groupBy(
    events.filter(({ hresult }) => hresult !== 0),
    ({ hresult }) => hresult,
  );
  return new Map(
    [...byCode].map(([code, records]) => [
      code,
      { count: records.length, products: [...new Set(records.map((record) => productOf(record) ?? '(unknown)'))] },
    ]),
  );
}
