// SPDX-License-Identifier: Apache-2.0
/**
 * etcd as a process, on a socket in the control plane's folder: no port to take, and nobody else's etcd to meet.
 */
import { request } from 'node:http';
import { join } from 'node:path';
import { type ServerProcess, startServer } from './server-process.ts';
import { toolPath } from './tools.ts';

/** Path of the socket. */
export function etcdSocket(directory: string): string {
  return join(directory, 'etcd.sock');
}

/** Starts etcd, without waiting for it: the API server does. Data are not flushed to the disk. */
export function startEtcd(directory: string): ServerProcess {
  const client = `unix://${etcdSocket(directory)}`;
  const peer = `unix://${join(directory, 'peer.sock')}`;
  return startServer({
    command: toolPath('etcd'),
    args: [
      `--data-dir=${join(directory, 'etcd')}`,
      ...[`--listen-client-urls=${client}`, `--advertise-client-urls=${client}`],
      ...[`--listen-peer-urls=${peer}`, `--initial-advertise-peer-urls=${peer}`, `--initial-cluster=default=${peer}`],
      ...['--unsafe-no-fsync', '--log-level=warn'],
    ],
    logFile: join(directory, 'etcd.log'),
  });
}

/** Lets etcd forget all versions of objects but the newest ones. */
export async function compact(socketPath: string): Promise<void> {
  const status = await ask<{ header: { revision: string } }>(socketPath, '/v3/maintenance/status', {});
  await ask(socketPath, '/v3/kv/compaction', { revision: status.header.revision, physical: true });
}

/** etcd's JSON gateway. Numbers of 64 bits are texts there. */
function ask<T>(socketPath: string, path: string, body: object): Promise<T> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path, method: 'POST', timeout: 10_000 }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.once('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        if (answer.statusCode === 200) resolve(JSON.parse(text) as T);
        else reject(new Error(`etcd ${path}: ${answer.statusCode} ${text}`));
      });
    });
    asked.once('timeout', () => asked.destroy(new Error(`etcd ${path}: no answer`)));
    asked.once('error', reject);
    asked.end(JSON.stringify(body));
  });
}
