// SPDX-License-Identifier: Apache-2.0
//
// A pool on this machine, from the manifest to endpoints.json and back: places -> state -> hosts -> DNS -> ready -> published.

import { type KmsHostPool, UserError } from '@kmspool/crds';
import { derivePoolKeys, poolIdText } from '@kmspool/kms/wire';
import { type DnsServer, startDnsServer } from '../dns/dns-server.ts';
import { buildZones, type Zone } from '../dns/zone.ts';
import type { Endpoints } from './endpoints.ts';
import type { HostSet, LogLevel } from './host-set.ts';
import { startMemoryHosts } from './memory-hosts.ts';
import { codeOf } from './pool-file.ts';
import { type HostPlace, placeHosts } from './ports.ts';
import { startRedisHosts } from './redis-hosts.ts';
import { checkReachable, type RedisTarget } from './redis-url.ts';
import { openState, type PoolState } from './state-dir.ts';

const DNS_ADDRESS = '127.0.0.1';
/** Taken if it is free, so that commands can be typed again after a restart. */
const DNS_PORT = 10_053;
const PLACE_TRIES = 5;
const READY_MS = 15_000;
const ASK_AGAIN_MS = 50;
const PROBE_MS = 2_000;

export interface RunOptions {
  readonly pool: KmsHostPool;
  readonly stateDir: string;
  readonly keyFile?: string | undefined;
  /** Instead of the manifest's; 0 takes a free one. */
  readonly port?: number | undefined;
  /** Take a free port when the wanted one is in use. */
  readonly orFreePort?: boolean;
  /** Without it the table is in memory. */
  readonly redis?: RedisTarget | undefined;
  readonly logLevel: LogLevel;
  readonly drainSeconds?: number | undefined;
  /** Lines for the user, without a line end. */
  readonly report: (line: string) => void;
  /** Gives up while the hosts are starting. */
  readonly abort?: AbortSignal;
}

export interface RunningPool {
  readonly pool: KmsHostPool;
  readonly endpoints: Endpoints;
  readonly stateDir: string;
  /** The Secret. */
  readonly secret: Buffer;
  readonly zones: readonly Zone[];
  /** Withdraws endpoints.json, drains the hosts, ends DNS. */
  stop(): Promise<void>;
  /** Ends what would outlive this process. */
  kill(): void;
}

/** Runs a pool. Resolves when all hosts are ready and endpoints.json is in place; rejects with a UserError for what the user can mend. */
export async function runPool(options: RunOptions): Promise<RunningPool> {
  const { pool, stateDir, keyFile } = options;
  if (options.redis !== undefined) await checkReachable(options.redis);
  const state = openState({ dir: stateDir, keyFile });
  const reports = heldReports(options.report);
  const undo: (() => Promise<void> | void)[] = [() => state.release()];
  try {
    const poolId = poolIdText(derivePoolKeys(state.secret).poolId);
    const { hosts, places } = await startHosts({ ...options, report: reports.report }, poolId, state);
    undo.unshift(() => {
      hosts.kill();
      return hosts.stop();
    });
    const zones = zonesOf(pool, places);
    const dns = await startDns(zones);
    undo.unshift(() => dns.close());
    const hint = options.redis === undefined ? '' : '; check that --redis is right and that Redis runs';
    await allReady(hosts, options.abort, () => `${reports.last()}${hint}`);
    reports.release();
    const endpoints = endpointsOf({ pool, uid: poolId, state, hosts, dns });
    state.publish(endpoints);
    const stop = async (): Promise<void> => {
      state.withdraw();
      await hosts.stop();
      await dns.close();
      state.release();
    };
    const kill = (): void => {
      state.withdraw();
      hosts.kill();
      state.release();
    };
    return { pool, endpoints, stateDir: state.dir, secret: state.secret, zones, stop, kill };
  } catch (error) {
    for (const step of undo) await step();
    throw error;
  }
}

interface Started {
  readonly hosts: HostSet;
  readonly places: readonly HostPlace[];
}

