// SPDX-License-Identifier: Apache-2.0

// The bound for questions under way, and patience with servers that keep silent.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { turn } from '../runtime/clock.fake.ts';
import { boundedExchange, PatientExchange } from './gate.ts';
import type { AskedType, DnsReply } from './message.ts';
import type { DnsExchange } from './query.ts';

const question = { name: 'lab.example', type: 'SOA', recursionDesired: false } as const;
const forever = new AbortController().signal;
const answer: DnsReply = { ok: true, records: [{ ttlSeconds: 1 }] };
const silence: DnsReply = { ok: false, silent: true, error: 'timed out' };
const server = (last: number) => ({ address: `10.0.0.${last}`, port: 53 });

/** An exchange whose answers the test gives one by one. */
function heldExchange(): DnsExchange & { readonly waiting: ((reply: DnsReply) => void)[] } {
  const waiting: ((reply: DnsReply) => void)[] = [];
  return {
    waiting,
    ask: <T extends AskedType>() =>
      new Promise<DnsReply<T>>((resolve) => waiting.push((reply) => resolve(reply as DnsReply<T>))),
  };
}

describe('the bound', () => {
  test('lets so many questions through, and the next one when one is answered, in the order in which they came', async () => {
    const held = heldExchange();
    const bounded = boundedExchange(held, 2);
    const order: number[] = [];
    const asked = [1, 2, 3, 4].map(async (n) => {
      await bounded.ask(server(n), question, forever);
      order.push(n);
    });
    await turn();
    assert.equal(held.waiting.length, 2);
    for (let n = 0; n < 4; n++) {
      held.waiting[n]?.(answer);
      await turn();
      assert.equal(held.waiting.length, Math.min(4, n + 3));
    }
    await Promise.all(asked);
    assert.deepEqual(order, [1, 2, 3, 4]);
  });

  test('gives its place back when asking fails in an unexpected way', async () => {
    let broken = true;
    const bounded = boundedExchange(
      { ask: async () => (broken ? Promise.reject(new Error('bug')) : (answer as DnsReply<never>)) },
      1,
    );
    await assert.rejects(bounded.ask(server(1), question, forever));
    broken = false;
    assert.equal((await bounded.ask(server(1), question, forever)).ok, true);
  });
});

describe('patience', () => {
  async function silenced(held: ReturnType<typeof heldExchange>, patient: PatientExchange): Promise<void> {
    for (let n = 0; n < 3; n++) {
      const asking = patient.ask(server(1), question, forever);
      held.waiting.pop()?.(silence);
      assert.deepEqual(await asking, silence);
    }
  }

  test('a server that was silent three times is asked one question at a time; the others have its error at once', async () => {
    const held = heldExchange();
    const patient = new PatientExchange(held);
    await silenced(held, patient);
    const probe = patient.ask(server(1), question, forever);
    assert.deepEqual(await patient.ask(server(1), question, forever), silence);
    assert.equal(held.waiting.length, 1);
    held.waiting.pop()?.(silence);
    await probe;
    const next = patient.ask(server(1), question, forever);
    assert.equal(held.waiting.length, 1, 'the next one may try again');
    held.waiting.pop()?.(answer);
    assert.equal((await next).ok, true);
  });

  test('any answer ends it, also a refusal', async () => {
    for (const reply of [answer, { ok: false, error: 'REFUSED' } as const]) {
      const held = heldExchange();
      const patient = new PatientExchange(held);
      await silenced(held, patient);
      const probe = patient.ask(server(1), question, forever);
      held.waiting.pop()?.(reply);
      await probe;
      void patient.ask(server(1), question, forever);
      void patient.ask(server(1), question, forever);
      assert.equal(held.waiting.length, 2);
    }
  });

  test('one silence between answers is none, and other servers are not concerned', async () => {
    const held = heldExchange();
    const patient = new PatientExchange(held);
    for (const reply of [silence, silence, answer, silence, silence]) {
      const asking = patient.ask(server(1), question, forever);
      held.waiting.pop()?.(reply);
      await asking;
    }
    void patient.ask(server(1), question, forever);
    void patient.ask(server(1), question, forever);
    assert.equal(held.waiting.length, 2);
  });

  test('other servers than the silent one are asked as ever', async () => {
    const held = heldExchange();
    const patient = new PatientExchange(held);
    await silenced(held, patient);
    void patient.ask(server(2), question, forever);
    void patient.ask(server(2), question, forever);
    assert.equal(held.waiting.length, 2);
  });

  test('a question that was given up says nothing about the server', async () => {
    const held = heldExchange();
    const patient = new PatientExchange(held);
    const abort = new AbortController();
    abort.abort();
    for (let n = 0; n < 5; n++) {
      const asking = patient.ask(server(1), question, abort.signal);
      held.waiting.pop()?.(silence);
      await asking;
    }
    void patient.ask(server(1), question, forever);
    void patient.ask(server(1), question, forever);
    assert.equal(held.waiting.length, 2);
  });
});
