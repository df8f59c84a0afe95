// SPDX-License-Identifier: Apache-2.0

// Alerts about the operator. While it is away hosts go on serving; nothing is changed, healed or published.
import { ofOperator } from './promql.ts';
import type { RuleGroup } from './rule.ts';

const LOGS =
  '`kubectl logs -n kmspool -l app.kubernetes.io/name=kmspool,app.kubernetes.io/component=operator --tail=50`';
const errors = `sum by (controller) (rate(controller_runtime_reconcile_errors_total[15m]) and on (job, instance) kmspool_build_info)`;
const reconciles = `sum by (controller) (rate(controller_runtime_reconcile_total[15m]) and on (job, instance) kmspool_build_info)`;

export const OPERATOR_RULES: RuleGroup = {
  name: 'kmspool-operator',
  rules: [
    {
      alert: 'KmsOperatorDown',
      severity: 'warning',
      expr: 'absent(kmspool_build_info)',
      for: '10m',
      summary: 'The operator of kmspool is gone',
      description:
        'Prometheus finds no metrics of it. Hosts go on serving; pools are not changed or healed, and the alerts on pools and DNS are blind. Next: `kubectl get pods -A -l app.kubernetes.io/name=kmspool,app.kubernetes.io/component=operator`',
    },
    {
      alert: 'KmsOperatorNotLeading',
      severity: 'warning',
      expr: `sum by (namespace, name) (${ofOperator('leader_election_master_status')}) != 1`,
      for: '5m',
      summary: 'The operator of kmspool has {{ $value }} leaders for the lease {{ $labels.name }}',
      description: `There has to be one. Without a leader nothing is changed or published; hosts go on serving. Next: \`kubectl get lease -A\`, then ${LOGS}`,
    },
    {
      alert: 'KmsOperatorErrors',
      severity: 'warning',
      expr: `${errors}
  / ${reconciles}
  > 0.1`,
      for: '15m',
      summary: '{{ $value | humanizePercentage }} of the reconciles of {{ $labels.controller }} fail',
      description: `Each is tried again, ever more rarely. Next: ${LOGS}`,
    },
    {
      alert: 'KmsOperatorBehind',
      severity: 'warning',
      expr: `sum by (name) (${ofOperator('workqueue_depth')}) > 20`,
      for: '15m',
      summary: '{{ $value }} pools wait for the operator of kmspool',
      description: `The queue {{ $labels.name }} does not empty: the API server is slow or throttles, or a worker hangs. Next: ${LOGS}`,
    },
  ],
};
