// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FIELD_MANAGER } from '@kmspool/crds';
import { type FakeApiServer, type Handler, type Seen, startFakeApiServer } from '../runtime/api-server.fake.ts';
import { FakeClock } from '../runtime/clock.fake.ts';
import { ApiError, silentLogger, TransportError } from '../runtime/index.ts';
import { type Applied, applySteps } from './apply.ts';
import { DEPLOYMENTS, LEAN_SECRETS, SERVICES } from './kinds.ts';
import type { Step } from './state.ts';
import { FakeWorld, specOf } from './world.fake.ts';
import { Written } from './written.ts';

const SIGNAL = new AbortController().signal;
const OWNER = {
  apiVersion: 'kmspool.io/v1alpha1',
  kind: 'KmsHostPool',
  name: 'campus',
  uid: 'pool-uid',
  controller: true,
};

const service = (name = 'campus-0', more: object = {}): { metadata: { name: string; namespace: string } } => ({
  metadata: { name, namespace: 'kms', ...more },
});
const applyOf = (name: string, uid?: string): Step => ({
  kind: 'apply',
  resource: SERVICES,
  object: service(name),
  uid,
  why: 'missing',
});
const KEY: Step = { kind: 'makeSecret', secret: 'key', name: 'campus-key' };

/** Does steps against a server that says what the test wants. */
async function run(
  server: FakeApiServer,
  ...steps: Step[]
): Promise<{ applied: Applied; written: Written; purged: string[] }> {
  const written = new Written(new FakeClock());
  const purged: string[] = [];
  const hands = {
    client: server.client(),
    written,
    purge: async (_: unknown, poolId: string) => void purged.push(poolId),
    onStep: () => {},
  };
  const world = new FakeWorld(specOf(1)).world();
  return { applied: await applySteps(hands, steps, { world, signal: SIGNAL, log: silentLogger }), written, purged };
}

const writes = ({ seen }: FakeApiServer): Seen[] => seen.filter(({ method }) => method !== 'GET');
/** A member of the first request's body. */
const sent = ({ seen }: FakeApiServer, member: string): unknown => seen[0]?.body?.[member];
/** Nothing is there, and every write succeeds with what was sent. */
const empty: Handler = ({ method, body }, reply) =>
  method === 'GET'
    ? reply.status(404, 'NotFound')
    : reply.json({ ...body, metadata: { ...(body?.['metadata'] as object), uid: 'new', resourceVersion: '7' } });

describe('an object that is missing', () => {
  test('is asked for, then applied, and believed until the cache shows it', async () => {
    await using server = await startFakeApiServer();
    server.handle(empty);
    const { applied, written } = await run(server, applyOf('campus-0'));
    assert.deepEqual(applied, { refusals: [], again: false, keyMade: false });
    assert.deepEqual(
      server.seen.map(({ method, path }) => `${method} ${path}`),
      ['GET /api/v1/namespaces/kms/services/campus-0', 'PATCH /api/v1/namespaces/kms/services/campus-0'],
    );
    assert.equal(writes(server)[0]?.query.get('fieldManager'), FIELD_MANAGER);
    assert.equal(written.latest(SERVICES, service().metadata, undefined)?.metadata.uid, 'new');
  });

  test('is not touched when somebody else has it: the plan is made anew, with that object in the world', async () => {
    await using server = await startFakeApiServer();
    const theirs = { ...service('campus-0', { uid: 'theirs' }), spec: { clusterIP: '10.0.0.9' } };
    server.handle((_, reply) => reply.json(theirs));
    const { applied, written } = await run(server, applyOf('campus-0'));
    assert.equal(applied.again, true);
    assert.deepEqual(writes(server), []);
    assert.equal(written.latest(SERVICES, service().metadata, undefined)?.metadata.uid, 'theirs');
  });

  test('is applied when it is ours after all, and the cache only late', async () => {
    await using server = await startFakeApiServer();
    const ours = service('campus-0', { uid: 'ours', ownerReferences: [OWNER] });
    server.handle(({ method }, reply) => (method === 'GET' ? reply.json(ours) : reply.json(ours)));
    await run(server, applyOf('campus-0'));
    assert.equal(writes(server).length, 1);
  });
});

test('an object that is there is applied at once, bound to the uid that was judged', async () => {
  await using server = await startFakeApiServer();
  server.handle(empty);
  await run(server, applyOf('campus-0', 'judged'));
  assert.deepEqual(
    server.seen.map(({ method }) => method),
    ['PATCH'],
  );
  assert.equal((sent(server, 'metadata') as { uid: string }).uid, 'judged');
});

