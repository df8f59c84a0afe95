// SPDX-License-Identifier: Apache-2.0

// From the zod schema to the structural schema of a CustomResourceDefinition: JSON Schema as OpenAPI 3.0 has it, less
// what an API server refuses. The loader and the reference look fields up in the same tree.
import * as z from 'zod';
import { poolSpecSchema, rootRules } from './pool.ts';
import { poolStatusSchema } from './pool-status.ts';
import { type KubernetesValidation, kubernetesValidations } from './rules.ts';

/** A node of a structural schema, as far as these schemas use it. */
export type SchemaNode = {
  description?: string;
  type: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  format?: string;
  default?: unknown;
  enum?: string[];
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  maxProperties?: number;
  items?: SchemaNode;
  required?: string[];
  properties?: Record<string, SchemaNode>;
  additionalProperties?: SchemaNode;
  'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map';
  'x-kubernetes-list-map-keys'?: string[];
  'x-kubernetes-preserve-unknown-fields'?: true;
  'x-kubernetes-validations'?: KubernetesValidation[];
  /** For error lines; not in the CRD. */
  'x-kmspool-unit'?: string;
  'x-kmspool-note'?: string;
};

/** The keys that a node of the CRD may have, in the order in which they are written. */
const CRD_KEYS = [
  'description',
  'type',
  'format',
  'default',
  'enum',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'maxProperties',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-validations',
  'additionalProperties',
  'items',
  'required',
  'properties',
] as const satisfies readonly (keyof SchemaNode)[];

type Raw = Record<string, unknown>;

/** The fields that a schema takes, with units and notes, for error lines. */
export function fieldTree(schema: z.ZodType): SchemaNode {
  return clean(z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input' }) as Raw, ERROR_KEYS);
}

/** The fields of a KmsHostPool, for error lines. */
export function poolFieldTree(): SchemaNode {
  const text: SchemaNode = { type: 'string' };
  const properties = {
    apiVersion: text,
    kind: text,
    metadata: { type: 'object' as const },
    spec: fieldTree(poolSpecSchema),
  };
  return { type: 'object', properties };
}

/** `openAPIV3Schema` of the CRD. */
export function rootNode(): SchemaNode {
  const crd = (schema: z.ZodType): SchemaNode =>
    clean(z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input' }) as Raw, CRD_KEYS);
  return {
    description: 'A pool of KMS hosts that share one count.',
    type: 'object',
    'x-kubernetes-validations': kubernetesValidations(rootRules),
    required: ['spec'],
    properties: {
      apiVersion: { description: 'The API group and version, kmspool.io/v1alpha1.', type: 'string' },
      kind: { description: 'KmsHostPool.', type: 'string' },
      // A rule may only blame a field that stands here; of metadata, name is one of two that may.
      metadata: { type: 'object', properties: { name: { type: 'string' } } },
      spec: { description: 'What is wanted.', ...crd(poolSpecSchema) },
      status: { description: 'What the operator has seen.', ...crd(poolStatusSchema) },
    },
  };
}

const ERROR_KEYS = [...CRD_KEYS, 'x-kmspool-unit', 'x-kmspool-note'] as const;

// Keeps the known keys only. `additionalProperties` is kept for maps of texts: `false` is what pruning does anyway, and
// `{}` (a loose object) is said by x-kubernetes-preserve-unknown-fields.
function clean(raw: Raw, keys: readonly string[]): SchemaNode {
  const node: Raw = {};
  for (const key of keys) {
    const value = cleanMember(key, raw[key], keys);
    if (value !== undefined) node[key] = value;
  }
  return withLength(node as SchemaNode);
}

// The cost of a rule is estimated from maxLength; not every API server looks at the longest choice instead.
function withLength(node: SchemaNode): SchemaNode {
  return node.enum === undefined ? node : { ...node, maxLength: Math.max(...node.enum.map((choice) => choice.length)) };
}

function cleanMember(key: string, value: unknown, keys: readonly string[]): unknown {
  if (value === undefined) return undefined;
  if (key === 'items') return clean(value as Raw, keys);
  if (key === 'additionalProperties') return isMapOfTexts(value) ? clean(value, keys) : undefined;
  if (key !== 'properties') return value;
  const entries = Object.entries(value as Record<string, Raw>);
  return entries.length === 0
    ? undefined
    : Object.fromEntries(entries.map(([name, member]) => [name, clean(member, keys)]));
}

function isMapOfTexts(value: unknown): value is Raw {
  return typeof value === 'object' && value !== null && 'type' in value;
}
