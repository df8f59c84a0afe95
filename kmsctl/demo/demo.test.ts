// SPDX-License-Identifier: Apache-2.0
//
// The demo: as a process in a pipe, and on a pool whose count is wrong.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { after, test } from 'node:test';
import { clientProfile, newClient } from '@kmspool/kms/client';
import { derivePoolKeys } from '@kmspool/kms/wire';
import type { Io } from '../cli/io.ts';
import { askHost, requestFields } from '../net/index.ts';
import { openSandbox } from '../testing/child.ts';
import { startTestPool } from '../testing/pool.ts';
import { playOn } from '../verbs/demo.ts';
import { makeCast } from './cast.ts';

const sandbox = openSandbox();
after(() => sandbox.close());

test('S3-09 S3-04 S3-07 the demo tells 1, 2, 3, 4 and on to 25, and ends with 0 in a pipe', async () => {
  const { code, stdout, stderr } = await sandbox.run('demo');
  assert.deepEqual([code, stderr], [0, ''], stdout);
  assert.doesNotMatch(stdout, /\x1b/);
  const line = (pattern: string): void => assert.match(stdout, new RegExp(pattern, 'm'));
  line('^ +1 +pc-01 +Windows 7 Enterprise .* 1  0xC004F038 waits for 25$');
  line('^ +2 +pc-02 +Windows 7 Enterprise .* 2  0xC004F038 waits for 25$');
  line('^ +3 +pc-03 +Windows 7 Enterprise VM .* 3  0xC004F038 waits for 25$');
  line('^ +4 +srv-04 +Windows Server 2008 R2 .* 4  0xC004F038 waits for 5$');
  line('^ +5 +srv-05 +Windows Server 2022 .* 5  Licensed$');
  line('^↻ +4 +srv-04 .* 5  Licensed$');
  line('^ +25 +pc-25 +Windows 7 Enterprise .* 25  Licensed$');
  line('^↻ +1 +pc-01 .* 25  Licensed$');
  line('^  the first Windows 7 +1 +1  ✔$');
  line('^  clients are licensed from +25 +25  ✔$');
  line('^All 42 answers were right, and 3 hosts tell one count: 25\\.$');
  assert.deepEqual(readdirSync(sandbox.dir), [], 'it leaves nothing behind');
});

test('S3-09 the demo as JSON says the same', async () => {
  const { code, stdout } = await sandbox.run('demo', '-o', 'json');
  const report = JSON.parse(stdout);
  assert.deepEqual([code, report.right, report.scenes.length], [0, true, 42]);
  assert.deepEqual(
    report.hosts,
    [0, 1, 2].map((n) => ({ host: `campus-${n}`, current: 25 })),
  );
  const expected = report.shares.reduce((sum: number, share: { expected: number }) => sum + share.expected, 0);
  assert.ok(Math.abs(expected - 25) < 1e-6, String(expected));
});

const quietIo = (): { io: Io; text: () => string } => {
  let text = '';
  const io: Io = {
    out: (more) => {
      text += more;
    },
    err: () => {},
    tty: false,
    color: false,
    columns: () => 80,
    env: {},
    path: (name) => name,
    program: 'kmsctl',
  };
  return { io, text: () => text };
};

const stage = (io: Io): Parameters<typeof playOn>[1] => ({
  flags: { keep: false, output: 'text' },
  io,
  signals: { first: new AbortController().signal },
});

test('S3-09 the demo fails when a count is wrong', async () => {
  const pool = await startTestPool();
  const { io, text } = quietIo();
  try {
    // One machine that the play knows nothing of: every count after it is one too high.
    const [stranger] = makeCast(['lab.example']);
    const [host] = pool.endpoints.hosts;
    assert.ok(stranger && host);
    const client = newClient(clientProfile(stranger.machine.product), Date.now());
    const fields = requestFields({ ...stranger.machine, cmid: randomUUID() }, client, Date.now());
    await askHost({ address: host.address, port: host.port, timeoutMs: 5_000 }, derivePoolKeys(pool.secret), fields);
    assert.equal(await playOn(pool, stage(io)), false);
  } finally {
    await pool.close();
  }
  assert.match(text(), /wrong: expected 1$/m);
  assert.match(text(), /the first Windows 7 +1 +2 +✘/);
  assert.match(text(), /answers were wrong\.$/m);
});

test('S1-19 the demo fails when hosts do not share their count', async () => {
  const split = await startTestPool((pool) => ({ ...pool, spec: { ...pool.spec, replicas: 1 } }));
  const other = await startTestPool((pool) => ({ ...pool, spec: { ...pool.spec, replicas: 1 } }));
  const { io } = quietIo();
  try {
    // The same names and key, but the second host is another pool's: what it tells at the end is not 25.
    const hosts = [...split.endpoints.hosts, ...other.endpoints.hosts.map((host) => ({ ...host, name: 'campus-1' }))];
    assert.equal(await playOn({ ...split, endpoints: { ...split.endpoints, hosts } }, stage(io)), false);
  } finally {
    await split.close();
    await other.close();
  }
});

test('an interrupted demo is not a success', async () => {
  const pool = await startTestPool();
  const { io, text } = quietIo();
  const controller = new AbortController();
  controller.abort();
  try {
    assert.equal(await playOn(pool, { ...stage(io), signals: { first: controller.signal } }), false);
  } finally {
    await pool.close();
  }
  assert.match(text(), /Interrupted\./);
});

test('redraws its footer on a terminal, within its width', async () => {
  const pool = await startTestPool();
  for (const columns of [80, 120]) {
    const { io, text } = quietIo();
    await playOn(pool, {
      ...stage({ ...io, tty: true, color: true, columns: () => columns }),
      flags: { keep: false, output: 'text', pace: 0 },
    });
    assert.match(text(), /\x1b\[3A\x1b\[0J/);
    const lines = text()
      .replace(/\x1b\[[0-9;]*[A-Za-z]/g, '')
      .split('\n');
    const widest = Math.max(...lines.map((line) => [...line].length));
    assert.ok(widest <= columns, `${widest} columns of ${columns}`);
  }
  await pool.close();
});
