// SPDX-License-Identifier: Apache-2.0

// The values as JSON Schema, and as a flat list of leaves. Pure.
import { z } from 'zod';
import { VALUES } from './values.ts';

/** The part of JSON Schema that the values use. */
export interface ValueSchema {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, ValueSchema>>;
  readonly [keyword: string]: unknown;
}

/** One value that can be set. */
export interface Leaf {
  /** As after `--set`: `operator.replicas`. */
  readonly path: string;
  readonly description: string;
  readonly byDefault: unknown;
}

/** values.schema.json: draft 7, which Helm 3 and 4 both read. A section that is not given is one with its defaults, so none is required. */
export function valuesSchema(): ValueSchema {
  return z.toJSONSchema(VALUES, { target: 'draft-7', io: 'input', override: withoutNoise }) as ValueSchema;
}

type Override = NonNullable<Parameters<typeof z.toJSONSchema>[1]>['override'];

const withoutNoise: Override = ({ jsonSchema }) => {
  // Defaults are in values.yaml; and every key is a text.
  delete jsonSchema.default;
  delete jsonSchema.propertyNames;
};

/** All values with nothing given. */
export function defaultValues(): Record<string, unknown> {
  return VALUES.parse({});
}

/** Sections are what has members of its own; what is passed on to Kubernetes has not. */
export function isSection(
  schema: ValueSchema,
  value: unknown,
): schema is ValueSchema & Required<Pick<ValueSchema, 'properties'>> {
  return (
    schema.properties !== undefined && 'additionalProperties' in schema && !isResources(schema) && value !== undefined
  );
}

function isResources({ properties }: ValueSchema): boolean {
  return properties !== undefined && 'limits' in properties && 'requests' in properties;
}

/** Every value that has a default, in the order of the file. */
export function leaves(schema: ValueSchema = valuesSchema(), value: unknown = defaultValues(), path = ''): Leaf[] {
  if (!isSection(schema, value)) return [{ path, description: schema.description ?? '', byDefault: value }];
  return Object.entries(schema.properties).flatMap(([name, member]) => {
    const at = (value as Record<string, unknown>)[name];
    return at === undefined ? [] : leaves(member, at, path === '' ? name : `${path}.${name}`);
  });
}
