// SPDX-License-Identifier: Apache-2.0

// The words of conditions and labels keep the forms that Kubernetes asks for.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONDITION_TYPES, REASONS, REASONS_BY_USE } from './conditions.ts';
import { rootNode } from './json-schema.ts';
import { ANNOTATIONS, FINALIZER, hostLabels, LABELS, poolSelector } from './labels.ts';

test('condition types and reasons are UpperCamelCase words, and each reason is explained in a sentence', () => {
  for (const word of [...CONDITION_TYPES, ...Object.keys(REASONS)]) assert.match(word, /^([A-Z][a-z]+)+$/);
  for (const [reason, meaning] of Object.entries(REASONS)) assert.match(meaning, /^\S.{10,}\.$/, reason);
});

test('every reason has one place: the condition that uses it first, or Event', () => {
  assert.deepEqual(Object.keys(REASONS_BY_USE), [...CONDITION_TYPES, 'Event']);
  const words = Object.values(REASONS_BY_USE).flatMap((reasons) => Object.keys(reasons));
  assert.deepEqual(words, Object.keys(REASONS));
});

test('the description of status.conditions names every type', () => {
  const text = rootNode().properties?.['status']?.properties?.['conditions']?.description ?? '';
  assert.deepEqual(
    CONDITION_TYPES.filter((type) => !text.includes(type)),
    [],
  );
});

test('label and annotation names are qualified names, and the labels of a host satisfy the selector of its pool', () => {
  for (const name of [...Object.values(LABELS), ...Object.values(ANNOTATIONS), FINALIZER]) {
    assert.match(name, /^(kmspool\.io|app\.kubernetes\.io)\/[a-z]([-a-z]{0,61}[a-z])?$/);
  }
  const labels = hostLabels('a'.repeat(40), 99);
  for (const [key, value] of Object.entries(poolSelector('a'.repeat(40)))) assert.equal(labels[key], value);
  for (const value of Object.values(labels)) assert.match(value, /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
});
