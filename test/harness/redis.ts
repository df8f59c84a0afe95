// SPDX-License-Identifier: Apache-2.0
/**
 * Real Redis servers for tests: one, a Sentinel group, a cluster; each on free loopback ports, with its files in a temporary folder, ended with the test.
 * A test that needs a binary that is not installed is skipped, with its name as the reason.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { range } from './contacts.ts';
import { waitFor } from './wait.ts';

/** Why tests with this binary cannot run, for node:test's `skip`; false if they can. */
export function missingBinary(name: 'redis-server' | 'redis-sentinel'): string | false {
  const found = spawnSync(name, ['--version']).status === 0;
  return found ? false : `${name} is not installed (Debian: apt-get install ${name})`;
}

export interface RedisServer {
  readonly port: number;
  readonly url: string;
  readonly pid: number;
  /** A client of the test's own, with the default user. */
  readonly client: Redis;
  /** kill -9, and wait until it is gone. */
  kill(): Promise<void>;
  /** SIGSTOP: it accepts connections and answers nothing. */
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

export interface ServerOptions {
  /** Lines of redis.conf. */
  readonly config?: readonly string[];
  readonly port?: number;
  readonly password?: string;
}

/** A server without persistence, ready to answer. */
export async function startRedis(options: ServerOptions = {}): Promise<RedisServer> {
  const directory = await mkdtemp(join(tmpdir(), 'kmspool-redis-'));
  const port = options.port ?? (await freePort());
  const file = join(directory, 'redis.conf');
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    'save ""',
    'appendonly no',
    'repl-diskless-sync-delay 0',
    `dir ${directory}`,
    ...(options.config ?? []),
  ];
  await writeFile(file, `${lines.join('\n')}\n`);
  return started({
    command: 'redis-server',
    file,
    directory,
    port,
    ...(options.password ? { password: options.password } : {}),
  });
}

interface Start {
  readonly command: string;
  readonly file: string;
  readonly directory: string;
  readonly port: number;
  readonly password?: string;
}

// A Cluster is more servers, each ended at exit, than Node takes for normal.
process.setMaxListeners(40);

async function started(start: Start): Promise<RedisServer> {
  const child = spawn(start.command, [start.file], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk) => (output = (output + chunk).slice(-2000)));
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const killAtExit = (): void => {
    child.kill('SIGKILL');
    rmSync(start.directory, { recursive: true, force: true });
  };
  process.once('exit', killAtExit);
  const client = new Redis(start.port, '127.0.0.1', {
    lazyConnect: true,
    retryStrategy: () => 50,
    ...(start.password ? { password: start.password } : {}),
  });
  client.on('error', () => undefined);
  await waitFor(`${start.command} on ${start.port}`, () => listens(start.port, child, () => output));
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await gone;
  };
  return {
    port: start.port,
    url: `redis://127.0.0.1:${start.port}`,
    pid: child.pid ?? 0,
    client,
    kill,
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    async stop() {
      client.disconnect();
      await kill();
      process.removeListener('exit', killAtExit);
      await rm(start.directory, { recursive: true, force: true });
    },
  };
}

