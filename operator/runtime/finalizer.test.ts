// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startFakeApiServer, WIDGETS, widget } from './api-server.fake.ts';
import { isConflict } from './errors.ts';
import { ensureFinalizer, removeFinalizer } from './finalizer.ts';
import { controllerOf, controllerReference, isControlledBy } from './ownership.ts';

const MINE = 'example.test/mine';

test('a finalizer is added beside the others, bound to what was read', async () => {
  await using server = await startFakeApiServer();
  server.handle((_, reply) => reply.json(widget('a', 2, { finalizers: ['theirs', MINE] })));
  const target = { client: server.client(), resource: WIDGETS, object: widget('a', 1, { finalizers: ['theirs'] }) };
  const object = await ensureFinalizer(target, MINE);
  assert.equal(object.metadata.resourceVersion, '2');
  const metadata = { uid: 'uid-a', resourceVersion: '1', finalizers: ['theirs', MINE] };
  assert.deepEqual(server.seen[0]?.body, { metadata });
});

test('nothing is written when it is there, when it is gone, or when the object is being deleted', async () => {
  await using server = await startFakeApiServer();
  const client = server.client();
  const has = widget('a', 1, { finalizers: [MINE] });
  const dying = widget('a', 1, { deletionTimestamp: '2026-01-01T00:00:00Z' });
  assert.equal(await ensureFinalizer({ client, resource: WIDGETS, object: has }, MINE), has);
  assert.equal(await ensureFinalizer({ client, resource: WIDGETS, object: dying }, MINE), dying);
  await removeFinalizer({ client, resource: WIDGETS, object: dying }, MINE);
  assert.equal(server.seen.length, 0);
});

test('removing it leaves the others; an object that is gone is fine, one that changed is a conflict', async () => {
  await using server = await startFakeApiServer();
  const object = widget('a', 1, { finalizers: ['theirs', MINE] });
  const target = { client: server.client(), resource: WIDGETS, object };
  server.script(
    (_, reply) => reply.json({}),
    (_, reply) => reply.status(404, 'NotFound'),
    (_, reply) => reply.status(409, 'Conflict'),
  );
  await removeFinalizer(target, MINE);
  assert.deepEqual((server.seen[0]?.body?.['metadata'] as { finalizers: string[] } | undefined)?.finalizers, [
    'theirs',
  ]);
  await removeFinalizer(target, MINE);
  await assert.rejects(removeFinalizer(target, MINE), isConflict);
});

test('an object is controlled by the owner with that uid, not by one of the same name', () => {
  const owner = widget('o', 1);
  const reference = controllerReference(WIDGETS, owner);
  assert.deepEqual(reference, {
    apiVersion: 'example.test/v1',
    kind: 'Widget',
    name: 'o',
    uid: 'uid-o',
    controller: true,
    blockOwnerDeletion: true,
  });
  const child = widget('c', 1, { ownerReferences: [{ ...reference, uid: 'x', controller: false }, reference] });
  assert.equal(controllerOf(child)?.uid, 'uid-o');
  assert.ok(isControlledBy(child, owner));
  assert.ok(!isControlledBy(child, widget('o', 1, { uid: 'made anew' })));
  const { uid: _, ...metadata } = owner.metadata;
  assert.ok(!isControlledBy(widget('c', 1), { metadata }), 'two that lack a uid do not match');
  assert.throws(() => controllerReference(WIDGETS, { metadata }), /Widget o has no uid/);
});
