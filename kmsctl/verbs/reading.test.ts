// SPDX-License-Identifier: Apache-2.0
//
// The verbs that read a pool, on the campus pool of this process: what an administrator sees after clients have asked.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { hostStatusSchema } from '@kmspool/crds';
import { parse } from 'yaml';
import { openSandbox, type Sandbox, until } from '../testing/child.ts';
import { type AskingMachine, askAs, cmidOf, kmsctl, type Outcome } from '../testing/in-process.ts';
import { startTestPool, type TestPool } from '../testing/pool.ts';

const range = (count: number, make: (n: number) => AskingMachine): AskingMachine[] =>
  Array.from({ length: count }, (_, n) => make(n));

/** 8 distinct Windows machines and 3 clones, 5 Office, and one whose clock is wrong. */
const MACHINES: readonly AskingMachine[] = [
  ...range(8, (n) => ({ name: `pc-${n}` })),
  ...range(3, (n) => ({ name: `clone-${n}`, seed: 'image' })),
  ...range(5, (n) => ({ name: `desk-${n}`, product: 'office-2021' })),
  { name: 'late', clockOffsetMs: -5 * 3_600_000 },
];

describe('verbs that read a pool', () => {
  let pool: TestPool;
  let dir: string;
  let sandbox: Sandbox;
  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'kmsctl-reading-'));
    sandbox = openSandbox();
    pool = await startTestPool();
    await ask(MACHINES);
  });
  after(async () => {
    await sandbox.close();
    await pool?.close();
    rmSync(dir, { recursive: true, force: true });
  });

  const ask = async (machines: readonly AskingMachine[]): Promise<void> => {
    const [host] = pool.endpoints.hosts;
    assert.ok(host);
    await askAs({ ...host, secret: pool.secret }, machines);
  };
  const here = (...args: readonly string[]): Promise<Outcome> => kmsctl([...args, '--state', pool.stateDir], { dir });
  const json = async <T>(...args: readonly string[]): Promise<T> => {
    const { stdout } = await here(...args, '-o', 'json');
    return JSON.parse(stdout) as T;
  };

  test('S1-07 S1-08 S3-56 S3-74 dlv and dli show the count, by the name of the pool, of a host or none', async () => {
    for (const name of [[], ['campus'], ['campus-2']]) {
      const { code, stdout } = await here('dli', ...name);
      assert.equal(code, 0);
      assert.match(stdout, /Current count: 9\n/);
      assert.doesNotMatch(stdout, /Application ID/);
    }
    const { stdout } = await here('dlv', 'campus', '-o', 'yaml');
    assert.equal(hostStatusSchema.parse(parse(stdout)).counts[0]?.current, 9);
    const other = await here('dlv', 'elsewhere');
    assert.equal(other.code, 2);
    assert.match(
      other.stderr,
      /^kmsctl: --state .* is of another pool, and the pool has no host elsewhere; use one of campus-0/,
    );
  });

  test('S1-27 clients, newest first, filtered by name, product and age, as table and as data', async () => {
    const all = await json<{ machineName: string; cmid: string }[]>('clients', '--all');
    assert.deepEqual([all.length, all[0]?.machineName], [14, 'desk-4']);
    const { stdout, stderr } = await here('clients', '--name', 'pc-*', '--limit', '3');
    assert.equal(stdout.split('\n').length, 5);
    assert.match(stdout, /^NAME +PRODUCT +STATUS +SEEN +ADDRESS\npc-7 +windows-11 +oob_grace +\d+s +127\.0\.0\.1\n/);
    assert.match(stderr, /the first 3; --all/);
    const office = await json<unknown[]>('clients', '--product', 'office-2021');
    assert.equal(office.length, 5);
    assert.equal((await json<unknown[]>('clients', '--older-than', '1h')).length, 0);
    assert.equal((await json<unknown[]>('clients', '--newer-than', '1h')).length, 14);
    assert.match((await here('clients', '--name', 'pc-0', '-o', 'wide')).stdout, new RegExp(cmidOf('pc-0')));
    assert.match((await here('clients', '--product', 'windows-12')).stderr, /there is no product "windows-12"/);
  });

  test('S1-27 S3-74 events, the newest at the end, by result', async () => {
    const { stdout } = await here('events', '--limit', '2');
    const [first = '', second = ''] = stdout.split('\n');
    assert.match(first, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}12290 {2}counted {2}desk-4 /);
    assert.match(second, /12290 {2}0xC004F06C ClockSkew {2}late /);
    assert.equal((await json<unknown[]>('events', '--hresult', '0xC004F06C')).length, 1);
    assert.equal((await json<unknown[]>('events', '--hresult=-1073418132')).length, 1);
    assert.equal((await json<unknown[]>('events', '--all')).length, 17);
  });

  test('S3-74 events -f shows each request once, as it comes, and ends well', async () => {
    const running = sandbox.start(
      'events',
      '-f',
      '--limit',
      '1',
      '--interval',
      '100ms',
      '--name',
      'walk-*',
      '-o',
      'json',
      '--state',
      pool.stateDir,
    );
    const names = (): string[] =>
      running
        .stdout()
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => (JSON.parse(line) as { machineName: string }).machineName);
    const walkers = (from: number): AskingMachine[] => range(3, (n) => ({ name: `walk-${from + n}`, seed: 'pc-0' }));
    // Until it follows, what comes is not new to it; so the first walkers are sent until one is seen.
    await until('the first event', async () => {
      if (names().length === 0) await ask([{ name: 'walk-first', seed: 'pc-0' }]);
      return names().length > 0;
    });
    const before = names().length;
    for (const from of [0, 3]) {
      await ask(walkers(from));
      await until('the walkers', () => names().includes(`walk-${from + 2}`));
    }
    const seen = names().filter((name) => name !== 'walk-first');
    assert.deepEqual(
      seen,
      [0, 1, 2, 3, 4, 5].map((n) => `walk-${n}`),
      `${before} before`,
    );
    running.child.kill('SIGINT');
    assert.equal((await running.ended).code, 0);
  });

  test('S1-17 duplicates names the clones and says how many machines are missing', async () => {
    const { code, stdout } = await here('duplicates');
    assert.equal(code, 1);
    assert.match(
      stdout,
      new RegExp(`^${cmidOf('image')} {2}Windows\n {2}clone-2 .*\n {2}clone-1 .*\n {2}clone-0 `, 'm'),
    );
    const [group] = (await json<{ cmid: string; names: unknown[] }[]>('duplicates')).filter(
      ({ cmid }) => cmid === cmidOf('image'),
    );
    assert.equal(group?.names.length, 3);
  });

  test('S1-13 S1-16 S1-23 count --explain: thresholds, who is counted, and why not more', async () => {
    const { code, stdout } = await here('count', '--explain');
    assert.equal(code, 1, 'Windows clients need 25');
    assert.match(
      stdout,
      /^Windows: 9 of at most 50\n {2}Server {2}5: reached\n {2}Client 25: not reached, 16 more machines have to ask\n/,
    );
    assert.match(stdout, /Office2013: 5 of at most 10\n {2}Office {2}5: reached\n/);
    assert.match(stdout, /share \d+ CMIDs? and count as \d/);
    assert.match(stdout, /1 of \d+ requests were refused and not counted/);
    assert.match(stdout, new RegExp(`clone-2 +windows-11 +\\d+s +29d +${cmidOf('image')}`));
    assert.equal(
      (await here('count', '--explain')).stdout.split('\n').filter((line) => line.includes('29d')).length,
      14,
    );
  });

  test('S3-12 forecast: the day on which a threshold is lost if nobody comes', async () => {
    const { code, stdout } = await here('forecast');
    assert.equal(code, 1);
    assert.match(stdout, /if nobody comes +9 +9 +9 +9 +9 +9 +0\n {2}as they come +9 +9 +9 +9 +9 +9 +9\n/);
    assert.match(stdout, /Server 5 +\d{4}-\d\d-\d\d, in 29d +not within 30 days\n {2}Client 25 +is not reached/);
    const [windows] = await json<{ thresholds: { lostIfNobodyComes: string }[] }[]>('forecast');
    const days = (Date.parse(windows?.thresholds[0]?.lostIfNobodyComes ?? '') - Date.now()) / 86_400_000;
    assert.ok(days > 29.9 && days <= 30, String(days));
  });

  test('a table is exported, and joined with another pool’s only by force; twice is as once', async () => {
    const exported = await here('export');
    assert.equal(exported.stdout.trim().split('\n').length, 15);
    assert.doesNotMatch(exported.stdout, /pc-|desk-/, 'no names');
    const other = await startTestPool();
    try {
      const there = (...args: readonly string[]): Promise<Outcome> =>
        kmsctl([...args, '--state', other.stateDir], { dir });
      writeFileSync(join(dir, 't.jsonl'), exported.stdout);
      const refused = await there('import', '-f', 't.jsonl');
      assert.deepEqual([refused.code, /its clients hold another key\. Add --force/.test(refused.stderr)], [2, true]);
      assert.match((await there('import', '-f', 't.jsonl', '--force', '--dry-run')).stdout, /the count is 0\n/);
      assert.match(
        (await there('import', '-f', 't.jsonl', '--force')).stdout,
        /^Windows: 9 clients in the file; the count was 0 and is 9\n/,
      );
      assert.match((await there('import', '-f', 't.jsonl', '--force')).stdout, /the count was 9 and is 9\n/);
      assert.match((await there('dli')).stdout, /Current count: 9\n/);
      const again = (await there('export')).stdout.split('\n').slice(1);
      assert.deepEqual(again, exported.stdout.split('\n').slice(1), 'the very same entries');
    } finally {
      await other.close();
    }
    assert.match((await here('import', '-f', 'nope.jsonl')).stderr, /nope\.jsonl cannot be read \(ENOENT\)/);
  });

  test('J05 who-uses: everybody of the old pool, until they have come to the new one', async () => {
    const old = await startTestPool();
    try {
      const [host] = old.endpoints.hosts;
      assert.ok(host);
      await askAs({ ...host, secret: old.secret }, [{ name: 'pc-0' }, { name: 'stays' }]);
      await ask([{ name: 'pc-0' }]);
      const options = { dir, env: { XDG_STATE_HOME: join(dir, 'none') } };
      const still = await kmsctl(['who-uses', 'campus', '--state', old.stateDir], options);
      assert.deepEqual([still.code, still.stderr], [1, '2 of 2 clients still use campus\n']);
      const url = pool.endpoints.hosts[0]?.http ?? '';
      const moved = await kmsctl(
        [
          'who-uses',
          'campus',
          '--state',
          old.stateDir,
          '--moved-to',
          url,
          '--token-file',
          pool.endpoints.adminTokenFile,
        ],
        options,
      );
      assert.equal(moved.stderr, `1 of 2 clients still use campus and 1 moved to ${url}\n`);
      assert.match(moved.stdout, /^stays +windows-11 /m);
    } finally {
      await old.close();
    }
  });

  test('S1-46 S1-47 support-bundle holds what a support asks for, and no name, CMID or secret', async () => {
    const { code, stdout } = await here('support-bundle', '-f', 'bundle/');
    assert.equal(code, 0);
    const of = (name: string): string => readFileSync(join(dir, 'bundle', name), 'utf8');
    for (const name of [
      'README.txt',
      'dlv.txt',
      'clients.jsonl',
      'events.jsonl',
      'duplicates.jsonl',
      'table.json',
      'doctor.json',
      'hosts/campus-1/metrics.txt',
    ])
      assert.ok(of(name).length > 0, name);
    const whole = ['clients.jsonl', 'events.jsonl', 'duplicates.jsonl', 'table.json', 'doctor.json', 'dlv.txt']
      .map(of)
      .join('\n');
    for (const secret of ['pc-1', 'clone-', 'desk-', cmidOf('image'), cmidOf('pc-1')])
      assert.ok(!whole.includes(secret), secret);
    const token = readFileSync(pool.endpoints.adminTokenFile, 'utf8').trim();
    assert.ok(!whole.includes(token) && !whole.includes(pool.secret.toString('hex')));
    const first = (name: string): { cmid: string } => JSON.parse(of(name).split('\n')[0] ?? '') as { cmid: string };
    assert.ok(of('table.json').includes(first('clients.jsonl').cmid), 'the same word for the same machine');
    assert.match(stdout, /Replaced, each by the same word everywhere/);
    const named = await here('support-bundle', '-f', 'named/', '--include-names');
    assert.equal(named.code, 0);
    assert.match(readFileSync(join(dir, 'named', 'clients.jsonl'), 'utf8'), /"machineName":"pc-1"/);
  });

  test('S1-32 preflight: ready before anybody has asked; S1-15 and too few clients to come are told', async () => {
    const fresh = await startTestPool();
    try {
      const there = (...args: readonly string[]): Promise<Outcome> =>
        kmsctl([...args, '--state', fresh.stateDir], { dir });
      const ready = await there('preflight');
      assert.deepEqual([ready.code, ready.stdout.endsWith('Ready for clients.\n')], [0, true], ready.stdout);
      const few = await there('preflight', '--clients', '10');
      assert.equal(few.code, 1);
      assert.match(
        few.stdout,
        /FAIL {2}The thresholds are within reach\n.*Windows clients need a count of 25; it will be 10\n.*bring 15 more/s,
      );
      assert.match((await there('dli')).stdout, /Current count: 0\n/, 'no step counts anybody');
    } finally {
      await fresh.close();
    }
  });
});
