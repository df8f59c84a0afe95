// SPDX-License-Identifier: Apache-2.0
//
// Proves the bench's arithmetic: which runs are void, best by best, the verdict; its command line; what it prints.

import assert from 'node:assert/strict';
import test from 'node:test';
import { readOutput } from './engine.ts';
import { scriptCost } from './extras.ts';
import { quantile } from './histogram.ts';
import type { LoadResult } from './load.ts';
import { parseOptions } from './options.ts';
import { formatReport, formatTable } from './report.ts';
import { allRowNames, groupsOf, judgeRun, median, summariseGroup } from './rows.ts';

const MACHINE = { cpu: 'CPU', cores: 2, kernel: '6', node: '26', redis: '7' };

function load(requestsPerSecond: number, changes: Partial<LoadResult> = {}): LoadResult {
  return {
    requests: requestsPerSecond * 2,
    wallSeconds: 2,
    requestsPerSecond,
    p50Microseconds: 1000,
    p99Microseconds: 2000,
    maxMicroseconds: 3000,
    verified: 1,
    errors: {},
    serverCpuSeconds: 2,
    stolenSeconds: 0,
    generatorCpuSeconds: 1,
    ...changes,
  };
}

test('a run is void when the server was less than 93 % busy or an answer was wrong', () => {
  assert.equal(judgeRun('memory', load(100, { serverCpuSeconds: 1.86 })).valid, true);
  assert.equal(judgeRun('memory', load(100, { serverCpuSeconds: 1.84 })).valid, false);
  assert.equal(judgeRun('memory', load(100, { errors: { ECONNRESET: 1 } })).valid, false);
  assert.equal(judgeRun('memory', load(0)).valid, false);
});

test('time that the hypervisor took from the core does not count as idle', () => {
  assert.equal(judgeRun('memory', load(100, { serverCpuSeconds: 1.8, stolenSeconds: 0.1 })).valid, true);
});

test('ratios are of the best valid runs, and void runs do not count', () => {
  const group = { mode: 'fresh', protocol: 4, stores: ['memory', 'redis'] } as const;
  const runs = [
    judgeRun('canned', load(1000)),
    judgeRun('canned', load(900)),
    judgeRun('canned', load(5000, { serverCpuSeconds: 1 })),
    judgeRun('memory', load(750)),
    judgeRun('memory', load(700)),
    judgeRun('redis', load(500)),
  ];
  const [canned, memory, redis] = summariseGroup(group, runs);
  assert.equal(canned?.bestRate, 1000);
  assert.equal(canned?.voidRuns, 1);
  assert.equal(canned?.verdict, 'ceiling');
  assert.equal(memory?.rateRatio, 0.75);
  assert.equal(memory?.cpuRatio, 0.75);
  assert.equal(memory?.medianRate, 725);
  assert.equal(memory?.verdict, 'reached');
  assert.equal(redis?.rateRatio, 0.5);
  assert.equal(redis?.verdict, 'missed');
});

test('a row without a valid run, its own or of the ceiling, is void', () => {
  const group = { mode: 'persistent', protocol: 6, stores: ['memory'] } as const;
  const idle = { serverCpuSeconds: 0.5 };
  const noCeiling = summariseGroup(group, [judgeRun('canned', load(9, idle)), judgeRun('memory', load(8))]);
  assert.deepEqual(
    noCeiling.map((row) => row.verdict),
    ['void', 'void'],
  );
  const noRun = summariseGroup(group, [judgeRun('canned', load(9)), judgeRun('memory', load(8, idle))]);
  assert.deepEqual(
    noRun.map((row) => row.verdict),
    ['ceiling', 'void'],
  );
});

test('the median of an even number is the mean of the middle two, and of none not a number', () => {
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.equal(median([3, 1, 2]), 2);
  assert.ok(Number.isNaN(median([])));
});

