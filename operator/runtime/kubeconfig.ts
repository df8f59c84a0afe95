// SPDX-License-Identifier: Apache-2.0

// From a kubeconfig, or from the service account of a pod, to a Connection. @kubernetes/client-node reads the files,
// runs exec plugins and OIDC, and knows TLS; only its KubeConfig is used, none of its clients: they make a new
// connection pool for every request and drop fields newer than their API.
import { existsSync, readFileSync } from 'node:fs';
import type { Agent as HttpAgent } from 'node:http';
import type { RequestOptions } from 'node:https';
import { isIPv6 } from 'node:net';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createSecureContext } from 'node:tls';
import type { KubeConfig } from '@kubernetes/client-node';
import { type Clock, systemClock } from './clock.ts';
import { type Authorization, type Connection, createAgent } from './connection.ts';

/** Where to look for the way to the API server. */
export interface KubeconfigOptions {
  /** `--kubeconfig`; else `KUBECONFIG`, else the pod's service account, else `~/.kube/config`. */
  readonly path?: string | undefined;
  /** `--context`; else the file's current one. */
  readonly context?: string | undefined;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Root of the file system that holds the service account, `''` outside tests. */
  readonly root?: string;
  readonly clock?: Clock;
}

/** No usable way to an API server is configured; the message is for the user as it is. */
export class KubeconfigError extends Error {
  override readonly name = 'KubeconfigError';
}

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Credentials are read again after this long: projected tokens and client certificates rotate (client-go: 1 minute). */
const REMEMBER_MS = 60_000;

/**
 * Finds the API server. Files are read now, so that a mistake in them is told at start.
 *
 * @throws KubeconfigError with one line that names the file or variable and the remedy.
 */
export async function connectionFromKubeconfig(options: KubeconfigOptions = {}): Promise<Connection> {
  const { KubeConfig: Reader } = await import('@kubernetes/client-node');
  const read = (): KubeConfig => readKubeconfig(() => new Reader(), options);
  const first = read();
  const cluster = currentCluster(first);
  const clock = options.clock ?? systemClock;
  let config: KubeConfig | undefined = first;
  let remembered: { until: number; authorization: Promise<Authorization> } | undefined;
  const pool = agentPool(new URL(cluster.server));
  if (!hasPlugin(first)) await tryCredentials(first);
  const load = async (): Promise<Authorization> => {
    if (config === undefined || !hasPlugin(config)) config = read();
    return authorize(config, pool);
  };
  return {
    server: new URL(cluster.server),
    namespace: first.getContextObject(first.getCurrentContext())?.namespace,
    authorize: () => {
      if (remembered === undefined || clock.monotonic() >= remembered.until) {
        const authorization = load();
        const entry = { until: clock.monotonic() + REMEMBER_MS, authorization };
        remembered = entry;
        authorization.catch(() => {
          if (remembered === entry) remembered = undefined;
        });
      }
      return remembered.authorization;
    },
    reload: () => {
      remembered = undefined;
      config = undefined;
    },
    close: () => pool.close(),
  };
}

/** Exec plugins and their like remember credentials as long as these are valid: a fresh reader would run them anew. */
function hasPlugin(config: KubeConfig): boolean {
  const user = config.getCurrentUser();
  return Boolean(user?.exec ?? user?.authProvider);
}

function readKubeconfig(create: () => KubeConfig, options: KubeconfigOptions): KubeConfig {
  const config = create();
  const env = options.env ?? process.env;
  const root = options.root ?? '';
  const named = options.path ?? (env['KUBECONFIG'] || undefined);
  const inPod = env['KUBERNETES_SERVICE_HOST'] !== undefined && existsSync(`${root}${SERVICE_ACCOUNT}/token`);
  const home = join(env['HOME'] ?? homedir(), '.kube', 'config');
  if (options.path !== undefined) readFile(config, options.path);
  else if (named !== undefined) readFiles(config, named, create);
  else if (inPod) readPod(config, env, root);
  else if (existsSync(home)) readFile(config, home);
  else throw new KubeconfigError('no API server: give --kubeconfig FILE or set KUBECONFIG, or run inside a cluster');
  if (options.context !== undefined) selectContext(config, options.context);
  return allowPlainHttp(config);
}

/** `KUBECONFIG` may name several files that are read as one; the first to set a current context decides it. */
function readFiles(config: KubeConfig, paths: string, create: () => KubeConfig): void {
  const [first, ...rest] = paths.split(delimiter).filter((path) => path !== '');
  if (first === undefined) throw new KubeconfigError('KUBECONFIG names no file');
  readFile(config, first);
  for (const path of rest) {
    const further = create();
    readFile(further, path);
    mergeInto(config, further);
  }
}

/** What both name is the earlier file's, as kubectl has it; the library would refuse it. */
function mergeInto(config: KubeConfig, further: KubeConfig): void {
  const without = <T extends { readonly name: string }>(entries: T[], known: T[]): T[] =>
    entries.filter(({ name }) => !known.some((one) => one.name === name));
  further.clusters = without(further.clusters, config.clusters);
  further.users = without(further.users, config.users);
  further.contexts = without(further.contexts, config.contexts);
  config.mergeConfig(further, Boolean(config.currentContext));
}

