// SPDX-License-Identifier: Apache-2.0

// Alerts about the store: whether hosts reach the table that they share.
import { HOST, maxBy, POOL, sumBy } from './promql.ts';
import { DESCRIBE_POOL, kubectl, POOL_NAME, type RuleGroup } from './rule.ts';

const lost = `${maxBy(POOL, 'kmspool_store_state{state="Available"}')} == 0`;

export const STORE_RULES: RuleGroup = {
  name: 'kmspool-store',
  rules: [
    {
      alert: 'KmsStoreLost',
      severity: 'critical',
      expr: lost,
      for: '2m',
      summary: `No host of KMS pool ${POOL_NAME} reaches its store`,
      description: `With onLoss: LastKnown the hosts answer from the last known table until maxStaleSeconds have passed, then turn clients away; with Refuse they do so already. Next: ${DESCRIBE_POOL}; the message of StoreAvailable has the error`,
    },
    {
      alert: 'KmsHostStoreLost',
      severity: 'warning',
      expr: `${maxBy(`${HOST}, state`, 'kmspool_store_state{state=~"LastKnown|Refusing"}')} == 1
unless on (${POOL})
  (${lost})`,
      for: '5m',
      summary: `KMS host {{ $labels.namespace }}/{{ $labels.host }} does not reach the store (state {{ $labels.state }})`,
      description: `The other hosts reach it, so the store runs. Clients of this one are answered from an older table, or turned away. Next: ${kubectl('logs deploy/{{ $labels.host }} --tail=50')}`,
    },
    {
      alert: 'KmsClientsTurnedAway',
      severity: 'critical',
      expr: `${sumBy(POOL, 'increase(kmspool_store_refused_total[5m])')} > 0`,
      for: '1m',
      summary: `KMS pool ${POOL_NAME} turns clients away`,
      description: `{{ $value | humanize }} requests of the last 5 minutes were answered with server_too_busy, since nothing could be counted: the store is lost beyond maxStaleSeconds, the journal is full, or onLoss is Refuse. Next: ${DESCRIBE_POOL}`,
    },
    {
      alert: 'KmsContactsLost',
      severity: 'warning',
      expr: `${sumBy(POOL, 'increase(kmspool_store_contacts_lost_total[1h])')} > 0`,
      summary: `The store of KMS pool ${POOL_NAME} lacks contacts that no host can restore`,
      description: `{{ $value | humanize }} contacts were acknowledged, are missing after a failover or restart of the store, and no host could send them again. The machines are counted again when they next ask. Next: \`redis-cli config get appendonly\` at the store`,
    },
  ],
};
