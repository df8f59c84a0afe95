// SPDX-License-Identifier: Apache-2.0

// Alerts about DNS: whether clients find the pool, and whom else they find.
import { condition, DOMAIN, POOL, records } from './promql.ts';
import { DESCRIBE_POOL, kubectl, POOL_NAME, type RuleGroup } from './rule.ts';

const failed = `(${condition('DnsPublished', 'False')} == 1)`;

const nothingThere = `${records('desired')} > 0
and on (${DOMAIN})
  (${records('observed')} == 0)
and on (${POOL})
  ${failed}`;

export const DNS_RULES: RuleGroup = {
  name: 'kmspool-dns',
  rules: [
    {
      alert: 'KmsDnsNotPublished',
      severity: 'critical',
      expr: nothingThere,
      for: '10m',
      summary: `KMS pool ${POOL_NAME} is not in DNS: {{ $labels.domain }}`,
      description: `No name server shows an SRV record of the pool in {{ $labels.domain }}: clients that search there find no host (0x8007232B), but for those that remember one. Next: \`dig +short SRV _vlmcs._tcp.{{ $labels.domain }}\``,
    },
    {
      alert: 'KmsDnsPublicationFailed',
      severity: 'warning',
      expr: `${condition('DnsPublished', 'False')} == 1
unless on (${POOL})
  (
    ${nothingThere.replaceAll('\n', '\n    ')}
  )`,
      for: '15m',
      summary: `The records of KMS pool ${POOL_NAME} in DNS are not those wanted`,
      description: `The condition DnsPublished is False; its reason and message say which server shows which record. Next: ${kubectl("get khp {{ $labels.pool }} -o jsonpath='{.status.dns}'")}`,
    },
    {
      alert: 'KmsDnsNotVerified',
      severity: 'warning',
      expr: 'sum without (result) (increase(kmspool_dns_rounds_total{result="failed"}[15m])) > 0',
      for: '15m',
      summary: 'Name servers do not answer the operator of kmspool',
      description:
        'Rounds of questions have failed for half an hour, so nobody knows what clients see; the records are left as they are. Next: `kubectl get khp -A` shows the pools with DNS NameServerUnreachable, the message names the server',
    },
    {
      alert: 'KmsForeignHostInDns',
      severity: 'warning',
      expr: `${records('foreign')} > 0`,
      for: '5m',
      summary: `{{ $value }} foreign KMS hosts stand in {{ $labels.domain }} beside ${POOL_NAME}`,
      description: `SRV records name hosts that are neither the pool's nor in spec.dns.knownHosts; clients go there as well, and are counted there. Next: ${kubectl("get khp {{ $labels.pool }} -o jsonpath='{.status.dns[*].foreign}'")}, or ${DESCRIBE_POOL}`,
    },
  ],
};