test('a Deployment is kept as its cache keeps it, so that the two compare equal', async () => {
  await using server = await startFakeApiServer();
  const deployment = { metadata: { name: 'campus-0', namespace: 'kms', managedFields: [{ manager: 'x' }] } };
  server.handle((_, reply) => reply.json(deployment));
  const { written } = await run(server, {
    kind: 'apply',
    resource: DEPLOYMENTS,
    object: deployment,
    uid: 'a',
    why: '',
  });
  assert.equal(written.latest(DEPLOYMENTS, deployment.metadata, undefined)?.metadata.managedFields, undefined);
});

describe('the key', () => {
  const created = async (server: FakeApiServer) => {
    const { applied, written } = await run(server, KEY);
    return { applied, secret: written.latest(LEAN_SECRETS, { namespace: 'kms', name: 'campus-key' }, undefined) };
  };

  test('is made of 32 random bytes, of which none is kept, and the plan is made anew', async () => {
    await using server = await startFakeApiServer();
    server.handle(empty);
    const { applied, secret } = await created(server);
    assert.deepEqual(applied, { refusals: [], again: true, keyMade: true });
    const { key } = sent(server, 'data') as { key: string };
    assert.equal(Buffer.from(key, 'base64').length, 32);
    assert.equal(secret?.keyBytes, 32);
    assert.equal(JSON.stringify(secret).includes(key), false);
  });

  test('that another operator made a moment ago is taken as it is, and was not made here', async () => {
    await using server = await startFakeApiServer();
    const theirs = {
      ...service('campus-key', { uid: 'theirs' }),
      data: { key: Buffer.alloc(32, 1).toString('base64') },
    };
    server.handle(({ method }, reply) => (method === 'POST' ? reply.status(409, 'AlreadyExists') : reply.json(theirs)));
    const { applied, secret } = await created(server);
    assert.deepEqual(applied, { refusals: [], again: true, keyMade: false });
    assert.equal(secret?.metadata.uid, 'theirs');
    assert.deepEqual(
      writes(server).map(({ method }) => method),
      ['POST'],
    );
  });

  test('that may not be made is a refusal, and was not made', async () => {
    await using server = await startFakeApiServer();
    server.handle((_, reply) => reply.status(403, 'Forbidden'));
    const { applied, secret } = await created(server);
    assert.deepEqual(
      applied.refusals.map(({ reason }) => reason),
      ['Forbidden'],
    );
    assert.deepEqual([applied.again, applied.keyMade, secret], [false, false, undefined]);
  });
});

describe('what the API server says no to', () => {
  const refusing = (statusCode: number, reason: string, message = 'no'): Handler => {
    const status = { kind: 'Status', code: statusCode, reason, message };
    return (seen, reply) =>
      seen.path.endsWith('/bad') && seen.method !== 'GET' ? reply.json(status, statusCode) : empty(seen, reply);
  };
  const cases = [
    { code: 422, said: 'Invalid', reason: 'InvalidSpec' },
    { code: 400, said: 'BadRequest', reason: 'InvalidSpec' },
    {
      code: 500,
      said: '',
      message: 'failed to create typed patch object: x: field not declared in schema',
      reason: 'InvalidSpec',
    },
    { code: 403, said: 'Forbidden', reason: 'Forbidden' },
  ];
  for (const { code, said, message, reason } of cases)
    test(`${code} ${said} for good: a refusal that names the object, and the other steps are done`, async () => {
      await using server = await startFakeApiServer();
      server.handle(refusing(code, said, message));
      const { applied } = await run(server, applyOf('bad'), applyOf('good'));
      assert.deepEqual(
        applied.refusals.map((refusal) => refusal.reason),
        [reason],
      );
      assert.match(applied.refusals[0]?.message ?? '', /^Service bad: (?!PATCH)./);
      assert.ok(writes(server).some(({ path }) => path.endsWith('/good')));
    });

  for (const [code, said] of [
    [409, 'Conflict'],
    [429, 'TooManyRequests'],
    [500, 'InternalError'],
    [503, ''],
  ] as const)
    test(`${code} ${said} for now: it is thrown, and nothing after it is done`, async () => {
      await using server = await startFakeApiServer();
      server.handle(refusing(code, said));
      await assert.rejects(
        run(server, applyOf('bad'), applyOf('good')),
        (error) => error instanceof ApiError && error.statusCode === code,
      );
      assert.equal(
        writes(server).some(({ path }) => path.endsWith('/good')),
        false,
      );
    });

  test('no answer at all: it is thrown', async () => {
    await using server = await startFakeApiServer();
    server.handle((_, reply) => reply.cut());
    await assert.rejects(run(server, applyOf('campus-0')), TransportError);
  });

  test("a deletion that is forbidden is thrown: only what is made is the spec's fault", async () => {
    await using server = await startFakeApiServer();
    server.handle((_, reply) => reply.status(403, 'Forbidden'));
    const ref = service().metadata;
    await assert.rejects(run(server, { kind: 'delete', resource: SERVICES, ref, uid: 'a', why: '' }), ApiError);
  });
});

