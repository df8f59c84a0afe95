// SPDX-License-Identifier: Apache-2.0

// A host that is only its HTTP face: it listens on the Pod's address and serves /status, /readyz and /livez. One HTTP server for all stubs of a player,
// and a listening socket for each, so that 1,500 of them cost little more than their sockets.
import { createServer as createHttpServer, type Server as HttpServer, type ServerResponse } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Actor, Part } from './actor.ts';
import { DEFAULT_STATE, StubHost, type StubState } from './stub-host.ts';
import type { VolumeFiles } from './volumes.ts';

/** The port of every host's HTTP interface. */
const HTTP_PORT = 8080;

/** The HTTP server that all stubs of a player share: a request is answered by the stub to whose address it came. */
export class StubStage {
  readonly #stubs = new Map<string, Stub>();
  readonly #http: HttpServer;

  constructor() {
    this.#http = createHttpServer((request, response) => {
      const stub = this.#stubs.get(request.socket.localAddress ?? '');
      if (stub === undefined) request.socket.destroy();
      else stub.answer(request.url ?? '/', response);
    });
  }

  /** Starts a stub; it listens soon. */
  start(part: Part, state: Partial<StubState>): Stub {
    const stub = new Stub(part, { ...DEFAULT_STATE, ...state }, (socket) => this.#http.emit('connection', socket));
    this.#stubs.set(part.address, stub);
    void stub.start();
    return stub;
  }

  /** Nobody asks for that address any more. */
  forget(address: string): void {
    this.#stubs.delete(address);
  }

  /** Ends the shared server; the stubs are ended one by one. */
  stop(): void {
    this.#http.close();
  }
}

export class Stub implements Actor {
  readonly #part: Part;
  readonly #accept: (socket: Socket) => void;
  readonly #sockets = new Set<Socket>();
  #host: StubHost | undefined;
  #state: StubState;
  #files: VolumeFiles;
  #server: Server | undefined;
  #ended = false;

  constructor(part: Part, state: StubState, accept: (socket: Socket) => void) {
    this.#part = part;
    this.#state = state;
    this.#accept = accept;
    this.#files = part.files;
  }

  /** Listens, and says that it runs; a host that would refuse to start ends with code 2 instead. */
  async start(): Promise<void> {
    try {
      this.#host = new StubHost(this.#part.pod, this.#files);
    } catch (error) {
      this.#ended = true;
      this.#part.onStarted();
      this.#part.onEnded({ exitCode: 2, message: (error as Error).message });
      return;
    }
    await this.#listen();
    if (this.#ended) return;
    this.#part.onStarted();
    this.#part.onReady(this.#state.ready);
  }

  get state(): StubState {
    return this.#state;
  }

  /** Changes what it says. A changed `ready` reaches the Pod's status as the probe's result. */
  set(changes: Partial<StubState>): void {
    const before = this.#state;
    this.#state = { ...before, ...changes };
    const { ready, http, followsConfig } = this.#state;
    if (followsConfig) this.#host?.refresh(this.#files);
    if (ready !== before.ready) this.#part.onReady(ready);
    if (http === before.http) return;
    if (http === 'refused') void this.#close();
    else void this.#listen();
  }

  refresh(files: VolumeFiles): void {
    this.#files = files;
    if (this.#state.followsConfig) this.#host?.refresh(files);
  }

  async stop(graceMs: number): Promise<void> {
    if (this.#state.drainMs > 0) await delay(Math.min(this.#state.drainMs, graceMs));
    await this.kill();
  }

  async kill(): Promise<void> {
    this.#ended = true;
    await this.#close();
  }

  /** Ends as a crashed process would. */
  async crash(exitCode: number, message: string): Promise<void> {
    if (this.#ended) return;
    await this.kill();
    this.#part.onEnded({ exitCode, message });
  }

  /** Answers one request, unless it is silent. */
  answer(url: string, response: ServerResponse): void {
    const { http, ready, reasons } = this.#state;
    if (http !== 'answering') return;
    if (url === '/status') send(response, 200, JSON.stringify(this.#host?.status(this.#state)));
    else if (url === '/readyz') send(response, ready ? 200 : 503, `${ready ? 'ok' : reasons.join('\n')}\n`);
    else if (url === '/livez') send(response, 200, 'ok\n');
    else send(response, 404, '{"error":"a stub serves /status, /readyz and /livez"}');
  }

  async #listen(): Promise<void> {
    if (this.#server !== undefined || this.#ended || this.#state.http === 'refused') return;
    const server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      this.#accept(socket);
    });
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: this.#part.address, port: HTTP_PORT, exclusive: true }, resolve);
    });
  }

  async #close(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      for (const socket of this.#sockets) socket.destroy();
    });
  }
}

function send(response: ServerResponse, code: number, body: string): void {
  response.writeHead(code, { 'content-type': body.startsWith('{') ? 'application/json' : 'text/plain' }).end(body);
}
