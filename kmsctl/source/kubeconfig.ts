// SPDX-License-Identifier: Apache-2.0
//
// From a kubeconfig to the API server of its context. @kubernetes/client-node reads files, runs exec plugins and knows TLS; it takes half a second to load, so
// that only verbs that go to a cluster load it, and only its KubeConfig and WebSocketHandler are used.

import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { UserError } from '@kmspool/crds';
import type { KubeConfig } from '@kubernetes/client-node';
import type { Io } from '../cli/io.ts';
import { causeOf } from './http-call.ts';

export interface ClusterFlags {
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
  readonly namespace?: string | undefined;
}

export interface ClusterAccess {
  readonly config: KubeConfig;
  readonly server: URL;
  /** Name of the context, for texts. */
  readonly context: string;
  /** `--namespace`, else the context's, else default. */
  readonly namespace: string;
}

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/** The kubeconfig files: `--kubeconfig`, else KUBECONFIG (several), else ~/.kube/config if it is there. Empty: none. */
export function kubeconfigFiles(flags: ClusterFlags, io: Io): readonly string[] {
  if (flags.kubeconfig !== undefined) return [io.path(flags.kubeconfig)];
  const named = (io.env['KUBECONFIG'] ?? '').split(delimiter).filter((file) => file !== '');
  if (named.length > 0) return named;
  const usual = join(io.env['HOME'] ?? homedir(), '.kube', 'config');
  return existsSync(usual) ? [usual] : [];
}

/** There is something that says where an API server is. */
export function hasCluster(flags: ClusterFlags, io: Io): boolean {
  return kubeconfigFiles(flags, io).length > 0 || inPod(io);
}

/** Reads the kubeconfig. @throws UserError that names the file and the remedy. */
export async function openAccess(flags: ClusterFlags, io: Io): Promise<ClusterAccess> {
  const files = kubeconfigFiles(flags, io);
  if (files.length === 0 && !inPod(io)) {
    throw new UserError(
      'no cluster to ask: give --kubeconfig FILE, set KUBECONFIG, or write ~/.kube/config; a pool of this machine is started with kmsctl up',
    );
  }
  const { KubeConfig: Reader } = await import('@kubernetes/client-node');
  const config = files.length === 0 ? podConfig(new Reader()) : readFiles(files, () => new Reader());
  if (flags.context !== undefined) selectContext(config, flags.context);
  return accessOf(config, flags);
}

function accessOf(config: KubeConfig, flags: ClusterFlags): ClusterAccess {
  const context = config.getCurrentContext();
  if (!context) throw new UserError('kubeconfig: it has no current context; name one with --context');
  const cluster = config.getCurrentCluster();
  if (cluster === null || !URL.canParse(cluster.server))
    throw new UserError(`kubeconfig: context ${context} names no cluster with a server URL`);
  // The library refuses plain HTTP unless verification is off, although there is nothing to verify.
  config.clusters = config.clusters.map((each) =>
    each.server.startsWith('http:') ? { ...each, skipTLSVerify: true } : each,
  );
  const namespace = flags.namespace ?? config.getContextObject(context)?.namespace ?? 'default';
  return { config, server: new URL(cluster.server), context, namespace };
}

/** Several files are read as one; what two of them name is the earlier one's, as kubectl has it. */
function readFiles(files: readonly string[], create: () => KubeConfig): KubeConfig {
  const [config, ...further] = files.map((file) => readFile(file, create()));
  if (config === undefined) throw new UserError('KUBECONFIG names no file');
  for (const other of further) {
    const fresh = <T extends { readonly name: string }>(entries: T[], known: T[]): T[] =>
      entries.filter(({ name }) => !known.some((one) => one.name === name));
    other.clusters = fresh(other.clusters, config.clusters);
    other.users = fresh(other.users, config.users);
    other.contexts = fresh(other.contexts, config.contexts);
    config.mergeConfig(other, Boolean(config.currentContext));
  }
  return config;
}

function readFile(file: string, config: KubeConfig): KubeConfig {
  try {
    config.loadFromFile(file);
    return config;
  } catch (error) {
    throw new UserError(`kubeconfig ${file}: ${causeOf(error)}`);
  }
}

function selectContext(config: KubeConfig, context: string): void {
  if (config.getContextObject(context) !== null) {
    config.setCurrentContext(context);
    return;
  }
  const names = config.contexts.map(({ name }) => name).join(', ') || 'none';
  throw new UserError(`--context ${context}: the kubeconfig has no context of that name; it has ${names}`);
}

function inPod(io: Io): boolean {
  return io.env['KUBERNETES_SERVICE_HOST'] !== undefined && existsSync(`${SERVICE_ACCOUNT}/token`);
}

function podConfig(config: KubeConfig): KubeConfig {
  config.loadFromCluster();
  const file = `${SERVICE_ACCOUNT}/namespace`;
  const namespace = existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
  if (namespace !== undefined)
    config.contexts = config.contexts.map((context) => ({ ...context, namespace: context.namespace ?? namespace }));
  return config;
}