test('a deletion is bound to the uid, and believed until the cache shows it', async () => {
  await using server = await startFakeApiServer();
  server.handle((_, reply) => reply.json({ kind: 'Status', status: 'Success' }));
  const ref = service().metadata;
  const { written } = await run(server, { kind: 'delete', resource: SERVICES, ref, uid: 'a', why: '' });
  assert.deepEqual(sent(server, 'preconditions'), { uid: 'a' });
  assert.equal(written.latest(SERVICES, ref, service('campus-0', { uid: 'a' })), undefined);
  assert.equal(written.latest(SERVICES, ref, service('campus-0', { uid: 'b' }))?.metadata.name, 'campus-0');
});

test('an annotation is set and removed by a patch that holds nothing else', async () => {
  await using server = await startFakeApiServer();
  server.handle((_, reply) => reply.json(service()));
  const annotations = { set: '1', removed: null };
  await run(server, { kind: 'annotate', resource: SERVICES, ref: service().metadata, annotations, why: '' });
  assert.deepEqual(
    server.seen.map(({ body }) => body),
    [{ metadata: { annotations } }],
  );
});

test('the finalizer is set with the resource version that was read; a purge comes before it is removed', async () => {
  await using server = await startFakeApiServer();
  server.handle((_, reply) => reply.json(new FakeWorld(specOf(1)).object));
  const { purged } = await run(server, { kind: 'addFinalizer' }, { kind: 'purge', poolId: 'one' });
  assert.deepEqual(
    server.seen.map(({ method }) => method),
    ['PATCH'],
  );
  assert.deepEqual(purged, ['one']);
});

describe('the words of a refusal', () => {
  const step: Step = { ...(applyOf('bad') as Step & { kind: 'apply' }), why: 'spec.memory: 1Mi, wanted lots' };
  const cases = [
    [422, 'Service "bad" is invalid: spec.type: Unsupported value', 'Service bad: spec.type: Unsupported value'],
    [
      500,
      'failed to convert new object (kms/bad; v1, Kind=Service) to proper version: unable to convert unstructured object to v1, Kind=Service: quantities must match',
      'Service bad: spec.memory: 1Mi, wanted lots: quantities must match',
    ],
    [
      500,
      'failed to create typed patch object (kms/bad; v1, Kind=Service): errors:\n  .spec.x: field not declared in schema',
      'Service bad: .spec.x: field not declared in schema',
    ],
  ] as const;
  for (const [code, message, told] of cases)
    test(`say what is wrong and where: ${told}`, async () => {
      await using server = await startFakeApiServer();
      const status = { kind: 'Status', code, reason: '', message };
      server.handle((seen, reply) => (seen.method === 'GET' ? empty(seen, reply) : reply.json(status, code)));
      const { applied } = await run(server, step);
      assert.equal(applied.refusals[0]?.message, told);
    });
});

describe('an entry of somebody else’s that contradicts ours in a list', () => {
  /** Refuses to merge as long as the list was not replaced; `patchable`: whether it may be. */
  const contradicting = (patchable: boolean): Handler => {
    let replaced = false;
    const refusal = { kind: 'Status', code: 422, reason: 'Invalid', message: 'Duplicate value: "kms"' };
    return (seen, reply) => {
      const isMerge = seen.headers['content-type'] === 'application/merge-patch+json';
      if (isMerge && patchable) replaced = true;
      return replaced ? reply.json({ ...seen.body, metadata: service().metadata }) : reply.json(refusal, 422);
    };
  };

  test('is taken out with a merge patch bound to the uid, and then ours is applied', async () => {
    await using server = await startFakeApiServer();
    server.handle(contradicting(true));
    const { applied } = await run(server, applyOf('campus-0', 'a'));
    assert.deepEqual(applied.refusals, []);
    const types = writes(server).map(({ headers, body }) => [
      headers['content-type'],
      (body?.['metadata'] as { uid?: string } | undefined)?.uid,
    ]);
    assert.deepEqual(types, [
      ['application/apply-patch+yaml', 'a'],
      ['application/merge-patch+json', 'a'],
      ['application/apply-patch+yaml', 'a'],
    ]);
  });

  test('what is not valid by itself stays refused, with the first word of the API server', async () => {
    await using server = await startFakeApiServer();
    server.handle(contradicting(false));
    const { applied } = await run(server, applyOf('campus-0', 'a'));
    assert.deepEqual(
      applied.refusals.map(({ reason, message }) => [reason, message]),
      [['InvalidSpec', 'Service campus-0: Duplicate value: "kms"']],
    );
  });
});
