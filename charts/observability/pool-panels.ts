// SPDX-License-Identifier: Apache-2.0

// Panels of the pool dashboard: at a glance, counts, hosts, clients.
import { APPLICATIONS } from '@kmspool/kms/catalog';
import { graph, type PanelMaker, type Section, stat, timeline, words } from './panels.ts';

/** The pool that the variables of the dashboard name. */
export const POOL = 'namespace="$namespace",pool="$pool"';

/** 1 True, 0 Unknown, -1 False, by type. */
export const conditionValue = (types: string): string =>
  `max by (type) (kmspool_pool_condition{${POOL},${types},status="True"}) - max by (type) (kmspool_pool_condition{${POOL},${types},status="False"})`;

export const CONDITION_WORDS = words({ '1': ['True', 'green'], '0': ['Unknown', 'yellow'], '-1': ['False', 'red'] });

/** A quantile of a histogram of the hosts, over all of them. */
export const quantile = (q: number, histogram: string): string =>
  `histogram_quantile(${q}, sum by (le) (rate(${histogram}_bucket{${POOL}}[$__rate_interval])))`;

const GOOD_FROM_ONE = [
  [null, 'red'],
  [1, 'green'],
] as const;

export const OVERVIEW: Section = {
  title: 'At a glance',
  panels: [
    stat({
      title: 'Ready',
      description: 'Condition Ready of the pool, as the operator sees it.',
      width: 3,
      queries: [{ expr: conditionValue('type="Ready"'), legend: 'Ready' }],
      mappings: [CONDITION_WORDS],
    }),
    stat({
      title: 'Hosts',
      description: 'Hosts that are ready, and spec.replicas.',
      width: 4,
      unit: 'none',
      queries: [
        { expr: `max(kmspool_pool_hosts{${POOL},state="ready"})`, legend: 'ready' },
        { expr: `max(kmspool_pool_hosts{${POOL},state="wanted"})`, legend: 'wanted' },
      ],
    }),
    stat({
      title: 'Windows count',
      description: 'Distinct Windows machines of the last 30 days. Servers need 5, clients 25.',
      width: 3,
      unit: 'none',
      queries: [{ expr: `max(kmspool_current_count{${POOL},application="Windows"})`, legend: 'count' }],
      steps: [
        [null, 'red'],
        [5, 'yellow'],
        [25, 'green'],
      ],
    }),
    stat({
      title: 'DNS',
      description: 'Condition DnsPublished: every name server shows the records.',
      width: 3,
      queries: [{ expr: conditionValue('type="DnsPublished"'), legend: 'DnsPublished' }],
      mappings: [words({ '1': ['Published', 'green'], '0': ['Unknown', 'yellow'], '-1': ['Not published', 'red'] })],
    }),
    stat({
      title: 'Hosts that reach the store',
      description: 'Share of the hosts whose store is Available.',
      width: 3,
      unit: 'percentunit',
      queries: [{ expr: `avg(kmspool_store_state{${POOL},state="Available"})`, legend: 'available' }],
      steps: GOOD_FROM_ONE,
    }),
    stat({
      title: 'Requests',
      description: 'Activation requests a second, over all hosts.',
      width: 3,
      unit: 'reqps',
      queries: [{ expr: `sum(rate(kmspool_requests_total{${POOL}}[$__rate_interval]))`, legend: 'requests' }],
    }),
    stat({
      title: 'Refused',
      description: 'Share of the requests in the time shown that were refused with an HRESULT.',
      width: 3,
      unit: 'percentunit',
      queries: [
        {
          expr: `(sum(increase(kmspool_requests_total{${POOL},outcome="refused"}[$__range])) or vector(0)) / sum(increase(kmspool_requests_total{${POOL}}[$__range]))`,
          legend: 'refused',
        },
      ],
      steps: [
        [null, 'green'],
        [0.05, 'red'],
      ],
    }),
    stat({
      title: 'Duplicates',
      description: 'Client machine IDs that more than one machine name has used.',
      width: 2,
      unit: 'none',
      queries: [{ expr: `max(kmspool_duplicate_cmids{${POOL}})`, legend: 'duplicates' }],
      steps: [
        [null, 'green'],
        [1, 'yellow'],
      ],
    }),
  ],
};

const DASHED = [{ id: 'custom.lineStyle', value: { fill: 'dash', dash: [10, 10] } }];

function countPanel(name: string, title: string): PanelMaker {
  const one = `${POOL},application="${name}"`;
  return graph({
    title,
    description:
      'Distinct machines of the last 30 days, the counts that clients need, and the cap (twice the largest count required so far; 0 until somebody asks).',
    width: 8,
    unit: 'none',
    queries: [
      { expr: `max(kmspool_current_count{${one}})`, legend: 'count' },
      { expr: `max by (threshold) (kmspool_threshold_required{${one}})`, legend: '{{threshold}} needs' },
      { expr: `max(kmspool_count_cap{${one}})`, legend: 'cap' },
    ],
    overrides: {
      cap: DASHED,
      ...Object.fromEntries(['Server', 'Client', 'Office'].map((threshold) => [`${threshold} needs`, DASHED])),
    },
  });
}

