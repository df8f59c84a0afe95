// SPDX-License-Identifier: Apache-2.0

// For tests: a lease with the API server's rules, and contenders for it, each with a clock of its own.

import { type FakeApiServer, type Handler, type Seen, WIDGETS } from './api-server.fake.ts';
import type { Client } from './client.ts';
import { FakeClock, until } from './clock.fake.ts';
import { LeaderElector, type LeaderOptions, type TermEnd } from './leader.ts';
import type { Lease } from './lease.ts';

/** One lease, with the API server's rules for writing it; anything else that is written answers itself. */
export function leaseStore(): { handler: Handler; lease: () => Lease | undefined; put: (lease: Lease) => void } {
  let lease: Lease | undefined;
  let version = 0;
  const put = (written: Lease): Lease => {
    lease = { ...written, metadata: { ...written.metadata, resourceVersion: String(++version) } };
    return lease;
  };
  const handler: Handler = ({ method, path, body }, reply) => {
    const sent = body as unknown as Lease;
    if (!path.includes('/leases')) return reply.json(body ?? {});
    if (method === 'GET') return lease === undefined ? reply.status(404, 'NotFound') : reply.json(lease);
    if (method === 'POST') return lease === undefined ? reply.json(put(sent)) : reply.status(409, 'AlreadyExists');
    if (lease?.metadata.resourceVersion !== sent.metadata.resourceVersion) return reply.status(409, 'Conflict');
    return reply.json(put(sent));
  };
  return { handler, lease: () => lease, put };
}

export interface Contender {
  readonly clock: FakeClock;
  readonly elector: LeaderElector;
  /** Writes through this are guarded by the lease. */
  readonly client: Client;
  /** Signals of the terms it led, oldest first. */
  readonly terms: AbortSignal[];
  readonly end: () => TermEnd | undefined;
  readonly stop: () => Promise<void>;
  /** Lets `lead` return, when it was told to wait for that. */
  readonly finish: () => void;
}

export function contend(
  server: FakeApiServer,
  identity: string,
  more: Partial<LeaderOptions> & { slow?: boolean } = {},
): Contender {
  const clock = new FakeClock();
  const client = server.client({ clock });
  const { metrics } = server;
  const { slow, ...options } = more;
  const elector = new LeaderElector({
    client,
    namespace: 'ns',
    leaseName: 'lock',
    identity,
    metrics,
    clock,
    random: () => 0,
    // Not a multiple of the period, so that its timer is not mistaken for that of a renewal.
    renewDeadlineMs: 9_999,
    ...options,
  });
  const terms: AbortSignal[] = [];
  const stopping = new AbortController();
  let end: TermEnd | undefined;
  let finish = (): void => {};
  const running = elector
    .run(stopping.signal, (term) => {
      terms.push(term);
      return slow
        ? new Promise((resolve) => {
            finish = resolve;
          })
        : Promise.resolve();
    })
    .then((how) => {
      end = how;
    });
  return {
    clock,
    elector,
    client: client.withGuard(elector.guard),
    terms,
    end: () => end,
    stop: async () => {
      stopping.abort(new Error('stop'));
      await running;
    },
    finish: () => finish(),
  };
}

export const write = (client: Client): Promise<unknown> =>
  client.create(WIDGETS, { metadata: { namespace: 'ns', name: 'w' } });
export const widgetWrites = (server: FakeApiServer): Seen[] =>
  server.asked('POST').filter(({ path }) => path.endsWith('/widgets'));
export const leaseWrites = (server: FakeApiServer): Seen[] =>
  server.seen.filter(({ method, path }) => method !== 'GET' && path.includes('/leases'));
export const waiting = (one: Contender, ms: number): Promise<void> =>
  until(() => one.clock.pending().includes(ms), `a wait of ${ms}`);
