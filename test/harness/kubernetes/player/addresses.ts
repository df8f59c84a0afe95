// SPDX-License-Identifier: Apache-2.0

// Loopback addresses for Pods: a player takes a block 127.A.0.0/16 that no other player on this machine has, and deals its addresses out in order, so
// that an address comes again only after all others. Linux only: there the whole of 127.0.0.0/8 is this machine.
import { createServer, type Server } from 'node:net';

const FIRST_BLOCK = 64;
const BLOCKS = 64;
/** Whoever listens here has the block; the kernel takes the claim back when its process ends, however it ends. */
const CLAIM_PORT = 8080;

export interface AddressBlock {
  /** The node's own address; no Pod gets it. */
  readonly hostAddress: string;
  /** The next address. */
  next(): string;
  release(): Promise<void>;
}

/** Takes a block. @throws Error when all are taken. */
export async function claimAddresses(): Promise<AddressBlock> {
  const start = process.pid % BLOCKS;
  for (let tried = 0; tried < BLOCKS; tried++) {
    const block = FIRST_BLOCK + ((start + tried) % BLOCKS);
    const hostAddress = `127.${block}.255.254`;
    const claim = await listenOn(hostAddress);
    if (claim !== undefined) return { hostAddress, next: addressesOf(block), release: () => closed(claim) };
  }
  throw new Error(`all ${BLOCKS} blocks of loopback addresses for Pods are taken; do other node players still run?`);
}

function addressesOf(block: number): () => string {
  let dealt = 0;
  // 254 times 250 addresses, none of which looks like a network or a broadcast address.
  return () => {
    const at = dealt++ % (254 * 250);
    return `127.${block}.${Math.floor(at / 250)}.${(at % 250) + 1}`;
  };
}

function listenOn(address: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.unref();
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    );
    server.listen({ host: address, port: CLAIM_PORT, exclusive: true }, () => resolve(server));
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
