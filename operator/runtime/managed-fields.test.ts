// SPDX-License-Identifier: Apache-2.0

// The cut is right for every JSON, whatever the names and values look like.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { withoutManagedFields } from './managed-fields.ts';

/** The same by parsing. */
function stripped(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(stripped);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).filter(([name, member]) => name !== 'managedFields' || !Array.isArray(member));
  return Object.fromEntries(members.map(([name, member]) => [name, stripped(member)]));
}

const MANAGED = {
  manager: 'kmspool-operator',
  fieldsV1: { 'f:metadata': { 'f:ownerReferences': { 'k:{"uid":"0c8a]"}': {} } }, 'f:spec': { 'v:"]\\"': {} } },
};

describe('managedFields in the text of an answer', () => {
  it('go, wherever they stand in the metadata, and nothing else does', () => {
    const managedFields = [MANAGED, MANAGED];
    for (const metadata of [
      { managedFields },
      { managedFields, name: 'x' },
      { name: 'x', managedFields },
      { name: 'x', managedFields, uid: 'y' },
    ]) {
      const object = { kind: 'ConfigMap', metadata, data: { 'host.json': '{"managedFields":[1]}' } };
      const text = JSON.stringify({ items: [object, object] });
      assert.deepEqual(JSON.parse(withoutManagedFields(text)), stripped(JSON.parse(text)));
    }
  });

  it('an object without them is the same text', () => {
    const text = JSON.stringify({ metadata: { name: 'x' }, data: { a: '"managedFields":[' } });
    assert.equal(withoutManagedFields(text), text);
  });

  it('a text that was cut off is no JSON afterwards either', () => {
    const text = JSON.stringify({ metadata: { name: 'x', managedFields: [MANAGED] } });
    for (let length = 1; length < text.length; length++)
      assert.throws(() => JSON.parse(withoutManagedFields(text.slice(0, length))), SyntaxError);
  });

  it('is what parsing and leaving them out gives, for every JSON', () => {
    const name = fc.oneof(fc.constantFrom('managedFields', 'metadata', 'a"]\\'), fc.string());
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 5 },
        fc.oneof(fc.string(), fc.constant('"managedFields":['), fc.integer(), fc.boolean(), fc.constant(null)),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(name, tie('value'), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(value, (json) => {
        const text = JSON.stringify(json);
        assert.deepEqual(JSON.parse(withoutManagedFields(text)), stripped(JSON.parse(text)));
      }),
      { numRuns: 2_000 },
    );
  });
});
