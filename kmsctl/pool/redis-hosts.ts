// SPDX-License-Identifier: Apache-2.0
//
// Each host of a pool as a process of its own, on one table in Redis. A host that dies is reported and started again.

import { join } from 'node:path';
import type { HostRedisConfig } from '@kmspool/crds';
import { type HostProcess, superviseHost } from './host-process.ts';
import { endpointOf, type HostSet, type HostSetOptions, localHostConfig } from './host-set.ts';
import type { RedisTarget } from './redis-url.ts';

const CREDENTIALS_DIR = 'redis';

/** Starts the processes; whether they serve is for the caller to ask. */
export function startRedisHosts(options: HostSetOptions, redis: RedisTarget): HostSet {
  const { places, state, logLevel, report } = options;
  const store: HostRedisConfig = { kind: 'redis', url: redis.url, onLoss: 'LastKnown', maxStaleSeconds: 3600 };
  const credentials = writeCredentials(options, redis);
  const supervised = places.map((place) => {
    const config = localHostConfig(options, place, store);
    const flags = [
      ...['--config', state.writePrivate(`${config.host.name}.json`, JSON.stringify(config, null, 2))],
      ...['--key-file', state.keyFile, '--admin-token-file', state.adminTokenFile],
      ...['--listen', place.address, '--http', `${place.address}:${place.httpPort}`, '--log-level', logLevel],
      ...credentials,
    ];
    const host: HostProcess = superviseHost({ name: config.host.name, flags, report });
    return { host, endpoint: endpointOf(config, place) };
  });
  return {
    hosts: supervised.map(({ endpoint }) => endpoint),
    stop: async () => void (await Promise.all(supervised.map(({ host }) => host.stop()))),
    kill: () => {
      for (const { host } of supervised) host.kill();
    },
    startFailure: () => supervised.map(({ host }) => host.startFailure()).find((line) => line !== undefined),
  };
}

/** A user and password of the URL reach a host as files, not as flags that everybody on the machine can read. */
function writeCredentials({ state }: HostSetOptions, { username, password }: RedisTarget): string[] {
  if (password === undefined) return [];
  const dir = state.makePrivateDir(CREDENTIALS_DIR);
  state.writePrivate(join(CREDENTIALS_DIR, 'password'), password);
  state.writePrivate(join(CREDENTIALS_DIR, 'username'), username ?? 'default');
  return ['--credentials-dir', dir];
}
