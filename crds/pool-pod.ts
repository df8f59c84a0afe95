// SPDX-License-Identifier: Apache-2.0

// `spec.limits` and `spec.pod`: what one host may use, and where its Pod runs. The nested Kubernetes types are handed on
// as they are, so that a field of a newer Kubernetes is not lost here.
import * as z from 'zod';
import { kubernetesObject, nameRef, objectName, textMap, whole } from './fields.ts';
import { noRepeatedField, withRules } from './rules.ts';

/** `spec.limits`. */
export const limitsSchema = z.strictObject({
  connections: whole({ min: 1, max: 100_000, unit: 'connections' })
    .default(2000)
    .describe('Open connections of one host; further ones are closed at once and counted.'),
  connectionsPerSource: whole({ min: 0, max: 100_000, unit: 'connections', note: '0 is no limit' })
    .default(256)
    .describe('Open connections of one host from one address; 0 is no limit.'),
  maxRequiredCount: whole({ min: 1, max: 1000, unit: 'clients', note: 'Windows asks for 25 or 5, Office for 5' })
    .default(25)
    .describe(
      'The largest minimum count that a request may ask for. The table keeps twice the largest one asked, and never shrinks; this bounds it.',
    ),
  drainSeconds: whole({ min: 0, max: 600, unit: 'seconds' })
    .default(15)
    .describe(
      'How long a host that is told to stop goes on serving new connections, at most; it ends 2 s after the last one.',
    ),
});

/** `spec.pod`. */
export const podSchema = z.strictObject({
  resources: kubernetesObject()
    .optional()
    .describe('Requests and limits of the container. Default: those of the operator.'),
  nodeSelector: textMap(64)
    .optional()
    .describe('Labels that a node must have. kubernetes.io/os=linux is always added.'),
  tolerations: z
    .array(kubernetesObject())
    .max(64)
    .meta({ 'x-kubernetes-list-type': 'atomic' })
    .optional()
    .describe('Tolerations, as in a Pod.'),
  affinity: kubernetesObject().optional().describe('Affinity, as in a Pod.'),
  topologySpreadConstraints: z
    .array(kubernetesObject())
    .max(16)
    .meta({ 'x-kubernetes-list-type': 'atomic' })
    .optional()
    .describe(
      "Spread of the pool's hosts, as in a Pod. Default: over nodes and zones where possible. An empty list turns it off.",
    ),
  annotations: textMap(64).optional().describe("Annotations for the Pods. kmspool's own win."),
  labels: textMap(64).optional().describe("Labels for the Pods. kmspool's own win."),
  priorityClassName: objectName.optional().describe('Priority class of the Pods.'),
  runtimeClassName: objectName.optional().describe('Runtime class of the Pods.'),
  schedulerName: objectName.optional().describe('Scheduler of the Pods.'),
  imagePullSecrets: withRules(z.array(nameRef('Name of a Secret of the same namespace.')).max(16), [
    noRepeatedField('pull-secrets-once', 'name', 'a Secret stands twice; remove one'),
  ])
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] })
    .optional()
    .describe('Secrets for pulling the image.'),
});
