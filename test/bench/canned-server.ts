// SPDX-License-Identifier: Apache-2.0
//
// The ceiling of the benchmark: a server of the same runtime, with the same listener options as a KMS host, that answers
// bind and request with fixed bytes. It frames honestly (by ptype and frag_length, also PDUs cut into or glued together in
// TCP segments) and does nothing else: no check, no key, no count, no metric. It is not a KMS host.
//
// Run: node --max-semi-space-size=8 canned-server.ts PORT

import net from 'node:net';
import { CANNED_BIND_ACK, CANNED_V4_RESPONSE, CANNED_V6_RESPONSE, V4_REQUEST_BYTES } from './canned-bytes.ts';

const PTYPE_REQUEST = 0;
const PTYPE_BIND = 11;
const HEADER_BYTES = 16;

type CannedSocket = net.Socket & { rest: Buffer | undefined };

function onData(this: CannedSocket, segment: Buffer): void {
  const bytes = this.rest === undefined ? segment : Buffer.concat([this.rest, segment]);
  this.rest = undefined;
  let offset = 0;
  while (bytes.length - offset >= HEADER_BYTES) {
    const fragLength = (bytes[offset + 8] ?? 0) | ((bytes[offset + 9] ?? 0) << 8);
    if (fragLength < HEADER_BYTES) return void this.destroy();
    if (bytes.length - offset < fragLength) break;
    const ptype = bytes[offset + 2];
    if (ptype === PTYPE_REQUEST) this.write(fragLength === V4_REQUEST_BYTES ? CANNED_V4_RESPONSE : CANNED_V6_RESPONSE);
    else if (ptype === PTYPE_BIND) this.write(CANNED_BIND_ACK);
    else return void this.destroy();
    offset += fragLength;
  }
  if (offset < bytes.length) this.rest = bytes.subarray(offset);
}

function onEnd(this: CannedSocket): void {
  this.end();
}

function ignoreError(): void {
  // A client that resets is no event here; net closes the socket by itself.
}

const server = net.createServer({ allowHalfOpen: true }, (socket) => {
  const canned = socket as CannedSocket;
  canned.rest = undefined;
  canned.on('data', onData);
  canned.on('end', onEnd);
  canned.on('error', ignoreError);
});
server.listen({ host: '127.0.0.1', port: Number(process.argv[2]), backlog: 1024 });
