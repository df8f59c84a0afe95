// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startFakeApiServer, WIDGETS, widget } from './api-server.fake.ts';
import { until } from './clock.fake.ts';
import { isGone } from './errors.ts';

test('a watch gives each event as it comes, whatever the chunks, also within a character', async () => {
  await using server = await startFakeApiServer();
  const line = Buffer.from(`${JSON.stringify({ type: 'MODIFIED', object: widget('größe-é', 5) })}\n\n`);
  server.handle((_, reply) => {
    const stream = reply.watch();
    stream.event('ADDED', widget('a', 4));
    void (async () => {
      for (const byte of line) {
        stream.write(Uint8Array.of(byte));
        await new Promise((resolve) => setImmediate(resolve));
      }
      stream.event('BOOKMARK', { metadata: { resourceVersion: '9' } });
      stream.end();
    })();
  });
  const options = { resourceVersion: '3', timeoutSeconds: 300, namespace: 'ns' };
  const events = await Array.fromAsync(server.client().watch(WIDGETS, options));
  assert.deepEqual(events, [
    { type: 'ADDED', object: widget('a', 4) },
    { type: 'MODIFIED', object: widget('größe-é', 5) },
    { type: 'BOOKMARK', resourceVersion: '9' },
  ]);
  assert.deepEqual(Object.fromEntries(server.seen[0]?.query ?? []), {
    watch: 'true',
    resourceVersion: '3',
    timeoutSeconds: '300',
    allowWatchBookmarks: 'true',
  });
});

test('a watch throws the status of an ERROR event, and SyntaxError for what is no event', async () => {
  await using server = await startFakeApiServer();
  const options = { resourceVersion: '3', timeoutSeconds: 300 };
  const watchAll = (): Promise<unknown> => Array.fromAsync(server.client().watch(WIDGETS, options));
  server.handle((_, reply) => {
    reply.watch().event('ERROR', { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' });
  });
  await assert.rejects(watchAll(), isGone);
  for (const rubbish of ['{"type":"ADDED"}\n', 'not json\n', '{"type":"SURPRISE","object":{}}\n']) {
    server.handle((_, reply) => reply.watch().write(rubbish));
    await assert.rejects(watchAll(), SyntaxError);
  }
});

test('a reader that leaves a watch closes the connection; one that is slow holds the server back', async () => {
  await using server = await startFakeApiServer();
  let pressed = false;
  let closed = false;
  const big = 'x'.repeat(60_000);
  server.handle((_, { response }) => {
    response.writeHead(200);
    response.on('close', () => {
      closed = true;
    });
    const more = (): void => {
      if (closed) return;
      const object = { ...widget('a', 1), big };
      if (response.write(`${JSON.stringify({ type: 'ADDED', object })}\n`)) setImmediate(more);
      else {
        pressed = true;
        response.once('drain', more);
      }
    };
    more();
  });
  const watch = server.client().watch(WIDGETS, { resourceVersion: '1', timeoutSeconds: 300 });
  await watch.next();
  await until(() => pressed, 'the server feels the pressure');
  await watch.return();
  await until(() => closed, 'the connection is closed');
});
