// SPDX-License-Identifier: Apache-2.0
//
// The servers that are measured, each a process: the canned server, KMS hosts from the bundle with either store, and the
// redis-server behind them. Each start resolves when the server answers.

import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { API_VERSION, HOST_CONFIG_KIND } from '@kmspool/crds';
import { hostKeysForEverything } from '@kmspool/kms/catalog';
import { HOST_NODE_FLAGS } from '@kmspool/kms-node';
import { answers, freePort, type Processes, type Running, start, waitUntil } from './processes.ts';
import { BIND } from './requests.ts';

/** The machine's two cores: one for the server that is measured, the other for the load generator and Redis. */
export const SERVER_CORE = 0;
export const LOAD_CORE = 1;

/** Names of the stores that a host can have. */
export type StoreKind = 'memory' | 'redis';

/** What all starts need. */
export interface Workbench {
  readonly processes: Processes;
  readonly folder: string;
  readonly keyFile: string;
  readonly adminTokenFile: string;
  /** The host's program: its bundle. */
  readonly hostProgram: string;
  /** The load generator's fast engine; undefined without a C compiler. */
  readonly engine: string | undefined;
}

/** A server under load. */
export interface Server {
  readonly running: Running;
  readonly port: number;
}

/** A KMS host; `http` is the base URL of its metrics and probes. */
export interface Host extends Server {
  readonly http: string;
}

/** A folder of its own with a fresh pool key and admin token; `removeWorkbench` deletes it. */
export function createWorkbench(processes: Processes, programs: Pick<Workbench, 'hostProgram' | 'engine'>): Workbench {
  const folder = mkdtempSync(join(tmpdir(), 'kmspool-bench-'));
  const keyFile = join(folder, 'pool.key');
  const adminTokenFile = join(folder, 'admin.token');
  writeFileSync(keyFile, randomBytes(32), { mode: 0o600 });
  writeFileSync(adminTokenFile, randomBytes(24).toString('hex'), { mode: 0o600 });
  return { processes, folder, keyFile, adminTokenFile, ...programs };
}

/** Deletes the workbench's folder. */
export function removeWorkbench(bench: Workbench): void {
  rmSync(bench.folder, { recursive: true, force: true });
}

/** The ceiling. */
export async function startCanned(bench: Workbench): Promise<Server> {
  const port = await freePort();
  const program = join(import.meta.dirname, 'canned-server.ts');
  const running = start(bench.processes, nodeOnServerCore('canned server', [program, String(port)]));
  await waitUntil(running, () => answers(port, BIND));
  return { running, port };
}

/** A redis-server without persistence on the generator's core. */
export async function startRedis(bench: Workbench): Promise<Server> {
  const port = await freePort();
  const settings = {
    port: String(port),
    bind: '127.0.0.1',
    save: '',
    appendonly: 'no',
    dir: bench.folder,
    daemonize: 'no',
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  const running = start(bench.processes, { name: 'redis-server', core: LOAD_CORE, command: 'redis-server', args });
  await waitUntil(running, () => answers(port, Buffer.from('PING\r\n')));
  return { running, port };
}

/** Starts a host and waits until it answers a bind. `redisPort` gives it that Redis for a store; without, memory. */
export async function startHost(bench: Workbench, redisPort?: number): Promise<Host> {
  const host = await spawnHost(bench, redisPort);
  await waitUntil(host.running, () => answers(host.port, BIND));
  await waitUntil(host.running, () => isReady(host));
  await assertStore(host, redisPort === undefined ? 'memory' : 'redis');
  return host;
}

/** A row must not carry the name of a store that the host does not have. */
async function assertStore(host: Host, wanted: StoreKind): Promise<void> {
  const response = await fetch(`${host.http}/status`);
  const status = (await response.json()) as { store?: { kind?: string } };
  const kind = status.store?.kind;
  if (kind !== wanted) throw new Error(`${host.running.name}: its /status says store ${kind}, not ${wanted}`);
}

/** Starts a host and does not wait. */
export async function spawnHost(bench: Workbench, redisPort?: number): Promise<Host> {
  const port = await freePort();
  const httpPort = await freePort();
  const configFile = join(bench.folder, `host-${port}.json`);
  writeFileSync(configFile, JSON.stringify(hostConfig(port, redisPort), undefined, 2));
  const running = start(
    bench.processes,
    nodeOnServerCore(redisPort === undefined ? 'host with memory' : 'host with Redis', [
      bench.hostProgram,
      ...['--config', configFile],
      ...['--key-file', bench.keyFile],
      ...['--admin-token-file', bench.adminTokenFile],
      ...['--listen', '127.0.0.1'],
      ...['--http', `127.0.0.1:${httpPort}`],
    ]),
  );
  return { running, port, http: `http://127.0.0.1:${httpPort}` };
}

/** Whether /readyz says 200. */
export async function isReady(host: Host): Promise<boolean> {
  try {
    const response = await fetch(`${host.http}/readyz`);
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    return false;
  }
}

/** Every server runs with the flags that the image uses, the canned one too. */
function nodeOnServerCore(name: string, args: readonly string[]): Parameters<typeof start>[1] {
  return { name, core: SERVER_CORE, command: process.execPath, args: [...HOST_NODE_FLAGS, ...args] };
}

function hostConfig(port: number, redisPort: number | undefined): object {
  const store =
    redisPort === undefined ? { kind: 'memory' } : { kind: 'redis', url: `redis://127.0.0.1:${redisPort}/0` };
  return {
    apiVersion: API_VERSION,
    kind: HOST_CONFIG_KIND,
    pool: { name: 'bench', namespace: 'default' },
    host: { name: 'bench-0', ordinal: 0 },
    port,
    hostKeys: hostKeysForEverything(),
    store,
    domains: ['lab.example'],
    allowedSources: ['127.0.0.0/8'],
    limits: { connections: 2000, connectionsPerSource: 0 },
  };
}
