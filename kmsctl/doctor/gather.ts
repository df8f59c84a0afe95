// SPDX-License-Identifier: Apache-2.0
//
// All facts for the ladder: of a pool, or of a domain alone.

import type { NameServer } from '../net/index.ts';
import type { PoolSource } from '../source/source.ts';
import type { SrvSeen } from './dns-query.ts';
import type { ClientView, Facts } from './facts.ts';
import { gatherCluster } from './gather-cluster.ts';
import { gatherDns } from './gather-dns.ts';
import { gatherPool, gatherTargets } from './gather-hosts.ts';

export interface Gathering {
  readonly source: PoolSource | undefined;
  /** Beside those of the pool. */
  readonly domains: readonly string[];
  /** Empty: the pool's own name server, or this machine's. */
  readonly servers: readonly NameServer[];
  readonly client: ClientView | undefined;
  readonly clientAddress: string | undefined;
  readonly timeoutMs: number;
}

export async function gather(gathering: Gathering): Promise<Facts> {
  const { source, client, clientAddress, timeoutMs } = gathering;
  const domains = [...new Set([...gathering.domains, ...(source?.domains ?? [])])];
  const own = source?.nameServer === undefined ? [] : [source.nameServer];
  const servers = gathering.servers.length > 0 ? gathering.servers : own;
  const asked = [...new Set([...domains, ...(client?.suffixes ?? [])])];
  const [dns, pool, cluster] = await Promise.all([
    gatherDns({ domains: asked, servers, timeoutMs }),
    source === undefined ? undefined : gatherPool(source, timeoutMs),
    source?.cluster === undefined || source.object === undefined
      ? undefined
      : gatherCluster(source.cluster, source.object),
  ]);
  const records = dns.zones.flatMap(({ answers }) =>
    answers.flatMap(({ answer }): readonly SrvSeen[] => (answer.kind === 'records' ? answer.records : [])),
  );
  const targets = await gatherTargets({ records, resolvers: dns.resolvers, source, timeoutMs });
  const zones = dns.zones.filter(({ domain }) => domains.includes(domain) || hasRecords(domain, dns.zones));
  return { domains, servers: dns.servers, zones, targets, client, clientAddress, pool, cluster };
}

/** A client's suffix without records is no fault of a zone; the step about suffixes tells it. */
function hasRecords(domain: string, zones: Facts['zones']): boolean {
  return zones.some((zone) => zone.domain === domain && zone.answers.some(({ answer }) => answer.kind === 'records'));
}