function listens(port: number, child: ChildProcess, output: () => string): Promise<boolean> {
  if (child.exitCode !== null) throw new Error(`the server on ${port} ended: ${output()}`);
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

export interface SentinelGroup {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly master: RedisServer;
  readonly replica: RedisServer;
  /** From now on the replica receives nothing, while the master goes on to acknowledge writes. */
  stopReplication(): Promise<void>;
  stop(): Promise<void>;
}

/** A master, a replica and three Sentinels that act after half a second. The replica follows as a user of its own. */
export async function startSentinelGroup(): Promise<SentinelGroup> {
  const name = 'kms';
  const master = await startRedis({ config: ['user follower on >secret +psync +replconf +ping'] });
  const following = [`replicaof 127.0.0.1 ${master.port}`, 'masteruser follower', 'masterauth secret'];
  const replica = await startRedis({ config: following });
  const linkIs = async (status: 'up' | 'down'): Promise<boolean> =>
    (await replica.client.info('replication')).includes(`master_link_status:${status}`);
  await waitFor('the replica to follow', () => linkIs('up'));
  const sentinels = await Promise.all([1, 2, 3].map(() => startSentinel(name, master.port)));
  const stop = async (): Promise<void> => {
    await Promise.all([...sentinels, master, replica].map((server) => server.stop()));
  };
  const stopReplication = async (): Promise<void> => {
    await master.client.call('ACL', 'SETUSER', 'follower', 'off');
    await master.client.call('CLIENT', 'KILL', 'TYPE', 'replica');
    await waitFor('the replica to lose its master', () => linkIs('down'));
  };
  try {
    await waitFor('the Sentinels to know one another', async () => {
      const known = await Promise.all(sentinels.map((sentinel) => sentinel.client.info('sentinel')));
      return known.every((info) => info.includes('status=ok') && info.includes('slaves=1,sentinels=3'));
    });
  } catch (error) {
    await stop();
    throw error;
  }
  const addresses = sentinels.map((sentinel) => `127.0.0.1:${sentinel.port}`);
  return { name, addresses, master, replica, stopReplication, stop };
}

async function startSentinel(name: string, masterPort: number): Promise<RedisServer> {
  const directory = await mkdtemp(join(tmpdir(), 'kmspool-sentinel-'));
  const port = await freePort();
  const file = join(directory, 'sentinel.conf');
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${directory}`,
    `sentinel monitor ${name} 127.0.0.1 ${masterPort} 2`,
    `sentinel down-after-milliseconds ${name} 500`,
    `sentinel failover-timeout ${name} 3000`,
  ];
  await writeFile(file, `${lines.join('\n')}\n`);
  return started({ command: 'redis-sentinel', file, directory, port });
}

export interface RedisClusterNodes {
  readonly addresses: readonly string[];
  readonly nodes: readonly RedisServer[];
  stop(): Promise<void>;
}

/** Three masters with a third of the slots each, and one replica of each if `replicas` is set. */
export async function startRedisCluster(options: { readonly replicas?: boolean } = {}): Promise<RedisClusterNodes> {
  const nodes = await Promise.all(range(1, options.replicas ? 6 : 3).map(startClusterNode));
  const stop = async (): Promise<void> => void (await Promise.all(nodes.map((node) => node.stop())));
  try {
    await formCluster(nodes.slice(0, 3), nodes);
    await replicate(nodes.slice(0, 3), nodes.slice(3));
  } catch (error) {
    await stop();
    throw error;
  }
  return { addresses: nodes.slice(0, 3).map((node) => `127.0.0.1:${node.port}`), nodes, stop };
}

interface ClusterNode extends RedisServer {
  readonly busPort: number;
}

async function startClusterNode(): Promise<ClusterNode> {
  const busPort = await freePort();
  const config = ['cluster-enabled yes', 'cluster-node-timeout 1000', `cluster-port ${busPort}`];
  return { ...(await startRedis({ config })), busPort };
}

async function formCluster(masters: readonly ClusterNode[], nodes: readonly ClusterNode[]): Promise<void> {
  for (const [index, master] of masters.entries()) {
    const first = Math.floor((16384 * index) / masters.length);
    const last = Math.floor((16384 * (index + 1)) / masters.length) - 1;
    await master.client.call('CLUSTER', 'ADDSLOTSRANGE', first, last);
    await master.client.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
  }
  const [seed, ...others] = nodes;
  if (seed === undefined) throw new RangeError('a cluster needs nodes');
  for (const node of others) await node.client.call('CLUSTER', 'MEET', '127.0.0.1', seed.port, seed.busPort);
  await waitFor('the cluster to form', async () => {
    const infos = await Promise.all(nodes.map((node) => node.client.cluster('INFO')));
    const formed = `cluster_known_nodes:${nodes.length}`;
    return infos.every((info) => info.includes('cluster_state:ok') && info.includes(formed));
  });
}

async function replicate(masters: readonly ClusterNode[], replicas: readonly ClusterNode[]): Promise<void> {
  for (const [index, replica] of replicas.entries()) {
    const id = await masters[index]?.client.cluster('MYID');
    await replica.client.call('CLUSTER', 'REPLICATE', String(id));
  }
  await waitFor('the replicas to follow', async () => {
    const infos = await Promise.all(replicas.map((node) => node.client.info('replication')));
    return infos.every((info) => info.includes('master_link_status:up'));
  });
}
