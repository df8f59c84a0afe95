// SPDX-License-Identifier: Apache-2.0
//
// Which addresses and ports of this machine a pool's hosts get. It asks the system by binding, and lets go again: whoever
// listens later must still be ready for a port that was taken meanwhile.

import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { UserError } from '@kmspool/crds';
import { codeOf } from './pool-file.ts';

/** Hosts get 127.0.16.1, 127.0.16.2, … */
const HOST_NETWORK = '127.0.16';
const HTTP_PORT = 8080;
const FREE_PORT_TRIES = 50;
/** Below the ports that systems hand out by themselves, so that nobody is given the port of a host that is being started again. */
const FREE_PORTS = { from: 20_000, to: 30_000 } as const;

export interface HostPlace {
  readonly ordinal: number;
  readonly address: string;
  readonly port: number;
  readonly httpPort: number;
}

export interface PortWish {
  readonly replicas: number;
  /** Of every host; 0 takes one that is free on all of them. */
  readonly port: number;
  /** Take a free port when `port` is in use, instead of refusing. */
  readonly orFree?: boolean;
}

/**
 * A place for each host: an address of its own with the same port, or, where only 127.0.0.1 exists, port + ordinal.
 * HTTP gets port 8080 (+ ordinal) where that is free, and any free one if the hosts do. Throws a UserError when the port is in use.
 */
export async function placeHosts(wish: PortWish): Promise<HostPlace[]> {
  const single = (await tryBind(`${HOST_NETWORK}.1`, 0)).code === 'EADDRNOTAVAIL';
  const spots = Array.from({ length: wish.replicas }, (_, ordinal) => ({
    ordinal,
    address: single ? '127.0.0.1' : `${HOST_NETWORK}.${ordinal + 1}`,
    step: single ? ordinal : 0,
  }));
  const port = await commonPort(spots, wish);
  const places: HostPlace[] = [];
  for (const { ordinal, address, step } of spots) {
    const used = new Set([...places.filter((place) => place.address === address).map(({ httpPort }) => httpPort)]);
    const wanted = wish.port === 0 ? randomInt(FREE_PORTS.from, FREE_PORTS.to) : HTTP_PORT + step;
    places.push({ ordinal, address, port: port + step, httpPort: await freePort(address, wanted, used) });
  }
  return places;
}

interface Spot {
  readonly address: string;
  readonly step: number;
}

async function commonPort(spots: readonly Spot[], { port, orFree }: PortWish): Promise<number> {
  if (port !== 0) {
    const problem = await firstProblem(spots, port);
    if (problem === undefined) return port;
    if (orFree !== true || problem.code !== 'EADDRINUSE') throw portError(problem);
  }
  for (let tries = 0; tries < FREE_PORT_TRIES; tries++) {
    const candidate = randomInt(FREE_PORTS.from, FREE_PORTS.to);
    if ((await firstProblem(spots, candidate)) === undefined) return candidate;
  }
  throw new UserError('--port: no port is free on all loopback addresses of the hosts; end some other program');
}

interface Problem {
  readonly address: string;
  readonly port: number;
  readonly code: string;
}

async function firstProblem(spots: readonly Spot[], port: number): Promise<Problem | undefined> {
  for (const { address, step } of spots) {
    const { code } = await tryBind(address, port + step);
    if (code !== undefined) return { address, port: port + step, code };
  }
  return undefined;
}

function portError({ address, port, code }: Problem): UserError {
  const why: Readonly<Record<string, string>> = {
    EADDRINUSE: 'is in use; stop what listens there, or choose another port with --port',
    EACCES: 'may not be used by this user; choose a port from 1024 on with --port',
  };
  return new UserError(
    `port ${port} on ${address} ${why[code] ?? `cannot be used (${code}); choose another with --port`}`,
  );
}

async function freePort(address: string, wanted: number, used: ReadonlySet<number>): Promise<number> {
  const { code } = used.has(wanted) ? { code: 'EADDRINUSE' } : await tryBind(address, wanted);
  if (code === undefined) return wanted;
  for (;;) {
    const port = randomInt(FREE_PORTS.from, FREE_PORTS.to);
    if (!used.has(port) && (await tryBind(address, port)).code === undefined) return port;
  }
}

/** Binds and lets go. `code` is why it could not; `port` is the one that was bound. */
function tryBind(address: string, port: number): Promise<{ port: number; code?: string }> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => resolve({ port, code: codeOf(error) }));
    server.listen({ host: address, port, exclusive: true }, () => {
      const bound = server.address();
      server.close(() => resolve({ port: typeof bound === 'object' && bound !== null ? bound.port : port }));
    });
  });
}
