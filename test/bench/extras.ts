// SPDX-License-Identifier: Apache-2.0
//
// What is measured beside the rows: memory, start-up, the latency of a host that has few connections, and what a request
// costs Redis with a small and with a large inventory. Each starts its own servers and stops them.

import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { type Memory, memoryOf } from './cpu.ts';
import { type LoadOrder, runLoad } from './measure.ts';
import { answers, kill, waitUntil } from './processes.ts';
import { BIND } from './requests.ts';
import { median } from './rows.ts';
import {
  type Host,
  isReady,
  type Server,
  type StoreKind,
  spawnHost,
  startHost,
  startRedis,
  type Workbench,
} from './servers.ts';

/** Resident memory of a host at four moments. */
export interface MemoryResult {
  readonly store: StoreKind;
  readonly idle: Memory;
  readonly after10000: Memory;
  readonly after100000: Memory;
  /** After the same 100,000 clients asked once more: flat, if it is what it was before. */
  readonly afterTwice: Memory;
}

/** From exec of the bundle, in ms, median of all starts. */
export interface StartResult {
  readonly starts: number;
  readonly bindAnsweredMs: number;
  readonly readyMs: number;
}

/** p99 in ms of a fresh V6 request over Redis. */
export interface LatencyResult {
  readonly connections: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** `usec_per_call` of the host's script on one connection (one contact a call), least of several runs. */
export interface RedisCostResult {
  readonly clientsInInventory: number;
  readonly clientsAsking: number;
  readonly usecPerCall: number;
  readonly calls: number;
}

const SETTLE_MS = 1500;

/** Memory of a fresh host: idle, after 10,000 and 100,000 distinct clients, and after all of them a second time. */
export async function measureMemory(bench: Workbench, store: StoreKind): Promise<MemoryResult> {
  const redis = store === 'redis' ? await startRedis(bench) : undefined;
  const host = await startHost(bench, redis?.port);
  const idle = await settled(host);
  await serve(bench, host, { clients: 10_000 });
  const after10000 = await settled(host);
  await serve(bench, host, { clients: 90_000, firstClient: 10_000 });
  const after100000 = await settled(host);
  await serve(bench, host, { clients: 100_000 });
  const afterTwice = await settled(host);
  await stopAll([host, redis]);
  return { store, idle, after10000, after100000, afterTwice };
}

async function settled(host: Host): Promise<Memory> {
  await sleep(SETTLE_MS);
  return memoryOf(host.running.pid);
}

/** Every one of the clients asks once, by V6 on 32 connections. */
async function serve(bench: Workbench, host: Host, clients: Pick<LoadOrder, 'clients' | 'firstClient'>): Promise<void> {
  const order = { server: host, mode: 'persistent', protocol: 6, ...clients, count: clients.clients ?? 0 } as const;
  const result = await runLoad(bench, order);
  const [error] = Object.entries(result.errors);
  if (error !== undefined)
    throw new Error(`${host.running.name}, ${clients.clients} clients: ${error[1]} × ${error[0]}`);
}

/** Starts the bundle so many times (memory store) and measures until it answers a bind and until /readyz says 200. */
export async function measureStart(bench: Workbench, starts: number): Promise<StartResult> {
  const bound: number[] = [];
  const ready: number[] = [];
  for (let n = 0; n < starts; n++) {
    const before = performance.now();
    const host = await spawnHost(bench);
    await waitUntil(host.running, () => answers(host.port, BIND));
    bound.push(performance.now() - before);
    await waitUntil(host.running, () => isReady(host));
    ready.push(performance.now() - before);
    await kill(host.running);
  }
  return { starts, bindAnsweredMs: median(bound), readyMs: median(ready) };
}

/** Latency of fresh V6 requests over Redis with so many connections, medians of `rounds` runs. */
export async function measureLatency(
  bench: Workbench,
  connections: number,
  { rounds, seconds }: { rounds: number; seconds: number },
): Promise<LatencyResult> {
  const redis = await startRedis(bench);
  const host = await startHost(bench, redis.port);
  const p50: number[] = [];
  const p99: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const order = { server: host, mode: 'fresh', protocol: 6, connections, warmupSeconds: 1, seconds } as const;
    const result = await runLoad(bench, order);
    p50.push(result.p50Microseconds / 1000);
    p99.push(result.p99Microseconds / 1000);
  }
  await stopAll([host, redis]);
  return { connections, p50Ms: median(p50), p99Ms: median(p99) };
}

/** The script's cost with 10 clients known, with 100,000 known and the same 10 asking, and with all of them asking. */
export async function measureRedisCost(
  bench: Workbench,
  { rounds, seconds }: { rounds: number; seconds: number },
): Promise<RedisCostResult[]> {
  const server = await startRedis(bench);
  const redis = new Redis({ host: '127.0.0.1', port: server.port });
  const host = await startHost(bench, server.port);
  const costOf = async (clientsInInventory: number, clientsAsking: number): Promise<RedisCostResult> => {
    const costs: { usecPerCall: number; calls: number }[] = [];
    for (let round = 0; round < rounds; round++) {
      await redis.config('RESETSTAT');
      await runLoad(bench, {
        server: host,
        mode: 'persistent',
        protocol: 6,
        connections: 1,
        clients: clientsAsking,
        seconds,
      });
      costs.push(scriptCost(await redis.info('commandstats')));
    }
    const least = costs.toSorted((a, b) => a.usecPerCall - b.usecPerCall)[0] ?? { usecPerCall: Number.NaN, calls: 0 };
    return { clientsInInventory, clientsAsking, ...least };
  };
  const small = await costOf(10, 10);
  await serve(bench, host, { clients: 100_000 });
  const large = await costOf(100_000, 10);
  const all = await costOf(100_000, 100_000);
  redis.disconnect();
  await stopAll([host, server]);
  return [small, large, all];
}

/** The line of INFO commandstats that tells of scripts: `cmdstat_evalsha:calls=…,usec=…,usec_per_call=…,…`. */
export function scriptCost(commandStats: string): { usecPerCall: number; calls: number } {
  const line = /^cmdstat_(?:evalsha|fcall|eval):calls=(\d+),usec=\d+,usec_per_call=([\d.]+)/m.exec(commandStats);
  return { calls: Number(line?.[1] ?? 0), usecPerCall: Number(line?.[2] ?? Number.NaN) };
}

async function stopAll(servers: readonly (Server | undefined)[]): Promise<void> {
  for (const server of servers) if (server !== undefined) await kill(server.running);
}
