// SPDX-License-Identifier: Apache-2.0
//
// `kmsctl explain` as a user meets it: arguments, files, pipes, languages, exit codes, and a pool that runs.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { EVENTS, formatHresult, HRESULTS } from '@kmspool/kms/catalog';
import type { Io } from '../cli/io.ts';
import * as pastes from '../explain/pastes.fake.ts';
import { runHere } from '../testing/here.ts';
import { startTestPool, type TestPool } from '../testing/pool.ts';
import { columnsOf } from '../text/wrap.ts';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'kmsctl-explain-'));
after(() => rmSync(dir, { recursive: true, force: true }));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const here = (args: readonly string[], env: Io['env'] = {}, verb = 'explain'): Promise<Ended> =>
  runHere([verb, ...args], { dir, env });

function piped(input: string | Buffer, ...args: string[]): Ended {
  const env = { PATH: process.env['PATH'], XDG_STATE_HOME: join(dir, 'state') };
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, 'explain', ...args], {
    input,
    env,
    encoding: 'utf8',
  });
  return { code: status ?? -1, stdout, stderr };
}

const json = async (...args: string[]): Promise<Record<string, unknown>> =>
  JSON.parse((await here([...args, '-o', 'json'])).stdout);

describe('an argument', () => {
  test('a code in every form is the same code (S4-33)', async () => {
    for (const form of ['0xC004F038', 'c004f038', '-1073418184', '3221549112']) {
      const { code, stdout, stderr } = await here([form]);
      assert.deepEqual([code, stderr], [0, ''], form);
      assert.match(stdout, /^0xC004F038 CountInsufficient/, form);
    }
  });

  test('the short form says what and what to do; the long form why, step by step, and where the home user goes (S4-34)', async () => {
    const short = await here(['0xC004F074']);
    assert.match(short.stdout, /-> Read the client’s 12288 events/);
    assert.doesNotMatch(short.stdout, /Why:|What to do:|In a pool:/);
    const long = await here(['0xC004F074', '--long']);
    assert.match(long.stdout, /Why: .*\n[\s\S]*What to do:\n {4}1\. [\s\S]*In a pool: [\s\S]*support\.microsoft\.com/);
  });

  test('an event number: meaning, log and fields', async () => {
    const { code, stdout } = await here(['12289']);
    assert.equal(code, 0);
    assert.match(stdout.replace(/\s+/g, ' '), /^Event 12289: .*Current count of the host/);
  });

  test('an unknown code says so, with the Win32 error in it, and exits with 1', async () => {
    const win32 = await here(['0x8007274C']);
    assert.equal(win32.code, 1);
    assert.match(
      win32.stdout.replace(/\s+/g, ' '),
      /no code of volume activation.*HRESULT_FROM_WIN32 of error 10060: the connection timed out/,
    );
    const strange = await here(['0xC004ABCD', '--lang', 'ko']);
    assert.equal(strange.code, 1);
    assert.match(strange.stdout, /카탈로그에 없는[\s\S]*Windows 라이선스 서비스[\s\S]*slui 0x2a/);
  });

  test('several codes at once', async () => {
    const { items } = await json('0xC004F038', '12293');
    assert.deepEqual(
      (items as { kind: string }[]).map(({ kind }) => kind),
      ['code', 'event'],
    );
  });

  test('--list has every code and event in a line or two, in either language, and as data (S4-33)', async () => {
    for (const lang of ['en', 'ko']) {
      const { code, stdout } = await here(['--list', '--lang', lang]);
      assert.equal(code, 0);
      for (const { code: each } of HRESULTS) assert.match(stdout, new RegExp(`^${formatHresult(each)}  `, 'm'));
      for (const line of stdout.split('\n')) assert.ok(columnsOf(line) <= 80, line);
    }
    const { codes, events } = await json('--list');
    assert.deepEqual([(codes as []).length, (events as []).length], [HRESULTS.length, EVENTS.length]);
  });

  test('a product key is neither looked up as a file nor shown (S3-83)', async () => {
    const key = ['BCDFG', 'HJKMP', 'QRTVW', 'XY234', '6789N'];
    for (const args of [
      [`--${key.join('-')}`],
      [key.join('-')],
      [key.join('\u2014')],
      ['slmgr', '/ipk', key.join('-')],
      key,
      [`${key.join('-')}.txt`],
    ]) {
      for (const output of [[], ['-o', 'json']]) {
        const { stdout, stderr } = await here([...args, ...output]);
        assert.doesNotMatch(stdout + stderr, /BCDFG|HJKMP|QRTVW|XY234/, args.join(' '));
      }
    }
  });

  test('mistakes are one line and 2', async () => {
    for (const [args, line] of [
      [['foo'], /foo is no code, no event of volume activation and no file \(ENOENT\)/],
      [['.'], /cannot be read \(EISDIR\)/],
      [['0xC004F038', '--lang', 'fr'], /Allowed choices are en, ko/],
      [['0xC004F038', '--pool'], /no pool runs on this machine/],
    ] as const) {
      const { code, stdout, stderr } = await here(args);
      assert.deepEqual([code, stdout], [2, ''], args.join(' '));
      assert.match(stderr, /^kmsctl: [^\n]+\n$/);
      assert.match(stderr, line);
    }
  });

  test('help has examples and exit codes', async () => {
    const { code, stdout } = await here(['--help']);
    assert.equal(code, 0);
    assert.match(stdout, /Examples:\n {2}kmsctl explain/);
    assert.match(stdout, /Exit codes: 0/);
  });
});

