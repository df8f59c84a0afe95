// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ANNOTATIONS, hostLabels, type KmsHostPoolInput } from '@kmspool/crds';
import { buildService, hostSelector } from './service.ts';
import { EVERYTHING, type SpecInput, sourceOf } from './sources.fake.ts';

type Exposure = KmsHostPoolInput['spec']['exposure'];

const built = (spec?: SpecInput, ordinal?: number) => buildService(sourceOf(spec, ordinal)) ?? assert.fail();
const exposedAs = (exposure: Exposure) => built({ exposure }).spec ?? assert.fail();

test('a host has a Service of its own, which selects its Pods alone', () => {
  const service = built({}, 1);
  assert.equal(service.metadata.name, 'campus-1');
  assert.deepEqual(service.metadata.labels, hostLabels('campus', 1));
  assert.deepEqual(service.spec, {
    type: 'ClusterIP',
    ipFamilyPolicy: 'PreferDualStack',
    selector: hostSelector('campus', 1),
    ports: [{ name: 'kms', protocol: 'TCP', port: 1688, targetPort: 'kms' }],
  });
  assert.equal(hostSelector('campus', 1)['kmspool.io/ordinal'], '1');
});

test('TCP 1688 is open by default, and the port is the one that the spec names (S1-20, S3-49)', () => {
  assert.deepEqual(
    [built().spec?.ports?.[0], built({ port: 1700 }).spec?.ports?.[0]].map((port) => port?.port),
    [1688, 1700],
  );
});

test("a load balancer lets in the pool's sources only, keeps the client's address, and takes the user's settings", () => {
  const service = built(EVERYTHING);
  assert.deepEqual(service.spec, {
    type: 'LoadBalancer',
    ipFamilyPolicy: 'SingleStack',
    selector: hostSelector('campus', 0),
    ports: [{ name: 'kms', protocol: 'TCP', port: 1700, targetPort: 'kms' }],
    externalTrafficPolicy: 'Cluster',
    loadBalancerClass: 'lb.example/inner',
    loadBalancerSourceRanges: ['10.0.0.0/8', 'fd00::/8'],
  });
  const { [ANNOTATIONS.appliedHash]: hash, ...annotations } = service.metadata.annotations ?? {};
  assert.deepEqual(annotations, { 'lb.example/scheme': 'internal' });
  assert.match(hash ?? '', /^[0-9a-f]{16}$/);
});

test("externalTrafficPolicy keeps the client's address unless the user says otherwise, where the type has one", () => {
  assert.equal(exposedAs({ type: 'LoadBalancer' })['externalTrafficPolicy'], 'Local');
  assert.equal(exposedAs({ type: 'NodePort' })['externalTrafficPolicy'], 'Local');
  assert.equal(exposedAs({ type: 'NodePort', externalTrafficPolicy: 'Cluster' })['externalTrafficPolicy'], 'Cluster');
  assert.ok(!('externalTrafficPolicy' in exposedAs({ type: 'ClusterIP' })));
});

test('only a load balancer has source ranges', () => {
  for (const type of ['ClusterIP', 'NodePort'] as const)
    assert.ok(!('loadBalancerSourceRanges' in exposedAs({ type })), type);
});

test('hosts that are exposed by their Pods have no Service', () => {
  assert.equal(buildService(sourceOf({ exposure: { type: 'PodIP' } })), undefined);
});