test('--rows chooses rows, and the canned server is measured only where a row needs it', () => {
  const parsed = parseOptions(['--rows', 'fresh-v4-redis,persistent-v6-memory', '--quick', '--json', 'out.json']);
  assert.ok(parsed.ok);
  assert.deepEqual(groupsOf(parsed.options.rowNames), [
    { mode: 'fresh', protocol: 4, stores: ['redis'] },
    { mode: 'persistent', protocol: 6, stores: ['memory'] },
  ]);
  assert.equal(parsed.options.jsonFile, 'out.json');
});

test('without arguments all eight rows are measured, seven rounds or more', () => {
  const parsed = parseOptions([]);
  assert.ok(parsed.ok);
  assert.equal(parsed.options.rowNames.size, 8);
  assert.deepEqual([...parsed.options.rowNames], allRowNames());
  assert.ok(parsed.options.pace.rounds >= 7);
});

test('a wrong argument is refused with its name', () => {
  for (const [args, pattern] of [
    [['--rows', 'fresh-v5-memory'], /^--rows: there is no row fresh-v5-memory/],
    [['--rounds', 'many'], /^--rounds: /],
    [['--fast'], /--fast/],
  ] as const) {
    const parsed = parseOptions(args);
    assert.ok(!parsed.ok);
    assert.match(parsed.reason, pattern);
  }
});

test('the engine’s lines become a tally, and a sample that does not verify an error', () => {
  const output =
    'sample 3 0a0b\nsample 4 ff\nwindow 3 2.5 2.4 0.01 1.9 700\nlatency 10 2\nlatency 20 1\nerror 2 Connection reset by peer\n';
  const result = readOutput(output, {
    verify: (index, response) => (index === 3 && response.equals(Buffer.from([10, 11])) ? undefined : 'a bad MAC'),
  });
  assert.equal(result.tally.latencies.total, 3);
  assert.equal(quantile(result.tally.latencies, 0.5), 10);
  assert.equal(result.tally.verified, 2);
  assert.deepEqual(Object.fromEntries(result.tally.errors), {
    'wrong answer: a bad MAC': 1,
    'Connection reset by peer': 2,
  });
  assert.equal(result.wallSeconds, 2.5);
  assert.equal(result.serverCpuSeconds, 2.4);
});

test('the cost of the script is read from INFO commandstats', () => {
  const stats =
    '# Commandstats\r\ncmdstat_info:calls=1,usec=9,usec_per_call=9.00\r\ncmdstat_evalsha:calls=120,usec=2400,usec_per_call=20.50,rejected_calls=0,failed_calls=0\r\n';
  assert.deepEqual(scriptCost(stats), { calls: 120, usecPerCall: 20.5 });
  assert.ok(Number.isNaN(scriptCost('# Commandstats\r\n').usecPerCall));
});

test('the report judges what has a target and names what was skipped', () => {
  const memory = { rssMb: 90, anonMb: 60 };
  const report = formatReport({
    machine: MACHINE,
    startedAt: '2026-01-01T00:00:00.000Z',
    seconds: 60,
    rows: summariseGroup({ mode: 'fresh', protocol: 4, stores: ['memory'] }, [
      judgeRun('canned', load(9)),
      judgeRun('memory', load(8)),
    ]),
    runs: [],
    latency: [{ connections: 8, p50Ms: 1, p99Ms: 6 }],
    memory: [{ store: 'memory', idle: memory, after10000: memory, after100000: memory, afterTwice: memory }],
    start: { starts: 7, bindAnsweredMs: 200, readyMs: 250 },
    redisCost: [],
    skipped: ['everything over Redis'],
  });
  assert.match(report, /^fresh-v4-memory .* 0\.89 .*reached$/m);
  assert.match(report, /8 connections: .*p99: 6\.00 ms \(at most 5\.00\): missed/);
  assert.match(report, /idle: 90 MB \(at most 95\): reached/);
  assert.match(report, /idle, RssAnon: 60 MB \(at most 50\): missed/);
  assert.match(report, /to ready \(median of 7\): 250 ms \(at most 400\): reached/);
  assert.match(report, /^skipped: everything over Redis$/m);
});

test('a table aligns its columns', () => {
  assert.equal(
    formatTable([
      ['a', 'bb', 'c'],
      ['ddd', 'e', 'f'],
    ]),
    'a    bb  c\nddd   e  f',
  );
});
