// SPDX-License-Identifier: Apache-2.0
//
// Random and changed PDUs from 50 connections beside honest clients: no crash, memory flat, honest clients all served, counts exact. 20 seconds unless
// KMSPOOL_FUZZ_SECONDS says otherwise (make soak: 10 minutes); KMSPOOL_FUZZ_SEED repeats a run.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { test } from 'node:test';
import { hostStatusSchema } from '@kmspool/crds';
import { activate, askGood, expectAck, withClient } from '../harness/expect.ts';
import { buildCorpus, FUZZ_CMID, hostileConversation, type Random, randomOf } from '../harness/fuzz.ts';
import { type HostProcess, hostFiles, startHostProcess } from '../harness/host.ts';
import { bindPdu } from '../harness/messages.ts';
import { waitFor } from '../harness/wait.ts';

const SECONDS = Number(process.env['KMSPOOL_FUZZ_SECONDS'] ?? 20);
const SEED = Number(process.env['KMSPOOL_FUZZ_SEED'] ?? Date.now() % 0xffff_ffff);
const HOSTILE = 50;
const HONEST = 8;
const CMIDS = Array.from({ length: 40 }, () => randomUUID());
/** Growth between the middle third and the last; a leak of 100 bytes a connection is more than this within the soak run. */
const GROWTH_BYTES = 32 * 1024 * 1024;

function residentBytes(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1]) * 1024;
}

/** One hostile connection, from connect to its end or until `patienceMs` after its last write. */
function attack(
  port: number,
  writes: readonly Buffer[],
  options: { random: Random; localAddress: string; leftMs: number },
): Promise<void> {
  const { random, localAddress, leftMs } = options;
  const ending = random(3);
  const patienceMs = random(40) === 0 ? Math.min(6_000, leftMs) : random(40);
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress, noDelay: true, allowHalfOpen: random(2) === 0 });
    if (random(20) > 0) socket.resume(); // else it never reads
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
    socket.on('connect', () => {
      for (const bytes of writes) socket.write(bytes);
      if (ending === 0) socket.end();
      setTimeout(() => (ending === 1 ? socket.resetAndDestroy() : socket.destroy()), patienceMs);
    });
  });
}

interface Run {
  readonly host: HostProcess;
  /** Until the end of the run. */
  leftMs(): number;
}

async function hostile({ host, leftMs }: Run, n: number): Promise<number> {
  const random = randomOf(SEED + n);
  const corpus = buildCorpus(host.keys);
  let connections = 0;
  while (leftMs() > 0) {
    const writes = hostileConversation(corpus, random);
    await attack(host.port, writes, { random, localAddress: `127.0.1.${1 + n}`, leftMs: leftMs() });
    connections++;
  }
  return connections;
}

/** Asks on fresh and on kept connections, in all versions, and holds that every question is answered. */
async function honest({ host, leftMs }: Run, n: number): Promise<number> {
  const localAddress = `127.0.2.${1 + n}`;
  let answers = 0;
  const next = (): Parameters<typeof askGood>[2] => ({
    cmid: CMIDS[answers++ % CMIDS.length] ?? '',
    protocol: ([4, 5, 6] as const)[answers % 3] ?? 6,
  });
  while (leftMs() > 0) {
    if (n % 2 === 0) {
      await activate(host, next(), { localAddress });
    } else {
      await withClient(
        host,
        async (client) => {
          expectAck(await client.ask(bindPdu()));
          for (let left = 100; left > 0 && leftMs() > 0; left--) await askGood(client, host, next());
        },
        { localAddress },
      );
    }
  }
  return answers;
}

/** The least of some values: what stays when garbage is collected. */
const floorOf = (values: readonly number[]): number => Math.min(...values);

test(`random and changed PDUs from ${HOSTILE} connections for ${SECONDS} s: no crash, memory flat, honest clients all served`, {
  skip: process.platform === 'linux' ? false : 'reads /proc, so Linux only',
}, async (t) => {
  t.diagnostic(`KMSPOOL_FUZZ_SEED=${SEED}`);
  const files = hostFiles({
    retention: { clients: 1000, events: 1000 },
    limits: { connectionsPerSource: 0, connections: 2000, drainSeconds: 5 },
  });
  const host = await startHostProcess(files);
  try {
    const end = performance.now() + SECONDS * 1000;
    const leftMs = (): number => (host.child.exitCode === null ? end - performance.now() : 0);
    const rss: number[] = [];
    const watch = setInterval(() => rss.push(residentBytes(host.child.pid ?? 0)), 250);
    const attacks = Array.from({ length: HOSTILE }, (_, n) => hostile({ host, leftMs }, n));
    const questions = Array.from({ length: HONEST }, (_, n) => honest({ host, leftMs }, n));
    const answered = (await Promise.all(questions)).reduce((sum, one) => sum + one, 0);
    clearInterval(watch);
    const connections = (await Promise.all(attacks)).reduce((sum, one) => sum + one, 0);
    t.diagnostic(`${connections} hostile connections, ${answered} honest answers`);

    assert.equal(host.child.exitCode, null, `the host ended: ${host.output().stderr}`);
    assert.ok(connections > 50 * SECONDS && answered > 50 * SECONDS, `${connections} and ${answered}`);
    const third = Math.floor(rss.length / 3);
    const [middle, last] = [floorOf(rss.slice(third, 2 * third)), floorOf(rss.slice(2 * third))];
    t.diagnostic(`RSS ${Math.round(middle / 2 ** 20)} MiB in the middle, ${Math.round(last / 2 ** 20)} MiB at the end`);
    assert.ok(last - middle < GROWTH_BYTES, `memory grew from ${middle} to ${last} bytes`);

    await waitFor('all connections are gone', async () => (await statusOf(host)).connections.open === 0, 15_000);
    const { counts, ready } = await statusOf(host);
    assert.equal(ready, true);
    await activate(host, { cmid: FUZZ_CMID });
    assert.equal(
      (await statusOf(host)).counts[0]?.current,
      CMIDS.length + 1,
      'the honest clients and the one CMID of the hostile ones',
    );
    assert.ok((counts[0]?.current ?? 0) >= CMIDS.length);
  } finally {
    assert.equal(await host.exit('SIGTERM'), 0);
    assert.equal(host.output().stderr, '');
    files.remove();
  }
});

async function statusOf(host: HostProcess): Promise<ReturnType<typeof hostStatusSchema.parse>> {
  return hostStatusSchema.parse(await (await fetch(`${host.httpUrl}/status`)).json());
}
