// SPDX-License-Identifier: Apache-2.0

// One world of the bench: a control plane, the surroundings in a process of their own, and the operator's bundle as a third, one after another as often as a
// measurement wants.
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { OPERATOR_NODE_FLAGS } from '../../../operator/node-flags.ts';
import { type ControlPlane, startControlPlane } from '../../harness/kubernetes/control-plane.ts';
import { type OperatorProcess, startOperator } from '../../harness/kubernetes/operator-process.ts';
import { type Counters, readCounters } from './counters.ts';
import type { Order, Word } from './surroundings.ts';

const SURROUNDINGS = fileURLToPath(new URL('./surroundings.ts', import.meta.url));
const BUNDLE = fileURLToPath(new URL('../../../dist/kmspool-operator.mjs', import.meta.url));
const ORDER_MS = 30_000;

type OrderWithoutId = Order extends infer O ? (O extends Order ? Omit<O, 'id'> : never) : never;

/** The process of surroundings.ts, seen from here. */
export class Surroundings {
  readonly nameserver: string;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve: (atMs: number) => void; reject: (error: Error) => void }>();
  #orders = 0;

  private constructor(child: ChildProcess, nameserver: string) {
    this.#child = child;
    this.nameserver = nameserver;
    child.on('message', (word: Word) => this.#hear(word));
    child.once('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the surroundings ended'));
    });
  }

  static start(kubeconfig: string): Promise<Surroundings> {
    const child = fork(SURROUNDINGS, [kubeconfig], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    return new Promise((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`the surroundings ended with ${code}`)));
      child.once('message', (word: Word) => {
        if (word.kind === 'begun') resolve(new Surroundings(child, word.nameserver));
      });
    });
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** Makes a host's readiness probe succeed or fail. Resolves with the moment, ms since 1970. */
  setReady(namespace: string, host: string, ready: boolean): Promise<number> {
    return this.#order({ kind: 'setReady', namespace, host, ready });
  }

  async stop(): Promise<void> {
    await this.#order({ kind: 'stop' });
    this.#child.disconnect();
  }

  #order(order: OrderWithoutId): Promise<number> {
    const id = ++this.#orders;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`the surroundings did not ${order.kind}`)), ORDER_MS);
      const settle = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(id);
      };
      this.#waiting.set(id, {
        resolve: (atMs) => {
          settle();
          resolve(atMs);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      });
      this.#child.send({ ...order, id });
    });
  }

  #hear(word: Word): void {
    if (word.kind === 'done') this.#waiting.get(word.id)?.resolve(word.atMs);
    if (word.kind === 'failed') this.#waiting.get(word.id)?.reject(new Error(word.message));
  }
}

/** The operator that runs, and how long it took to be ready. */
export interface Running {
  readonly operator: OperatorProcess;
  /** From the start of the process to /readyz 200: all caches synced. */
  readonly readyMs: number;
}

/** What the operator is told beside its kubeconfig. */
export interface OperatorFlags {
  /** How often it looks at each pool although nothing has happened; its own default if absent. */
  readonly resyncMinutes?: number;
  /** Folder for V8's CPU profile. */
  readonly profileFolder?: string | undefined;
}

/** Control plane and surroundings. */
export class Cluster {
  readonly plane: ControlPlane;
  readonly surroundings: Surroundings;

  private constructor(plane: ControlPlane, surroundings: Surroundings) {
    this.plane = plane;
    this.surroundings = surroundings;
  }

  static async start(): Promise<Cluster> {
    const plane = await startControlPlane({ controllers: true, crds: ['KmsHostPool', 'DNSEndpoint'] });
    try {
      return new Cluster(plane, await Surroundings.start(plane.kubeconfig));
    } catch (error) {
      await plane.stop();
      throw error;
    }
  }

  /** Starts the operator's bundle and waits until it is ready; it may still have to wait for the Lease. */
  async startOperator({ resyncMinutes, profileFolder }: OperatorFlags = {}): Promise<Running> {
    const args = ['--host-access', 'Direct'];
    if (resyncMinutes !== undefined) args.push('--resync-minutes', String(resyncMinutes));
    const profile = profileFolder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`];
    const nodeFlags = [...OPERATOR_NODE_FLAGS, ...profile];
    const beganMs = performance.now();
    const operator = await startOperator({ kubeconfig: this.plane.kubeconfig, main: BUNDLE, args, nodeFlags });
    return { operator, readyMs: performance.now() - beganMs };
  }

  async stop(): Promise<void> {
    await this.surroundings.stop().catch(() => {});
    await this.plane.stop();
  }
}

/** The operator's counters now. */
export async function countersOf({ operator }: Running): Promise<Counters> {
  const { status, body } = await operator.http('/metrics');
  if (status !== 200) throw new Error(`/metrics answered ${status}`);
  return readCounters(body);
}