export const COUNTS: Section = {
  title: 'Counts',
  panels: [
    ...APPLICATIONS.map(({ name, title }) => countPanel(name, title)),
    stat({
      title: 'Count in 7 days, by the trend of the last 7',
      description:
        'A straight line through the last week; no more than that. Machines that were set up on one day are forgotten on one day, which no trend shows.',
      width: 12,
      unit: 'none',
      queries: [
        {
          expr: `clamp_min(predict_linear(max by (application) (kmspool_current_count{${POOL}})[7d:1h], 604800), 0)`,
          legend: '{{application}}',
        },
      ],
    }),
    stat({
      title: 'Requests of the last 14 days',
      description:
        'At most so many of the machines counted now are still counted in 16 days, when all others have not asked for 30. Needs 14 days of metrics.',
      width: 12,
      unit: 'none',
      queries: [
        {
          expr: `max(kmspool_pool_requests_total{${POOL}}) - max(kmspool_pool_requests_total{${POOL}} offset 14d)`,
          legend: 'requests',
        },
      ],
    }),
  ],
};

const firsts = `rate(kmspool_requests_total{${POOL},kind="first_activation"}[30m])`;

export const HOSTS: Section = {
  title: 'Hosts',
  panels: [
    timeline({
      title: 'Ready',
      description: 'Each host, as it says itself. A gap: no metrics.',
      width: 8,
      queries: [{ expr: `max by (host) (kmspool_host_ready{${POOL}})`, legend: '{{host}}' }],
      mappings: [words({ '1': ['ready', 'green'], '0': ['not ready', 'red'] })],
    }),
    graph({
      title: 'Share of first contacts',
      description:
        'How first contacts fall on the hosts (half an hour), beside the equal share of all hosts that are ready. With unequal SRV weights or priorities compare with status.hosts[].weight: a host has its weight divided by the sum of the weights of its priority; one of a lower priority has none while the others serve.',
      width: 8,
      unit: 'percentunit',
      queries: [
        { expr: `sum by (host) (${firsts}) / scalar(sum(${firsts}))`, legend: '{{host}}' },
        { expr: `1 / sum(max by (host) (kmspool_host_ready{${POOL}}))`, legend: 'equal share' },
      ],
      overrides: { 'equal share': DASHED },
    }),
    graph({
      title: 'Latency',
      description: 'From the complete request to its answer, the store included, over all hosts.',
      width: 8,
      unit: 's',
      queries: [0.5, 0.95, 0.99].map((q) => ({
        expr: quantile(q, 'kmspool_request_duration_seconds'),
        legend: `p${q * 100}`,
      })),
    }),
    graph({
      title: 'Connections open',
      description: 'TCP connections by host.',
      width: 8,
      unit: 'none',
      queries: [{ expr: `sum by (host) (kmspool_connections_open{${POOL}})`, legend: '{{host}}' }],
    }),
    graph({
      title: 'CPU',
      description: 'CPU seconds a second, by host.',
      width: 8,
      unit: 'short',
      queries: [
        { expr: `sum by (host) (rate(process_cpu_seconds_total{${POOL}}[$__rate_interval]))`, legend: '{{host}}' },
      ],
    }),
    graph({
      title: 'Memory',
      description: 'Resident memory, by host.',
      width: 8,
      unit: 'bytes',
      queries: [{ expr: `sum by (host) (process_resident_memory_bytes{${POOL}})`, legend: '{{host}}' }],
    }),
  ],
};

export const CLIENTS: Section = {
  title: 'Clients',
  panels: [
    graph({
      title: 'Clients and duplicates',
      description:
        'Clients in the inventory, and client machine IDs that more than one machine name has used: clones without sysprep /generalize, or renamed machines. /duplicates of a host names them.',
      width: 8,
      unit: 'none',
      queries: [
        { expr: `max(kmspool_clients{${POOL}})`, legend: 'clients' },
        { expr: `max(kmspool_duplicate_cmids{${POOL}})`, legend: 'duplicates' },
      ],
    }),
    graph({
      title: 'Clock skew',
      description: 'How far clients’ clocks are from the pool’s, either way. Over 4 hours (14,400 s) is refused.',
      width: 8,
      unit: 's',
      queries: [0.5, 0.99].map((q) => ({
        expr: quantile(q, 'kmspool_client_clock_skew_seconds'),
        legend: `p${q * 100}`,
      })),
    }),
    graph({
      title: 'Forgotten machines',
      description: 'Client machine IDs that have not been seen for 30 days and left the count, in each hour.',
      width: 8,
      unit: 'none',
      queries: [{ expr: `sum(increase(kmspool_cmids_expired_total{${POOL}}[1h]))`, legend: 'forgotten' }],
    }),
  ],
};
