// SPDX-License-Identifier: Apache-2.0
/**
 * A real Kubernetes control plane for tests: etcd, kube-apiserver and, if wanted, the controllers that make Pods of Deployments, each a process of its own
 * on loopback, in 4 s. There is no node: node-player.ts plays one. One control plane serves a test file; each test takes a namespace of its own.
 *
 *     const plane = await startControlPlane();           // in `before`; skip with missingControlPlane() of tools.ts
 *     const namespace = await plane.namespace('events');
 *     await plane.client().create(CONFIG_MAPS, { metadata: { namespace, name: 'x' } });
 *     await plane.stop();                                // in `after`
 */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import {
  Client,
  type Clock,
  type Connection,
  createMetrics,
  type RuntimeMetrics,
  type ThrottlePolicy,
} from '@kmspool/operator/runtime';
import { Registry } from 'prom-client';
import { createAgent } from '../../../operator/runtime/connection.ts';
import {
  type ApiServerStart,
  apiServerReady,
  type PlaneFiles,
  startApiServerProcess,
  startControllerManager,
} from './api-server.ts';
import { type KeyPair, makeAuthority } from './certificates.ts';
import { type CrdName, installCrds, makeNamespace } from './cluster-objects.ts';
import { compact, etcdSocket, startEtcd } from './etcd.ts';
import { type KubectlInput, type KubectlResult, runKubectl } from './kubectl.ts';
import { fixedPort, makeTestFolder, type ServerProcess } from './server-process.ts';

/** The controllers that a pool of the operator's needs. None writes EndpointSlices: the Pods of these tests have loopback addresses, which may not stand there. */
export const CONTROLLERS: readonly string[] = [
  'deployment-controller',
  'replicaset-controller',
  'garbage-collector-controller',
  'namespace-controller',
  'serviceaccount-controller',
  'disruption-controller',
];

/** What a control plane is made of. */
export interface ControlPlaneOptions {
  /** Run kube-controller-manager too, with these controllers or, if true, {@link CONTROLLERS}. Default: none. */
  readonly controllers?: readonly string[] | boolean;
  /** Kinds to install at boot, before the controllers start: the garbage collector looks for new kinds only every 30 s. Default: none. */
  readonly crds?: readonly CrdName[];
  /** Further flags of kube-apiserver. */
  readonly apiServerFlags?: readonly string[];
}

/** Somebody who may log in: a client certificate, and a kubeconfig with it. */
export interface PlaneUser extends KeyPair {
  readonly name: string;
  /** Path of the file. */
  readonly kubeconfig: string;
}

/** How to connect; by default as admin, straight to the API server. */
export interface ConnectOptions {
  readonly user?: PlaneUser;
  /** Base URL to use instead of the plane's: that of a proxy in front of it, on 127.0.0.1 or localhost. */
  readonly server?: string;
}

/** How a client for tests differs from the usual one. */
export interface PlaneClientOptions extends ConnectOptions {
  /** Default: metrics of its own. */
  readonly metrics?: RuntimeMetrics;
  /** Default: 1,000 requests a second. */
  readonly throttle?: ThrottlePolicy;
  readonly timeoutMs?: number;
  readonly clock?: Clock;
}

/** What kubectl is given beside its arguments. */
export interface KubectlOptions extends KubectlInput {
  readonly user?: PlaneUser;
}

