// SPDX-License-Identifier: Apache-2.0
//
// A host as a process: what it says to bad flags and files, that it takes over a changed file while a client stays connected, and that it leaves without an
// unanswered request.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { hostConfigHash, hostStatusSchema } from '@kmspool/crds';
import { activate, askGood, expectAck, withBound, withClient } from '../harness/expect.ts';
import { hostConfig, hostFiles, runHost, secretOf, startHostProcess } from '../harness/host.ts';
import { bindPdu } from '../harness/messages.ts';
import type { RpcClient } from '../harness/rpc-client.ts';
import { waitFor } from '../harness/wait.ts';

const files = hostFiles();
after(() => files.remove());

const write = (name: string, text: string | Buffer): string => {
  const path = join(files.folder, name);
  writeFileSync(path, text);
  return path;
};
const flags = (changes: Record<string, string> = {}): string[] =>
  Object.entries({
    '--config': files.config,
    '--key-file': files.key,
    '--admin-token-file': files.token,
    '--listen': '127.0.0.1',
    '--http': '127.0.0.1:0',
    ...changes,
  }).flat();

const taken = createServer().listen(0, '127.0.0.1');
await new Promise((resolve) => taken.once('listening', resolve));
after(() => taken.close());
const takenPort = (taken.address() as { port: number }).port;
const portTaken = write('taken.json', JSON.stringify(hostConfig({ port: takenPort })));

const BAD: readonly [what: string, args: string[], line: RegExp][] = [
  ['an unknown flag', ['--colour', 'blue'], /--colour.*--help/],
  [
    'a missing configuration',
    flags({ '--config': '/nowhere/host.json' }),
    /--config: \/nowhere\/host\.json cannot be read \(ENOENT\)/,
  ],
  ['bad JSON', flags({ '--config': write('bad.json', '{"kind": HostConfig}') }), /bad\.json: HostConfig is not JSON/],
  [
    'bad JSON of several lines',
    flags({ '--config': write('lines.json', '{\n "pool": x\n}\n') }),
    /lines\.json: HostConfig is not JSON/,
  ],
  [
    'a key that is too short',
    flags({ '--key-file': write('short', secretOf('x').subarray(0, 31)) }),
    /--key-file: the pool key has 31 bytes; put at least 32/,
  ],
  [
    'a KMS port in use',
    flags({ '--config': portTaken }),
    new RegExp(`spec\\.port: 127\\.0\\.0\\.1:${takenPort} is in use`),
  ],
  [
    'an HTTP port in use',
    flags({ '--http': `127.0.0.1:${takenPort}` }),
    new RegExp(`--http: 127\\.0\\.0\\.1:${takenPort} is in use`),
  ],
];

describe('bad input: one line that names it, exit code 2, no stack trace', { concurrency: 2 }, () => {
  for (const [what, args, line] of BAD) {
    test(what, async () => {
      const { code, stderr } = await runHost(args);
      assert.match(stderr, line);
      assert.match(stderr, /^kms-node: [^\n]+\n$/, 'one line');
      assert.doesNotMatch(stderr, /^\s+at /m);
      assert.equal(code, 2);
    });
  }
});

test('--help and --version answer on standard output with exit code 0', async () => {
  const help = await runHost(['--help']);
  assert.deepEqual([help.code, help.stderr], [0, '']);
  for (const flag of ['--config', '--key-file', '--admin-token-file', '--listen', '--http'])
    assert.ok(help.stdout.includes(flag));
  const version = await runHost(['--version']);
  assert.match(version.stdout, /^kms-node \d+\.\d+\.\d+\n$/);
});

const status = async (url: string): Promise<ReturnType<typeof hostStatusSchema.parse>> =>
  hostStatusSchema.parse(await (await fetch(`${url}/status`)).json());

