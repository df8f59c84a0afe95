// SPDX-License-Identifier: Apache-2.0

// One host: a Deployment of one Pod, which surges, so that a replaced host is there before the old one goes. The Pod is pod-template.ts.
import { ANNOTATIONS } from '@kmspool/crds';
import { templateDifference } from '../drift.ts';
import { DEPLOYMENTS, type Deployment } from '../kinds.ts';
import { hostMetadata, intentOf } from './object.ts';
import { buildPodTemplate, type PodTemplateSource } from './pod-template.ts';
import { hostSelector } from './service.ts';

/** The Deployment `<pool>-<ordinal>`. */
export function buildDeployment(source: PodTemplateSource): Deployment {
  const { pool, owner, ordinal } = source;
  return intentOf<Deployment>(DEPLOYMENTS, {
    metadata: hostMetadata({ pool, owner, ordinal }),
    spec: {
      replicas: 1,
      revisionHistoryLimit: 2,
      progressDeadlineSeconds: 600,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      // Immutable, and so nothing that could ever change.
      selector: { matchLabels: hostSelector(pool.metadata.name, ordinal) },
      template: buildPodTemplate(source),
    },
  });
}

/** Whether a live Deployment has the wanted Pod template: if not, applying the wanted one replaces the Pod. */
export function sameTemplate(live: Deployment, desired: Deployment): boolean {
  return templateDifference(desired, live) === undefined;
}

/** Hash of the Pod template as it was applied; the Pods made from it carry the same annotation. */
export function templateHash({ spec }: Deployment): string | undefined {
  return spec?.template?.metadata?.annotations?.[ANNOTATIONS.templateHash];
}
