// SPDX-License-Identifier: Apache-2.0

// What a schema alone cannot say. Each rule is one value that holds its CEL text, its message and the same check in
// TypeScript, so the API server and the local loader refuse the same manifests with the same words. A message says how
// to mend the manifest; the path in front of it is added by whoever reports it.
import type * as z from 'zod';

export type Rule<T> = {
  /** Stable name, for tests and the reference. */
  id: string;
  /** CEL over `self`, after defaulting. Cost stays bounded because every list and text in reach has a maximum. */
  rule: string;
  /** One line: what is wanted, and how to get there. */
  message: string;
  /** The same rule over the parsed value, after defaulting. */
  check: (value: T) => boolean;
  /** The one field to blame, when the rule looks at an object. */
  field?: string;
};

export type KubernetesValidation = { rule: string; message: string; fieldPath?: string };

/** Adds rules to a schema: as refinements, and as `x-kubernetes-validations` for the CRD. */
export function withRules<S extends z.ZodType>(schema: S, rules: readonly Rule<z.output<S>>[]): S {
  const refined = rules.reduce<S>(
    (before, { check, message, field, id }) =>
      before.refine(check, { error: message, path: field?.split('.') ?? [], params: { rule: id } }),
    schema,
  );
  return refined.meta({ 'x-kubernetes-validations': kubernetesValidations(rules) });
}

/** Rules as the CRD writes them. */
export function kubernetesValidations(rules: readonly Rule<never>[]): KubernetesValidation[] {
  return rules.map(({ rule, message, field }) =>
    field === undefined ? { rule, message } : { rule, message, fieldPath: `.${field}` },
  );
}

/** A text must match a regular expression that reads the same in ECMAScript and RE2. */
export function matching(id: string, pattern: RegExp, message: string): Rule<string> {
  return { id, rule: `self.matches(r'${pattern.source}')`, message, check: (text) => pattern.test(text) };
}

/** No text twice in a list. */
export function noRepeat(id: string, message: string): Rule<string[]> {
  return {
    id,
    rule: 'self.all(a, self.exists_one(b, a == b))',
    message,
    check: (list) => new Set(list).size === list.length,
  };
}

/** No two entries of a list with the same value in one field. */
export function noRepeatedField<K extends string>(id: string, field: K, message: string): Rule<Record<K, string>[]> {
  return {
    id,
    rule: `self.all(a, self.exists_one(b, a.${field} == b.${field}))`,
    message,
    check: (list) => new Set(list.map((entry) => entry[field])).size === list.length,
  };
}
