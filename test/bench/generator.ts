// SPDX-License-Identifier: Apache-2.0
//
// The load generator: keeps a number of connections busy against one server, each in a closed loop (the next request after
// the answer to the last), and counts answers, latencies and errors. All bytes are made beforehand; an answer costs a
// length check, four comparisons and a histogram entry. Not here: making requests, reading CPU times, the command line.

import { createHistogram, type Histogram, recordLatency, resetHistogram } from './histogram.ts';
import type { RequestSet } from './requests.ts';
import {
  type Connection,
  type Connector,
  closeConnection,
  createConnector,
  openConnection,
  writeBytes,
} from './tcp.ts';

/** `fresh`: connect, bind, request, answer, close. `persistent`: bind once, then request after request. */
export type Mode = 'fresh' | 'persistent';

/** What to run against. */
export interface GeneratorOptions {
  readonly address: string;
  readonly port: number;
  readonly mode: Mode;
  readonly connections: number;
  readonly requestSet: RequestSet;
  /** Check every n-th answer in full; 0: none (the canned server's answers have no meaning). */
  readonly verifyEvery: number;
  /** Stop by itself after so many answers; without it, run until `stop`. */
  readonly maxRequests?: number;
}

/** What happened since the last reset. */
export interface Tally {
  readonly latencies: Histogram;
  readonly errors: Map<string, number>;
  /** How many answers were checked in full. */
  verified: number;
}

/** A running generator. */
export interface Generator {
  readonly tally: Tally;
  /** Forgets what was counted so far: the end of the warm-up. */
  reset(): void;
  /** Sends no new request; resolves once all answers are there and all connections are closed. */
  stop(): Promise<void>;
  /** Resolves when all connections are closed, also after `maxRequests`; rejects after too many errors. */
  readonly finished: Promise<void>;
}

/** A host closes a connection after so many requests (docs/protocol.md §5.2); the generator does so by itself. */
const REQUESTS_PER_CONNECTION = 1000;
const SOURCE_ADDRESSES = Array.from({ length: 32 }, (_, n) => `127.0.1.${n + 1}`);
const READ_BUFFER_BYTES = 65_536;
const TOO_MANY_ERRORS = 1000;
const PTYPE_RESPONSE = 2;
const PTYPE_BIND_ACK = 12;
const HEADER_BYTES = 16;

interface Run {
  readonly options: GeneratorOptions;
  readonly connector: Connector;
  readonly readBuffer: Buffer;
  readonly tally: Tally;
  readonly finished: PromiseWithResolvers<void>;
  readonly maxRequests: number;
  nextRequest: number;
  sent: number;
  answers: number;
  errors: number;
  connections: number;
  stopping: boolean;
}

/** Opens all connections and starts. */
export function startGenerator(options: GeneratorOptions): Generator {
  const run = createRun(options);
  for (let n = 0; n < options.connections; n++) connect(run);
  return {
    tally: run.tally,
    finished: run.finished.promise,
    reset() {
      resetHistogram(run.tally.latencies);
      run.tally.errors.clear();
      run.tally.verified = 0;
    },
    stop() {
      run.stopping = true;
      if (run.connections === 0) run.finished.resolve();
      return run.finished.promise;
    },
  };
}

function createRun(options: GeneratorOptions): Run {
  const readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
  const connector = createConnector({
    address: options.address,
    port: options.port,
    sourceAddresses: SOURCE_ADDRESSES,
    readBuffer,
    events: {
      connected: (connection) => writeBytes(connector, connection, options.requestSet.bind),
      read: (connection, byteCount) => onRead(run, connection, byteCount),
      failed(_connection, reason) {
        countError(run, reason);
        release(run);
      },
    },
  });
  const run: Run = {
    options,
    connector,
    readBuffer,
    tally: { latencies: createHistogram(), errors: new Map(), verified: 0 },
    finished: Promise.withResolvers<void>(),
    maxRequests: options.maxRequests ?? Number.POSITIVE_INFINITY,
    nextRequest: 0,
    sent: 0,
    answers: 0,
    errors: 0,
    connections: 0,
    stopping: false,
  };
  return run;
}

function connect(run: Run): void {
  run.connections += 1;
  openConnection(run.connector, performance.now());
}

/** After a connection is closed: the next one, or the end. */
function release(run: Run): void {
  run.connections -= 1;
  if (!run.stopping && run.sent < run.maxRequests) connect(run);
  else if (run.connections === 0) run.finished.resolve();
}

