// SPDX-License-Identifier: Apache-2.0

// One Pod on the played node, from its binding to its removal: what a scheduler and a kubelet do with it, and the hand of the test on it.
import { LABELS } from '@kmspool/crds';
import type { Actor, Part } from './actor.ts';
import type { FullPod } from './kinds.ts';
import { type ContainerFacts, type Ended, podStatus, unscheduledStatus } from './pod-status.ts';
import { HostProcess } from './process.ts';
import { Stub } from './stub.ts';
import type { StubState } from './stub-host.ts';
import type { ReadVolumes } from './volumes.ts';

/** What is to become of a Pod. */
export type Play =
  /** A real host, in a process of its own. */
  | { readonly kind: 'real' }
  /** The HTTP face of a host. */
  | { readonly kind: 'stub'; readonly state?: Partial<StubState> }
  /** No node takes it. */
  | { readonly kind: 'pending'; readonly message?: string }
  /** It has a node, and its container does not start: `ImagePullBackOff`. */
  | { readonly kind: 'waiting'; readonly reason: string; readonly message?: string };

/** What a Pod needs of its node. */
export interface NodeSide {
  readonly hostAddress: string;
  /** Before a container that ended is started again. */
  readonly restartDelayMs: number;
  bind(pod: PlayedPod): void;
  writeStatus(pod: PlayedPod, status: object): void;
  /** Takes the object away: the Pod has ended. */
  remove(pod: PlayedPod): void;
  volumes(pod: FullPod): ReadVolumes;
  start(play: 'real' | 'stub', part: Part, state: Partial<StubState>): Actor;
}

type Stage = 'pending' | 'binding' | 'starting' | 'running' | 'restarting' | 'stopping' | 'lost' | 'gone';

const now = (): string => new Date().toISOString();
const DEFAULT_GRACE_SECONDS = 30;

