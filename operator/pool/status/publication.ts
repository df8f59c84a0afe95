// SPDX-License-Identifier: Apache-2.0

// DnsPublished: whether clients find the pool by its SRV records. True only when every name server of every domain shows them. Pure.
import type { Reason } from '@kmspool/crds';
import type { Judgement } from '../../runtime/index.ts';
import type { DomainView } from './dns.ts';
import { isDeleting, oldJudgement, type PoolJudgement, type StatusInput } from './input.ts';
import { joined, listOf, sentence } from './text.ts';

/** Reasons of one domain, the one that speaks for the pool first, and what DnsPublished then is. */
const BY_WEIGHT: readonly (readonly [Reason, Judgement['status']])[] = [
  ['Deleting', 'Unknown'],
  ['ZoneNotAllowed', 'False'],
  ['DomainTaken', 'False'],
  ['PublisherTooOld', 'False'],
  ['PublisherIgnoresSrv', 'False'],
  ['RecordsDiffer', 'False'],
  ['NoPublisher', 'Unknown'],
  ['NameServerUnreachable', 'Unknown'],
  ['Propagating', 'Unknown'],
  ['NotVerified', 'Unknown'],
  ['HostsNotReady', 'Unknown'],
  ['NoHosts', 'Unknown'],
  ['ForeignHostFound', 'True'],
  ['Published', 'True'],
];

/** Judges the records of all domains. */
export function judgePublication(input: StatusInput, domains: readonly DomainView[]): PoolJudgement {
  const { publication, rollout } = input.conclusions;
  if (isDeleting(input)) return unknown('Deleting', sentence(rollout.message) || 'The records are being withdrawn.');
  const worst = BY_WEIGHT.find(([reason]) => domains.some(({ entry }) => entry.reason === reason));
  if (worst === undefined || publication.mode === 'NoDomains') return unknown('NoDomains', NO_DOMAINS);
  const [reason, status] = worst;
  const concerned = domains.filter(({ entry }) => entry.reason === reason);
  const unnamed = status === 'True' ? namesProblem(input) : undefined;
  if (unnamed !== undefined) return unnamed;
  if (status === 'True' && isUnsettled(input, domains)) return unknown('Propagating', unsettledMessage(input));
  return { type: 'DnsPublished', status, reason, message: messageFor(input, reason, concerned) };
}

/** The SRV records are right and lead to names that are not: clients find a host and cannot reach it. */
function namesProblem({ conclusions }: StatusInput): PoolJudgement | undefined {
  const { hostNames, mode } = conclusions.publication;
  if (mode !== 'On' || hostNames === undefined) return undefined;
  const message = `The hosts' own names: ${sentence(hostNames.message)}`;
  if (hostNames.kind === 'Differs') return { type: 'DnsPublished', status: 'False', reason: 'RecordsDiffer', message };
  return hostNames.kind === 'Unreachable' ? unknown('NameServerUnreachable', message) : undefined;
}

const NO_DOMAINS = 'spec.dns.domains is empty: clients have to be told a host by name (slmgr /skms HOST:PORT).';

function unknown(reason: Reason, message: string): PoolJudgement {
  return { type: 'DnsPublished', status: 'Unknown', reason, message };
}

/** The SRV records are right, and the rest is not: a change is held back, or the hosts' own names are not there yet. */
function isUnsettled(input: StatusInput, domains: readonly DomainView[]): boolean {
  const { settled, mode, dueMs } = input.conclusions.publication;
  if (settled || mode !== 'On') return false;
  if (dueMs !== undefined) return true;
  const unasked = domains.some(({ remembered }) => remembered) || someNameUnasked(input);
  return !(unasked && oldJudgement(input, 'DnsPublished')?.status === 'True');
}

/** After a start of the operator the hosts' names have not been asked for yet. */
function someNameUnasked({ world, conclusions }: StatusInput): boolean {
  const names = (conclusions.publication.recordSets ?? []).filter(({ recordType }) => recordType !== 'SRV');
  return names.some(({ dnsName }) => !world.observedHosts.has(dnsName));
}

function unsettledMessage({ world, conclusions }: StatusInput): string {
  if (conclusions.publication.dueMs !== undefined)
    return `The records have changed less than spec.dns.minChangeSeconds (${world.pool.spec.dns.minChangeSeconds}) ago; the next change follows after that.`;
  return "The SRV records are at every name server; the hosts' own names (A, AAAA) are not yet.";
}

function messageFor(input: StatusInput, reason: Reason, domains: readonly DomainView[]): string {
  const names = listOf(domains.map(({ state }) => state.domain));
  const differences = sentence(
    joined(domains.map(({ state, entry }) => `${state.domain}: ${entry.message ?? reason}`)),
  );
  switch (reason) {
    case 'Published':
      return input.conclusions.publication.mode === 'On'
        ? `All name servers show the records of ${names}.`
        : `All name servers show the records of ${names}, which somebody else has made: ${sentence(silenceOf(input))}`;
    case 'ForeignHostFound':
      return `All name servers show our records, and beside them hosts that are not ours: ${foreignText(domains)}. Find out whose they are; then remove their records, or add their names to spec.dns.knownHosts.`;
    case 'NoPublisher':
      return sentence(silenceOf(input));
    case 'Propagating':
    case 'NotVerified':
      return [differences, findingText(input)].filter((text) => text !== '').join(' ');
    case 'PublisherTooOld':
    case 'PublisherIgnoresSrv':
      return [findingText(input), differences].join(' ');
    case 'RecordsDiffer':
      return [differences, sentence(joined([...input.world.externalDnsNotes], 2))]
        .filter((text) => text !== '')
        .join(' ');
    case 'NoHosts':
      return 'spec.replicas is 0: there is no host to publish.';
    case 'HostsNotReady':
      if (input.conclusions.publication.dueMs !== undefined)
        return 'The first records are published when all hosts are ready, or spec.dns.minChangeSeconds after the first one.';
      return 'No host is ready and has an address, so there is nothing to publish.';
    case 'ZoneNotAllowed':
    case 'DomainTaken':
      // These name the domain themselves.
      return sentence(joined(domains.map(({ state, entry }) => entry.message ?? state.domain)));
    default:
      return differences;
  }
}

function foreignText(domains: readonly DomainView[]): string {
  return joined(domains.map(({ state, entry }) => `${state.record} names ${listOf(entry.foreign ?? [])}`));
}

/** Why nobody publishes, and what to do. */
function silenceOf(input: StatusInput): string {
  const { world, conclusions } = input;
  if (conclusions.publication.mode === 'Off')
    return 'spec.dns.publisher is None, so the operator publishes nothing; make the records by hand from status.hosts, or set ExternalDNS';
  const finding = findingText(input);
  if (finding !== '') return finding;
  if (!world.dnsEndpointServed)
    return 'the API server does not know DNSEndpoint; install external-dns 0.22 or later with its CRD, or set spec.dns.publisher to None';
  return 'nobody reads the DNSEndpoint of the pool; run external-dns 0.22 or later with --source=crd and --managed-record-types for A, AAAA and SRV, or set spec.dns.publisher to None';
}

function findingText({ world }: StatusInput): string {
  return sentence(
    joined(
      world.externalDns.map(({ where, message }) => `external-dns ${where}: ${message}`),
      2,
    ),
  );
}
