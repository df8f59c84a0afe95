// SPDX-License-Identifier: Apache-2.0
//
// From a fleet file to verdicts and reports: each expectation met and not met, the charts of the page, seeds.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fleetOfText } from './fleet.fake.ts';
import { chartsOf } from './html/charts.ts';
import { htmlReport } from './html/page.ts';
import { seededCmid, seededNumbers } from './random.ts';
import type { FleetReport } from './report.ts';
import { runVirtual } from './run-virtual.ts';
import { averaged, markLine, sparkline } from './sparkline.ts';

const fleet = (rest: string): string => `
fleet: small
title: "A <b>small</b> fleet & more"
days: 40
pools:
  - name: campus
    spec: {replicas: 2, hostKeys: [{product: WindowsServer2025}], dns: {domains: [{name: lab.example}]}}
machines:
  - {name: pcs, product: windows-11, count: 30, arrival: {over: 1d}}
  - {name: few, product: office-2024, count: 3}
changes:
  - {at: 20d, for: 1d, dnsDown: true}
  - {at: 30d, machines: {do: hardwareChange, group: pcs, share: 0.5}}
${rest}`;

const run = (rest = '', seed = 1): FleetReport => runVirtual(fleetOfText(fleet(rest)), { seed, days: 40 });
const verdictOf = (expectation: string): readonly [boolean, string] => {
  const { expectations, ok } = run(`expect: [${expectation}]`);
  const [verdict] = expectations;
  assert.ok(verdict);
  assert.equal(ok, verdict.ok);
  return [verdict.ok, verdict.evidence];
};

describe('verdicts', () => {
  const CASES: readonly (readonly [string, boolean, RegExp])[] = [
    ['{neverLeavesLicensed: few}', true, /none did; 0 Licensed at the end/],
    ['{neverLeavesLicensed: all}', false, /it happened \d+ times, first to pcs \d+ on day 30/],
    ['{licensedBy: {at: 2d, group: pcs}}', true, /30 of 30 \(100 %\)/],
    ['{licensedBy: {at: 2d}}', false, /30 of 33 \(90\.9 %\)/],
    ['{licensedBy: {at: 2d, share: 0.9}}', true, /30 of 33/],
    ['{countAtLeast: {count: 25, from: 2d}}', true, /lowest 30, on day 2/],
    ['{countAtLeast: {count: 25}}', false, /lowest 0, on day 0/],
    ['{countAtLeast: {count: 1, application: Office2010}}', false, /lowest 0/],
    ['{maxRetriesPerClient: {retries: 20, group: pcs}}', true, /pcs \d+ failed \d+ times/],
    ['{maxRetriesPerClient: {retries: 2}}', false, /few 1 failed \d\d\d times/],
    ['{nobodyIn: {state: notification, at: 20d}}', true, /nobody is/],
    ['{nobodyIn: {state: notification}}', false, /3 are/],
    ['{hostShare: {host: campus-0, atLeast: 0.2, atMost: 0.8}}', true, /\d %/],
    ['{hostShare: {host: campus-0, atLeast: 0.99}}', false, /\d %/],
  ];
  for (const [expectation, ok, evidence] of CASES) {
    test(`${expectation} is ${ok ? 'met' : 'not met'}, with evidence`, () => {
      const [met, seen] = verdictOf(expectation);
      assert.equal(met, ok, seen);
      assert.match(seen, evidence);
    });
  }
});

describe('a report', () => {
  test('is the same to the byte for the same seed, and another for another', () => {
    assert.equal(JSON.stringify(run()), JSON.stringify(run()));
    assert.notEqual(JSON.stringify(run()), JSON.stringify(run('', 2)));
  });

  test('adds up: states to machines at every point, answers of hosts to tries that were answered', () => {
    const { series, machines, tries, hosts } = run();
    for (const at of series.atMs.keys()) {
      const sum = Object.values(series.states).reduce((total, points) => total + (points[at] ?? 0), 0);
      assert.equal(sum, machines);
    }
    const answered = hosts.reduce((total, host) => total + host.answered, 0);
    assert.equal(answered, tries.firstActivation + tries.renewal + tries.countTooLow + tries.refused);
    const inSteps = series.tries.renewal.reduce((sum, count) => sum + count, 0);
    assert.equal(inSteps, tries.renewal);
  });

  test('S4-26 says that a product is not covered, with the code of the host', () => {
    const office = run().results.find(({ code }) => code === '0xC004F042');
    assert.ok(office !== undefined && office.times > 100);
    assert.match(office.meaning, /host key/i);
  });
});

describe('the page', () => {
  test('has the five charts, each with as many values as points, and escapes what comes from the file', () => {
    const report = run();
    const charts = chartsOf(report);
    assert.deepEqual(
      charts.map(({ id }) => id),
      ['count', 'states', 'hosts', 'retries', 'renewals'],
    );
    for (const { id, x, series } of charts) {
      for (const { values, label } of series) assert.equal(values.length, x.length, `${id}, ${label}`);
    }
    const html = htmlReport(report);
    assert.doesNotMatch(html, /<b>small/);
    assert.match(html, /<title>A &#60;b&#62;small&#60;\/b&#62; fleet &#38; more/);
    assert.doesNotMatch(html, /(?:src|href)="(?:https?:)?\/\//, 'nothing is loaded');
  });

  test('shares of hosts are of what was answered in the time, and a gap where nobody was', () => {
    const hosts = chartsOf(run()).find(({ id }) => id === 'hosts');
    assert.ok(hosts);
    for (const at of hosts.x.keys()) {
      const parts: readonly (number | null)[] = hosts.series.map(({ values }) => values[at] ?? null);
      const sum = parts.reduce<number>((total, part) => total + (part ?? 0), 0);
      assert.ok(parts.every((part) => part === null) || Math.abs(sum - 100) < 0.3, `day ${hosts.x[at]}: ${sum}`);
    }
  });
});

test('small charts: mean of what falls on a column, nothing is a dot, marks stand at their place', () => {
  assert.deepEqual(averaged([0, 2, 4, 6], 2), [1, 5]);
  assert.deepEqual(averaged([1, 3], 4), [1, 1, 3, 3]);
  assert.equal(sparkline([0, 1, 4, 8], 8), '·▂▅█');
  assert.equal(
    markLine(
      [
        { place: 0, text: '1' },
        { place: 0.01, text: '2' },
        { place: 1, text: '3' },
      ],
      10,
    ),
    '12       3',
  );
});

test('seeded numbers spread over [0, 1), and no two of 300,000 CMIDs are equal', () => {
  const random = seededNumbers(1);
  const bins = new Array<number>(10).fill(0);
  for (let n = 0; n < 10_000; n++) bins[Math.floor(random() * 10)]! += 1;
  assert.ok(
    bins.every((count) => count > 850 && count < 1150),
    bins.join(' '),
  );
  const cmids = new Set(Array.from({ length: 300_000 }, (_, machine) => seededCmid(1, machine * 7)));
  assert.equal(cmids.size, 300_000);
  assert.match(seededCmid(1, 5), /^[0-9a-f]{14}4[0-9a-f][89ab][0-9a-f]{15}$/);
});