test('S3-54 S3-55 a changed file is taken over while a client stays connected; a broken one and one that needs a restart are refused and logged', async () => {
  const own = hostFiles();
  const host = await startHostProcess(own);
  try {
    await withBound(host, 'NDR32', async (client) => {
      assert.equal((await askGood(client, host)).activationIntervalMinutes, 120);
      const changes = { activationIntervalMinutes: 30, renewalIntervalMinutes: 60 };
      own.writeConfig(changes);
      const wanted = hostConfigHash(hostConfig(changes));
      await waitFor('the new configuration', async () => (await status(host.httpUrl)).configHash === wanted);
      const answer = await askGood(client, host);
      assert.deepEqual([answer.activationIntervalMinutes, answer.renewalIntervalMinutes], [30, 60]);

      writeFileSync(own.config, '{"half a');
      await waitFor('the refusal', () => host.output().stdout.includes('changed configuration refused'));
      own.writeConfig({ ...changes, port: 1 });
      await waitFor('the warning', () => host.output().stdout.includes('changed configuration needs a restart'));
      assert.equal((await askGood(client, host)).renewalIntervalMinutes, 60);
      assert.equal((await status(host.httpUrl)).configHash, wanted);
      assert.equal((await status(host.httpUrl)).connections.accepted > 0, true);
    });
  } finally {
    assert.equal(await host.exit('SIGTERM'), 0);
    own.remove();
  }
});

test('SIGTERM under load of fresh connections: every request is answered, also of clients that come after it; then exit code 0', async () => {
  const own = hostFiles({ limits: { drainSeconds: 10, connectionsPerSource: 0 } });
  const host = await startHostProcess(own);
  try {
    let answered = 0;
    let coming = true;
    const client = async (n: number): Promise<void> => {
      while (coming) {
        await activate(host, {}, { localAddress: `127.0.0.${2 + n}` });
        answered++;
      }
    };
    const clients = Array.from({ length: 16 }, (_, n) => client(n));
    await waitFor('load', () => answered > 200);
    const before = answered;
    const exit = host.exit('SIGTERM');
    const { status: ready } = await fetch(`${host.httpUrl}/readyz`);
    assert.equal(ready, 503, 'not ready any more');
    await waitFor('clients after the signal', () => answered > before + 500);
    coming = false;
    await Promise.all(clients);
    assert.equal(await exit, 0);
    assert.match(host.output().stdout, /"msg":"stopped"/);
  } finally {
    await host.exit('SIGKILL');
    own.remove();
  }
});

test('SIGTERM at its bound: clients that never stop coming are refused by TCP in the end, and none that was let in is left without an answer', async () => {
  const own = hostFiles({ limits: { drainSeconds: 2, connectionsPerSource: 0 } });
  const host = await startHostProcess(own);
  try {
    let gone = false;
    let refused = 0;
    let answered = 0;
    const unanswered: string[] = [];
    const client = async (n: number): Promise<void> => {
      while (!gone) {
        // Before its bind_ack a client may have waited in the kernel's queue when the port closed.
        let letIn = false;
        try {
          const ask = async (rpc: RpcClient): Promise<void> => {
            expectAck(await rpc.ask(bindPdu()));
            letIn = true;
            await askGood(rpc, host);
          };
          await withClient(host, ask, { localAddress: `127.0.0.${2 + n}` });
          answered++;
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') refused++;
          if (letIn) unanswered.push((error as Error).message);
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      }
    };
    const clients = Array.from({ length: 8 }, (_, n) => client(n));
    await waitFor('load', () => answered > 200);
    const start = performance.now();
    assert.equal(await host.exit('SIGTERM'), 0);
    const tookMs = performance.now() - start;
    gone = true;
    await Promise.all(clients);
    assert.ok(tookMs > 1_000 && tookMs < 4_000, `${tookMs} ms`);
    assert.ok(refused > 0);
    assert.deepEqual(unanswered, []);
  } finally {
    await host.exit('SIGKILL');
    own.remove();
  }
});

test('a silent connection does not keep a host, and a second signal ends it at once', async () => {
  const own = hostFiles({ limits: { drainSeconds: 60 } });
  const host = await startHostProcess(own);
  try {
    await withClient(host, async (client) => {
      expectAck(await client.ask(bindPdu()));
      const exit = host.exit('SIGTERM');
      await waitFor('draining', () => host.output().stdout.includes('"msg":"draining"'));
      host.child.kill('SIGTERM');
      assert.equal(await exit, 1);
    });
  } finally {
    await host.exit('SIGKILL');
    own.remove();
  }
});
