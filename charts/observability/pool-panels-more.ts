// SPDX-License-Identifier: Apache-2.0

// Panels of the pool dashboard: requests, failures, store, DNS.
import type { DataTransformerConfig } from '@grafana/grafana-foundation-sdk/dashboard';
import { formatHresult, HRESULTS, LICENSE_STATUSES } from '@kmspool/kms/catalog';
import { graph, type PanelMaker, type Query, type Section, stat, table, timeline, words } from './panels.ts';
import { CONDITION_WORDS, conditionValue, POOL, quantile } from './pool-panels.ts';

const LICENSE_NAMES: DataTransformerConfig[] = LICENSE_STATUSES.map(({ slug, name }) => ({
  id: 'renameByRegex',
  options: { regex: `^${slug}$`, renamePattern: name },
}));

const requestsBy = (
  label: string,
  title: string,
  description: string,
  more: DataTransformerConfig[] = [],
): PanelMaker =>
  graph({
    title,
    description,
    width: 8,
    unit: 'reqps',
    stacked: true,
    transformations: more,
    queries: [
      {
        expr: `sum by (${label}) (rate(kmspool_requests_total{${POOL}}[$__rate_interval]))`,
        legend: `{{${label}}}`,
      },
    ],
  });

export const REQUESTS: Section = {
  title: 'Requests',
  panels: [
    requestsBy(
      'outcome',
      'By outcome',
      'activated: counted and answered. refused: answered with an HRESULT. busy: sent to the next host, since nothing could be counted.',
    ),
    requestsBy(
      'application',
      'By application',
      'Windows, Office 2010, Office 2013 and later; none: it could not be read.',
    ),
    requestsBy('license_status', 'By licence state', 'The state that clients say they are in.', LICENSE_NAMES),
    requestsBy('kind', 'First activations and renewals', 'A renewal comes from a client that is licensed.'),
    requestsBy(
      'protocol',
      'By protocol',
      'v4 Windows 7, Server 2008 R2 and before, v5 Windows 8, v6 Windows 8.1 and later.',
    ),
    stat({
      title: 'Since the pool exists',
      description: 'The cumulative requests of slmgr /dlv, kept in the store.',
      width: 8,
      height: 8,
      unit: 'none',
      transformations: LICENSE_NAMES,
      queries: [
        { expr: `max(kmspool_pool_requests_total{${POOL}})`, legend: 'total' },
        { expr: `max(kmspool_pool_requests_failed_total{${POOL}})`, legend: 'failed' },
        {
          expr: `max by (license_status) (kmspool_pool_requests_by_license_status_total{${POOL}}) > 0`,
          legend: '{{license_status}}',
        },
      ],
    }),
  ],
};

const refusals = HRESULTS.filter(({ code, decidedBy }) => decidedBy === 'host' && code !== 0);

/** In the legend: the code with its name. */
const CODE_NAMES: DataTransformerConfig[] = refusals.map(({ code, symbol }) => ({
  id: 'renameByRegex',
  options: { regex: `^${formatHresult(code)}$`, renamePattern: `${formatHresult(code)} ${symbol}` },
}));

/** In the table: the code with what it means and what helps. */
const CODE_MEANINGS = words({
  ...Object.fromEntries(
    refusals.map(({ code, symbol, texts }) => [
      formatHresult(code),
      [`${formatHresult(code)} ${symbol}: ${texts.en.meaning} ${texts.en.remedy}`] as const,
    ]),
  ),
  other: ['A code without a place of its own in the metrics; /events of a host has it.'],
});

const failuresOf = (title: string, description: string, metric: string, label: string): PanelMaker =>
  graph({
    title,
    description,
    width: 8,
    unit: 'cps',
    queries: [{ expr: `sum by (${label}) (rate(${metric}{${POOL}}[$__rate_interval]))`, legend: `{{${label}}}` }],
  });

export const FAILURES: Section = {
  title: 'Failures',
  panels: [
    graph({
      title: 'Refused, by HRESULT',
      description: 'Requests that were answered with a code instead of a count.',
      width: 8,
      unit: 'reqps',
      transformations: CODE_NAMES,
      queries: [
        {
          expr: `sum by (hresult) (rate(kmspool_requests_total{${POOL},outcome="refused"}[$__rate_interval]))`,
          legend: '{{hresult}}',
        },
      ],
    }),
    table({
      title: 'What the codes mean',
      description: 'Refused requests since the hosts started, by code, with what helps.',
      width: 16,
      unit: 'none',
      mappings: [CODE_MEANINGS],
      queries: [{ expr: `sum by (hresult, application) (kmspool_requests_total{${POOL},outcome="refused"})` }],
      transformations: [
        {
          id: 'organize',
          options: {
            excludeByName: { Time: true },
            indexByName: { hresult: 0, application: 1, Value: 2 },
            renameByName: { hresult: 'Code', application: 'Application', Value: 'Requests' },
          },
        },
      ],
      overrides: {
        Code: [{ id: 'custom.cellOptions', value: { type: 'auto', wrapText: true } }],
        Application: [{ id: 'custom.width', value: 120 }],
        Requests: [{ id: 'custom.width', value: 100 }],
      },
    }),
    failuresOf('RPC faults', 'Faults sent, by RPC status.', 'kmspool_rpc_faults_total', 'status'),
    failuresOf('Binds refused', 'bind_nak sent, by reject reason.', 'kmspool_binds_refused_total', 'reason'),
    failuresOf(
      'Connections refused',
      'Closed at accept: the source is not allowed, or there are too many.',
      'kmspool_connections_refused_total',
      'reason',
    ),
  ],
};