test('kmsctl catalog shows how the setup keys of an edition end, and no more of them (S3-83)', async () => {
  const { code, stdout } = await here(['windows-7'], {}, 'catalog');
  assert.equal(code, 0);
  assert.match(stdout, /windows-7-professional .*…GPDD4/);
  assert.doesNotMatch((await here(['windows-11'], {}, 'catalog')).stdout, /SETUP KEY/);
});

describe('language', () => {
  test('LC_ALL, LC_MESSAGES and LANG decide in that order, --lang over all of them', async () => {
    const isKorean = async (env: Io['env'], ...args: string[]): Promise<boolean> =>
      /호스트가 응답/.test((await here(['0xC004F038', ...args], env)).stdout);
    assert.equal(await isKorean({ LANG: 'ko_KR.UTF-8' }), true);
    assert.equal(await isKorean({ LC_ALL: 'C', LANG: 'ko_KR.UTF-8' }), false);
    assert.equal(await isKorean({ LC_ALL: '', LC_MESSAGES: 'ko_KR', LANG: 'en_US.UTF-8' }), true);
    assert.equal(await isKorean({ LANG: 'kok_IN' }), false);
    assert.equal(await isKorean({ LANG: 'ko_KR.UTF-8' }, '--lang', 'en'), false);
    assert.equal(await isKorean({}, '--lang', 'ko'), true);
  });

  test('Korean text keeps to the width of the terminal', async () => {
    const { stdout } = await here(['C004F038', '12293', '--long', '--lang', 'ko']);
    for (const line of stdout.split('\n')) assert.ok(columnsOf(line) <= 80, line);
  });
});

describe('a file or a pipe', () => {
  test('a file by its name, in the encodings of Windows', async () => {
    writeFileSync(join(dir, 'dlv.txt'), Buffer.from(`\ufeff${pastes.HOST_DLV_KO}`, 'utf16le'));
    const { code, stdout } = await here(['dlv.txt']);
    assert.equal(code, 0);
    assert.match(stdout, /^slmgr \/dlv of a KMS host: Windows\(R\), ServerDatacenter edition/);
    assert.match(stdout, /The count is 50/);
  });

  test('standard input, with - and without', () => {
    for (const args of [['-'], []]) {
      const { code, stdout, stderr } = piped(pastes.EVENT_12288 + pastes.EVENT_12289, ...args);
      assert.deepEqual([code, stderr], [0, '']);
      assert.match(stdout.replace(/\s+/g, ' '), /count was 19, and 25 are needed/);
    }
  });

  test('a text without anything known says what would be, and exits with 1', () => {
    const { code, stdout, stderr } = piped('Our printer does not print.', '-');
    assert.deepEqual([code, stderr], [1, '']);
    assert.match(stdout, /Nothing in it is known/);
    assert.deepEqual(JSON.parse(piped('', '-', '-o', 'json').stdout).items, []);
  });

  test('what came from outside cannot steer the terminal', () => {
    const { stdout } = piped(pastes.CLIENT_DLV.replace('Enterprise edition', 'Enter\x1b[31mprise edition'), '-');
    assert.doesNotMatch(stdout, /\x1b/);
    assert.match(stdout, /\\u\{1b\}/);
  });
});

describe('with a pool that runs', () => {
  let pool: TestPool;
  let state: string;
  before(async () => {
    pool = await startTestPool();
    state = pool.stateDir;
    const cmid = '7e3a1b90-52c1-4f0d-9b6e-30c1b8f0a911';
    const activate = async (...args: string[]): Promise<void> => {
      assert.equal((await runHere(['activate', '--state', state, ...args], { dir })).stderr, '');
    };
    await activate('--name', 'vdi-1', '--cmid', cmid);
    await activate('--name', 'vdi-2', '--cmid', cmid);
    await activate('--name', 'late', '--clock-offset=-5h');
  });
  after(() => pool.close());

  test('the count, the shared CMID and what follows from them are the pool’s own (S4-23, S1-17)', async () => {
    const { code, stdout } = await here(['0xC004F038', '--pool', '--state', state]);
    assert.equal(code, 0);
    const text = stdout.replace(/\s+/g, ' ');
    assert.match(
      text,
      /In pool campus now ! Windows: count 1 of 5 for Windows Server\. -> Machines still missing: 4\./,
    );
    assert.match(text, /share a CMID: vdi-2, vdi-1 \(2 names, counted as 1\)/);
    assert.match(text, /would be 2 with every clone mended/);
  });

  test('a refusal is found with its product, hosts and DNS as they are; as JSON with the facts', async () => {
    const { items, facts, known } = await json('0xC004F06C', '0xC004F074', '--state', state);
    const told = (items as { pool: { id: string; text: string }[] }[]).map((item) => item.pool);
    assert.equal(known, true);
    assert.match(told[0]?.[0]?.text ?? '', /answered 0xC004F06C .*: 1, to Windows 11/);
    assert.deepEqual(
      told[1]?.map(({ id }) => id),
      ['hosts-ready', 'dns-agrees', 'dns-agrees', 'failures', 'clock-good', 'store-good'],
    );
    const { domains } = facts as { domains: { desired: string[]; observed: string[] }[] };
    for (const { desired, observed } of domains) assert.deepEqual([...observed].sort(), desired);
  });
});
