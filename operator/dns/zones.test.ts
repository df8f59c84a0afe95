// SPDX-License-Identifier: Apache-2.0

// Test zones: what lies in them, and what may not be one.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { isAllowedZone, parseZones } from './zones.ts';

describe('a domain is allowed', () => {
  const zones = ['test', '*.example', 'Lab.Corp.Internal.'];
  for (const [domain, allowed] of [
    ['test', true],
    ['lab.test', true],
    ['a.b.lab.test', true],
    ['LAB.Test.', true],
    ['lab.example', true],
    ['example', true],
    ['lab.corp.internal', true],
    ['x.lab.corp.internal', true],
    ['corp.internal', false],
    ['otherlab.corp.internal', false],
    ['mytest', false],
    ['test.com', false],
    ['example.org', false],
    ['', false],
  ] as const) {
    test(`${domain || 'the empty one'}: ${allowed}`, () => assert.equal(isAllowedZone(domain, zones), allowed));
  }

  test('nowhere when no zone is named, or only an empty one', () => {
    for (const none of [[], [''], ['.'], ['*.']]) assert.equal(isAllowedZone('lab.test', none), false);
  });

  test('exactly when some zone is the end of it by whole labels', () => {
    const label = fc.stringMatching(/^[a-z]([a-z0-9-]{0,8}[a-z0-9])?$/);
    const name = fc.array(label, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(name, name, (domain, zone) => {
        const expected = domain.slice(-zone.length).join('.') === zone.join('.');
        assert.equal(isAllowedZone(domain.join('.'), [zone.join('.')]), expected);
        assert.equal(isAllowedZone([...domain, ...zone].join('.'), [zone.join('.')]), true);
      }),
    );
  });
});

describe('zones of a flag', () => {
  test('are read one by one or in a row, in lower case, each once', () => {
    const zones = ['test', 'example', 'lab.corp.internal'];
    assert.deepEqual(parseZones(['Test', '*.example.', 'lab.corp.internal, test']), { ok: true, zones });
    assert.deepEqual(parseZones(['test,example lab.corp.internal']), { ok: true, zones });
    assert.deepEqual(parseZones([]), { ok: true, zones: [] });
  });

  for (const [text, error] of [
    ['', /^a zone is empty; write a test zone such as/],
    [' , ', /^a zone is empty/],
    ['*', /^"\*" would allow every zone there is; name the test zones/],
    ['.', /would allow every zone/],
    ['*.', /would allow every zone/],
    ['*.*', /would allow every zone|is no zone/],
    ['lab..test', /^"lab..test" is no zone; write a DNS name/],
    ['lab_1.test', /is no zone/],
    ['-test', /is no zone/],
    ['lab.*.test', /is no zone/],
    [`${'a.'.repeat(130)}test`, /is no zone/],
    ['10.0.0.0', /is an address, not a zone/],
    [
      'com',
      /^"com" is a public zone, in which real clients look for their hosts; name a zone of your own, such as lab.corp.com$/,
    ],
    ['*.de', /is a public zone/],
  ] as const) {
    test(`"${text.slice(0, 20)}" is refused in one clear line`, () => {
      const parsed = parseZones(['test', text]);
      assert.ok(!parsed.ok);
      assert.match(parsed.error, error);
      assert.doesNotMatch(parsed.error, /\n/);
    });
  }

  test('whatever is accepted allows itself and not the rest of the world', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string(), fc.domain(), fc.constantFrom('test', '*', '.', 'lab.example'))),
        (values) => {
          const parsed = parseZones(values);
          if (!parsed.ok) return;
          for (const zone of parsed.zones) assert.ok(isAllowedZone(`lab.${zone}`, parsed.zones));
          assert.equal(isAllowedZone('kms.surely-not-in-any-of-them.zz', parsed.zones), false);
        },
      ),
    );
  });
});
