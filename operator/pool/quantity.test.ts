// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sameQuantity } from './quantity.ts';

test('the same amount in another form is the same quantity', () => {
  const pairs: [unknown, unknown][] = [
    ['0.1', '100m'],
    ['1.1', '1100m'],
    [1, '1'],
    [0.25, '250m'],
    ['1Gi', '1024Mi'],
    ['1.5Gi', '1536Mi'],
    ['1k', '1000'],
    ['1e3', '1000'],
    ['1E3', '1k'],
    ['5E-1', '500m'],
    ['1E', '1000P'],
    ['.5', '500m'],
    ['2.', '2'],
    ['+1', '1'],
    ['-1', '-1000m'],
    ['0', '0m'],
    [100_000_000, '100M'],
  ];
  for (const [a, b] of pairs) assert.ok(sameQuantity(a, b) && sameQuantity(b, a), `${a} = ${b}`);
});

test('another amount, or what is no quantity, is not the same', () => {
  const pairs: [unknown, unknown][] = [
    ['1', '1m'],
    ['1G', '1Gi'],
    ['1M', '1m'],
    ['-1', '1'],
    ['1', undefined],
    ['', ''],
    ['.', '.'],
    ['m', 'm'],
    ['1 Gi', '1Gi'],
    ['1gi', '1gi'],
    ['1e999999', '1e999999'],
    [true, true],
    [null, null],
  ];
  for (const [a, b] of pairs) assert.ok(!sameQuantity(a, b), `${a} ≠ ${b}`);
});

test('thousandths and mebibytes are exact, however large', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 18n }), fc.bigInt({ min: 1n, max: 999n }), (whole, rest) => {
      const decimal = `${whole}.${String(rest).padStart(3, '0')}`;
      assert.ok(sameQuantity(decimal, `${whole * 1000n + rest}m`));
      assert.ok(!sameQuantity(decimal, `${whole * 1000n + rest + 1n}m`));
      assert.ok(sameQuantity(`${whole}Gi`, `${whole * 1024n}Mi`));
    }),
  );
});