/** A running control plane. */
export interface ControlPlane {
  /** `https://127.0.0.1:PORT`, the same after a restart. */
  readonly url: string;
  readonly port: number;
  /** Its temporary folder: logs, certificates, data. Gone after {@link stop}. */
  readonly directory: string;
  /** Path of the admin's kubeconfig. */
  readonly kubeconfig: string;
  readonly admin: PlaneUser;
  /** A connection for the operator's runtime. Closed by {@link stop}. */
  connection(options?: ConnectOptions): Connection;
  /** A client of the operator's runtime; without options always the same one. Closed by {@link stop}. */
  client(options?: PlaneClientOptions): Client;
  /** Runs kubectl, of the API server's own version. Does not throw when it fails: look at `code`. */
  kubectl(args: readonly string[], options?: KubectlOptions): Promise<KubectlResult>;
  /** Installs kinds, by default KmsHostPool, and waits until they are served. */
  applyCrds(...names: readonly CrdName[]): Promise<void>;
  /** A user with these groups and no rights but those that RBAC gives them. */
  user(name: string, groups?: readonly string[]): Promise<PlaneUser>;
  /** Makes a namespace and answers its name: `hint` and something random. With controllers, its ServiceAccount `default` is there. */
  namespace(hint: string): Promise<string>;
  /** kill -9 of the API server; its data stay in etcd. */
  killApiServer(): Promise<void>;
  /** Starts a killed API server again, on the same port, and waits until it is ready. */
  startApiServer(): Promise<void>;
  /** SIGSTOP of the API server: connections stand, and nothing comes. */
  pauseApiServer(): void;
  resumeApiServer(): void;
  /** SIGSTOP of etcd: the API server answers from its caches, or not at all. */
  pauseEtcd(): void;
  resumeEtcd(): void;
  /** Lets etcd forget all versions but the newest ones. A watch that is not fed from a cache of the API server's then gets 410 for older ones. */
  compactEtcd(): Promise<void>;
  /** The ends of the servers' logs, for the message of a failed test. */
  logs(): string;
  /** Ends all of it and removes its files. May be called twice. */
  stop(): Promise<void>;
}

/**
 * Boots a control plane.
 *
 * @throws Error with the end of a log, when a server does not start; with the remedy, when a program is missing.
 */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const folder = makeTestFolder('kube');
  const etcd = startEtcd(folder.path);
  try {
    const files = await makeFiles(folder.path);
    const running = await bootApiServer(files, options);
    const admin = await writeUser({ name: 'admin', pair: files.admin, files, url: urlOf(running.start.port) });
    const plane = new Plane({ folder, etcd, running, admin });
    await plane.populate(options).catch(async (error: unknown) => {
      await plane.stop();
      throw error;
    });
    return plane;
  } catch (error) {
    await etcd.kill();
    folder.remove();
    throw error;
  }
}

async function makeFiles(directory: string): Promise<PlaneFiles> {
  const authority = await makeAuthority(directory);
  const [server, admin] = await Promise.all([
    authority.serverCertificate('kube-apiserver', ['kubernetes.default.svc']),
    authority.clientCertificate('admin', ['system:masters']),
  ]);
  return { directory, authority, server, admin };
}

/** An API server, and what it takes to start it again. */
interface RunningApiServer {
  readonly process: ServerProcess;
  readonly start: ApiServerStart;
}

async function bootApiServer(files: PlaneFiles, options: ControlPlaneOptions): Promise<RunningApiServer> {
  const serviceAccounts = controllersOf(options).includes('serviceaccount-controller');
  for (let attempt = 1; ; attempt++) {
    const start = { files, port: await fixedPort(), serviceAccounts, flags: options.apiServerFlags ?? [] };
    const server = startApiServerProcess(start);
    try {
      await apiServerReady(server, start);
      return { process: server, start };
    } catch (error) {
      await server.kill();
      if (attempt === 3 || !server.log().includes('address already in use')) throw error;
    }
  }
}

function controllersOf({ controllers = [] }: ControlPlaneOptions): readonly string[] {
  return typeof controllers === 'boolean' ? (controllers ? CONTROLLERS : []) : controllers;
}

function urlOf(port: number): string {
  return `https://127.0.0.1:${port}`;
}

async function writeUser(user: {
  readonly name: string;
  readonly pair: KeyPair;
  readonly files: PlaneFiles;
  readonly url: string;
}): Promise<PlaneUser> {
  const { name, pair, files, url } = user;
  const kubeconfig = pair.keyFile.replace(/\.key$/, '.kubeconfig');
  const { certificateFile, keyFile } = pair;
  // JSON is YAML.
  const content = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server: url, 'certificate-authority': files.authority.certificateFile } }],
    users: [{ name, user: { 'client-certificate': certificateFile, 'client-key': keyFile } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: name } }],
    'current-context': 'test',
  };
  await writeFile(kubeconfig, JSON.stringify(content, null, 2), { mode: 0o600 });
  return { ...pair, name, kubeconfig };
}

interface PlaneParts {
  readonly folder: ReturnType<typeof makeTestFolder>;
  readonly etcd: ServerProcess;
  readonly running: RunningApiServer;
  readonly admin: PlaneUser;
}

class Plane implements ControlPlane {
  readonly url: string;
  readonly port: number;
  readonly directory: string;
  readonly kubeconfig: string;
  readonly admin: PlaneUser;
  readonly #folder: PlaneParts['folder'];
  readonly #etcd: ServerProcess;
  readonly #start: ApiServerStart;
  readonly #connections = new Set<Connection>();
  #apiServer: ServerProcess;
  #manager: ServerProcess | undefined;
  #own: Client | undefined;

