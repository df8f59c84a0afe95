// SPDX-License-Identifier: Apache-2.0
//
// The sockets of the small DNS server that `kmsctl up` runs: UDP and TCP on one port of a loopback address.
// What is answered is respond.ts. It is no server for a network: it refuses to listen on anything but loopback.

import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer, isIPv6, type Server, type Socket } from 'node:net';
import { respond } from './respond.ts';
import type { Zone } from './zone.ts';

/** A connection that is idle for so long is closed. */
const IDLE_MS = 10_000;
const MAX_CONNECTIONS = 64;
/** A peer that lets so many bytes of answers pile up is dropped. */
const MAX_UNREAD_BYTES = 256 * 1024;
/** How often another free port is tried when the one that UDP got is taken for TCP. */
const FREE_PORT_TRIES = 10;

export interface DnsServer {
  readonly address: string;
  readonly port: number;
  /** Answers from these zones from now on. */
  update(zones: readonly Zone[]): void;
  close(): Promise<void>;
}

export interface DnsServerOptions {
  /** A loopback address. */
  readonly address: string;
  /** 0 takes a port that is free for both UDP and TCP. */
  readonly port: number;
  readonly zones: readonly Zone[];
}

/** Listens. Rejects with the system's error (EADDRINUSE, EADDRNOTAVAIL …), and with a RangeError for an address beyond loopback. */
export async function startDnsServer(options: DnsServerOptions): Promise<DnsServer> {
  const { address } = options;
  if (!/^127\./.test(address) && address !== '::1') throw new RangeError(`${address} is not a loopback address`);
  let zones = options.zones;
  const udp = udpSocket(address, () => zones);
  const tcp = tcpServer(() => zones);
  const { socket, port } = await listenBoth({ udp, tcp: tcp.server, address, port: options.port });
  return {
    address,
    port,
    update: (next) => {
      zones = next;
    },
    close: async () => {
      for (const connection of tcp.connections) connection.destroy();
      await Promise.all([
        new Promise<void>((resolve) => socket.close(() => resolve())),
        new Promise<void>((resolve) => tcp.server.close(() => resolve())),
      ]);
    },
  };
}

type CurrentZones = () => readonly Zone[];

/** Makes a new socket for each try, for one that failed to bind cannot be used again. */
function udpSocket(address: string, zones: CurrentZones): (port: number) => Promise<UdpSocket> {
  return (port) =>
    new Promise((resolve, reject) => {
      const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
      socket.once('error', reject);
      socket.bind({ address, port, exclusive: true }, () => {
        socket.off('error', reject);
        socket.on('error', () => undefined); // an ICMP error for a client that is gone
        socket.on('message', (message, peer) => {
          const answer = respond(message, zones(), 'udp');
          if (answer !== undefined) socket.send(answer, peer.port, peer.address, () => undefined);
        });
        resolve(socket);
      });
    });
}

interface Listening {
  readonly udp: (port: number) => Promise<UdpSocket>;
  readonly tcp: Server;
  readonly address: string;
  readonly port: number;
}

async function listenBoth({ udp, tcp, address, port }: Listening): Promise<{ socket: UdpSocket; port: number }> {
  for (let tries = 1; ; tries++) {
    const socket = await udp(port);
    const bound = socket.address().port;
    try {
      await listenTcp(tcp, address, bound);
      return { socket, port: bound };
    } catch (error) {
      socket.close();
      if (port !== 0 || tries >= FREE_PORT_TRIES) throw error;
    }
  }
}

function listenTcp(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function tcpServer(zones: CurrentZones): { server: Server; connections: ReadonlySet<Socket> } {
  const connections = new Set<Socket>();
  const server = createServer((socket) => {
    connections.add(socket);
    socket.on('close', () => connections.delete(socket));
    socket.on('error', () => undefined); // 'close' follows
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    serveStream(socket, zones);
  });
  server.maxConnections = MAX_CONNECTIONS;
  return { server, connections };
}

/** Two bytes of length in front of every message (RFC 1035 4.2.2); a length without room for a header ends the connection. */
function serveStream(socket: Socket, zones: CurrentZones): void {
  let pending: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
      const end = 2 + pending.readUInt16BE(0);
      const answer = respond(pending.subarray(2, end), zones(), 'tcp');
      pending = pending.subarray(end);
      if (answer === undefined || socket.writableLength > MAX_UNREAD_BYTES) {
        socket.destroy();
        return;
      }
      const length = Buffer.alloc(2);
      length.writeUInt16BE(answer.length);
      socket.write(Buffer.concat([length, answer]));
    }
  });
}
