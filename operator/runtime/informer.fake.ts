// SPDX-License-Identifier: Apache-2.0

// For tests: an informer on a scripted API server and a clock that the test turns.

import assert from 'node:assert/strict';
import { type FakeApiServer, type Handler, listOf, type WatchStream, WIDGETS, type Widget } from './api-server.fake.ts';
import { FakeClock, until } from './clock.fake.ts';
import { Informer, type InformerOptions } from './informer.ts';
import type { Change } from './replica.ts';

/** An informer and what it was told and asked. */
export interface Rig {
  readonly server: FakeApiServer;
  readonly clock: FakeClock;
  readonly informer: Informer<Widget>;
  readonly changes: Change<Widget>[];
  /** Changes as text: `+a` added, `~a` modified, `-a` deleted, `i+a` initial. */
  readonly told: () => string[];
  /** Watches that the server was asked for, oldest first. */
  readonly watches: { stream: WatchStream; query: URLSearchParams; path: string }[];
  /** Lists that the server was asked for. */
  readonly lists: () => URLSearchParams[];
  readonly metric: (name: string) => Promise<number>;
  readonly stop: () => Promise<void>;
}

/** An informer on a fake server: lists are answered by `answers` one after another, watches stay open. */
export async function startRig(
  server: FakeApiServer,
  answers: Handler[],
  more: Partial<InformerOptions<Widget>> = {},
): Promise<Rig> {
  const clock = new FakeClock();
  const watches: Rig['watches'] = [];
  server.handle((seen, reply) => {
    if (seen.query.get('watch') === 'true') {
      watches.push({ stream: reply.watch(), query: seen.query, path: seen.path });
      return;
    }
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    answer?.(seen, reply);
  });
  const random = (): number => 0.5;
  const client = server.client({ clock, random });
  const informer = new Informer({ client, resource: WIDGETS, metrics: server.metrics, clock, random, ...more });
  const changes: Change<Widget>[] = [];
  informer.onChange((change) => changes.push(change));
  const stopping = new AbortController();
  const running = informer.run(stopping.signal);
  const sign = { added: '+', modified: '~', deleted: '-' };
  return {
    server,
    clock,
    informer,
    changes,
    watches,
    told: () => changes.map(({ type, object, initial }) => `${initial ? 'i' : ''}${sign[type]}${object.metadata.name}`),
    lists: () => server.seen.filter(({ query }) => query.get('watch') === null).map(({ query }) => query),
    metric: async (name) => {
      const found = await server.registry.getSingleMetric(name)?.get();
      return found?.values.reduce((sum, { value }) => sum + value, 0) ?? Number.NaN;
    },
    stop: async () => {
      stopping.abort(new Error('test over'));
      await running;
    },
  };
}

/** Answers of complete lists, at resource versions 10, 20, … */
export const lists = (...items: object[][]): Handler[] =>
  items.map((some, at) => (_, reply) => reply.json(listOf(some, 10 * (at + 1))));

/** The watch stands on both sides: the client waits for its headers no more. */
export function watching(rig: Rig, count: number): Promise<void> {
  const stands = (): boolean => rig.watches.length === count && !rig.clock.pending().some((ms) => ms <= 30_000);
  return until(stands, `watch ${count}`);
}

/** The newest watch. */
export function latest(rig: Rig): WatchStream {
  const watch = rig.watches.at(-1);
  assert.ok(watch);
  return watch.stream;
}
