// SPDX-License-Identifier: Apache-2.0
/**
 * The KMS port: accepts connections within their limits, sweeps deadlines, and drains. What happens on a connection is in `connection.ts`.
 */
import { createServer, type Server, type Socket } from 'node:net';
import type { AssociationTerms } from './association.ts';
import { BindMemory } from './bind-memory.ts';
import { Connection, type ServeCall } from './connection.ts';
import { ConnectionCounters } from './counters.ts';
import { AssociationGroups } from './groups.ts';
import { LIMITS } from './limits.ts';
import { Slots } from './slots.ts';
import { normaliseAddress, Sources } from './sources.ts';

export interface ListenerSettings {
  readonly allowedSources: readonly string[];
  /** Open at once; 0 = no limit. */
  readonly connections: number;
  readonly connectionsPerSource: number;
  /** What a bind_ack tells clients; 0 = the port that is listened on. */
  readonly advertisedPort: number;
}

export interface ListenerTerms {
  readonly serve: ServeCall;
  readonly settings: ListenerSettings;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
  /** Any 32-bit number, to tell this host's association groups from another's. */
  readonly groupSeed: number;
}

export class KmsListener {
  readonly counters = new ConnectionCounters();
  readonly #server: Server;
  readonly #terms: ListenerTerms;
  readonly #sources: Sources;
  readonly #connections = new Slots<Connection>();
  #settings: ListenerSettings;
  #sweep: NodeJS.Timeout | undefined;
  #association: AssociationTerms;

  constructor(terms: ListenerTerms) {
    this.#terms = terms;
    this.#settings = terms.settings;
    this.#association = { groups: new AssociationGroups(terms.groupSeed), binds: new BindMemory(), advertisedPort: '' };
    this.#sources = new Sources(terms.settings.allowedSources);
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));
    this.#server.on('drop', () => this.counters.refusedConnections++);
  }

  get open(): number {
    return this.#connections.size;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address ? address.port : 0;
  }

  /** `IPv4` or `IPv6`: what `::` came out as. */
  get family(): string {
    const address = this.#server.address();
    return typeof address === 'object' && address ? address.family : '';
  }

  /** Listens on `address`; `::` is dual stack and falls back to `0.0.0.0` where there is no IPv6. Rejects with the system's error. */
  async listen(address: string, port: number): Promise<void> {
    try {
      await this.#listenOnce(address, port);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (address !== '::' || (code !== 'EAFNOSUPPORT' && code !== 'EADDRNOTAVAIL' && code !== 'EINVAL')) throw error;
      await this.#listenOnce('0.0.0.0', port);
    }
    this.#advertise();
    this.#sweep = setInterval(() => this.#dropOverdue(), LIMITS.sweepMs);
  }

  #listenOnce(host: string, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port, backlog: 1024 }, () => {
        this.#server.off('error', reject);
        this.#server.on('error', () => undefined); // e.g. EMFILE at accept: the backlog holds the client meanwhile
        resolve();
      });
    });
  }

  /** Remembered answers to binds carry the port, so they are forgotten with it. */
  #advertise(): void {
    const advertisedPort = String(this.#settings.advertisedPort || this.port);
    this.#association = { ...this.#association, binds: new BindMemory(), advertisedPort };
  }

  /** Applies to connections from now on; open ones are left alone. */
  configure(settings: ListenerSettings): void {
    this.#settings = settings;
    this.#advertise();
    this.#sources.configure(settings.allowedSources);
  }

  #accept(socket: Socket): void {
    const raw = socket.remoteAddress;
    if (raw === undefined) {
      socket.destroy(); // gone before we looked
      return;
    }
    const address = normaliseAddress(raw);
    this.counters.accepted++;
    const refusal = this.#refusal(address);
    // The readiness probe comes from the address that it goes to; only this machine (this pod) can do that.
    if (refusal === undefined || raw === socket.localAddress) {
      this.#adopt(socket, address);
    } else {
      this.counters[refusal]++;
      socket.destroy();
    }
  }

  /** Why this address may not connect now, as the counter's name. */
  #refusal(address: string): 'refusedSource' | 'refusedConnections' | 'refusedPerSource' | undefined {
    const { connections, connectionsPerSource } = this.#settings;
    if (!this.#sources.allows(address)) return 'refusedSource';
    if (exceeds(this.#connections.size, connections)) return 'refusedConnections';
    if (exceeds(this.#sources.open(address), connectionsPerSource)) return 'refusedPerSource';
    return undefined;
  }

  #adopt(socket: Socket, address: string): void {
    const { serve, nowMs } = this.#terms;
    const connection = new Connection(socket, address, {
      serve,
      nowMs,
      association: this.#association,
      counters: this.counters,
    });
    const place = this.#connections.add(connection);
    this.#sources.opened(address);
    socket.on('close', () => {
      this.#connections.remove(place);
      // A closed socket is garbage, but an old one may hold on to it until the next full collection; then not to the connection too. It halves what is promoted.
      socket.removeAllListeners();
      this.#sources.closed(address);
    });
  }

  #dropOverdue(): void {
    const now = this.#terms.nowMs();
    for (const connection of this.#connections) {
      if (connection.deadlineMs > now) continue;
      this.counters.timedOut++;
      connection.destroy();
    }
  }

  /**
   * Goes out of service without turning away a client that can be served: accepts and answers until there was no new client for `quietMs` (a health check on
   * the port is none), or shortly before `boundMs` if they do not stop coming. Then it stops listening, lets go of clients as they fall silent, and towards the end answers
   * once more whom it still has. After `boundMs` in all it ends what is left.
   */
  async drain(quietMs: number, boundMs: number): Promise<void> {
    const end = this.#terms.nowMs() + boundMs;
    const lastAnswers = end - Math.min(LIMITS.lastAnswersMs, boundMs / 4);
    await this.#until(this.#quietFor(quietMs), lastAnswers);
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await this.#until(() => this.#letGoIdle() === 0, lastAnswers);
    for (const connection of this.#connections) connection.finish();
    await this.#until(() => this.#connections.size === 0, end);
    for (const connection of this.#connections) connection.destroy();
    clearInterval(this.#sweep);
    await closed;
  }

  /** Answers how many connections are left. */
  #letGoIdle(): number {
    for (const connection of this.#connections) connection.letGoIdle();
    return this.#connections.size;
  }

  /** True once no client has come for so long, from now on. */
  #quietFor(quietMs: number): () => boolean {
    let seen = this.counters.clients;
    let since = this.#terms.nowMs();
    return () => {
      const now = this.#terms.nowMs();
      if (this.counters.clients !== seen) since = now;
      seen = this.counters.clients;
      return now - since >= quietMs;
    };
  }

  async #until(done: () => boolean, end: number): Promise<void> {
    while (!done() && this.#terms.nowMs() < end) await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function exceeds(open: number, limit: number): boolean {
  return limit > 0 && open >= limit;
}
