// SPDX-License-Identifier: Apache-2.0
//
// Which element of a bind or alter_context gets what (docs/protocol.md §1.3, §1.5), without a socket; the rows of §5.3 are tested again on one.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  btfnSyntax,
  type ContextElement,
  type Contexts,
  KMS_INTERFACE,
  MAX_CONTEXTS,
  NDR32,
  NDR64,
  negotiateAlter,
  negotiateBind,
  negotiateFragment,
  type Syntax,
  transferSyntaxOf,
  ZERO_SYNTAX,
} from './index.ts';

const OTHER: Syntax = { uuid: 'e1af8308-5d1f-11c9-91a4-08002b14a0fa', version: 3 };

function element(contextId: number, transferSyntaxes: Syntax[], abstractSyntax = KMS_INTERFACE): ContextElement {
  return { contextId, abstractSyntax, transferSyntaxes };
}

/** `0/0`, `2/1` … per element; `nak` when refused whole. */
function outcome(negotiated: ReturnType<typeof negotiateBind>): string {
  return negotiated.ok ? negotiated.results.map(({ result, reason }) => `${result}/${reason}`).join(' ') : 'nak';
}

const bind = (...elements: ContextElement[]): string => outcome(negotiateBind(elements));
const alter = (contexts: Contexts, ...elements: ContextElement[]): string =>
  outcome(negotiateAlter(elements, contexts));

describe('bind', () => {
  test('what Windows offers: NDR32 refused, NDR64 accepted, features acknowledged', () => {
    const offered = [element(0, [NDR32]), element(1, [NDR64]), element(2, [btfnSyntax(3)])];
    const negotiated = negotiateBind(offered);
    assert.equal(outcome(negotiated), '2/2 0/0 3/3');
    assert.ok(negotiated.ok);
    assert.deepEqual(negotiated.accepted, { contextId: 1, syntax: 'NDR64' });
    assert.deepEqual(
      negotiated.results.map(({ syntax }) => syntax),
      [ZERO_SYNTAX, NDR64, ZERO_SYNTAX],
    );
  });

  test('one transfer syntax is accepted, NDR64 where any element offers it', () => {
    assert.equal(bind(element(0, [NDR32])), '0/0');
    assert.equal(bind(element(0, [NDR32, NDR64])), '0/0');
    assert.equal(bind(element(0, [NDR64]), element(1, [NDR32])), '0/0 2/2');
    assert.equal(bind(element(5, [NDR32]), element(5, [NDR32])), '0/0 2/2');
    assert.equal(bind(element(0, [NDR32], OTHER), element(1, [NDR64], OTHER), element(2, [NDR32])), '2/1 2/1 0/0');
  });

  test('interface versions other than 1.0 and unknown syntaxes are refused', () => {
    for (const version of [0, 2, 0x0001_0001, 0x0001_0000]) {
      assert.equal(bind(element(0, [NDR32], { ...KMS_INTERFACE, version })), '2/1');
    }
    assert.equal(bind(element(0, [OTHER])), '2/2');
    assert.equal(bind(element(0, [{ ...NDR32, version: 1 }])), '2/2');
    assert.equal(bind(element(0, [{ ...NDR64, version: 2 }])), '2/2');
  });

  test('features: only as the first syntax, whatever the interface, once', () => {
    assert.equal(bind(element(0, [NDR32]), element(1, [btfnSyntax(0xffff)], OTHER)), '0/0 3/3');
    assert.equal(bind(element(0, [NDR32]), element(1, [btfnSyntax(0x8002)])), '0/0 3/2');
    assert.equal(bind(element(0, [NDR32, btfnSyntax(3)]), element(1, [btfnSyntax(0)])), '0/0 3/0');
    assert.equal(bind(element(0, [btfnSyntax(1)]), element(1, [btfnSyntax(1)])), 'nak');
  });

  test('no elements and an element without syntaxes are refused whole', () => {
    assert.equal(bind(), 'nak');
    assert.equal(bind(element(0, [NDR32]), element(1, [])), 'nak');
  });

  test('any table gets a result for each element, at most one acceptance, and only of what was offered', () => {
    const syntaxes = fc.constantFrom(NDR32, NDR64, OTHER, btfnSyntax(3), ZERO_SYNTAX);
    const elements = fc.array(
      fc
        .tuple(fc.nat(3), fc.array(syntaxes, { minLength: 1, maxLength: 3 }), fc.constantFrom(KMS_INTERFACE, OTHER))
        .map(([id, transfer, abstract]) => element(id, transfer, abstract)),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(elements, fc.boolean(), (table, altering) => {
        const negotiated = altering ? negotiateAlter(table, new Map()) : negotiateBind(table);
        if (!negotiated.ok) return;
        assert.equal(negotiated.results.length, table.length);
        const accepted = negotiated.results.flatMap(({ result }, index) => (result === 0 ? [index] : []));
        assert.equal(accepted.length, negotiated.accepted ? 1 : 0);
        for (const index of accepted) {
          const { abstractSyntax, transferSyntaxes, contextId } = table[index] ?? element(-1, []);
          assert.equal(abstractSyntax, KMS_INTERFACE);
          assert.ok(transferSyntaxes.some((syntax) => transferSyntaxOf(syntax) === negotiated.accepted?.syntax));
          assert.equal(contextId, negotiated.accepted?.contextId);
        }
      }),
    );
  });
});

describe('alter_context', () => {
  const held: Contexts = new Map([[1, 'NDR64']]);

  test('adds NDR32 as another context, and accepts what is held once more', () => {
    assert.equal(alter(held, element(0, [NDR32])), '0/0');
    assert.equal(alter(held, element(1, [NDR64])), '0/0');
    assert.equal(alter(held, element(1, [NDR64]), element(0, [NDR32]), element(2, [NDR32])), '0/0 0/0 2/2');
  });

  test('changing a held context, an empty table and no syntaxes break the connection', () => {
    assert.equal(alter(held, element(1, [NDR32])), 'nak');
    assert.equal(alter(held, element(1, [NDR64], OTHER)), 'nak');
    assert.equal(alter(held), 'nak');
    assert.equal(alter(held, element(0, [])), 'nak');
  });

  test('a feature request means nothing here', () => {
    assert.equal(alter(held, element(0, [btfnSyntax(3)])), '2/2');
  });

  test('row 40: the 17th context gets local limit exceeded', () => {
    const full: Contexts = new Map(Array.from({ length: MAX_CONTEXTS }, (_, id) => [id, 'NDR32']));
    assert.equal(MAX_CONTEXTS, 16);
    assert.equal(alter(full, element(16, [NDR32])), '2/3');
    assert.equal(alter(full, element(15, [NDR32])), '0/0');
  });
});

test('row 36: fragment sizes are the smaller of both, from 2048 to 5840, a multiple of 8', () => {
  const rows: [number, number, number][] = [
    [0, 0, 2048],
    [0xffff, 0xffff, 5840],
    [3199, 0xffff, 3192],
    [0xffff, 2049, 2048],
    [5840, 5840, 5840],
    [5839, 5840, 5832],
  ];
  for (const [xmit, recv, wanted] of rows) assert.equal(negotiateFragment(xmit, recv), wanted);
  fc.assert(
    fc.property(fc.nat(0xffff), fc.nat(0xffff), (xmit, recv) => {
      const size = negotiateFragment(xmit, recv);
      assert.ok(size >= 2048 && size <= 5840 && size % 8 === 0 && size === negotiateFragment(recv, xmit));
    }),
  );
});
