// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { derivePoolKeys, poolIdText } from '@kmspool/kms/wire';
import fc from 'fast-check';
import type { Secret } from './kinds.ts';
import { type LeanPod, leanDeployment, leanObject, leanPod, leanSecret } from './lean.ts';

const base64 = (bytes: string | Uint8Array): string => Buffer.from(bytes).toString('base64');

function secret(data: Record<string, string> | undefined, annotations: Record<string, string> = {}): Secret {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'Opaque',
    immutable: true,
    metadata: {
      name: 'campus-key',
      namespace: 'kms',
      uid: 'u1',
      resourceVersion: '7',
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels: { 'kmspool.io/pool': 'campus', team: 'a' },
      annotations,
      ownerReferences: [{ apiVersion: 'v1', kind: 'X', name: 'x', uid: 'ux' }],
      managedFields: [{ manager: 'kubectl', fieldsV1: { 'f:data': { 'f:key': {} } } }],
    },
    ...(data && { data }),
  };
}

describe('leanSecret', () => {
  const key = Buffer.alloc(32, 0xa7);

  test('a key of 32 bytes or more becomes the identity that it gives', () => {
    const lean = leanSecret(secret({ key: base64(key) }));
    assert.equal(lean.poolId, poolIdText(derivePoolKeys(Buffer.alloc(32, 0xa7)).poolId));
    assert.equal(lean.keyBytes, 32);
    assert.equal('hasToken' in lean, false);
    assert.deepEqual(Object.keys(lean).sort(), ['apiVersion', 'keyBytes', 'kind', 'metadata', 'poolId']);
    const { name, namespace, uid, resourceVersion, labels, ownerReferences } = lean.metadata;
    assert.deepEqual([name, namespace, uid, resourceVersion], ['campus-key', 'kms', 'u1', '7']);
    assert.deepEqual(labels, { 'kmspool.io/pool': 'campus', team: 'a' });
    assert.equal(ownerReferences?.[0]?.uid, 'ux');
  });

  test('a key that is too short has a length and no identity', () => {
    for (const bytes of [0, 1, 31]) {
      const lean = leanSecret(secret({ key: base64(Buffer.alloc(bytes, 1)) }));
      assert.deepEqual([lean.keyBytes, lean.poolId], [bytes, undefined]);
    }
  });

  test('a token counts as a host counts it: 16 characters without the blanks around them', () => {
    const hasToken = (token: string): boolean | undefined => leanSecret(secret({ token: base64(token) })).hasToken;
    assert.equal(hasToken('0123456789abcdef\n'), true);
    assert.equal(hasToken('0123456789abcde\n'), false);
    assert.equal(hasToken(''), false);
  });

  test('a Secret without either says nothing of them', () => {
    const others: (Record<string, string> | undefined)[] = [undefined, {}, { 'tls.crt': base64('x'.repeat(50)) }];
    for (const data of others)
      assert.deepEqual(Object.keys(leanSecret(secret(data))), ['apiVersion', 'kind', 'metadata']);
    const empty = secret({ key: null as unknown as string });
    assert.equal(leanSecret(empty).keyBytes, undefined, 'an API server may write empty bytes as null');
  });

  test('no byte of a Secret stays reachable, not in annotations either', () => {
    const bytes = fc.uint8Array({ minLength: 12, maxLength: 80 });
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('key', 'token', 'password', 'tls.key'), bytes), (raw) => {
        const data = Object.fromEntries(Object.entries(raw).map(([name, value]) => [name, base64(value)]));
        const copy = JSON.stringify({ data });
        const lean = leanSecret(
          secret(data, {
            'kubectl.kubernetes.io/last-applied-configuration': copy,
            'kapp.k14s.io/original': copy,
            'kmspool.io/pool-id': 'an identity',
          }),
        );
        assert.deepEqual(lean.metadata.annotations, { 'kmspool.io/pool-id': 'an identity' });
        const text = JSON.stringify(lean);
        for (const value of Object.values(raw)) {
          assert.equal(text.includes(base64(value)), false);
          assert.equal(text.includes(Buffer.from(value).toString('hex')), false);
        }
      }),
    );
  });

  test('what was read is not changed', () => {
    const read = secret({ key: base64(key) });
    const before = structuredClone(read);
    leanSecret(read);
    assert.deepEqual(read, before);
  });
});

