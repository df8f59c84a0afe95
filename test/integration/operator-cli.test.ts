// SPDX-License-Identifier: Apache-2.0
/** The operator as a process, as far as its flags go: what it prints where, with which exit code, and how it ends. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePort } from '../harness/redis.ts';
import { waitFor } from '../harness/wait.ts';

const MAIN = fileURLToPath(new URL('../../operator/main.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'kmspool-operator-cli-'));
after(() => rmSync(folder, { recursive: true, force: true }));

interface Running {
  readonly output: { stdout: string; stderr: string };
  readonly exit: Promise<number | null>;
  stop(): void;
}

/** Without a home or a cluster to find a kubeconfig in. */
function start(args: readonly string[]): Running {
  const env = { PATH: process.env['PATH'], HOME: folder };
  const child = spawn(process.execPath, [MAIN, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  const timer = setTimeout(() => child.kill('SIGKILL'), 30_000);
  const exit = once(child, 'close').then(([code]) => {
    clearTimeout(timer);
    return code as number | null;
  });
  return { output, exit, stop: () => child.kill('SIGTERM') };
}

async function run(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const { output, exit } = start(args);
  const code = await exit;
  return { code, ...output };
}

test('help and version go to stdout with 0', async () => {
  const help = await run('--help');
  assert.deepEqual([help.code, help.stderr], [0, '']);
  assert.match(help.stdout, /^Usage: kmspool-operator \[flags\]\n/);
  const version = await run('--version');
  assert.deepEqual([version.code, version.stderr], [0, '']);
  assert.match(version.stdout, /^kmspool-operator \d+\.\d+\.\d+\n$/);
});

test('a mistake is one line on stderr with 2, and so is no way to an API server', async () => {
  assert.deepEqual(await run('--workers', 'four'), {
    code: 2,
    stdout: '',
    stderr: 'kmspool-operator: --workers: "four" is not a whole number from 1 to 64; write one\n',
  });
  const lost = await run('--http', 'off');
  assert.deepEqual([lost.code, lost.stdout], [2, '']);
  assert.match(lost.stderr, /^kmspool-operator: no API server: give --kubeconfig FILE [^\n]+\n$/);
});

test('while the API server is away it lives, is not ready and says why; SIGTERM ends it with 0', async () => {
  const kubeconfig = join(folder, 'config');
  const [away, http] = [await freePort(), await freePort()];
  const config = {
    'current-context': 'a',
    clusters: [{ name: 'a', cluster: { server: `http://127.0.0.1:${away}` } }],
    contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
    users: [{ name: 'a', user: {} }],
  };
  writeFileSync(kubeconfig, JSON.stringify(config));
  const running = start(['--kubeconfig', kubeconfig, '--http', `127.0.0.1:${http}`]);
  const get = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${http}${path}`);
  const listens = (): Promise<boolean> =>
    get('/livez').then(
      ({ ok }) => ok,
      () => false,
    );
  try {
    await waitFor('the operator to live', listens, 20_000);
    const ready = await get('/readyz');
    assert.equal(ready.status, 503);
    const { checks } = (await ready.json()) as { checks: { name: string; ok: boolean; message: string }[] };
    assert.match(checks.find(({ name }) => name === 'caches')?.message ?? '', /^not listed yet: kmshostpools, /);
    assert.match(await (await get('/metrics')).text(), /^kmspool_build_info\{version="/m);
  } finally {
    running.stop();
  }
  assert.equal(await running.exit, 0, running.output.stderr);
});