/** A port that was free when we looked may be taken when a host listens; then other places are looked for, or it is told. */
async function startHosts(options: RunOptions, poolId: string, state: PoolState): Promise<Started> {
  const { pool, logLevel, drainSeconds, report, redis } = options;
  const wish = {
    replicas: pool.spec.replicas,
    port: options.port ?? pool.spec.port,
    orFree: options.orFreePort ?? false,
  };
  for (let tries = 1; ; tries++) {
    const places = await placeHosts(wish);
    const settings = { pool, logLevel, drainSeconds, report, poolId, places, state };
    try {
      const hosts = redis === undefined ? await startMemoryHosts(settings) : startRedisHosts(settings, redis);
      return { hosts, places };
    } catch (error) {
      if (tries >= PLACE_TRIES || !(error instanceof UserError) || !error.message.includes(' in use')) throw error;
    }
  }
}

function zonesOf({ metadata, spec }: KmsHostPool, places: readonly HostPlace[]): Zone[] {
  return buildZones({
    pool: metadata.name,
    namespace: metadata.namespace ?? 'default',
    domains: spec.dns.domains,
    hosts: places.map(({ ordinal, address, port }) => ({ ordinal, port, addresses: [address] })),
    nameserverAddress: DNS_ADDRESS,
    serial: Math.floor(Date.now() / 1000),
  });
}

async function startDns(zones: readonly Zone[]): Promise<DnsServer> {
  try {
    return await startDnsServer({ address: DNS_ADDRESS, port: DNS_PORT, zones });
  } catch (error) {
    if (codeOf(error) !== 'EADDRINUSE') throw error;
    return startDnsServer({ address: DNS_ADDRESS, port: 0, zones });
  }
}

/** Asks every host until it is ready. Throws a UserError with the host's own reason when one cannot start or takes too long. */
async function allReady(hosts: HostSet, abort: AbortSignal | undefined, more: () => string): Promise<void> {
  const deadline = performance.now() + READY_MS;
  for (const { name, http } of hosts.hosts) {
    for (;;) {
      const reason = await notReady(http);
      if (reason === undefined) break;
      const failure = hosts.startFailure();
      if (failure !== undefined) throw new UserError(failure);
      if (abort?.aborted === true) throw new UserError(`interrupted before all hosts were ready; ${name}: ${reason}`);
      if (performance.now() > deadline)
        throw new UserError(`${name} is not ready after ${READY_MS / 1000} s: ${reason}${more()}`);
      await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
    }
  }
}

/** While the hosts start, what they report is kept back: if they cannot, the user gets one line that says why. */
function heldReports(report: (line: string) => void): {
  report: (line: string) => void;
  last: () => string;
  release: () => void;
} {
  let held: string[] | undefined = [];
  return {
    report: (line) => {
      if (held === undefined) report(line);
      else held.push(line);
    },
    last: () => (held?.at(-1) === undefined ? '' : ` (${held.at(-1)})`),
    release: () => {
      const lines = held ?? [];
      held = undefined;
      for (const line of lines) report(line);
    },
  };
}

async function notReady(http: string): Promise<string | undefined> {
  try {
    const answer = await fetch(`${http}/readyz`, {
      signal: AbortSignal.timeout(PROBE_MS),
      headers: { connection: 'close' },
    });
    const text = await answer.text();
    return answer.status === 200 ? undefined : text.trim().split('\n').join('; ');
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return `${http} does not answer (${cause instanceof Error ? cause.message : String(cause)})`;
  }
}

interface Parts {
  readonly pool: KmsHostPool;
  readonly uid: string;
  readonly state: PoolState;
  readonly hosts: HostSet;
  readonly dns: DnsServer;
}

function endpointsOf({ pool, uid, state, hosts, dns }: Parts): Endpoints {
  return {
    pool: pool.metadata.name,
    uid,
    keyFile: state.keyFile,
    adminTokenFile: state.adminTokenFile,
    hosts: hosts.hosts,
    dns: { address: dns.address, port: dns.port },
    domains: pool.spec.dns.domains.map(({ name }) => name),
  };
}
