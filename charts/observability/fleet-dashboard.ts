// SPDX-License-Identifier: Apache-2.0

// All pools on one page, and the health of the operator.
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { emptyDashboard, fill, graph, type Section, stat, table } from './panels.ts';
import { FLEET_DASHBOARD_UID, POOL_DASHBOARD_UID } from './pool-dashboard.ts';
import { CONDITION_WORDS } from './pool-panels.ts';
import { condition, maxBy, ofOperator, POOL, poolHosts, sumBy } from './promql.ts';

const judged = (type: string): string => `${condition(type, 'True')} - ${condition(type, 'False')}`;

const OVERVIEW: Section = {
  title: 'At a glance',
  panels: [
    stat({
      title: 'Pools',
      description: 'By the status of their condition Ready.',
      width: 6,
      unit: 'none',
      queries: [{ expr: 'sum by (ready) (kmspool_pools)', legend: 'Ready {{ready}}' }],
    }),
    stat({
      title: 'Hosts',
      description: 'Ready, and wanted, over all pools.',
      width: 6,
      unit: 'none',
      queries: [
        { expr: `sum(${poolHosts('ready')})`, legend: 'ready' },
        { expr: `sum(${poolHosts('wanted')})`, legend: 'wanted' },
      ],
    }),
    stat({
      title: 'Requests',
      description: 'Activation requests a second, over all pools.',
      width: 4,
      unit: 'reqps',
      queries: [{ expr: 'sum(rate(kmspool_requests_total[$__rate_interval]))', legend: 'requests' }],
    }),
    stat({
      title: 'Leaders of the operator',
      description: 'There has to be one for each lease.',
      width: 4,
      unit: 'none',
      queries: [{ expr: `sum by (name) (${ofOperator('leader_election_master_status')})`, legend: '{{name}}' }],
      steps: [
        [null, 'red'],
        [1, 'green'],
        [2, 'red'],
      ],
    }),
    stat({
      title: 'Alerts that fire',
      description: 'Rules of kmspool, by severity.',
      width: 4,
      unit: 'none',
      queries: [
        { expr: 'count by (severity) (ALERTS{alertname=~"Kms.+",alertstate="firing"})', legend: '{{severity}}' },
      ],
    }),
  ],
};

interface Column {
  readonly name: string;
  readonly expr: string;
  readonly unit?: string;
}

const COLUMNS: readonly Column[] = [
  { name: 'Ready', expr: judged('Ready') },
  { name: 'Hosts', expr: poolHosts('ready') },
  { name: 'Wanted', expr: poolHosts('wanted') },
  { name: 'Windows count', expr: maxBy(POOL, 'kmspool_current_count{application="Windows"}') },
  { name: 'Office 2010 count', expr: maxBy(POOL, 'kmspool_current_count{application="Office2010"}') },
  { name: 'Office 2013+ count', expr: maxBy(POOL, 'kmspool_current_count{application="Office2013"}') },
  { name: 'Requests', expr: sumBy(POOL, 'rate(kmspool_requests_total[$__rate_interval])'), unit: 'reqps' },
  {
    name: 'Refused',
    expr: sumBy(POOL, 'rate(kmspool_requests_total{outcome="refused"}[$__rate_interval])'),
    unit: 'reqps',
  },
  { name: 'Duplicates', expr: maxBy(POOL, 'kmspool_duplicate_cmids') },
  { name: 'Store', expr: `avg by (${POOL}) (kmspool_store_state{state="Available"})`, unit: 'percentunit' },
  { name: 'DNS', expr: judged('DnsPublished') },
  { name: 'Foreign records', expr: sumBy(POOL, 'kmspool_pool_dns_records{state="foreign"}') },
];

const valueColumn = (index: number): string => `Value #${String.fromCharCode('A'.charCodeAt(0) + index)}`;

const poolLink = {
  title: 'Open the pool',
  url: `/d/${POOL_DASHBOARD_UID}?var-datasource=\${datasource}&var-namespace=\${__data.fields.Namespace}&var-pool=\${__data.fields.Pool}`,
};

