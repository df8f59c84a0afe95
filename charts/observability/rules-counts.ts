// SPDX-License-Identifier: Apache-2.0

// Alerts about the count: below what clients need, about to fall below it, or standing still although machines ask.
//
// What can be said of the future from metrics is little: when each machine was last seen is in the store and never a label. Two things are sure enough:
// a count that falls steadily goes on falling for about as long as it has; and whoever has not asked for 30 days is forgotten, so that the machines that asked
// within the last 14 days are all that can be left 16 days from now, but for new ones. A machine that is alive asks at least once a renewal interval (7 days).
import { COUNT, maxBy, POOL, sumBy, THRESHOLD } from './promql.ts';
import { DESCRIBE_POOL, kubectl, POOL_NAME, type RuleGroup } from './rule.ts';

const DAY_SECONDS = 86_400;
const count = maxBy(COUNT, 'kmspool_current_count');
const required = maxBy(THRESHOLD, 'kmspool_threshold_required');
const met = maxBy(THRESHOLD, 'kmspool_threshold_met');
const total = maxBy(POOL, 'kmspool_pool_requests_total');

/** The cap is twice the largest count that a client has needed: a kind of client that has never asked is not missed. */
const asked = `(2 * ${required} <= on (${COUNT}) group_left ${maxBy(COUNT, 'kmspool_count_cap')})`;

const lacking = `${met} == 0
and on (${THRESHOLD})
  ${asked}`;

/** As far ahead as back, and only a count that has really fallen. */
const falling = `clamp_min(predict_linear(${count}[7d:1h], 7 * ${DAY_SECONDS}), 0)
  < on (${COUNT}) group_right
    ${required}
and on (${COUNT})
  (${count} < ${maxBy(COUNT, 'kmspool_current_count offset 7d')})
and on (${THRESHOLD})
  (${met} == 1)
and on (${THRESHOLD})
  ${asked}`;

/** The totals are kept in the store, so the difference is exact over restarts of hosts; it needs 14 days of history and says nothing before. */
const silent = `clamp_min(${total} - ${maxBy(POOL, 'kmspool_pool_requests_total offset 14d')}, 0)
  < on (${POOL}) group_right
    ${required}
and on (${THRESHOLD})
  (${met} == 1)
and on (${THRESHOLD})
  ${asked}`;

const firsts = sumBy(COUNT, 'increase(kmspool_requests_total{outcome="activated",kind="first_activation"}[6h])');

/**
 * No machine asks more often than every 15 minutes, 24 times in 6 hours, by any interval that a pool can hand out: more than 30 for each one counted cannot be
 * distinct machines. Where names give duplicates away, as many requests as machines are needed are enough.
 */
const stuck = `${lacking}
and on (${COUNT})
  (${count} <= ${maxBy(COUNT, 'kmspool_current_count offset 6h')})
and on (${THRESHOLD})
  (
    ${required}
    and on (${COUNT})
      (${firsts} > 30 * ${count})
    or
    (${required} <= on (${COUNT}) group_left ${firsts})
    and on (${POOL})
      (${maxBy(POOL, 'kmspool_duplicate_cmids')} > 0)
  )`;

const WHICH = '{{ $labels.application }} clients of the kind {{ $labels.threshold }}';

export const COUNT_RULES: RuleGroup = {
  name: 'kmspool-counts',
  interval: '5m',
  rules: [
    {
      alert: 'KmsCountBelowThreshold',
      severity: 'warning',
      expr: lacking,
      for: '2h',
      summary: `The count of KMS pool ${POOL_NAME} is too low for ${WHICH}`,
      description: `Such clients have asked and were told a count that is too low; they stay unactivated and ask again. Next: ${kubectl("get khp {{ $labels.pool }} -o jsonpath='{.status.counts}'")}`,
    },
    {
      alert: 'KmsCountForecastBelowThreshold',
      severity: 'warning',
      expr: falling,
      for: '6h',
      labels: { forecast: 'trend' },
      summary: `The count of KMS pool ${POOL_NAME} will soon be too low for ${WHICH}`,
      description: `If it goes on falling as in the last 7 days, it will be {{ $value | humanize }} in 7 days. Machines expire 30 days after they last asked. Next: ${DESCRIBE_POOL}`,
    },
    {
      alert: 'KmsCountForecastBelowThreshold',
      severity: 'warning',
      expr: silent,
      for: '6h',
      labels: { forecast: 'silence' },
      summary: `The count of KMS pool ${POOL_NAME} will fall below what ${WHICH} need`,
      description: `The whole pool had {{ $value | humanize }} requests in the last 14 days, so at most so many of the machines counted now are still counted in 16 days; the others expire 30 days after they last asked. Only machines that ask by then change that. Next: ${DESCRIBE_POOL}`,
    },
    {
      alert: 'KmsCountStuck',
      severity: 'warning',
      expr: stuck,
      for: '30m',
      summary: `Machines ask KMS pool ${POOL_NAME} and its {{ $labels.application }} count stands still`,
      description: `There were enough first requests in 6 hours to reach {{ $labels.threshold }}, and the count has not grown: machines that were cloned without \`sysprep /generalize\` share one client machine ID. Next: \`max(kmspool_duplicate_cmids{namespace="{{ $labels.namespace }}",pool="{{ $labels.pool }}"})\`, then /duplicates of a host names them (see the runbook)`,
    },
  ],
};