  constructor({ folder, etcd, running, admin }: PlaneParts) {
    this.#folder = folder;
    this.#etcd = etcd;
    this.#apiServer = running.process;
    this.#start = running.start;
    this.port = running.start.port;
    this.url = urlOf(this.port);
    this.directory = folder.path;
    this.admin = admin;
    this.kubeconfig = admin.kubeconfig;
  }

  /** What comes after the API server is ready. */
  async populate(options: ControlPlaneOptions): Promise<void> {
    if (options.crds !== undefined) await this.applyCrds(...options.crds);
    const controllers = controllersOf(options);
    if (controllers.length === 0) return;
    this.#manager = startControllerManager(this.directory, this.kubeconfig, controllers);
    // A namespace gets its ServiceAccount only once the controllers work.
    if (this.#start.serviceAccounts) await this.namespace('first');
  }

  connection({ user = this.admin, server = this.url }: ConnectOptions = {}): Connection {
    const { certificate: cert, key } = user;
    const url = new URL(server);
    const agent = createAgent(url, { ca: this.#start.files.authority.certificate, cert, key });
    const connection: Connection = {
      server: url,
      namespace: undefined,
      authorize: async () => ({ headers: {}, agent }),
      reload: () => {},
      close: () => agent.destroy(),
    };
    this.#connections.add(connection);
    return connection;
  }

  client(options?: PlaneClientOptions): Client {
    if (options !== undefined) return this.#makeClient(options);
    this.#own ??= this.#makeClient({});
    return this.#own;
  }

  #makeClient(options: PlaneClientOptions): Client {
    const { metrics, throttle, timeoutMs, clock } = options;
    return Client.create({
      connection: this.connection(options),
      metrics: metrics ?? createMetrics(new Registry()),
      userAgent: 'kmspool-test/1',
      throttle: throttle ?? { qps: 1_000, burst: 1_000 },
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...(clock === undefined ? {} : { clock }),
    });
  }

  kubectl(args: readonly string[], options: KubectlOptions = {}): Promise<KubectlResult> {
    const { user = this.admin, ...input } = options;
    return runKubectl(args, { ...input, kubeconfig: user.kubeconfig, home: this.directory });
  }

  async applyCrds(...names: readonly CrdName[]): Promise<void> {
    await installCrds(this.client(), names.length === 0 ? ['KmsHostPool'] : names);
  }

  async user(name: string, groups: readonly string[] = []): Promise<PlaneUser> {
    const { files } = this.#start;
    const pair = await files.authority.clientCertificate(name, groups);
    return writeUser({ name, pair, files, url: this.url });
  }

  namespace(hint: string): Promise<string> {
    const name = `${hint}-${randomBytes(3).toString('hex')}`;
    return makeNamespace(this.client(), name, this.#manager !== undefined && this.#start.serviceAccounts);
  }

  async killApiServer(): Promise<void> {
    await this.#apiServer.kill();
  }

  async startApiServer(): Promise<void> {
    if (this.#apiServer.exitCode() === undefined) throw new Error('the API server runs already');
    this.#apiServer = startApiServerProcess(this.#start);
    await apiServerReady(this.#apiServer, this.#start);
  }

  pauseApiServer(): void {
    this.#apiServer.signal('SIGSTOP');
  }

  resumeApiServer(): void {
    this.#apiServer.signal('SIGCONT');
  }

  pauseEtcd(): void {
    this.#etcd.signal('SIGSTOP');
  }

  resumeEtcd(): void {
    this.#etcd.signal('SIGCONT');
  }

  compactEtcd(): Promise<void> {
    return compact(etcdSocket(this.directory));
  }

  logs(): string {
    const named = { etcd: this.#etcd, 'kube-apiserver': this.#apiServer, 'kube-controller-manager': this.#manager };
    return Object.entries(named)
      .map(([name, server]) => (server === undefined ? '' : `--- ${name}\n${server.log()}`))
      .join('\n');
  }

  async stop(): Promise<void> {
    for (const connection of this.#connections) connection.close();
    await Promise.all([this.#manager?.kill(), this.#apiServer.kill(), this.#etcd.kill()]);
    this.#folder.remove();
  }
}
