// SPDX-License-Identifier: Apache-2.0

// Questions and answers as bytes: what is read from sound answers, and that nothing that a stranger can send does harm.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Answer, AUTHORITATIVE_ANSWER, decode, encode, type Packet } from 'dns-packet';
import fc from 'fast-check';
import { type AskedType, type DnsQuestion, encodeQuestion, type Reading, readReply } from './message.ts';

const ID = 4711;
const NAME = '_vlmcs._tcp.lab.example';
const question: DnsQuestion<'SRV'> = { name: NAME, type: 'SRV', recursionDesired: false };

function packet(parts: Partial<Packet>): Buffer {
  return encode({ type: 'response', id: ID, questions: [{ name: NAME, type: 'SRV' }], ...parts });
}

function srv(target: string, more: Partial<{ name: string; ttl: number; class: 'IN' | 'CH' }> = {}): Answer {
  return { type: 'SRV', name: NAME, ttl: 60, data: { priority: 0, weight: 60, port: 1688, target }, ...more };
}

const soa = (name: string): Answer => ({
  type: 'SOA',
  name,
  ttl: 300,
  data: { mname: 'ns1.lab.example', rname: 'hostmaster.lab.example', minimum: 45 },
});

const read = (bytes: Buffer): Reading<'SRV'> => readReply(bytes, question, ID);
const replied = (reply: object): object => ({ kind: 'reply', reply });

describe('a question', () => {
  test('is one of class IN, with EDNS for 1232 bytes, and asks for recursion only where that is wanted', () => {
    const plain = decode(encodeQuestion(question, ID, true));
    const opt = plain.additionals?.[0];
    assert.deepEqual(plain.questions, [{ name: NAME, type: 'SRV', class: 'IN' }]);
    assert.deepEqual([plain.id, plain.flag_rd, opt?.type === 'OPT' && opt.udpPayloadSize], [ID, false, 1232]);
    const recursive = decode(encodeQuestion({ ...question, recursionDesired: true }, ID, false));
    assert.deepEqual([recursive.flag_rd, recursive.additionals], [true, []]);
  });
});

describe('a sound answer', () => {
  test('gives the records of the name and type asked for, in lower case, without the dot at the end', () => {
    const answers = [srv('Campus-0.KMS.lab.example'), srv('x.example', { name: 'other.example' })];
    const expected = { priority: 0, weight: 60, port: 1688, target: 'campus-0.kms.lab.example', ttlSeconds: 60 };
    assert.deepEqual(read(packet({ answers })), replied({ ok: true, records: [expected] }));
  });

  test('compares names without regard to case', () => {
    const questions: Packet['questions'] = [{ name: NAME.toUpperCase(), type: 'SRV' }];
    const reading = read(packet({ questions, answers: [srv('a.example', { name: NAME.toUpperCase() })] }));
    assert.equal(reading.kind === 'reply' && reading.reply.ok && reading.reply.records.length, 1);
  });

  test('counts also when the server does not claim authority', () => {
    const [plain, authoritative] = [0, AUTHORITATIVE_ANSWER].map((flags) =>
      read(packet({ flags, answers: [srv('a.example')] })),
    );
    assert.deepEqual(plain, authoritative);
  });

  test('takes a TTL with the highest bit for zero (RFC 2181)', () => {
    const reading = read(packet({ answers: [srv('a.example', { ttl: 0xffff_ffff })] }));
    assert.equal(reading.kind === 'reply' && reading.reply.ok && reading.reply.records[0]?.ttlSeconds, 0);
  });

  test('writes IPv6 addresses as RFC 5952 has them', () => {
    const aaaa = { name: 'a.example', type: 'AAAA', recursionDesired: false } as const;
    const bytes = encode({
      type: 'response',
      id: ID,
      questions: [{ name: 'a.example', type: 'AAAA' }],
      answers: [{ name: 'a.example', type: 'AAAA', ttl: 1, data: '2001:db8:0:0:1:0:0:0' }],
    });
    const reading = readReply(bytes, aaaa, ID);
    assert.deepEqual(reading, replied({ ok: true, records: [{ address: '2001:db8:0:0:1::', ttlSeconds: 1 }] }));
  });

  test('keeps the root as the target that says: not offered (RFC 2782)', () => {
    const reading = read(packet({ answers: [srv('.')] }));
    assert.equal(reading.kind === 'reply' && reading.reply.ok && reading.reply.records[0]?.target, '.');
  });

  test('lets no target write control characters into a message', () => {
    const reading = read(packet({ answers: [srv('evil\nline\u001b[2j.exämple')] }));
    const target = reading.kind === 'reply' && reading.reply.ok && reading.reply.records[0]?.target;
    assert.equal(target, 'evil\\010line\\027[2j.ex\\195\\164mple');
  });

  test('follows aliases only where it is asked to, and only within the answer', () => {
    const answers: Answer[] = [
      { name: NAME, type: 'CNAME', ttl: 1, data: 'one.example' },
      { name: 'two.example', type: 'CNAME', ttl: 1, data: NAME },
      { name: 'one.example', type: 'CNAME', ttl: 1, data: 'two.example' },
      srv('a.example', { name: 'two.example' }),
    ];
    assert.deepEqual(read(packet({ answers })), replied({ ok: true, records: [], empty: 'NoData' }));
    for (const order of [answers, answers.toReversed()]) {
      const followed = readReply(packet({ answers: order }), { ...question, followAliases: true }, ID);
      assert.equal(followed.kind === 'reply' && followed.reply.ok && followed.reply.records.length, 1);
    }
  });
});