function onRead(run: Run, connection: Connection, byteCount: number): void {
  const whole = connection.bound && connection.rest === undefined && byteCount === run.options.requestSet.responseBytes;
  if (whole) onAnswer(run, connection, run.readBuffer);
  else onPiece(run, connection, byteCount);
}

/** The unusual way: the bind_ack, an answer in pieces, an answer of another kind. */
function onPiece(run: Run, connection: Connection, byteCount: number): void {
  const piece = run.readBuffer.subarray(0, byteCount);
  const bytes = connection.rest === undefined ? piece : Buffer.concat([connection.rest, piece]);
  const fragLength = bytes.length < HEADER_BYTES ? HEADER_BYTES : bytes.readUInt16LE(8);
  if (bytes.length < fragLength) {
    connection.rest = Buffer.from(bytes);
    return;
  }
  connection.rest = undefined;
  if (connection.bound) onAnswer(run, connection, bytes.subarray(0, fragLength));
  else if (bytes[2] === PTYPE_BIND_ACK) {
    connection.bound = true;
    sendNext(run, connection);
  } else drop(run, connection, `bind answered by ptype ${bytes[2]}`);
}

function sendNext(run: Run, connection: Connection): void {
  const { mode, requestSet } = run.options;
  if (run.stopping || run.sent >= run.maxRequests) {
    closeConnection(connection);
    release(run);
    return;
  }
  const index = run.nextRequest;
  run.sent += 1;
  run.nextRequest = index + 1 === requestSet.requests.length ? 0 : index + 1;
  connection.requestIndex = index;
  if (mode === 'persistent') connection.sentAt = performance.now();
  writeBytes(run.connector, connection, requestSet.requests[index] ?? requestSet.bind);
}

function onAnswer(run: Run, connection: Connection, pdu: Buffer): void {
  const { mode, requestSet, verifyEvery } = run.options;
  if (!isSuccess(pdu, requestSet.responseBytes)) {
    drop(run, connection, describeBadAnswer(pdu.subarray(0, pdu.readUInt16LE(8))));
    return;
  }
  recordLatency(run.tally.latencies, (performance.now() - connection.sentAt) * 1000);
  run.answers += 1;
  connection.answered += 1;
  if (verifyEvery > 0 && run.answers % verifyEvery === 0) checkInFull(run, connection, pdu);
  if (mode === 'persistent' && connection.answered < REQUESTS_PER_CONNECTION) {
    sendNext(run, connection);
  } else {
    closeConnection(connection);
    release(run);
  }
}

/** A response PDU of exactly `bytes` bytes with the return value 0 (docs/protocol.md §1.6, §2.2). */
function isSuccess(pdu: Buffer, bytes: number): boolean {
  const fragLength = (pdu[8] ?? 0) | ((pdu[9] ?? 0) << 8);
  if (pdu[2] !== PTYPE_RESPONSE || fragLength !== bytes) return false;
  return pdu[bytes - 4] === 0 && pdu[bytes - 3] === 0 && pdu[bytes - 2] === 0 && pdu[bytes - 1] === 0;
}

function checkInFull(run: Run, connection: Connection, pdu: Buffer): void {
  const { responseBytes, verify } = run.options.requestSet;
  const fault = verify(connection.requestIndex, pdu.subarray(0, responseBytes));
  run.tally.verified += 1;
  if (fault !== undefined) countError(run, `wrong answer: ${fault}`);
}

function drop(run: Run, connection: Connection, reason: string): void {
  closeConnection(connection);
  countError(run, reason);
  release(run);
}

function countError(run: Run, reason: string): void {
  run.tally.errors.set(reason, (run.tally.errors.get(reason) ?? 0) + 1);
  run.errors += 1;
  if (run.errors <= TOO_MANY_ERRORS) return;
  run.stopping = true;
  run.finished.reject(new Error(`more than ${TOO_MANY_ERRORS} errors, the last one: ${reason}`));
}

function describeBadAnswer(pdu: Buffer): string {
  if (pdu[2] === PTYPE_RESPONSE && pdu.length >= 28) {
    return `answer of ${pdu.length} bytes, HRESULT 0x${pdu.readUInt32LE(pdu.length - 4).toString(16)}`;
  }
  if (pdu[2] === 3 && pdu.length >= 28) return `fault 0x${pdu.readUInt32LE(24).toString(16)}`;
  return `ptype ${pdu[2]} of ${pdu.length} bytes`;
}