export class PlayedPod {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  /** Its own loopback address. */
  readonly address: string;
  readonly #node: NodeSide;
  #pod: FullPod;
  #play: Play = { kind: 'pending' };
  #stage: Stage = 'pending';
  #actor: Actor | undefined;
  #takenAt = now();
  #readySince = this.#takenAt;
  #container: ContainerFacts = {
    now: { kind: 'waiting', reason: 'Pending' },
    last: undefined,
    ready: false,
    restarts: 0,
  };
  #written = '';
  #restart: NodeJS.Timeout | undefined;

  constructor(pod: FullPod, address: string, node: NodeSide) {
    this.name = pod.metadata.name;
    this.namespace = pod.metadata.namespace ?? '';
    this.uid = pod.metadata.uid ?? '';
    this.address = address;
    this.#pod = pod;
    this.#node = node;
  }

  /** As it was last seen on the API server. */
  get object(): FullPod {
    return this.#pod;
  }

  get labels(): Readonly<Record<string, string>> {
    return this.#pod.metadata.labels ?? {};
  }

  /** Name of its host, `<pool>-<ordinal>`. */
  get hostName(): string {
    return `${this.labels[LABELS.pool]}-${this.labels[LABELS.ordinal]}`;
  }

  get stage(): Stage {
    return this.#stage;
  }

  /** Whether its readiness probe succeeds. */
  get ready(): boolean {
    return this.#container.ready;
  }

  /** How often its container was started again. */
  get restarts(): number {
    return this.#container.restarts;
  }

  /** The stub that plays it. @throws Error when none does now. */
  get stub(): Stub {
    if (this.#actor instanceof Stub) return this.#actor;
    throw new Error(`${this.name} is played by no stub now (${this.#stage})`);
  }

  /** The process that plays it. @throws Error when none does now. */
  get process(): HostProcess {
    if (this.#actor instanceof HostProcess) return this.#actor;
    throw new Error(`${this.name} is played by no process now (${this.#stage})`);
  }

  /** Lets it have what it waits for: a node, or its container's start. Also the way a Pod begins. */
  play(play: Play): void {
    if (!['pending', 'starting'].includes(this.#stage)) throw new Error(`${this.name} is ${this.#stage} already`);
    this.#play = play;
    if (play.kind === 'pending') {
      const { message = '0/1 nodes are available: the node holds this Pod back.' } = play;
      this.#write(unscheduledStatus(message, this.#takenAt));
    } else if (this.#stage === 'starting') this.#begin();
    else if (this.#pod.spec.nodeName !== undefined) this.bound();
    else {
      this.#stage = 'binding';
      this.#node.bind(this);
    }
  }

  /** It has a node now. */
  bound(): void {
    if (this.#stage !== 'pending' && this.#stage !== 'binding') return;
    this.#stage = 'starting';
    this.#takenAt = now();
    this.#readySince = this.#takenAt;
    this.#begin();
  }

  /** What the API server says of it now. */
  seen(pod: FullPod): void {
    this.#pod = pod;
    if (pod.metadata.deletionTimestamp !== undefined) void this.#terminate();
    // The answer to the binding may be lost with its connection.
    else if (this.#stage === 'binding' && pod.spec.nodeName !== undefined) this.bound();
  }

  /** A ConfigMap or Secret of its volumes has changed. */
  volumesChanged(): void {
    if (this.#stage === 'starting' && this.#play.kind !== 'waiting') this.#start();
    if (this.#stage !== 'running') return;
    const read = this.#node.volumes(this.#pod);
    if (read.ok) this.#actor?.refresh(read.files);
  }

  /**
   * Its node is lost: the host is gone without a word, the Pod is not ready, and nobody confirms its deletion (`kubectl delete --force` does).
   */
  async lose(): Promise<void> {
    this.#stage = 'lost';
    clearTimeout(this.#restart);
    await this.#actor?.kill();
    this.#actor = undefined;
    this.#setContainer({ ...this.#container, ready: false });
  }

  /** The object is gone: so is the host. */
  async gone(): Promise<void> {
    this.#stage = 'gone';
    clearTimeout(this.#restart);
    await this.#actor?.kill();
    this.#actor = undefined;
  }

  #begin(): void {
    if (this.#play.kind === 'waiting') this.#waits(this.#play.reason, this.#play.message);
    else this.#start();
  }

  #start(): void {
    const read = this.#node.volumes(this.#pod);
    if (!read.ok) {
      this.#waits('ContainerCreating', `MountVolume.SetUp failed: ${read.missing}`);
      return;
    }
    this.#stage = 'running';
    let actor: Actor | undefined;
    // What a predecessor says late is not heard; the first words may come before the constructor is done.
    const isMine = (): boolean => actor === undefined || this.#actor === actor;
    const set = (facts: Partial<ContainerFacts>): void => {
      if (isMine()) this.#setContainer({ ...this.#container, ...facts });
    };
    const part: Part = {
      pod: this.#pod,
      address: this.address,
      files: read.files,
      onStarted: () => set({ now: { kind: 'running', startedAt: now() }, ready: false }),
      onReady: (ready) => set({ ready }),
      onEnded: (ended) => {
        if (isMine()) this.#ended(ended);
      },
    };
    const state = this.#play.kind === 'stub' ? (this.#play.state ?? {}) : {};
    actor = this.#node.start(this.#play.kind === 'real' ? 'real' : 'stub', part, state);
    this.#actor = actor;
  }

  #ended(ended: Ended): void {
    if (this.#stage !== 'running') return;
    this.#stage = 'restarting';
    this.#actor = undefined;
    this.#setContainer({
      now: {
        kind: 'waiting',
        reason: 'CrashLoopBackOff',
        message: `back-off restarting failed container in ${this.name}`,
      },
      last: { ...ended, finishedAt: now() },
      ready: false,
      restarts: this.#container.restarts + 1,
    });
    this.#restart = setTimeout(() => {
      this.#stage = 'starting';
      this.#start();
    }, this.#node.restartDelayMs);
  }

  async #terminate(): Promise<void> {
    if (['stopping', 'lost', 'gone'].includes(this.#stage)) return;
    this.#stage = 'stopping';
    clearTimeout(this.#restart);
    await this.#actor?.stop((this.#pod.metadata.deletionGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS) * 1000);
    this.#node.remove(this);
  }

  #waits(reason: string, message: string | undefined): void {
    this.#setContainer({ ...this.#container, now: { kind: 'waiting', reason, message }, ready: false });
  }

  #setContainer(facts: ContainerFacts): void {
    if (facts.ready !== this.#container.ready) this.#readySince = now();
    this.#container = facts;
    if (this.#stage === 'gone') return;
    const { address, hostAddress } = { address: this.address, hostAddress: this.#node.hostAddress };
    const [takenAt, readySince] = [this.#takenAt, this.#readySince];
    this.#write(podStatus(this.#pod, { address, hostAddress, takenAt, readySince, container: facts }));
  }

  #write(status: object): void {
    const text = JSON.stringify(status);
    if (text === this.#written) return;
    this.#written = text;
    this.#node.writeStatus(this, status);
  }
}
