// SPDX-License-Identifier: Apache-2.0

// Alerts about what clients ask: refused by code, or nobody asks at all.
import { formatHresult, HRESULTS } from '@kmspool/kms/catalog';
import { maxBy, POOL, sumBy } from './promql.ts';
import { DESCRIBE_POOL, kubectl, POOL_NAME, type RuleGroup } from './rule.ts';

const CODE = `${POOL}, hresult`;
const refused = sumBy(CODE, 'increase(kmspool_requests_total{outcome="refused"}[30m])');
const total = maxBy(POOL, 'kmspool_pool_requests_total');

/** A template's choice among the codes that a host answers: what the code means and what to do, in the catalogue's words. */
function meanings(): string {
  const rows = HRESULTS.filter(({ code, decidedBy }) => decidedBy === 'host' && code !== 0);
  const cases = rows.map(({ code, texts }) => {
    const { meaning, remedy } = texts.en;
    return `if eq . "${formatHresult(code)}" }}${meaning} ${remedy}`;
  });
  return `{{ with $labels.hresult }}{{ ${cases.join('{{ else ')}{{ else }}A code without a place of its own in the metrics.{{ end }}{{ end }}`;
}

export const REQUEST_RULES: RuleGroup = {
  name: 'kmspool-requests',
  rules: [
    {
      alert: 'KmsRequestsRefused',
      severity: 'warning',
      expr: `${refused}
  / on (${POOL}) group_left
    ${sumBy(POOL, 'increase(kmspool_requests_total[30m])')}
  > 0.05
and on (${CODE})
  (${refused} >= 5)`,
      for: '10m',
      summary: `KMS pool ${POOL_NAME} refuses {{ $value | humanizePercentage }} of its requests with {{ $labels.hresult }}`,
      description: `${meanings()} Next: /events of a host names who is refused (see the runbook): ${kubectl('port-forward deploy/{{ $labels.pool }}-0 8080')}`,
    },
    {
      alert: 'KmsPoolIdle',
      severity: 'info',
      expr: `${total} - ${maxBy(POOL, 'kmspool_pool_requests_total offset 3d')} == 0`,
      for: '1h',
      summary: `Nobody has asked KMS pool ${POOL_NAME} for three days`,
      description: `Machines that are alive renew every 7 days, and the count falls as those expire that have not asked for 30. Either the pool is not needed, or clients do not find or reach it. Next: ${DESCRIBE_POOL}`,
    },
  ],
};
