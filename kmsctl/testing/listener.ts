// SPDX-License-Identifier: Apache-2.0
//
// For tests: a TCP server on a loopback address that does what a test wants, and is ended whole. Not part of the command line.

import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';

export interface Listener {
  readonly address: string;
  readonly port: number;
  close(): Promise<void>;
}

/** Listens, on a free port of 127.0.0.1 unless told otherwise, and calls `serve` for each connection. */
export async function listen(
  serve: (socket: Socket) => void,
  { address, port }: { readonly address: string; readonly port: number } = { address: '127.0.0.1', port: 0 },
): Promise<Listener> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    serve(socket);
  });
  server.listen(port, address);
  await once(server, 'listening');
  const bound = server.address();
  return {
    address,
    port: typeof bound === 'object' && bound !== null ? bound.port : 0,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
