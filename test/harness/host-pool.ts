// SPDX-License-Identifier: Apache-2.0
/** Several hosts of one pool, each a process of its own, over one store. */
import type { HostStatus } from '@kmspool/crds';
import { type HostFiles, type HostProcess, hostFiles, startHostProcess } from './host.ts';
import type { Endpoint } from './load.ts';
import { waitFor } from './wait.ts';

export interface HostPool {
  readonly hosts: readonly HostProcess[];
  readonly endpoints: readonly Endpoint[];
  /** `GET /status` of host n. */
  status(host: number): Promise<HostStatus>;
  /** Resolves when the host says that it is ready, or is not. */
  readiness(host: number, ready: boolean, timeoutMs?: number): Promise<void>;
  stop(): Promise<void>;
}

/** Starts `count` hosts over the store that `store` describes (HostConfig's field), and waits until all are ready. */
export async function startHostPool(count: number, store: object): Promise<HostPool> {
  const files: HostFiles[] = [];
  const hosts: HostProcess[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(hosts.map((host) => host.exit('SIGKILL')));
    for (const each of files) each.remove();
  };
  const ready = async (host: HostProcess): Promise<boolean> => {
    const response = await fetch(`${host.httpUrl}/readyz`).catch(() => undefined);
    await response?.arrayBuffer();
    return response?.status === 200;
  };
  try {
    for (let ordinal = 0; ordinal < count; ordinal++) {
      const limits = { connectionsPerSource: 0, drainSeconds: 15 };
      files.push(hostFiles({ host: { name: `campus-${ordinal}`, ordinal }, store, limits }));
    }
    hosts.push(...(await Promise.all(files.map((each) => startHostProcess(each, '--log-level', 'info')))));
    for (const host of hosts) await waitFor('the host to be ready', () => ready(host), 20_000);
  } catch (error) {
    await stop();
    throw error;
  }
  const at = (host: number): HostProcess => {
    const found = hosts[host];
    if (found === undefined) throw new RangeError(`no host ${host}`);
    return found;
  };
  return {
    hosts,
    endpoints: hosts.map(({ port }) => ({ address: '127.0.0.1', port })),
    status: async (host) => (await (await fetch(`${at(host).httpUrl}/status`)).json()) as HostStatus,
    readiness: (host, wanted, timeoutMs = 20_000) =>
      waitFor(
        `host ${host} to be ${wanted ? '' : 'not '}ready`,
        async () => (await ready(at(host))) === wanted,
        timeoutMs,
      ),
    stop,
  };
}
