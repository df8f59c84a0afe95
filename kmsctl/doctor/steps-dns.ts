// SPDX-License-Identifier: Apache-2.0
//
// From the client to the records (S2-08…S2-36): name servers, the domain a client looks in, SRV records and their targets. Pure.

import { srvName } from '@kmspool/kms/dns';
import type { ServerAnswer, SrvSeen } from './dns-query.ts';
import type { Facts, NameServerFacts, TargetFacts, ZoneFacts } from './facts.ts';
import { bad, type Finding, joined, ok, skipped } from './step.ts';

/** S2-08: without a name server nothing is found. */
export function resolversStep({ servers }: Facts): Finding {
  return joined(servers.map(serverFinding), skipped('no name server is known; give one with --dns'));
}

function serverFinding({ server, role, udpProblem, tcpProblem }: NameServerFacts): Finding {
  const what = role === 'authoritative' ? `${server} (authoritative)` : server;
  const look = `ping ${server.replace(/:\d+$/, '')}   # from the client and from the host; then open UDP and TCP 53`;
  if (udpProblem !== undefined && tcpProblem !== undefined) return bad('fail', [`${what}: ${udpProblem}`], look);
  if (udpProblem !== undefined) return bad('fail', [`${what} answers by TCP but not by UDP: ${udpProblem}`], look);
  if (tcpProblem !== undefined)
    return bad('warn', [`${what} answers by UDP but not by TCP, which long answers need: ${tcpProblem}`], look);
  return ok(`${what} answers by UDP and TCP`);
}

/** S2-15, S2-19, S2-20, S2-31: nslookup finds what a client, which tries its suffixes only, does not. */
export function suffixStep({ client, domains, zones }: Facts): Finding {
  if (client === undefined) return skipped('no --from: which domains the client searches is not known');
  const { kind, suffixes } = client;
  const from = kind === 'domain' ? 'the AD domain' : kind === 'workgroup' ? 'DHCP option 15' : 'the search list';
  const withRecords = zones.filter(hasRecords).map(({ domain }) => domain);
  const looked = `the client searches ${suffixes.join(', then ')} (${from})`;
  const found = suffixes.find((suffix) => withRecords.includes(suffix));
  if (found !== undefined) return ok(`${looked}; ${srvName(found)} is there`);
  const [first = ''] = suffixes;
  const fix = `add {name: ${first}} to spec.dns.domains, or add ${domains[0] ?? 'the domain'} to the client's suffix search list`;
  return bad('fail', [`${looked}; none of them has ${srvName('<domain>').replace('.<domain>', '')} records`], fix);
}

function hasRecords({ answers }: ZoneFacts): boolean {
  return answers.some(({ answer }) => answer.kind === 'records');
}

/** S2-16, S4-07: the records, in the layout of nslookup. */
export function recordsStep({ zones }: Facts): Finding {
  return joined(zones.map(zoneFinding), skipped('the pool has no domain; clients need slmgr /skms HOST'));
}

function zoneFinding(zone: ZoneFacts): Finding {
  const { domain, answers } = zone;
  const name = srvName(domain);
  const first = answers.find(({ answer }) => answer.kind === 'records')?.answer;
  if (first?.kind === 'records') {
    return ok(
      `${name} SRV`,
      ...first.records.map(
        ({ priority, weight, port, target, ttlSeconds }) =>
          `  priority ${priority}, weight ${weight}, port ${port}, ${target}, TTL ${ttlSeconds} s`,
      ),
    );
  }
  const said = answers.map(({ server, answer }) => `${server}: ${wordsOf(answer)}`);
  return bad(
    'fail',
    [`${name} has no SRV record (clients report 0x8007232B)`, ...said],
    `nslookup -type=srv ${name}   # then look why nothing publishes: kubectl describe khp, condition DnsPublished`,
  );
}

function wordsOf(answer: ServerAnswer): string {
  if (answer.kind === 'none') return answer.rcode;
  return answer.kind === 'problem' ? answer.reason : `${answer.records.length} records`;
}

/** Names that were meant to be `_vlmcs._tcp`. */
export function typoStep({ zones }: Facts): Finding {
  if (zones.length === 0) return skipped('the pool has no domain');
  const found = zones.flatMap(({ domain, typos }) => typos.map((typo) => ({ domain, ...typo })));
  const [first] = found;
  if (first === undefined) return ok('no record under a misspelt name such as _vmlcs._tcp');
  const evidence = found.map(({ name, records }) => `${name} -> ${records.map(({ target }) => target).join(', ')}`);
  return bad('fail', evidence, `rename ${first.name} to ${srvName(first.domain)} in the zone: no client looks there`);
}