describe('an empty answer', () => {
  test('says whether the name or only the type is missing, and which zone said so', () => {
    const zone = { apex: 'lab.example', ttlSeconds: 45 };
    assert.deepEqual(
      read(packet({ flags: 3, authorities: [soa('lab.example')] })),
      replied({ ok: true, records: [], empty: 'NxDomain', zone }),
    );
    assert.deepEqual(
      read(packet({ authorities: [soa('lab.example')] })),
      replied({ ok: true, records: [], empty: 'NoData', zone }),
    );
  });

  test('does not believe the SOA record of a zone in which the name does not lie', () => {
    for (const name of ['ab.example', 'other.example', 'x._vlmcs._tcp.lab.example']) {
      assert.deepEqual(
        read(packet({ flags: 3, authorities: [soa(name)] })),
        replied({ ok: true, records: [], empty: 'NxDomain' }),
      );
    }
  });

  test('from a server that refers elsewhere is an error, for it knows nothing of the name', () => {
    for (const name of ['.', 'example', 'lab.example']) {
      const authorities: Answer[] = [{ name, type: 'NS', ttl: 1, data: 'ns.example' }];
      const lame = replied({ ok: false, error: 'refers to other servers (lame delegation)' });
      assert.deepEqual(read(packet({ authorities })), lame);
      assert.notDeepEqual(read(packet({ authorities, flags: AUTHORITATIVE_ANSWER })), lame);
    }
  });
});

describe('an answer that says no', () => {
  for (const [rcode, text] of [
    [2, 'SERVFAIL'],
    [5, 'REFUSED'],
    [9, 'NOTAUTH'],
    [14, 'response code 14'],
  ] as const) {
    test(`is the error ${text}, with or without the question in it`, () => {
      assert.deepEqual(read(packet({ flags: rcode })), replied({ ok: false, error: text }));
      assert.deepEqual(read(packet({ flags: rcode, questions: [] })), replied({ ok: false, error: text }));
    });
  }

  test('because it does not know EDNS is told apart', () => {
    assert.deepEqual(read(packet({ flags: 1, questions: [] })), { kind: 'plainOnly', error: 'FORMERR' });
  });

  test('is told apart from one that is only too long', () => {
    assert.deepEqual(read(packet({ flags: 1 << 9 })), { kind: 'truncated' });
  });
});

