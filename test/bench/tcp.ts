// SPDX-License-Identifier: Apache-2.0
//
// TCP client connections for the load generator, on the handles that node:net itself is built on (`tcp_wrap`), reached by
// process.binding. It is not a socket library: no stream, no buffering, no back-pressure, one small write at a time. Why it
// exists: a fresh connection by node:net costs the client a third more CPU than by the bare handle, of whose cost 86 % is
// the kernel's (figures in README.md). The toolchain pins Node, so this inner interface cannot change unseen.

import { getSystemErrorName } from 'node:util';

interface Handle {
  bind(address: string, port: number, flags: number): number;
  connect(wrap: object, address: string, port: number): number;
  writeBuffer(wrap: object, bytes: Uint8Array): number;
  useUserBuffer(bytes: Uint8Array): void;
  readStart(): number;
  close(): void;
  onread: (this: Handle) => void;
  connection: Connection | undefined;
}

interface ConnectWrap {
  oncomplete: (status: number, handle: Handle) => void;
}

interface TcpWrapBinding {
  TCP: new (type: number) => Handle;
  TCPConnectWrap: new () => ConnectWrap;
  constants: { SOCKET: number };
}

interface StreamWrapBinding {
  WriteWrap: new () => object;
  streamBaseState: Int32Array;
  kReadBytesOrError: number;
  kLastWriteWasAsync: number;
}

const binding = Reflect.get(process, 'binding') as (name: string) => unknown;
const tcpWrap = binding('tcp_wrap') as TcpWrapBinding;
const streamWrap = binding('stream_wrap') as StreamWrapBinding;

/** What happens on a connection; the bytes read are in the buffer that was given to `createConnector`, from its start. */
export interface ConnectionEvents {
  connected(connection: Connection): void;
  read(connection: Connection, byteCount: number): void;
  /** The peer closed (`EOF`), or a system call failed (its error name); the connection is closed already. */
  failed(connection: Connection, reason: string): void;
}

/** One connection. The fields are the generator's own; there is no other object per connection. */
export interface Connection {
  readonly handle: Handle;
  open: boolean;
  bound: boolean;
  answered: number;
  requestIndex: number;
  sentAt: number;
  rest: Buffer | undefined;
}

/** Where to connect to and from, and the one buffer that all connections read into. */
export interface ConnectorOptions {
  readonly address: string;
  readonly port: number;
  readonly sourceAddresses: readonly string[];
  readonly readBuffer: Buffer;
  readonly events: ConnectionEvents;
}

/** Opens connections and writes to them. */
export interface Connector {
  readonly options: ConnectorOptions;
  /** How many connections were opened, from a random start: decides the next source address and port. */
  opened: number;
  /** libuv needs one only for a write that could not be done at once; then it is replaced. */
  writeWrap: object;
  readonly onread: (this: Handle) => void;
  readonly oncomplete: (status: number, handle: Handle) => void;
}

const FIRST_SOURCE_PORT = 20_000;
const SOURCE_PORTS = 40_000;

/** A connector to one server; it opens nothing yet. */
export function createConnector(options: ConnectorOptions): Connector {
  return {
    options,
    opened: Math.floor(Math.random() * SOURCE_PORTS) * options.sourceAddresses.length,
    writeWrap: new streamWrap.WriteWrap(),
    onread() {
      onRead(options.events, this);
    },
    oncomplete(status, handle) {
      onConnect(options.events, status, handle);
    },
  };
}

/**
 * Opens a connection and reads on it from the moment that it is there. Source addresses are taken in turn and source ports in
 * sequence, so that neither the kernel searches for a free port nor a port is used again while its TIME_WAIT is young.
 */
export function openConnection(connector: Connector, sentAt: number): void {
  const { address, port, sourceAddresses, readBuffer, events } = connector.options;
  const handle = new tcpWrap.TCP(tcpWrap.constants.SOCKET);
  const connection = { handle, open: true, bound: false, answered: 0, requestIndex: 0, sentAt, rest: undefined };
  handle.connection = connection;
  handle.onread = connector.onread;
  handle.useUserBuffer(readBuffer);
  const source = sourceAddresses[connector.opened % sourceAddresses.length] ?? '127.0.1.1';
  const sourcePort = FIRST_SOURCE_PORT + (Math.floor(connector.opened / sourceAddresses.length) % SOURCE_PORTS);
  connector.opened += 1;
  let status = handle.bind(source, sourcePort, 0);
  if (status === 0) {
    const wrap = new tcpWrap.TCPConnectWrap();
    wrap.oncomplete = connector.oncomplete;
    status = handle.connect(wrap, address, port);
  }
  if (status !== 0) setImmediate(fail, events, connection, status);
}

/** Writes bytes that never change afterwards (prebuilt PDUs), in full. */
export function writeBytes(connector: Connector, connection: Connection, bytes: Buffer): void {
  const status = connection.handle.writeBuffer(connector.writeWrap, bytes);
  const wasAsync = streamWrap.streamBaseState[streamWrap.kLastWriteWasAsync] !== 0;
  if (wasAsync) connector.writeWrap = new streamWrap.WriteWrap();
  if (status !== 0) fail(connector.options.events, connection, status);
}

/** Closes; no event follows. */
export function closeConnection(connection: Connection): void {
  if (!connection.open) return;
  connection.open = false;
  connection.handle.close();
}

function onConnect(events: ConnectionEvents, status: number, handle: Handle): void {
  const connection = handle.connection;
  if (connection?.open !== true) return;
  const failure = status !== 0 ? status : handle.readStart();
  if (failure !== 0) fail(events, connection, failure);
  else events.connected(connection);
}

function onRead(events: ConnectionEvents, handle: Handle): void {
  const connection = handle.connection;
  if (connection?.open !== true) return;
  const byteCount = streamWrap.streamBaseState[streamWrap.kReadBytesOrError] ?? 0;
  if (byteCount > 0) events.read(connection, byteCount);
  else if (byteCount < 0) fail(events, connection, byteCount);
}

function fail(events: ConnectionEvents, connection: Connection, status: number): void {
  if (!connection.open) return;
  closeConnection(connection);
  events.failed(connection, getSystemErrorName(status));
}