/** S3-18: every server the same records, and one TTL for all of them (RFC 2181 5.2). */
export function agreeStep({ zones }: Facts): Finding {
  if (zones.length === 0) return skipped('the pool has no domain');
  return joined(zones.map(agreement), skipped('no zone'));
}

function agreement({ domain, answers }: ZoneFacts): Finding {
  const name = srvName(domain);
  const said = answers.filter(({ answer }) => answer.kind !== 'problem');
  const sets = Map.groupBy(said, ({ answer }) => (answer.kind === 'records' ? setText(answer.records) : '(none)'));
  const ttls = new Set(said.flatMap(({ answer }) => (answer.kind === 'records' ? [mixed(answer.records)] : [])));
  if (said.length === 0) return skipped(`${name}: no name server answers`);
  if (sets.size > 1) {
    const evidence = [...sets].map(([text, servers]) => `${servers.map(({ server }) => server).join(', ')}: ${text}`);
    return bad(
      'warn',
      [`${name} differs between servers:`, ...evidence],
      `wait one TTL, then run this again; then look at zone transfers`,
    );
  }
  if (ttls.has(true))
    return bad(
      'warn',
      [`${name}: its records have different TTLs, which resolvers treat as they like (RFC 2181 5.2)`],
      `give all records of ${name} one TTL; two publishers may write there`,
    );
  return ok(`${name}: ${said.length === 1 ? 'one server asked' : `all ${said.length} servers say the same`}`);
}

function setText(records: readonly SrvSeen[]): string {
  return records
    .map(({ priority, weight, port, target }) => `${priority} ${weight} ${port} ${target}`)
    .sort()
    .join('; ');
}

function mixed(records: readonly SrvSeen[]): boolean {
  return new Set(records.map(({ ttlSeconds }) => ttlSeconds)).size > 1;
}

/** S2-17, S2-36: each target has addresses of its own. */
export function targetsStep({ targets }: Facts): Finding {
  return joined(targets.map(targetFinding), skipped('there is no SRV record to follow'));
}

function targetFinding({ host, addresses, isCname }: TargetFacts): Finding {
  if (isCname)
    return bad(
      'warn',
      [`${host} is an alias (CNAME), which an SRV target must not be (RFC 2782)`],
      `write an A or AAAA record for ${host}`,
    );
  if (addresses.length === 0)
    return bad(
      'fail',
      [`${host} has no address: clients that draw it fail and go on to the next`],
      `nslookup ${host}   # then add its A record, or remove the SRV record`,
    );
  return ok(`${host} is ${addresses.join(', ')}`);
}

/** S1-19, S1-42: a host that is not the pool's counts on its own: the count is split. */
export function foreignStep({ targets, pool, cluster }: Facts): Finding {
  if (pool === undefined) return skipped('only a domain was named: which hosts belong there is not known');
  if (targets.every(({ ours }) => ours === undefined))
    return skipped('the addresses of the hosts of the pool are not known');
  const known = cluster?.object.spec.dns.knownHosts.map((name) => name.toLowerCase().replace(/\.$/, '')) ?? [];
  const foreign = targets.filter(({ ours, host }) => ours === false && !known.includes(host));
  const [first] = foreign;
  if (first === undefined) return ok(`all ${targets.length} targets are hosts of ${pool.name}`);
  const evidence = foreign.map(({ host, port, probes }) => {
    const alive = probes.some(({ outcome }) => outcome === 'kms');
    return `${host}:${port} is not of the pool${alive ? ', and a KMS host answers there: clients that draw it are counted there and not here' : ', and no KMS host answers there'}`;
  });
  return bad(
    'fail',
    evidence,
    `find out whose ${first.host} is; remove its SRV record, or name it in spec.dns.knownHosts`,
  );
}

/** Hosts of the pool that no record names. */
export function missingStep({ targets, pool, domains }: Facts): Finding {
  const known = pool?.hosts.filter(({ fqdn, probe }) => fqdn !== undefined || probe !== undefined) ?? [];
  if (known.length === 0 || domains.length === 0) return skipped('the hosts or the domains of the pool are not known');
  const isNamed = ({ fqdn, probe }: (typeof known)[number]): boolean =>
    targets.some(({ host, addresses }) => host === fqdn?.toLowerCase() || addresses.includes(probe?.address ?? '-'));
  const missing = known.filter((host) => !isNamed(host));
  if (missing.length === 0) return ok(`all ${known.length} hosts are named by SRV records`);
  const names = missing.map(({ name }) => name).join(', ');
  return bad(
    'warn',
    [`no SRV record names ${names}: they get no new clients`],
    `look at the condition DnsPublished; a host that is not ready is withdrawn`,
  );
}
