// SPDX-License-Identifier: Apache-2.0

// The part of a kubelet that forwards ports, for the node that node-player.ts plays: the API server connects here over TLS for `pods/portforward`, and bytes go
// to the Pod's own loopback address. Of WebSockets (RFC 6455) it knows what the channel protocol needs: whole binary frames, stream 0 data, stream 1 errors,
// the first two bytes of each stream the port. A real kubelet's forwarding is proven in a real cluster.
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { PODS } from '../../../operator/pool/kinds.ts';
import { makeAuthority } from './certificates.ts';
import type { ControlPlane } from './control-plane.ts';
import type { NodePlayer } from './node-player.ts';
import { NODES } from './player/kinds.ts';
import { makeTestFolder } from './server-process.ts';

export interface KubeletForward {
  /** Connections that were forwarded. */
  readonly forwarded: () => number;
  stop(): Promise<void>;
}

const PATH = /^\/portForward\/([^/]+)\/([^/?]+)(?:\/[^/?]+)?\?(?:.*&)?port=(\d+)/;
const PROTOCOL = 'v4.channel.k8s.io';
const ACCEPT_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const OPCODE = { binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** Listens, and tells the API server that the player's node is reached here. */
export async function startKubeletForward(plane: ControlPlane, player: NodePlayer): Promise<KubeletForward> {
  const folder = makeTestFolder('kubelet');
  const authority = await makeAuthority(folder.path);
  const { certificate, key } = await authority.serverCertificate('kubelet');
  const sockets = new Set<Duplex>();
  let forwarded = 0;
  const server = createServer({ cert: certificate, key }, (_request, answer) => answer.writeHead(404).end());
  server.on('upgrade', (request: IncomingMessage, socket: Duplex) => {
    forwarded += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
    void forward(plane, request, socket).catch(() => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const status = {
    addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
    daemonEndpoints: { kubeletEndpoint: { Port: (server.address() as AddressInfo).port } },
  };
  const stop = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    folder.remove();
  };
  try {
    await plane.client().patch(NODES, { name: player.nodeName }, { patch: { status }, subresource: 'status' });
    return { forwarded: () => forwarded, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function forward(plane: ControlPlane, request: IncomingMessage, socket: Duplex): Promise<void> {
  const [, namespace = '', name = '', port = ''] = PATH.exec(request.url ?? '') ?? [];
  const offered = String(request.headers['sec-websocket-protocol'] ?? '').split(/\s*,\s*/);
  if (name === '' || !offered.includes(PROTOCOL)) {
    socket.end('HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n');
    return;
  }
  const key = `${request.headers['sec-websocket-key']}${ACCEPT_SUFFIX}`;
  const accept = createHash('sha1').update(key).digest('base64');
  const head = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade'];
  socket.write(
    [...head, `Sec-WebSocket-Accept: ${accept}`, `Sec-WebSocket-Protocol: ${PROTOCOL}`, '', ''].join('\r\n'),
  );
  const portBytes = Buffer.alloc(2);
  portBytes.writeUInt16LE(Number(port));
  for (const stream of [0, 1]) socket.write(frame(OPCODE.binary, Buffer.concat([Buffer.of(stream), portBytes])));
  const { status } = await plane.client().get(PODS, { namespace, name });
  join(socket, connect({ host: String(status?.podIP), port: Number(port) }));
}

function join(socket: Duplex, pod: Socket): void {
  const send = (stream: number, bytes: Buffer): void =>
    void (socket.writable && socket.write(frame(OPCODE.binary, Buffer.concat([Buffer.of(stream), bytes]))));
  pod.on('data', (bytes: Buffer) => send(0, bytes));
  pod.on('error', (error) => send(1, Buffer.from(`error forwarding port: ${error.message}`)));
  pod.once('close', () => socket.end(frame(OPCODE.close, Buffer.alloc(0))));
  socket.once('close', () => pod.destroy());
  const frames = frameReader((opcode, payload) => {
    if (opcode === OPCODE.close) pod.end();
    else if (opcode === OPCODE.ping) socket.write(frame(OPCODE.pong, payload));
    else if (payload[0] === 0) pod.write(payload.subarray(1));
  });
  socket.on('data', frames);
}

/** An unmasked, whole frame, as a server sends it. */
function frame(opcode: number, payload: Buffer): Buffer {
  const { length } = payload;
  const head = length < 126 ? Buffer.of(0x80 | opcode, length) : Buffer.alloc(length < 65_536 ? 4 : 10);
  if (length >= 126) {
    head.writeUInt8(0x80 | opcode, 0);
    head.writeUInt8(length < 65_536 ? 126 : 127, 1);
    if (length < 65_536) head.writeUInt16BE(length, 2);
    else head.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([head, payload]);
}

/** Calls `take` for each whole masked frame of a client. */
function frameReader(take: (opcode: number, payload: Buffer) => void): (bytes: Buffer) => void {
  let received = Buffer.alloc(0);
  return (bytes) => {
    received = Buffer.concat([received, bytes]);
    for (;;) {
      const next = readFrame(received);
      if (next === undefined) return;
      received = received.subarray(next.end);
      take(next.opcode, next.payload);
    }
  };
}

function readFrame(bytes: Buffer): { opcode: number; payload: Buffer; end: number } | undefined {
  if (bytes.length < 2) return undefined;
  const short = bytes.readUInt8(1) & 0x7f;
  const headBytes = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (bytes.length < headBytes + 4) return undefined;
  const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  const start = headBytes + 4;
  if (bytes.length < start + length) return undefined;
  const mask = bytes.subarray(headBytes, start);
  const payload = Buffer.from(bytes.subarray(start, start + length));
  for (let at = 0; at < payload.length; at++) payload[at] = (payload[at] ?? 0) ^ (mask[at % 4] ?? 0);
  return { opcode: bytes.readUInt8(0) & 0x0f, payload, end: start + length };
}
