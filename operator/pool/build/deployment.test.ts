// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ANNOTATIONS, hostLabels } from '@kmspool/crds';
import type { Deployment } from '../kinds.ts';
import { buildDeployment, sameTemplate, templateHash } from './deployment.ts';
import { EVERYTHING, OWNER, sourceOf } from './sources.fake.ts';

const specOf = ({ spec }: Deployment) => spec ?? assert.fail();

test('a host is a Deployment of one Pod that surges, owned by its pool', () => {
  const source = sourceOf({}, 2);
  const deployment = buildDeployment(source);
  const { template, ...spec } = specOf(deployment);
  assert.deepEqual(
    { ...deployment, spec },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: {
        name: 'campus-2',
        namespace: 'kms',
        labels: hostLabels('campus', 2),
        annotations: { [ANNOTATIONS.appliedHash]: deployment.metadata.annotations?.[ANNOTATIONS.appliedHash] },
        ownerReferences: [
          {
            apiVersion: 'kmspool.io/v1alpha1',
            kind: 'KmsHostPool',
            name: 'campus',
            uid: OWNER.metadata.uid,
            controller: true,
            blockOwnerDeletion: true,
          },
        ],
      },
      spec: {
        replicas: 1,
        revisionHistoryLimit: 2,
        progressDeadlineSeconds: 600,
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
        selector: {
          matchLabels: {
            'app.kubernetes.io/name': 'kmspool',
            'app.kubernetes.io/component': 'host',
            'kmspool.io/pool': 'campus',
            'kmspool.io/ordinal': '2',
          },
        },
      },
    },
  );
  assert.equal(templateHash(deployment), template?.metadata?.annotations?.[ANNOTATIONS.templateHash]);
});

test('the selector, which can never change, depends on the name and the ordinal alone, and the Pods bear it', () => {
  const [one, other] = [specOf(buildDeployment(sourceOf())), specOf(buildDeployment(sourceOf(EVERYTHING)))];
  assert.deepEqual(one['selector'], other['selector']);
  const { matchLabels } = other['selector'] as { matchLabels: Record<string, string> };
  for (const [name, value] of Object.entries(matchLabels))
    assert.equal(other.template?.metadata?.labels?.[name], value);
});

test('a live Deployment with defaults and foreign fields has the same template; one with another image has not', () => {
  const desired = buildDeployment(sourceOf());
  const live = structuredClone(desired) as { spec: { template: { spec: Record<string, unknown> } } } & Deployment;
  Object.assign(live.spec.template.spec, { dnsPolicy: 'ClusterFirst', restartPolicy: 'Always' });
  Object.assign(live.metadata, { uid: 'x', annotations: { 'deployment.kubernetes.io/revision': '3' } });
  assert.ok(sameTemplate(live, desired));
  Object.assign((live.spec.template.spec['containers'] as object[])[0] ?? assert.fail(), { image: 'other' });
  assert.ok(!sameTemplate(live, desired));
});

test('a template from which the user took something away is not the same, although all that is wanted is in it', () => {
  const live = buildDeployment(sourceOf({ pod: { nodeSelector: { disk: 'ssd' } } }));
  assert.ok(!sameTemplate(live, buildDeployment(sourceOf())));
});

test('what is not of the template does not make it another one', () => {
  const desired = buildDeployment(sourceOf());
  assert.ok(
    sameTemplate({ ...desired, metadata: { name: 'campus-0' }, spec: { ...desired.spec, replicas: 3 } }, desired),
  );
});