describe('leanPod', () => {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'campus-0-abc',
      namespace: 'kms',
      uid: 'u',
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      deletionTimestamp: '2026-01-01T01:00:00Z',
      generateName: 'campus-0-',
      labels: { 'kmspool.io/ordinal': '0', 'app.kubernetes.io/name': 'kmspool', 'pod-template-hash': 'abc', team: 'x' },
      annotations: { 'kmspool.io/restart-hash': 'h', 'cni.example/status': 'long text' },
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'r', uid: 'ur', controller: true }],
      managedFields: [{}],
    },
    spec: {
      nodeName: 'node-1',
      containers: [
        { name: 'side', ports: [{ name: 'http', containerPort: 80 }] },
        { name: 'host', env: [{ name: 'A', value: 'b' }], ports: [{ name: 'kms', containerPort: 1700 }] },
      ],
    },
    status: {
      phase: 'Running',
      podIP: '10.0.0.1',
      podIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }],
      hostIP: '192.0.2.1',
      hostIPs: [{ ip: '192.0.2.1' }],
      qosClass: 'Burstable',
      conditions: [
        { type: 'Initialized', status: 'True' },
        { type: 'Ready', status: 'False', reason: 'ContainersNotReady', message: 'm', lastProbeTime: null },
        { type: 'PodScheduled', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' },
      ],
      containerStatuses: [
        {
          name: 'host',
          image: 'i',
          ready: false,
          state: { waiting: { reason: 'CrashLoopBackOff', message: 'x'.repeat(2000) } },
          lastState: { terminated: { reason: 'Error', exitCode: 2, containerID: 'c', finishedAt: 't' } },
        },
        { name: 'side', ready: true, state: { running: { startedAt: 't' } }, lastState: {} },
      ],
    },
  };

  test('keeps what tells where it runs and why it is not ready, and nothing else', () => {
    const lean = leanPod(pod as unknown as LeanPod);
    assert.deepEqual(lean, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: 'campus-0-abc',
        namespace: 'kms',
        uid: 'u',
        resourceVersion: '1',
        creationTimestamp: '2026-01-01T00:00:00Z',
        deletionTimestamp: '2026-01-01T01:00:00Z',
        labels: { 'kmspool.io/ordinal': '0', 'app.kubernetes.io/name': 'kmspool', 'pod-template-hash': 'abc' },
        annotations: { 'kmspool.io/restart-hash': 'h' },
        ownerReferences: pod.metadata.ownerReferences,
      },
      spec: { nodeName: 'node-1' },
      kmsPort: 1700,
      status: {
        phase: 'Running',
        podIP: '10.0.0.1',
        podIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }],
        hostIP: '192.0.2.1',
        hostIPs: [{ ip: '192.0.2.1' }],
        conditions: [
          { type: 'Ready', status: 'False', reason: 'ContainersNotReady', message: 'm' },
          { type: 'PodScheduled', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' },
        ],
        containerStatuses: [
          {
            name: 'host',
            state: { waiting: { reason: 'CrashLoopBackOff', message: 'x'.repeat(512) } },
            lastState: { terminated: { reason: 'Error', exitCode: 2 } },
          },
          { name: 'side' },
        ],
      },
    });
  });

  test('a Pod that nothing is known of yet stays that', () => {
    const lean = leanPod({ metadata: { name: 'p', namespace: 'n' }, status: { phase: 'Pending' } });
    assert.deepEqual(lean, { metadata: { name: 'p', namespace: 'n' }, status: { phase: 'Pending' } });
  });
});

describe('leanDeployment and leanObject', () => {
  const meta = (): LeanPod['metadata'] => ({
    name: 'campus-0',
    generation: 3,
    annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}', 'kmspool.io/applied-hash': 'h' },
    managedFields: [{}],
  });
  const kept = { name: 'campus-0', generation: 3, annotations: { 'kmspool.io/applied-hash': 'h' } };

  test('a Deployment keeps its spec whole and of its status how far it is', () => {
    const spec = { replicas: 1, template: { spec: { containers: [{ name: 'host', unknownToUs: { a: 1 } }] } }, x: 1 };
    const status = {
      observedGeneration: 3,
      replicas: 2,
      updatedReplicas: 1,
      readyReplicas: 1,
      availableReplicas: 1,
      unavailableReplicas: 1,
      collisionCount: 4,
      conditions: [{ type: 'Progressing', status: 'True', reason: 'r', message: 'm', lastUpdateTime: 't' }],
    };
    assert.deepEqual(leanDeployment({ metadata: meta(), spec, status }), {
      metadata: kept,
      spec,
      status: {
        observedGeneration: 3,
        replicas: 2,
        updatedReplicas: 1,
        readyReplicas: 1,
        availableReplicas: 1,
        conditions: [{ type: 'Progressing', status: 'True', reason: 'r', message: 'm' }],
      },
    });
  });

  test('another object loses managed fields and the copy of its manifest', () => {
    assert.deepEqual(leanObject({ metadata: meta(), data: { a: 'b' } }), { metadata: kept, data: { a: 'b' } });
  });
});