const perHost = (metric: string): string => `sum by (host) (${metric}{${POOL}})`;
const counted = (what: Readonly<Record<string, string>>): Query[] =>
  Object.entries(what).map(([legend, metric]) => ({
    expr: `sum(rate(${metric}{${POOL}}[$__rate_interval]))`,
    legend,
  }));

const STORE_STATE = ['Refusing', 'Starting', 'LastKnown', 'Available']
  .map((state, value) => `${value} * kmspool_store_state{${POOL},state="${state}"}`)
  .join(' or ');

export const STORE: Section = {
  title: 'Store',
  panels: [
    timeline({
      title: 'State',
      description: 'The store as each host sees it.',
      width: 8,
      queries: [{ expr: `sum by (host) (${STORE_STATE})`, legend: '{{host}}' }],
      mappings: [
        words({
          '3': ['Available', 'green'],
          '2': ['answers from last known', 'yellow'],
          '1': ['Starting', 'blue'],
          '0': ['Refusing', 'red'],
        }),
      ],
    }),
    graph({
      title: 'Since the last answer',
      description:
        'Seconds since the store last answered; 0 while it does. Beyond spec.store.maxStaleSeconds clients are turned away.',
      width: 8,
      unit: 's',
      queries: [{ expr: perHost('kmspool_store_stale_seconds'), legend: '{{host}}' }],
    }),
    graph({
      title: 'Round trip',
      description: 'Script calls to the store, from sending to the reply.',
      width: 8,
      unit: 's',
      queries: [0.5, 0.99].map((q) => ({
        expr: quantile(q, 'kmspool_store_round_trip_seconds'),
        legend: `p${q * 100}`,
      })),
    }),
    graph({
      title: 'Journal: contacts that wait',
      description: 'Contacts that the store has not acknowledged.',
      width: 8,
      unit: 'none',
      queries: [{ expr: perHost('kmspool_journal_pending_contacts'), legend: '{{host}}' }],
    }),
    graph({
      title: 'Journal: in use',
      description:
        'Share of the journal that holds contacts, acknowledged or not. Full is normal; contacts that wait are what matters.',
      width: 8,
      unit: 'percentunit',
      queries: [
        {
          expr: `${perHost('kmspool_journal_bytes')} / ${perHost('kmspool_journal_capacity_bytes')}`,
          legend: '{{host}}',
        },
      ],
    }),
    graph({
      title: 'Trouble',
      description: 'Calls that failed, and what became of clients and contacts meanwhile; over all hosts.',
      width: 8,
      unit: 'cps',
      queries: counted({
        'time-outs': 'kmspool_store_timeouts_total',
        failures: 'kmspool_store_failures_total',
        reconnects: 'kmspool_store_reconnects_total',
        'answered from the copy': 'kmspool_store_answers_from_copy_total',
        'turned away': 'kmspool_store_refused_total',
        'sent again': 'kmspool_store_contacts_resent_total',
        lost: 'kmspool_store_contacts_lost_total',
      }),
    }),
  ],
};

const CALM = words({ '1': ['True', 'orange'], '0': ['Unknown', 'yellow'], '-1': ['False', 'green'] });

export const DNS: Section = {
  title: 'DNS and conditions',
  panels: [
    graph({
      title: 'SRV records',
      description:
        'By domain: desired, observed (ours, at all name servers), foreign (hosts that are neither ours nor in spec.dns.knownHosts).',
      width: 8,
      unit: 'none',
      queries: [
        {
          expr: `max by (domain, state) (kmspool_pool_dns_records{${POOL}})`,
          legend: '{{domain}} {{state}}',
        },
      ],
    }),
    timeline({
      title: 'Conditions',
      description: 'The conditions of the pool; each reason is explained in docs/status-conditions.md.',
      width: 12,
      queries: [{ expr: conditionValue('type=~".+"'), legend: '{{type}}' }],
      mappings: [CONDITION_WORDS],
      overrides: {
        Stalled: [{ id: 'mappings', value: [CALM] }],
        Reconciling: [{ id: 'mappings', value: [CALM] }],
      },
    }),
    stat({
      title: 'Records rewritten',
      description: 'Times in the time shown that the records wanted were written anew.',
      width: 4,
      height: 8,
      unit: 'none',
      queries: [{ expr: `sum(increase(kmspool_pool_dns_changes_total{${POOL}}[$__range]))`, legend: 'changes' }],
    }),
  ],
};