const POOLS: Section = {
  title: 'Pools',
  panels: [
    table({
      title: 'All pools',
      description:
        'Follow the name of a pool to its dashboard. Requests are per second; Store is the share of hosts that reach it.',
      width: 24,
      height: 10,
      unit: 'none',
      queries: COLUMNS.map(({ expr }) => ({ expr })),
      transformations: [
        { id: 'merge', options: {} },
        {
          id: 'organize',
          options: {
            excludeByName: { Time: true },
            indexByName: Object.fromEntries(
              ['namespace', 'pool', ...COLUMNS.map((_, index) => valueColumn(index))].map((name, at) => [name, at]),
            ),
            renameByName: {
              namespace: 'Namespace',
              pool: 'Pool',
              ...Object.fromEntries(COLUMNS.map(({ name }, index) => [valueColumn(index), name])),
            },
          },
        },
      ],
      overrides: {
        Pool: [{ id: 'links', value: [poolLink] }],
        ...Object.fromEntries(
          COLUMNS.flatMap(({ name, unit }) => (unit === undefined ? [] : [[name, [{ id: 'unit', value: unit }]]])),
        ),
        ...Object.fromEntries(
          ['Ready', 'DNS'].map((name) => [
            name,
            [
              { id: 'mappings', value: [CONDITION_WORDS] },
              { id: 'custom.cellOptions', value: { type: 'color-text' } },
            ],
          ]),
        ),
      },
    }),
    graph({
      title: 'Windows counts',
      description: 'Distinct Windows machines of the last 30 days, by pool.',
      width: 8,
      unit: 'none',
      queries: [
        {
          expr: maxBy(POOL, 'kmspool_current_count{application="Windows"}'),
          legend: '{{namespace}}/{{pool}}',
        },
      ],
    }),
    graph({
      title: 'Requests',
      description: 'A second, by pool.',
      width: 8,
      unit: 'reqps',
      queries: [
        {
          expr: sumBy(POOL, 'rate(kmspool_requests_total[$__rate_interval])'),
          legend: '{{namespace}}/{{pool}}',
        },
      ],
    }),
    graph({
      title: 'Refused',
      description: 'Requests a second that were answered with an HRESULT, by pool.',
      width: 8,
      unit: 'reqps',
      queries: [
        {
          expr: sumBy(POOL, 'rate(kmspool_requests_total{outcome="refused"}[$__rate_interval])'),
          legend: '{{namespace}}/{{pool}}',
        },
      ],
    }),
  ],
};

const rateBy = (labels: string, series: string): string =>
  `sum by (${labels}) (${ofOperator(`rate(${series}[$__rate_interval])`)})`;

/** Title, description, unit, query, name of a series. */
type Third = readonly [title: string, description: string, unit: string, expr: string, legend: string];

const p99 = (histogram: string, by: string): string =>
  `histogram_quantile(0.99, ${rateBy(`le, ${by}`, `${histogram}_bucket`)})`;

const THIRDS: readonly Third[] = [
  ['Reconciles', 'A second, by result.', 'ops', rateBy('result', 'controller_runtime_reconcile_total'), '{{result}}'],
  [
    'Reconcile errors',
    'Reconciles that failed; each is tried again.',
    'ops',
    rateBy('controller', 'controller_runtime_reconcile_errors_total'),
    '{{controller}}',
  ],
  [
    'Time of a reconcile',
    '99 of 100 take at most so long.',
    's',
    p99('controller_runtime_reconcile_time_seconds', 'controller'),
    '{{controller}}',
  ],
  ['Queue', 'Pools that wait for a worker.', 'none', `sum by (name) (${ofOperator('workqueue_depth')})`, '{{name}}'],
  [
    'API requests',
    'To the API server, by status code and method.',
    'reqps',
    rateBy('method, code', 'rest_client_requests_total'),
    '{{method}} {{code}}',
  ],
  [
    'Time of an API request',
    '99 of 100 take at most so long.',
    's',
    p99('rest_client_request_duration_seconds', 'verb'),
    '{{verb}}',
  ],
  [
    'Hosts asked',
    'Answers of hosts that the operator asked for their status.',
    'cps',
    'sum by (result) (rate(kmspool_host_polls_total[$__rate_interval]))',
    '{{result}}',
  ],
  [
    'DNS rounds',
    'Rounds of questions to name servers.',
    'cps',
    'sum by (result) (rate(kmspool_dns_rounds_total[$__rate_interval]))',
    '{{result}}',
  ],
  [
    'Age of the caches',
    'Since the API server was last heard of, by resource. Bookmarks come about once a minute.',
    's',
    `time() - min by (resource) (${ofOperator('reflector_last_contact_timestamp_seconds')})`,
    '{{resource}}',
  ],
  [
    'Steps',
    'What was done to objects; none while nothing changes.',
    'ops',
    'sum by (kind) (rate(kmspool_pool_plan_steps_total[$__rate_interval]))',
    '{{kind}}',
  ],
  [
    'CPU',
    'CPU seconds a second, by replica.',
    'short',
    rateBy('instance', 'process_cpu_seconds_total'),
    '{{instance}}',
  ],
  [
    'Memory',
    'Resident memory, by replica.',
    'bytes',
    `sum by (instance) (${ofOperator('process_resident_memory_bytes')})`,
    '{{instance}}',
  ],
];

const OPERATOR: Section = {
  title: 'Operator',
  panels: THIRDS.map(([title, description, unit, expr, legend]) =>
    graph({ title, description, width: 8, unit, queries: [{ expr, legend }] }),
  ),
};

/** The overview of all pools. */
export function fleetDashboard(): Dashboard {
  const dashboard = emptyDashboard(
    FLEET_DASHBOARD_UID,
    'KMS fleet',
    'All pools of emulated KMS hosts, and their operator.',
  );
  return fill(dashboard, [OVERVIEW, POOLS, OPERATOR]).build();
}
