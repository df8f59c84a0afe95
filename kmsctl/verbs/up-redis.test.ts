// SPDX-License-Identifier: Apache-2.0
//
// `kmsctl up --redis`: each host a process of its own, one count in Redis. Skipped, by name, where there is no redis-server.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Endpoints } from '../pool/endpoints.ts';
import { CAMPUS, openSandbox, type Running, until } from '../testing/child.ts';
import { listen } from '../testing/listener.ts';

const missing = spawnSync('redis-server', ['--version']).status === 0 ? false : 'redis-server is not installed';
const sandbox = openSandbox();
after(() => sandbox.close());

interface Redis {
  readonly process: ChildProcess;
  readonly port: number;
}

async function startRedis(...flags: string[]): Promise<Redis> {
  const probe = await listen(() => {});
  await probe.close();
  const args = ['--port', String(probe.port), '--bind', '127.0.0.1', '--save', '', '--dir', sandbox.dir, ...flags];
  const server = spawn('redis-server', args, { stdio: 'ignore' });
  await until('redis-server', () => accepts(probe.port));
  return { process: server, port: probe.port };
}

async function stopRedis({ process: server }: Redis): Promise<void> {
  server.kill('SIGKILL');
  if (server.exitCode === null && server.signalCode === null) await once(server, 'exit');
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** Host processes whose configuration is in our sandbox: no other test's. */
function hostProcesses(): number[] {
  const listed = spawnSync('ps', ['-eo', 'pid=,args=']).stdout.toString().split('\n');
  const ours = listed.filter((line) => line.includes(sandbox.dir) && line.includes('--config'));
  return ours.map((line) => Number.parseInt(line, 10));
}

describe('a pool on Redis', { skip: missing }, () => {
  let redis: Redis;
  let up: Running;
  const stateDir = join(sandbox.dir, 'state', 'kmspool', 'campus');
  const endpointsFile = join(stateDir, 'endpoints.json');

  before(async () => {
    redis = await startRedis('--requirepass', 'p@ss');
    up = sandbox.start('up', '-f', CAMPUS, '--port', '0', '--redis', `redis://:p%40ss@127.0.0.1:${redis.port}/0`);
    await until('endpoints.json', () => existsSync(endpointsFile) || up.child.exitCode !== null);
    assert.equal(up.child.exitCode, null, up.stderr());
  });
  after(async () => {
    up?.child.kill('SIGTERM');
    await up?.ended;
    if (redis !== undefined) await stopRedis(redis);
  });

  const ask = async (host: number): Promise<number> => {
    const endpoint = (JSON.parse(readFileSync(endpointsFile, 'utf8')) as Endpoints).hosts[host];
    const target = `${endpoint?.address ?? ''}:${endpoint?.port ?? ''}`;
    const { stdout, stderr } = await sandbox.run('activate', target, '--state', stateDir, '-o', 'json');
    return (
      (JSON.parse(stdout || '{}').contacts?.[0]?.answer?.currentCount as number | undefined) ??
      assert.fail(stdout + stderr)
    );
  };

  test('S1-19 every host tells the one count', async () => {
    assert.equal(hostProcesses().length, 3);
    assert.deepEqual([await ask(0), await ask(1), await ask(2)], [1, 2, 3]);
    assert.match(up.stdout(), /one count in Redis, each host a process of its own/);
  });

  test('gives credentials to the hosts by file, never on a command line', () => {
    const listed = spawnSync('ps', ['-eo', 'args=']).stdout.toString().split('\n');
    const hosts = listed.filter((line) => line.includes(sandbox.dir) && line.includes('--config'));
    assert.ok(hosts.length > 0 && hosts.every((line) => !line.includes('p@ss') && !line.includes('p%40ss')));
    for (const name of readdirSync(stateDir).filter((each) => each.endsWith('.json'))) {
      assert.doesNotMatch(readFileSync(join(stateDir, name), 'utf8'), /p(@|%40)ss/, name);
    }
  });

  test('reports a host that dies and starts it again; the count stays', async () => {
    const [victim] = hostProcesses();
    assert.ok(victim);
    process.kill(victim, 'SIGKILL');
    await until('the report', () => /campus-\d was ended by SIGKILL; it starts again in 1 s/.test(up.stderr()));
    await until('three hosts', () => hostProcesses().length === 3);
    const { hosts } = JSON.parse(readFileSync(endpointsFile, 'utf8')) as Endpoints;
    for (const { http, name } of hosts) {
      await until(`${name} ready`, async () => (await fetch(`${http}/readyz`).catch(() => undefined))?.status === 200);
    }
    assert.deepEqual([await ask(0), await ask(1), await ask(2)], [4, 5, 6]);
  });

  test('ends its processes on SIGTERM, with 0', async () => {
    up.child.kill('SIGTERM');
    const { code, stderr } = await up.ended;
    assert.deepEqual([code, hostProcesses(), existsSync(endpointsFile)], [0, [], false], stderr);
  });
});

describe('a Redis that cannot be used is one line and exit code 2:', { skip: missing }, () => {
  const refused = async (url: string): Promise<string> => {
    const { code, stderr, stdout } = await sandbox.run('up', '-f', CAMPUS, '--port', '0', '--redis', url);
    assert.deepEqual([code, stdout], [2, ''], stderr);
    assert.deepEqual(hostProcesses(), []);
    assert.match(stderr, /^kmsctl: [^\n]+\n$/);
    return stderr;
  };

  test('one that may evict CMIDs', async () => {
    const redis = await startRedis('--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru');
    assert.match(await refused(`redis://127.0.0.1:${redis.port}`), /campus-\d: .*(evict|maxmemory)/);
    await stopRedis(redis);
  });

  test('one that asks for a password', async () => {
    const redis = await startRedis('--requirepass', 'secret');
    assert.match(await refused(`redis://127.0.0.1:${redis.port}`), /campus-\d: Redis asks for a password/);
    await stopRedis(redis);
  });

  test('one that is not there', async () => {
    const line = await refused('redis://127.0.0.1:1');
    assert.match(
      line,
      /--redis: redis:\/\/127\.0\.0\.1:1 does not take a connection \(ECONNREFUSED\); start Redis there/,
    );
  });
});
