// SPDX-License-Identifier: Apache-2.0
//
// Which pool a user means: the argument and the flags of a verb, to a PoolSource. Explicit wins; then a pool that runs on this machine; then the cluster.

import { UserError } from '@kmspool/crds';
import type { Command } from 'commander';
import { Option } from 'commander';
import type { Io } from '../cli/io.ts';
import { stateOption, timeout } from '../cli/options.ts';
import { type RunningEndpoints, readEndpoints, runningPools } from '../pool/endpoints.ts';
import { clusterSource, findPool, onlyPool } from './cluster.ts';
import { KubeApi } from './kube-api.ts';
import { type ClusterFlags, hasCluster, openAccess } from './kubeconfig.ts';
import { localSource, urlSource } from './local.ts';
import type { PoolSource } from './source.ts';

export interface SourceFlags extends ClusterFlags {
  readonly state?: string;
  readonly tokenFile?: string;
  readonly timeout: number;
}

/** For the help of every verb that takes a POOL. */
export const POOL_HELP = `
POOL is a name: of a pool that kmsctl up runs on this machine, else of a
KmsHostPool in the cluster. Without it the only one there is is meant. --state
or a host's URL (http://127.0.16.1:8080) means this machine; -n, --context and
--kubeconfig mean the cluster. In a cluster a host is asked through a forwarded
port, with the admin token of the Secret POOL-admin: who may read that Secret
may see the names of machines.`;

/** Adds the flags that say where the pool is. */
export function addSourceOptions(command: Command): Command {
  return command
    .addOption(stateOption())
    .option('-n, --namespace <name>', "namespace of the KmsHostPool (default: the context's)")
    .option('--context <name>', 'context of the kubeconfig')
    .option('--kubeconfig <file>', 'kubeconfig (default: KUBECONFIG, else ~/.kube/config)')
    .addOption(new Option('--token-file <file>', 'file with the admin token, for a host named by its URL'))
    .option('--timeout <time>', 'how long to wait for an answer, such as 500ms or 5s', timeout, 5_000);
}

export interface Chosen {
  readonly source: PoolSource;
  /** The user named one of its hosts. */
  readonly host?: string;
}

/** Runs `use` on the pool that was meant and lets go of it. @throws UserError when it cannot be told or found. */
export async function withPool<T>(
  name: string | undefined,
  { flags, io }: { readonly flags: SourceFlags; readonly io: Io },
  use: (source: PoolSource, host: string | undefined) => Promise<T>,
): Promise<T> {
  const { source, host } = await choosePool(name, flags, io);
  try {
    return await use(source, host);
  } finally {
    source.close();
  }
}

/** @throws UserError in one line. */
export async function choosePool(name: string | undefined, flags: SourceFlags, io: Io): Promise<Chosen> {
  const local = { timeoutMs: flags.timeout, ...(flags.tokenFile && { tokenFile: io.path(flags.tokenFile) }) };
  if (name?.includes('://') === true) return { source: urlSource(httpUrl(name), local) };
  if (flags.state !== undefined) {
    const dir = io.path(flags.state);
    return named(name, [{ ...readEndpoints(dir), dir }], local) ?? noSuch(name, flags.state, readEndpoints(dir).hosts);
  }
  if (!wantsCluster(flags)) {
    const found = named(name, runningPools(io), local);
    if (found !== undefined) return found;
    if (!hasCluster(flags, io)) return nothing(name, runningPools(io));
  }
  return inCluster(name, flags, io);
}

function wantsCluster({ namespace, context, kubeconfig }: ClusterFlags): boolean {
  return [namespace, context, kubeconfig].some((flag) => flag !== undefined);
}

/** The pool of that name, or the pool of the host of that name. */
function named(
  name: string | undefined,
  pools: readonly RunningEndpoints[],
  options: Parameters<typeof localSource>[2],
): Chosen | undefined {
  const sourceOf = (pool: RunningEndpoints): PoolSource => localSource(pool, pool.dir, options);
  if (name === undefined) {
    const [only, ...others] = pools;
    if (only === undefined) return undefined;
    if (others.length === 0) return { source: sourceOf(only) };
    throw new UserError(
      `several pools run; name one of ${pools.map(({ pool }) => pool).join(', ')}, or its folder with --state`,
    );
  }
  const same = pools.filter(({ pool }) => pool === name);
  if (same.length > 1)
    throw new UserError(
      `several pools of the name ${name} run; choose one with --state: ${same.map(({ dir }) => dir).join(', ')}`,
    );
  const [pool] = same;
  if (pool !== undefined) return { source: sourceOf(pool) };
  const withHost = pools.find(({ hosts }) => hosts.some((host) => host.name === name));
  return withHost && { source: sourceOf(withHost), host: name };
}

function noSuch(name: string | undefined, state: string, hosts: readonly { readonly name: string }[]): never {
  const names = hosts.map((host) => host.name).join(', ');
  throw new UserError(
    `--state ${state} is of another pool, and the pool has no host ${name ?? ''}; use one of ${names}, or a URL such as http://127.0.16.1:8080`,
  );
}

function nothing(name: string | undefined, pools: readonly RunningEndpoints[]): never {
  if (pools.length === 0)
    throw new UserError(
      'no pool runs on this machine; start one with kmsctl up, name its folder with --state, or a cluster with --kubeconfig (there is no kubeconfig either)',
    );
  const hosts = pools.flatMap((pool) => pool.hosts.map((host) => host.name));
  throw new UserError(
    `there is no pool ${name ?? ''} on this machine and no kubeconfig, and no host ${name ?? ''}; use one of ${hosts.join(', ')} of ${pools.map(({ pool }) => pool).join(', ')}, or a URL such as http://127.0.16.1:8080`,
  );
}

async function inCluster(name: string | undefined, flags: SourceFlags, io: Io): Promise<Chosen> {
  const api = new KubeApi(await openAccess(flags, io), flags.timeout);
  try {
    if (name === undefined)
      return { source: await clusterSource({ api, object: await onlyPool(api), timeoutMs: flags.timeout }) };
    const hostOf = /^(.+)-\d+$/.exec(name)?.[1];
    const pool = await findPool(api, name).catch(async (error: unknown) => {
      if (hostOf === undefined) throw error;
      return findPool(api, hostOf).catch(() => {
        throw error;
      });
    });
    const source = await clusterSource({ api, object: pool, timeoutMs: flags.timeout });
    return pool.metadata.name === name ? { source } : { source, host: name };
  } catch (error) {
    api.close();
    throw error;
  }
}

function httpUrl(text: string): string {
  const url = URL.parse(text);
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return text.replace(/\/(status\/?)?$/, '');
  throw new UserError(`${text} is not a URL of a host; write http://ADDRESS:PORT`);
}
