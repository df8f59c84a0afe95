// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listOf, startFakeApiServer, WIDGETS, widget } from './api-server.fake.ts';
import {
  type ApiError,
  isAlreadyExists,
  isConflict,
  isForbidden,
  isGone,
  isInvalid,
  isNotFound,
  outcomeOf,
} from './errors.ts';

const REF = { namespace: 'ns', name: 'a' };

test('a field that this program does not know survives reading and writing', async () => {
  await using server = await startFakeApiServer();
  const stored = { ...widget('a', 1), brandNewField: { deep: [1, { x: null }] }, at: '2026-01-01T00:00:00.123456Z' };
  server.handle((seen, reply) => reply.json(seen.method === 'GET' ? stored : seen.body));
  const client = server.client();
  const read = await client.get(WIDGETS, REF);
  assert.deepEqual(read, stored);
  assert.deepEqual(await client.replace(WIDGETS, read), stored);
  assert.deepEqual(server.asked('PUT')[0]?.body, stored);
});

test('a client that omits managedFields reads everything else, from objects, lists and watches', async () => {
  await using server = await startFakeApiServer();
  const managedFields = [{ manager: 'kubectl', fieldsV1: { 'k:{"uid":"]"}': {} } }];
  const stored = { ...widget('a', 1), spec: { size: 1 } };
  const full = { ...stored, metadata: { ...stored.metadata, managedFields } };
  server.handle((seen, reply) => {
    if (seen.query.has('watch')) {
      const stream = reply.watch();
      stream.event('ADDED', full);
      stream.end();
    } else reply.json(seen.path.endsWith('/a') ? full : listOf([full], 1));
  });
  const client = server.client({ omitManagedFields: true });
  assert.deepEqual(await client.get(WIDGETS, REF), stored);
  assert.deepEqual((await client.list(WIDGETS)).items, [stored]);
  const watch = client.watch(WIDGETS, { resourceVersion: '1', timeoutSeconds: 1 });
  assert.deepEqual(await Array.fromAsync(watch), [{ type: 'ADDED', object: stored }]);
  assert.deepEqual(await server.client().get(WIDGETS, REF), full);
});

test('each verb sends the method, path, query and content type of its kind', async () => {
  await using server = await startFakeApiServer();
  server.handle((_, reply) => reply.json(widget('a', 1)));
  const client = server.client();
  const intent = { metadata: { namespace: 'ns', name: 'a' } };
  await client.create(WIDGETS, intent);
  await client.apply(WIDGETS, { ...intent, spec: { size: 2 } }, { fieldManager: 'me' });
  await client.applyStatus(WIDGETS, intent, { fieldManager: 'me', force: false, dryRun: true });
  await client.patch(WIDGETS, REF, { patch: { spec: null }, subresource: 'scale' });
  await client.delete(WIDGETS, REF, { uid: 'u', propagation: 'Background' });
  const base = '/apis/example.test/v1/namespaces/ns/widgets';
  assert.deepEqual(
    server.seen.map(({ method, path, query, headers }) => [
      method,
      path,
      Object.fromEntries(query),
      headers['content-type'],
    ]),
    [
      ['POST', base, {}, 'application/json'],
      ['PATCH', `${base}/a`, { fieldManager: 'me', force: 'true' }, 'application/apply-patch+yaml'],
      [
        'PATCH',
        `${base}/a/status`,
        { fieldManager: 'me', force: 'false', dryRun: 'All' },
        'application/apply-patch+yaml',
      ],
      ['PATCH', `${base}/a/scale`, {}, 'application/merge-patch+json'],
      ['DELETE', `${base}/a`, {}, 'application/json'],
    ],
  );
  const [created, applied, , , deleted] = server.seen.map(({ body }) => body);
  assert.equal(created?.['apiVersion'], 'example.test/v1');
  assert.equal(applied?.['kind'], 'Widget');
  assert.deepEqual(deleted?.['preconditions'], { uid: 'u' });
  assert.equal(server.seen[0]?.headers['user-agent'], 'test/1');
});

