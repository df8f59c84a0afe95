// SPDX-License-Identifier: Apache-2.0
//
// All hosts of a pool in this process, on one table in memory.

import { createMemoryStore, type RunningHost, startHost } from '@kmspool/kms-node';
import { pino } from 'pino';
import { endpointOf, type HostSet, type HostSetOptions, localHostConfig } from './host-set.ts';

/** Starts the hosts one after the other. Rejects with a UserError when one cannot listen; those before it are ended then. */
export async function startMemoryHosts(options: HostSetOptions): Promise<HostSet> {
  const { pool, places, state, logLevel } = options;
  const { secret, adminToken } = state;
  const configs = places.map((place) => ({ place, config: localHostConfig(options, place, { kind: 'memory' }) }));
  const { limits } = pool.spec;
  const retention = configs[0]?.config.retention ?? { clients: 0, events: 0 };
  const store = createMemoryStore({ settings: { maxRequiredCount: limits.maxRequiredCount, retention } });
  const logger = pino({ level: logLevel }, pino.destination({ fd: 2, sync: true }));
  const running: RunningHost[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(running.map((host) => host.stop()));
    await store.close(0);
  };
  try {
    for (const { place, config } of configs) {
      const http = { address: place.address, port: place.httpPort };
      const named = logger.child({ pool: config.pool.name, host: config.host.name });
      const shared = { store, storeIsShared: true, secret, adminToken, logger: named };
      running.push(await startHost({ config, listenAddress: place.address, http, ...shared }));
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    hosts: configs.map(({ place, config }) => endpointOf(config, place)),
    stop,
    // They end with the process.
    kill: () => undefined,
    startFailure: () => undefined,
  };
}