/** A pod's own way: the address from the environment, token and authority from the files that the kubelet keeps fresh. */
function readPod(config: KubeConfig, env: NonNullable<KubeconfigOptions['env']>, root: string): void {
  const host = env['KUBERNETES_SERVICE_HOST'] ?? '';
  const server = `https://${isIPv6(host) ? `[${host}]` : host}:${env['KUBERNETES_SERVICE_PORT'] ?? 443}`;
  const folder = `${root}${SERVICE_ACCOUNT}`;
  const namespace = existsSync(`${folder}/namespace`) ? readFileSync(`${folder}/namespace`, 'utf8').trim() : undefined;
  const [name, token] = ['in-cluster', readFileSync(`${folder}/token`, 'utf8').trim()];
  config.loadFromOptions({
    clusters: [{ name, server, caFile: `${folder}/ca.crt`, skipTLSVerify: false }],
    users: [{ name, token }],
    contexts: [{ name, cluster: name, user: name, namespace }],
    currentContext: name,
  });
}

function readFile(config: KubeConfig, path: string): void {
  try {
    config.loadFromFile(path);
  } catch (error) {
    throw new KubeconfigError(`kubeconfig ${path}: ${firstLine(error)}`, { cause: error });
  }
}

/** What a parser says goes on with a drawing of the place. */
function firstLine(error: unknown): string {
  return (error as Error).message.trim().split('\n', 1)[0] ?? '';
}

/** Certificates and keys that are not there, or are none, will not become better by trying again. */
async function tryCredentials(config: KubeConfig): Promise<void> {
  const { user: name } = config.getContextObject(config.getCurrentContext()) ?? {};
  if (name && config.getCurrentUser() === null)
    throw new KubeconfigError(
      `kubeconfig: context "${config.getCurrentContext()}" names the user "${name}", which is not there`,
    );
  try {
    const options: RequestOptions = {};
    await config.applyToHTTPSOptions(options);
    const { ca, cert, key, pfx, passphrase } = options;
    createSecureContext({ ca, cert, key, pfx, passphrase });
  } catch (error) {
    throw new KubeconfigError(
      `kubeconfig: the certificates or the key of context "${config.getCurrentContext()}" cannot be used: ${firstLine(error)}`,
      { cause: error },
    );
  }
}

function selectContext(config: KubeConfig, context: string): void {
  if (config.getContextObject(context) === null)
    throw new KubeconfigError(`--context ${context}: the kubeconfig has no context of that name`);
  config.setCurrentContext(context);
}

/** The library refuses `http:` unless verification is off, although there is nothing to verify; kubectl allows it. */
function allowPlainHttp(config: KubeConfig): KubeConfig {
  config.clusters = config.clusters.map((cluster) =>
    cluster.server.startsWith('http:') ? { ...cluster, skipTLSVerify: true } : cluster,
  );
  return config;
}

function currentCluster(config: KubeConfig): NonNullable<ReturnType<KubeConfig['getCurrentCluster']>> {
  if (!config.getCurrentContext())
    throw new KubeconfigError('kubeconfig: it has no current context; name one with --context');
  const cluster = config.getCurrentCluster();
  if (cluster === null || !URL.canParse(cluster.server))
    throw new KubeconfigError(`kubeconfig: context "${config.getCurrentContext()}" names no cluster with a server URL`);
  return cluster;
}

/** One pool of connections for each set of TLS facts: when a certificate rotates, requests move to a new pool. */
function agentPool(server: URL): { agentFor(options: RequestOptions): HttpAgent; close(): void } {
  let current: { key: string; agent: HttpAgent } | undefined;
  return {
    agentFor: ({ ca, cert, key, pfx, passphrase, rejectUnauthorized, servername }) => {
      const facts = Object.entries({ ca, cert, key, pfx, passphrase, rejectUnauthorized, servername });
      const given = facts.filter(([, value]) => value !== undefined);
      const fingerprint = JSON.stringify(given.map(([name, value]) => [name, String(value)]));
      if (current?.key !== fingerprint)
        current = { key: fingerprint, agent: createAgent(server, Object.fromEntries(given)) };
      return current.agent;
    },
    close: () => current?.agent.destroy(),
  };
}

async function authorize(config: KubeConfig, pool: ReturnType<typeof agentPool>): Promise<Authorization> {
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  const headers: Record<string, string> = {};
  // A token read from a file ends with a newline, which no header may hold.
  for (const [name, value] of Object.entries(options.headers ?? {})) headers[name.toLowerCase()] = String(value).trim();
  if (typeof options.auth === 'string')
    headers['authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  const proxied = currentCluster(config).proxyUrl !== undefined;
  return { headers, agent: proxied ? (options.agent as HttpAgent) : pool.agentFor(options) };
}