test('a path below the server address goes before every path', async () => {
  await using server = await startFakeApiServer();
  server.handle((_, reply) => reply.json(widget('a', 1)));
  const { plainConnection } = await import('./connection.ts');
  const connection = plainConnection(`${server.url}/k8s/clusters/c1/`, 's3cret');
  await server.client({ connection }).get(WIDGETS, REF);
  assert.equal(server.seen[0]?.path, '/k8s/clusters/c1/apis/example.test/v1/namespaces/ns/widgets/a');
  assert.equal(server.seen[0]?.headers.authorization, 'Bearer s3cret');
});

test('a list goes on from page to page, and gives its items their apiVersion and kind', async () => {
  await using server = await startFakeApiServer();
  const bare = (name: string): object => ({ metadata: { name, namespace: 'ns' } });
  server.script(
    (_, reply) => reply.json(listOf([bare('a'), bare('b')], 7, 'token/1=')),
    (_, reply) => reply.json(listOf([bare('c')], 7)),
  );
  const told: unknown[] = [];
  const options = { limit: 2, labelSelector: 'x in (1,2)' };
  const version = await server.client().listEach(WIDGETS, options, ({ kind, apiVersion, metadata }) => {
    told.push([apiVersion, kind, metadata.name]);
  });
  assert.equal(version, '7');
  assert.deepEqual(
    told,
    ['a', 'b', 'c'].map((name) => ['example.test/v1', 'Widget', name]),
  );
  assert.equal(server.seen[0]?.remotePort, server.seen[1]?.remotePort, 'on one connection');
  assert.deepEqual(
    server.seen.map(({ query }) => [query.get('limit'), query.get('continue'), query.get('labelSelector')]),
    [
      ['2', null, 'x in (1,2)'],
      ['2', 'token/1=', 'x in (1,2)'],
    ],
  );
});

const REFUSALS = [
  [404, 'NotFound', isNotFound],
  [409, 'AlreadyExists', isAlreadyExists],
  [409, 'Conflict', isConflict],
  [410, 'Expired', isGone],
  [422, 'Invalid', isInvalid],
  [403, 'Forbidden', isForbidden],
] as const;

for (const [code, reason, is] of REFUSALS)
  test(`${code} ${reason} is an ApiError that exactly one guard knows, and is not sent again`, async () => {
    await using server = await startFakeApiServer();
    server.handle((_, reply) => reply.status(code, reason));
    const outcome = await outcomeOf(server.client().get(WIDGETS, REF));
    assert.ok(!outcome.ok);
    assert.equal(outcome.error.statusCode, code);
    assert.equal(outcome.error.reason, reason);
    assert.match(outcome.error.message, new RegExp(`GET /apis/example.test/v1/namespaces/ns/widgets/a: ${code}`));
    assert.deepEqual(
      REFUSALS.map(([, , guard]) => guard(outcome.error)),
      REFUSALS.map(([, , guard]) => guard === is),
    );
    assert.equal(server.seen.length, 1);
  });

test('find answers undefined and delete answers false where there is nothing', async () => {
  await using server = await startFakeApiServer();
  const client = server.client();
  assert.equal(await client.find(WIDGETS, REF), undefined);
  assert.equal(await client.delete(WIDGETS, REF), false);
});

test('an answer that is no Status is quoted, shortened', async () => {
  await using server = await startFakeApiServer();
  server.handle((_, { response }) => {
    response.writeHead(502).end(`<html>${'x'.repeat(5_000)}`);
  });
  await assert.rejects(server.client().get(WIDGETS, REF), (error: ApiError) => {
    assert.equal(error.statusCode, 502);
    assert.match(error.message, /<html>xxx/);
    return error.message.length < 500;
  });
});
