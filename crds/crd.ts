// SPDX-License-Identifier: Apache-2.0

// The CustomResourceDefinition of KmsHostPool as a value: names, subresources, printer columns, and the schema.
import { rootNode, type SchemaNode } from './json-schema.ts';
import { GROUP, POOL_KIND, VERSION } from './pool.ts';

type PrinterColumn = {
  name: string;
  type: 'string' | 'integer' | 'date';
  jsonPath: string;
  description: string;
  priority?: 1;
};

const condition = (type: string, member: string): string => `.status.conditions[?(@.type=="${type}")].${member}`;

/** Columns of `kubectl get khp`; those with priority 1 need `-o wide`. */
const PRINTER_COLUMNS: readonly PrinterColumn[] = [
  { name: 'Ready', type: 'string', jsonPath: condition('Ready', 'status'), description: 'Whether the pool is ready.' },
  { name: 'Hosts', type: 'integer', jsonPath: '.status.readyReplicas', description: 'Hosts that are ready.' },
  { name: 'Wanted', type: 'integer', jsonPath: '.spec.replicas', description: 'Hosts wanted.' },
  {
    name: 'Count',
    type: 'integer',
    jsonPath: '.status.counts[?(@.application=="Windows")].current',
    description: 'Current count of Windows clients.',
  },
  { name: 'Status', type: 'string', jsonPath: condition('Ready', 'reason'), description: 'Why it is ready or not.' },
  {
    name: 'DNS',
    type: 'string',
    jsonPath: condition('DnsPublished', 'reason'),
    description: 'State of the records.',
    priority: 1,
  },
  {
    name: 'Domain',
    type: 'string',
    jsonPath: '.spec.dns.domains[0].name',
    description: 'The first domain.',
    priority: 1,
  },
  { name: 'Pool ID', type: 'string', jsonPath: '.status.poolId', description: 'Identity of the pool.', priority: 1 },
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Time since it was made.' },
];

export type CustomResourceDefinition = {
  apiVersion: 'apiextensions.k8s.io/v1';
  kind: 'CustomResourceDefinition';
  metadata: { name: string };
  spec: {
    group: string;
    scope: 'Namespaced';
    names: {
      kind: string;
      listKind: string;
      plural: string;
      singular: string;
      shortNames: string[];
      categories: string[];
    };
    versions: {
      name: string;
      served: boolean;
      storage: boolean;
      subresources: {
        status: Record<string, never>;
        scale: { specReplicasPath: string; statusReplicasPath: string; labelSelectorPath: string };
      };
      additionalPrinterColumns: readonly PrinterColumn[];
      schema: { openAPIV3Schema: SchemaNode };
    }[];
  };
};

/** The CRD that kmshostpools.yaml holds. */
export function customResourceDefinition(): CustomResourceDefinition {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `kmshostpools.${GROUP}` },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: {
        kind: POOL_KIND,
        listKind: `${POOL_KIND}List`,
        plural: 'kmshostpools',
        singular: 'kmshostpool',
        shortNames: ['khp'],
        categories: ['kms'],
      },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: {
            status: {},
            scale: {
              specReplicasPath: '.spec.replicas',
              statusReplicasPath: '.status.replicas',
              labelSelectorPath: '.status.selector',
            },
          },
          additionalPrinterColumns: PRINTER_COLUMNS,
          schema: { openAPIV3Schema: rootNode() },
        },
      ],
    },
  };
}
