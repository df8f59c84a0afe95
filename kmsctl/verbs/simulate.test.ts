// SPDX-License-Identifier: Apache-2.0
//
// `kmsctl simulate` as a user calls it: the examples, exit codes, JSON to the byte, the page, and a fleet against a real pool.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Ended, openSandbox } from '../testing/child.ts';
import { runHere } from '../testing/here.ts';
import { startTestPool, type TestPool } from '../testing/pool.ts';

const sandbox = openSandbox();
after(() => sandbox.close());
const example = (name: string): string => fileURLToPath(new URL(`../../examples/fleets/${name}.yaml`, import.meta.url));

const kmsctl = (...args: string[]): Promise<Ended> => runHere(args, { dir: sandbox.dir });

describe('kmsctl simulate', () => {
  for (const name of ['small', 'cloned-images', 'host-lost']) {
    test(`plays examples/fleets/${name}.yaml, whose expectations are met`, async () => {
      const { code, stdout, stderr } = await kmsctl('simulate', example(name));
      assert.equal(stderr, '');
      assert.equal(code, 0, stdout);
      assert.match(stdout, /All expectations are met\.\n\n[\d,]+ events in \d+\.\d s\n$/);
      assert.match(stdout, /count Windows +[·▁▂▃▄▅▆▇█]+ +\d+/);
    });
  }

  test('S3-09 in the small example servers are licensed on the first day, before there are 25 machines', async () => {
    const { stdout } = await kmsctl('simulate', example('small'), '--days', '10', '-o', 'json');
    const { expectations } = JSON.parse(stdout) as {
      expectations: { expected: string; ok: boolean; evidence: string }[];
    };
    assert.deepEqual(expectations[0], {
      expected: 'servers: 100 % Licensed by day 1',
      ok: true,
      evidence: '4 of 4 (100 %)',
    });
  });

  test('says 1 when an expectation is not met, and shows what was seen', async () => {
    const text = readFileSync(example('small'), 'utf8').replace('licensedBy: {at: 10d}', 'licensedBy: {at: 2h}');
    writeFileSync(join(sandbox.dir, 'strict.yaml'), text);
    const { code, stdout } = await kmsctl('simulate', 'strict.yaml');
    assert.equal(code, 1);
    assert.match(stdout, /✘ all machines: 100 % Licensed by day 0, 02:00 +0 of 80 \(0 %\)/);
    assert.match(stdout, /1 of 5 expectations are not met\.\n/);
  });

  test('prints the same JSON for the same seed, to the byte, and nothing but JSON', async () => {
    const json = async (seed: string): Promise<string> =>
      (await kmsctl('simulate', example('host-lost'), '--seed', seed, '-o', 'json')).stdout;
    const [first, again, other] = [await json('5'), await json('5'), await json('6')];
    assert.equal(first, again);
    assert.notEqual(first, other);
    assert.equal((JSON.parse(first) as { seed: number }).seed, 5);
  });

  test('runs as a process of its own', async () => {
    const { code, stdout } = await sandbox.run('simulate', example('small'));
    assert.deepEqual([code, stdout.startsWith('A small site')], [0, true]);
  });

  test('writes a page that holds everything', async () => {
    const { code } = await kmsctl('simulate', example('small'), '--html', 'report.html');
    assert.equal(code, 0);
    const html = readFileSync(join(sandbox.dir, 'report.html'), 'utf8');
    assert.match(html, /^<!doctype html>[\s\S]*uPlot[\s\S]*<\/html>\n$/);
  });

  const MISTAKES: readonly (readonly [readonly string[], RegExp])[] = [
    [['nope.yaml'], /nope\.yaml cannot be read \(ENOENT\); name a file that is there/],
    [[example('small'), '--days', '0'], /Use a whole number from 1 to 3650/],
    [[example('small'), '--state', 'x'], /--state is for a pool that runs; add --wire, or leave it out/],
    [[example('small'), '--html', 'no/where.html'], /--html: no\/where\.html cannot be written \(ENOENT\)/],
    [[example('small'), '--wire', '--html', 'x'], /--html shows a virtual clock/],
    [[example('small'), '--wire', '--days', '3'], /--days is for the virtual clock/],
    [[example('small'), '--wire'], /no pool runs on this machine/],
    [[example('small'), '--days', '5'], /expect\[1\]\.licensedBy\.at: the simulation ends after 5 days/],
  ];
  for (const [args, line] of MISTAKES) {
    test(`refuses ${args.slice(1).join(' ') || args[0]} in one line`, async () => {
      const { code, stderr, stdout } = await kmsctl('simulate', ...args);
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(stderr, line);
      assert.equal(stderr.trim().split('\n').length, 1, stderr);
      assert.equal(existsSync(join(sandbox.dir, 'x')), false);
    });
  }
});

describe('kmsctl simulate --wire', () => {
  let pool: TestPool;
  before(async () => {
    pool = await startTestPool();
  });
  after(() => pool.close());

  interface Wire {
    readonly machines: number;
    readonly tries: number;
    readonly licensed: number;
    readonly counts: Record<string, number>;
    readonly hosts: { host: string; answered: number }[];
    readonly results: { hresult: number; times: number }[];
  }
  const wire = async (...args: string[]): Promise<{ code: number | null; report: Wire }> => {
    const flags = ['--wire', '--rate', '400', '--state', pool.stateDir, '-o', 'json'];
    const { code, stdout, stderr } = await kmsctl('simulate', example('small'), ...flags, ...args);
    assert.equal(stderr, '');
    return { code, report: JSON.parse(stdout) as Wire };
  };

  test('S3-07 S3-13 asks a pool that runs: all are licensed in the end, the count stops at twice the threshold', async () => {
    const { code, report } = await wire();
    assert.equal(code, 0);
    assert.deepEqual([report.machines, report.licensed, report.counts], [80, 80, { Office2013: 10, Windows: 50 }]);
    const answered = report.hosts.reduce((sum, host) => sum + host.answered, 0);
    assert.equal(answered, report.tries);
    assert.equal(report.results.find(({ hresult }) => hresult === 0)?.times, 80);
    assert.ok(report.hosts.length >= 2, 'SRV shares the machines out');
  });

  test('the same seed is the same machines: the second run needs no second try', async () => {
    const { code, report } = await wire();
    assert.deepEqual([code, report.tries], [0, 80]);
  });

  test('a domain without records licenses nobody, and says why', async () => {
    const { code, report } = await wire('--domain', 'other.example');
    assert.deepEqual([code, report.licensed], [1, 0]);
    assert.deepEqual(report.results, [{ hresult: 0x8007232b, times: 80 }]);
  });
});
