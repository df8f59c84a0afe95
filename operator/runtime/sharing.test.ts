// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { sharing } from './sharing.ts';

const parsed = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** Every map and list in a value, itself included. */
function structures(value: unknown): object[] {
  if (typeof value !== 'object' || value === null) return [];
  return [value, ...Object.values(value).flatMap(structures)];
}

function frozen<T>(value: T): T {
  for (const part of structures(value)) Object.freeze(part);
  return value;
}

describe('sharing', () => {
  const spec = { ports: [{ name: 'kms', port: 1688 }], labels: { pool: 'campus', ordinal: '0' }, address: '10.0.0.1' };

  test('what is equal is the known part, what is not stays the fresh one', () => {
    const known = parsed(spec) as typeof spec;
    const fresh = { ...(parsed(spec) as typeof spec), labels: { pool: 'campus', ordinal: '1' } };
    const labels = fresh.labels;
    const shared = sharing(fresh, known);
    assert.deepEqual(shared, { ...spec, labels: { pool: 'campus', ordinal: '1' } });
    assert.equal(shared.ports, known.ports);
    assert.equal(shared.labels, labels);
  });

  test('a value that is equal as a whole is the known one, also with its members in another order', () => {
    const known = { a: 1, b: [1, { c: null }] };
    assert.equal(sharing({ b: [1, { c: null }], a: 1 }, known), known);
  });

  test('one member more or less, on either side, is no equal', () => {
    for (const [fresh, known] of [
      [{ a: 1 }, { a: 1, b: 2 }],
      [{ a: 1, b: 2 }, { a: 1 }],
      [[1], [1, 2]],
      [[1, 2], [1]],
      [{}, []],
      [[], {}],
      [{ 0: 'a' }, ['a']],
      [{ a: null }, {}],
    ]) {
      const before = parsed(fresh);
      const shared = sharing(fresh, known);
      assert.notEqual(shared, known);
      assert.deepEqual(shared, before);
    }
  });

  test('a member whose name every object inherits is compared as any other', () => {
    const fresh = JSON.parse('{"constructor":{"a":1},"__proto__":{"b":[1]},"toString":"x"}');
    const text = JSON.stringify(fresh);
    assert.equal(JSON.stringify(sharing(fresh, {})), text);
    assert.equal(JSON.stringify(sharing(fresh, JSON.parse(text))), text);
    assert.equal(Object.getPrototypeOf(fresh), Object.prototype);
  });

  test('the value stays what it was and nothing that was known is changed, for every two JSON values', () => {
    const json = fc.jsonValue({ maxDepth: 4 });
    fc.assert(
      fc.property(json, json, (one, other) => {
        const known = frozen(parsed(other));
        assert.deepEqual(sharing(parsed(one), known), parsed(one));
        assert.deepEqual(known, parsed(other));
      }),
      { numRuns: 2_000 },
    );
  });

  test('after one change only what contains it is new, for every JSON value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.nat(), (value, at) => {
        fc.pre(!JSON.stringify(value).includes('__proto__'));
        const known = { root: parsed(value) };
        const fresh = parsed(known) as typeof known;
        const places = structures(fresh) as Record<string, unknown>[];
        const place = places[at % places.length] as Record<string, unknown>;
        if (Array.isArray(place)) place.push('new');
        else place['new'] = 'new';
        const shared = sharing(fresh, known);
        const old = new Set(structures(known));
        const own = structures(shared).filter((part) => !old.has(part));
        for (const part of own) assert.ok(structures(part).includes(place), 'it holds the change');
      }),
      { numRuns: 1_000 },
    );
  });
});