describe('hostile bytes', () => {
  const notOurs = { kind: 'notOurs' };

  test('of another ID, another question or no answer at all are not ours', () => {
    const answers = [srv('a.example')];
    assert.deepEqual(read(packet({ id: ID + 1, answers })), notOurs);
    assert.deepEqual(read(packet({ type: 'query', answers })), notOurs);
    assert.deepEqual(read(packet({ questions: [{ name: 'other.example', type: 'SRV' }], answers })), notOurs);
    assert.deepEqual(read(packet({ questions: [{ name: NAME, type: 'A' }], answers })), notOurs);
    assert.deepEqual(read(packet({ questions: [{ name: NAME, type: 'SRV', class: 'CH' }], answers })), notOurs);
    assert.deepEqual(read(packet({ questions: [] })), notOurs);
    assert.deepEqual(read(Buffer.alloc(11)), notOurs);
  });

  test('that are an address record cut short are malformed, not an address of zeros', () => {
    const aaaa = { name: 'a.example', type: 'AAAA', recursionDesired: false } as const;
    const whole = encode({
      type: 'response',
      id: ID,
      questions: [{ name: 'a.example', type: 'AAAA' }],
      answers: [{ name: 'a.example', type: 'AAAA', ttl: 1, data: '2001:db8::1' }],
    });
    for (let cut = 1; cut < 16; cut++) {
      assert.deepEqual(readReply(whole.subarray(0, whole.length - cut), aaaa, ID), { kind: 'malformed' });
    }
  });

  test('of class CH are no answer', () => {
    assert.deepEqual(read(packet({ answers: [srv('a.example', { class: 'CH' })] })), { kind: 'malformed' });
  });

  const types: readonly AskedType[] = ['SRV', 'A', 'AAAA', 'NS', 'SOA'];
  const kinds = new Set(['reply', 'notOurs', 'malformed', 'truncated', 'plainOnly']);

  function sound<T extends AskedType>(reading: Reading<T>): void {
    assert.ok(kinds.has(reading.kind));
    if (reading.kind !== 'reply') return;
    if (!reading.reply.ok) {
      assert.match(reading.reply.error, /^[\x20-\x7e]+$/);
      return;
    }
    assert.equal(reading.reply.empty === undefined, reading.reply.records.length > 0);
    // Everything that could reach a message is printable ASCII, and every number a number.
    const numbers = JSON.stringify(reading.reply, (_, value: unknown) => {
      assert.ok(typeof value !== 'number' || (Number.isInteger(value) && value >= 0));
      return value;
    });
    assert.match(numbers, /^[\x20-\x7e]+$/);
  }

  test('never throw and never give an unsound record, whatever they are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.constantFrom(...types), (body, type) => {
        const header = Buffer.from([ID >> 8, ID & 0xff, 0x84, 0, 0, 1, 0, body[0] ?? 0, 0, body[1] ?? 0, 0, 1]);
        const asked = encode({ type: 'query', id: ID, questions: [{ name: NAME, type }] }).subarray(12);
        sound(readReply(Buffer.concat([header, asked, body]), { name: NAME, type, recursionDesired: false }, ID));
        sound(readReply(Buffer.from(body), { name: NAME, type, recursionDesired: false }, ID));
      }),
      { numRuns: 2000 },
    );
  });

  test('that are a sound answer with a few bytes changed or lost never throw either', () => {
    const whole = packet({
      answers: [srv('campus-0.kms.lab.example'), srv('campus-1.kms.lab.example')],
      authorities: [soa('lab.example'), { name: 'lab.example', type: 'NS', ttl: 1, data: 'ns1.lab.example' }],
      additionals: [{ name: 'campus-0.kms.lab.example', type: 'AAAA', ttl: 1, data: 'fd00::1' }],
    });
    const change = fc.tuple(fc.nat({ max: whole.length - 1 }), fc.nat({ max: 255 }));
    fc.assert(
      fc.property(fc.array(change, { maxLength: 6 }), fc.nat({ max: whole.length }), (changes, length) => {
        const bytes = Buffer.from(whole);
        for (const [at, value] of changes) bytes[at] = value;
        sound(read(bytes.subarray(0, length)));
        sound(readReply(bytes, { ...question, followAliases: true }, ID));
      }),
      { numRuns: 2000 },
    );
  });

  test('that are a long chain of aliases cost little', () => {
    const answers = Array.from(
      { length: 2000 },
      (_, link): Answer => ({
        name: link === 1999 ? NAME : `n${link + 1}.example`,
        type: 'CNAME',
        ttl: 1,
        data: `n${link}.example`,
      }),
    );
    assert.equal(readReply(packet({ answers }), { ...question, followAliases: true }, ID).kind, 'reply');
  });

  test('any sound set of SRV records is read back as it was written', () => {
    const label = fc.stringMatching(/^[a-z0-9]{1,20}$/);
    const target = fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join('.'));
    const u16 = fc.nat({ max: 0xffff });
    const ttlSeconds = fc.nat({ max: 0x7fff_ffff });
    const fields = { priority: u16, weight: u16, port: u16, target, ttlSeconds };
    const record = fc.record(fields, { noNullPrototype: true });
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 40 }), (records) => {
        const answers = records.map(
          ({ ttlSeconds, ...data }): Answer => ({ type: 'SRV', name: NAME, ttl: ttlSeconds, data }),
        );
        assert.deepEqual(read(packet({ answers })), replied({ ok: true, records }));
      }),
    );
  });
});
