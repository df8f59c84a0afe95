// SPDX-License-Identifier: Apache-2.0

// A host as a process of its own: `kms-node/main.ts` with the Pod's arguments, its volumes as files in a folder, on the Pod's address; its readiness is
// asked over HTTP as a kubelet does, only more often. No liveness probe: a host that hangs is the test's to end.
import { mkdirSync, rmSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HOST_NODE_FLAGS } from '@kmspool/kms-node';
import { type ServerProcess, startServer } from '../server-process.ts';
import type { Actor, Part } from './actor.ts';
import type { Container } from './kinds.ts';
import { type VolumeFiles, writeVolumes } from './volumes.ts';

const MAIN = fileURLToPath(new URL('../../../../kms-node/main.ts', import.meta.url));
const PROBE_EVERY_MS = 300;
const KEPT_OUTPUT = 256 * 1024;
/** As a container runtime reports an end by SIGKILL. */
const KILLED = 137;
/** A connection for each probe, as a kubelet does: one that is kept open would hold a drain back. */
const PROBE_AGENT = new Agent({ keepAlive: false });

export class HostProcess implements Actor {
  readonly #part: Part;
  readonly #root: string;
  readonly #server: ServerProcess;
  readonly #gone: Promise<void>;
  #files: VolumeFiles = new Map();
  #finalOutput: string | undefined;
  #asked = false;
  #probing: NodeJS.Timeout | undefined;

  /** `folder` is made, holds the Pod's files, and is removed when the process has ended. */
  constructor(part: Part, folder: string) {
    this.#part = part;
    this.#root = folder;
    mkdirSync(folder, { recursive: true });
    this.refresh(part.files);
    this.#server = this.#start();
    this.#gone = this.#server.ended.then((code) => this.#ended(code ?? KILLED));
    part.onStarted();
    this.#probeFrom(0, 0);
  }

  get pid(): number {
    return this.#server.pid;
  }

  /** Standard output and error, the last 256 KiB. */
  get output(): string {
    return this.#finalOutput ?? this.#server.log(KEPT_OUTPUT);
  }

  refresh(files: VolumeFiles): void {
    if (this.#finalOutput !== undefined) return;
    this.#files = writeVolumes(this.#root, files, this.#files);
  }

  signal(signal: NodeJS.Signals): void {
    this.#server.signal(signal);
  }

  async stop(graceMs: number): Promise<void> {
    this.#asked = true;
    this.signal('SIGTERM');
    const timer = setTimeout(() => this.signal('SIGKILL'), graceMs);
    await this.#gone;
    clearTimeout(timer);
  }

  async kill(): Promise<void> {
    this.#asked = true;
    this.signal('SIGKILL');
    await this.#gone;
  }

  #start(): ServerProcess {
    const container = this.#part.pod.spec.containers[0];
    const args = (container?.args ?? []).map((arg) => this.#inFolder(arg, container));
    const own = ['--listen', this.#part.address, '--http', `${this.#part.address}:${httpPort(container)}`];
    const env = Object.fromEntries((container?.env ?? []).map(({ name, value = '' }) => [name, value]));
    return startServer({
      command: process.execPath,
      args: [...HOST_NODE_FLAGS, MAIN, ...args, ...own],
      logFile: join(this.#root, 'output.log'),
      env: { PATH: process.env['PATH'], ...env },
      cwd: this.#root,
    });
  }

  /** A path below a mount point, as the host finds it here. */
  #inFolder(arg: string, container: Container | undefined): string {
    const below = (path: string): boolean =>
      (container?.volumeMounts ?? []).some(({ mountPath }) => path === mountPath || path.startsWith(`${mountPath}/`));
    const equals = arg.startsWith('--') ? arg.indexOf('=') + 1 : 0;
    const path = arg.slice(equals);
    return below(path) ? `${arg.slice(0, equals)}${join(this.#root, path)}` : arg;
  }

  #ended(exitCode: number): void {
    clearTimeout(this.#probing);
    this.#finalOutput = this.output;
    rmSync(this.#root, { recursive: true, force: true });
    if (this.#asked) return;
    this.#asked = true;
    this.#part.onEnded({ exitCode, message: this.#finalOutput.slice(-2048) });
  }

  #probeFrom(delayMs: number, failures: number): void {
    this.#probing = setTimeout(async () => {
      const container = this.#part.pod.spec.containers[0];
      const ok = await probe(this.#part.address, container);
      if (this.#finalOutput !== undefined) return;
      const failed = ok ? 0 : failures + 1;
      if (ok) this.#part.onReady(true);
      else if (failed >= (container?.readinessProbe?.failureThreshold ?? 3)) this.#part.onReady(false);
      this.#probeFrom(PROBE_EVERY_MS, failed);
    }, delayMs);
  }
}

function httpPort(container: Container | undefined): number {
  const port = container?.readinessProbe?.httpGet?.port ?? 8080;
  if (typeof port === 'number') return port;
  return container?.ports?.find(({ name }) => name === port)?.containerPort ?? 8080;
}

function probe(address: string, container: Container | undefined): Promise<boolean> {
  const { httpGet, timeoutSeconds = 1 } = container?.readinessProbe ?? {};
  const options = { host: address, port: httpPort(container), path: httpGet?.path ?? '/readyz', agent: PROBE_AGENT };
  return new Promise((resolve) => {
    const request = get({ ...options, signal: AbortSignal.timeout(timeoutSeconds * 1000) }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.once('error', () => resolve(false));
  });
}
