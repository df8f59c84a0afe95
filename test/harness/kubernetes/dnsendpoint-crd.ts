// SPDX-License-Identifier: Apache-2.0
/**
 * The kind that external-dns reads records from, as a CustomResourceDefinition of our own: the fields of its API (externaldns.k8s.io/v1alpha1), written
 * down anew as far as a test needs them. A cluster of a user's gets it from external-dns.
 */

/** A CustomResourceDefinition, as far as it is looked at. */
export interface CrdManifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { name: string; annotations?: Record<string, string> };
  readonly spec: object;
}

const text = { type: 'string' };
const textMap = { type: 'object', additionalProperties: text };

const endpoint = {
  type: 'object',
  properties: {
    dnsName: text,
    recordType: text,
    recordTTL: { type: 'integer', format: 'int64' },
    targets: { type: 'array', items: text },
    setIdentifier: text,
    labels: textMap,
    providerSpecific: {
      type: 'array',
      items: { type: 'object', properties: { name: text, value: text } },
    },
  },
};

/** `dnsendpoints.externaldns.k8s.io`. */
export const DNS_ENDPOINT_CRD: CrdManifest = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: {
    name: 'dnsendpoints.externaldns.k8s.io',
    // Groups below k8s.io belong to the Kubernetes project: whoever installs a kind there has to say on whose word.
    annotations: { 'api-approved.kubernetes.io': 'unapproved, for tests only' },
  },
  spec: {
    group: 'externaldns.k8s.io',
    scope: 'Namespaced',
    names: { kind: 'DNSEndpoint', listKind: 'DNSEndpointList', plural: 'dnsendpoints', singular: 'dnsendpoint' },
    versions: [
      {
        name: 'v1alpha1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              apiVersion: text,
              kind: text,
              metadata: { type: 'object' },
              spec: { type: 'object', properties: { endpoints: { type: 'array', items: endpoint } } },
              status: {
                type: 'object',
                properties: { observedGeneration: { type: 'integer', format: 'int64' } },
              },
            },
          },
        },
      },
    ],
  },
};
