// SPDX-License-Identifier: Apache-2.0

// Alerts about hosts and whole pools: who serves.
import { condition, HOST, maxBy, POOL, poolHosts } from './promql.ts';
import { DESCRIBE_POOL, kubectl, POOL_NAME, type RuleGroup } from './rule.ts';

const HOST_NAME = '{{ $labels.namespace }}/{{ $labels.host }}';
const scraped = maxBy(HOST, 'kmspool_host_ready');

/** A host that says so itself; or one that was there within a day and is no longer, while the operator misses one. */
const hostDown = `${scraped} == 0
or
(
  ${maxBy(HOST, 'last_over_time(kmspool_host_ready[1d])')}
  unless ${scraped}
  and on (${POOL})
    (${poolHosts('wanted')} > ${poolHosts('ready')})
)`;

/** The operator counts a host only with the wanted Pod and configuration; one that serves with others is not down. */
const poolDown = `${poolHosts('ready')} == 0
and on (${POOL})
  (${poolHosts('wanted')} > 0)
unless on (${POOL})
  (${maxBy(POOL, 'kmspool_host_ready')} == 1)`;

export const HOST_RULES: RuleGroup = {
  name: 'kmspool-hosts',
  rules: [
    {
      alert: 'KmsHostDown',
      severity: 'warning',
      expr: hostDown,
      for: '5m',
      summary: `KMS host ${HOST_NAME} does not serve`,
      description: `The host is not ready, or is gone. Clients that meet it try the next one of their list. Next: ${kubectl('get pods -l kmspool.io/pool={{ $labels.pool }} -o wide')}`,
    },
    {
      alert: 'KmsPoolDown',
      severity: 'critical',
      expr: poolDown,
      for: '5m',
      summary: `KMS pool ${POOL_NAME} has no host that serves`,
      description: `No host is ready: no client can activate or renew. Clients that are activated stay so for up to 180 days. Next: ${DESCRIBE_POOL}`,
    },
    {
      alert: 'KmsPoolNotReady',
      severity: 'warning',
      expr: `${condition('Ready', 'True')} == 0
and on (${POOL})
  (${poolHosts('wanted')} > 0)`,
      for: '15m',
      summary: `KMS pool ${POOL_NAME} is not ready`,
      description: `The condition Ready has not been True for 15 minutes; its reason and message name the cause. Next: ${DESCRIBE_POOL}`,
    },
    {
      alert: 'KmsHostsNotScraped',
      severity: 'warning',
      expr: `${poolHosts('ready')} > 0
unless on (${POOL})
  ${maxBy(POOL, 'kmspool_host_ready')}`,
      for: '15m',
      summary: `Prometheus has no metrics of the hosts of KMS pool ${POOL_NAME}`,
      description: `The operator sees {{ $value }} ready hosts and Prometheus scrapes none of them, so the alerts on counts, store and failures are blind. Next: ${kubectl('get podmonitors,networkpolicies')}`,
    },
  ],
};
