// SPDX-License-Identifier: Apache-2.0

// Proves the operator bench's arithmetic: what is counted, what is judged, its command line, what it prints, and that its pools are valid.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { poolSchema } from '@kmspool/crds';
import { countedBetween, readCounters, totalOf } from './counters.ts';
import { dwellEnd, judged, perPool, quantileOf, spread, told } from './figures.ts';
import { parseOperatorOptions } from './options.ts';
import { namespacesFor, poolOf } from './pools.ts';
import { formatOperatorReport } from './report.ts';
import { changedBetween } from './snapshot.ts';

const exposition = (patches: number, gets: number): string => `# HELP rest_client_requests_total x
# TYPE rest_client_requests_total counter
rest_client_requests_total{code="200",method="PATCH",host="h",resource="services"} ${patches}
rest_client_requests_total{code="409",method="PATCH",host="h",resource="services"} 1
rest_client_requests_total{code="201",method="POST",host="h",resource="secrets"} 2
rest_client_requests_total{code="200",method="PUT",host="h",resource="leases.coordination.k8s.io"} 7
rest_client_requests_total{code="200",method="GET",host="h",resource="leases.coordination.k8s.io"} 7
rest_client_requests_total{code="200",method="GET",host="h",resource="pods"} ${gets}
# HELP reflector_watches_total x
# TYPE reflector_watches_total counter
reflector_watches_total{resource="pods"} 4
# HELP controller_runtime_reconcile_time_seconds x
# TYPE controller_runtime_reconcile_time_seconds histogram
controller_runtime_reconcile_time_seconds_bucket{le="+Inf",controller="k"} 3
controller_runtime_reconcile_time_seconds_sum{controller="k"} 0.5
controller_runtime_reconcile_time_seconds_count{controller="k"} 3
# HELP leader_election_master_status x
# TYPE leader_election_master_status gauge
leader_election_master_status{name="l"} 1
`;

describe('what is counted', () => {
  it('writes by verb and resource, whatever the answer; the Lease apart, and watches are no reads', () => {
    const counters = readCounters(exposition(5, 10));
    assert.deepEqual(
      [...counters.writes],
      [
        ['PATCH services', 6],
        ['POST secrets', 2],
      ],
    );
    assert.equal(counters.leaseWrites, 7);
    assert.equal(counters.reads, 6);
    assert.equal(counters.reconcileSeconds, 0.5);
    assert.equal(counters.leads, true);
  });

  it('what was added between two moments, without what did not change', () => {
    const between = countedBetween(readCounters(exposition(5, 10)), readCounters(exposition(8, 11)));
    assert.deepEqual([...between.writes], [['PATCH services', 3]]);
    assert.equal(totalOf(between.writes), 3);
    assert.equal(between.reads, 1);
    assert.equal(between.leaseWrites, 0);
  });

  it('objects that came, went or changed between two snapshots', () => {
    const before = new Map([
      ['Pod a', '1'],
      ['Pod b', '1'],
      ['Pod c', '1'],
    ]);
    const after = new Map([
      ['Pod a', '1'],
      ['Pod b', '2'],
      ['Pod d', '1'],
    ]);
    assert.deepEqual(changedBetween(before, after), ['Pod b: 1 -> 2', 'Pod c: 1 -> absent', 'Pod d: absent -> 1']);
    assert.deepEqual(changedBetween(before, new Map(before)), []);
  });
});

describe('a figure', () => {
  it('is reached up to its bound, and missed beyond it or when it could not be measured', () => {
    const at = (value: number) => judged('x', { value, most: 3, unit: 'ms', digits: 1 });
    assert.deepEqual(at(3), { what: 'x', wanted: '≤ 3.0 ms', got: '3.0 ms', verdict: 'reached' });
    assert.equal(at(3.01).verdict, 'missed');
    assert.deepEqual(at(Number.NaN), { what: 'x', wanted: '≤ 3.0 ms', got: '-', verdict: 'missed' });
    assert.equal(judged('x', { value: 1, most: 0, unit: '' }).wanted, '0');
  });

  it('of many measurements names the quantiles by the nearest rank', () => {
    const values = Array.from({ length: 100 }, (_, n) => n + 1);
    assert.deepEqual(
      [0.5, 0.99, 1].map((share) => quantileOf(values, share)),
      [50, 99, 100],
    );
    assert.ok(Number.isNaN(quantileOf([], 0.5)));
    assert.equal(spread([1000, 3000, 2000]), 'p50 2.000, p99 3.000, most 3.000 s of 3');
  });

  it('per pool names the largest share first', () => {
    const counts = new Map(Object.entries({ a: 5, b: 10 }));
    assert.equal(perPool(counts, 10), 'b 1.00, a 0.50');
  });

  it('a dwell counts from the second in which the host became unready', () => {
    assert.equal(dwellEnd(10_900, 1), 11_000);
    assert.equal(dwellEnd(10_000, 2), 12_000);
  });
});

describe('the command line', () => {
  it('has the issue’s sizes by default, and small ones for a look', () => {
    const full = parseOperatorOptions([]);
    assert.ok(full.ok);
    assert.deepEqual(full.options.pools, [100, 500]);
    assert.equal(full.options.pace.quietSeconds, 60);
    const quick = parseOperatorOptions(['--quick', '--edits', '7', '--parts', 'quiet,edits']);
    assert.ok(quick.ok);
    assert.deepEqual([quick.options.pools, quick.options.pace.edits], [[10, 40], 7]);
    assert.deepEqual([...quick.options.parts], ['quiet', 'edits']);
  });

  for (const [args, reason] of [
    [['--pools', '0'], /--pools/],
    [['--parts', 'flops'], /no part flops/],
    [['--quiet-seconds', 'x'], /--quiet-seconds/],
    [['--fast'], /fast/],
  ] as const)
    it(`names what is wrong with ${args.join(' ')}`, () => {
      const parsed = parseOperatorOptions(args);
      assert.equal(parsed.ok, false);
      assert.match(parsed.ok ? '' : parsed.reason, reason);
    });
});

it('the pools are valid, and no two share a name or a domain', () => {
  const plan = { count: 120, namespaces: ['a', 'b', 'c'], nameserver: '127.0.0.1:5353' };
  assert.equal(namespacesFor(plan.count), 3);
  const pools = Array.from({ length: plan.count }, (_, n) => poolSchema.parse(poolOf(plan, n)));
  assert.equal(new Set(pools.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)).size, plan.count);
  assert.equal(new Set(pools.map(({ spec }) => spec.dns.domains[0]?.name)).size, plan.count);
});

it('the report shows every world as a table', () => {
  const figures = [judged('RSS', { value: 190, most: 200, unit: 'MB' }), told('per pool', '4 reconciles')];
  const text = formatOperatorReport({
    machine: { cpu: 'CPU', cores: 2, kernel: '6', node: '26' },
    startedAt: '2026-11-21T12:00:00Z',
    seconds: 61.4,
    loadBefore: 0.5,
    worlds: [{ pools: 100, figures, raw: {} }],
    linearity: [],
  });
  assert.equal(
    text,
    `CPU, 2 cores, Linux 6, Node 26
2026-11-21T12:00:00Z, 61 s; load before it began: 0.50

100 pools of 3 hosts
figure      wanted           got
RSS       ≤ 200 MB  reached  190 MB
per pool                     4 reconciles
`,
  );
});
