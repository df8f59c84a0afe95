// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PRIVATE_SOURCES, poolSelector } from '@kmspool/crds';
import { buildNetworkPolicy } from './network-policy.ts';
import { type SpecInput, sourceOf } from './sources.fake.ts';

interface Rule {
  readonly from?: readonly { readonly ipBlock?: { readonly cidr: string }; readonly namespaceSelector?: object }[];
  readonly ports: readonly { readonly protocol: string; readonly port: number | string }[];
}

function rulesOf(spec?: SpecInput): readonly Rule[] {
  const policy = buildNetworkPolicy(sourceOf(spec));
  assert.equal(policy.metadata.name, 'campus');
  assert.deepEqual(policy.spec?.['podSelector'], { matchLabels: poolSelector('campus') });
  assert.deepEqual(policy.spec?.['policyTypes'], ['Ingress']);
  const rules = policy.spec?.['ingress'] as readonly Rule[];
  // A rule that names no source lets everybody in.
  for (const { from } of rules) assert.ok(from !== undefined && from.length > 0);
  return rules;
}

const sourcesOf = (rule: Rule | undefined) => rule?.from?.map(({ ipBlock }) => ipBlock?.cidr);

test('the KMS port is open to the allowed sources, and the HTTP port to the cluster, and nothing else (S3-46)', () => {
  assert.deepEqual(rulesOf({ port: 1700, access: { allowedSources: ['10.0.0.0/8', 'fd00::/8', '192.0.2.7/32'] } }), [
    {
      from: [
        { ipBlock: { cidr: '10.0.0.0/8' } },
        { ipBlock: { cidr: 'fd00::/8' } },
        { ipBlock: { cidr: '192.0.2.7/32' } },
      ],
      ports: [{ protocol: 'TCP', port: 'kms' }],
    },
    { from: [{ namespaceSelector: {} }], ports: [{ protocol: 'TCP', port: 8080 }] },
  ]);
});

test('loopback is no source on a network, and is left out; the other defaults are in', () => {
  const cidrs = sourcesOf(rulesOf()[0]);
  assert.deepEqual(
    cidrs,
    PRIVATE_SOURCES.filter((range) => range !== '127.0.0.0/8' && range !== '::1/128'),
  );
  const allowedSources = ['127.0.0.1/32', '127.128.0.0/9', '126.0.0.0/7', '12.0.0.0/8'];
  assert.deepEqual(sourcesOf(rulesOf({ access: { allowedSources } })[0]), ['126.0.0.0/7', '12.0.0.0/8']);
});

test('everybody is everybody', () => {
  const allowedSources = ['0.0.0.0/0', '::/0'];
  assert.deepEqual(sourcesOf(rulesOf({ access: { allowedSources } })[0]), allowedSources);
});

test('where only loopback may ask, the KMS port is closed to the network, not opened to all', () => {
  const rules = rulesOf({ access: { allowedSources: ['127.0.0.0/8', '::1/128'] } });
  assert.deepEqual(
    rules.map(({ ports }) => ports),
    [[{ protocol: 'TCP', port: 8080 }]],
  );
});
