// SPDX-License-Identifier: Apache-2.0
//
// V4, V5 and V6 between a simulated client and a host of its pool (docs/protocol.md §3.3–3.4): what opens, what is refused, and that keys of another
// pool, a flipped bit or Microsoft's absence of ours never open anything.

import assert from 'node:assert/strict';
import { createCipheriv, createDecipheriv, createHmac, randomFillSync } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { DUMPED_REQUEST, FOREIGN_KEYS, flipped, KEYS, requestBase } from './fixtures.ts';
import {
  type Answer,
  HostEnvelope,
  idHex,
  openResponse,
  type PoolKeys,
  type ProtocolVersion,
  REQUEST_OFFSET,
  sealRequest,
} from './index.ts';

const fill = (target: Buffer, at: number, length: number): void => {
  randomFillSync(target, at, length);
};
const HOST = new HostEnvelope(KEYS, fill);
const ANSWER: Answer = { count: 26, activationIntervalMinutes: 120, renewalIntervalMinutes: 10_080 };
const VERSIONS: readonly ProtocolVersion[] = [4, 5, 6];

const opens = (body: Buffer): boolean => HOST.open(body, 0, body.length) !== undefined;

/** V5/V6 with everything chosen: what stands in the clear, the IV, and the plaintext with its padding. */
function encrypted(parts: { keys: PoolKeys; clear: number; plain: Buffer; iv?: Buffer }): Buffer {
  const { keys, clear, plain } = parts;
  const iv = parts.iv ?? createHmac('sha256', keys.requestIv).update(plain.subarray(0, 236)).digest().subarray(0, 16);
  const cipher = createCipheriv('aes-128-cbc', clear >>> 16 === 5 ? keys.v5Enc : keys.v6Enc, iv).setAutoPadding(false);
  const head = Buffer.alloc(4);
  head.writeUInt32LE(clear);
  return Buffer.concat([head, iv, cipher.update(plain), cipher.final()]);
}

const padded = (base: Buffer, padding: readonly number[] = [4, 4, 4, 4]): Buffer =>
  Buffer.concat([base, Buffer.from(padding)]);

function answerTo(base: Buffer, keys = KEYS): { body: Buffer; sent: Buffer } {
  const sent = sealRequest(keys, base);
  const opened = new HostEnvelope(keys, fill).open(sent, 0, sent.length);
  assert.ok(opened);
  return { sent, body: new HostEnvelope(keys, fill).seal(opened, ANSWER) };
}

for (const protocol of VERSIONS) {
  describe(`V${protocol}`, () => {
    test('a request opens to the fields that were sealed', () => {
      const base = requestBase({ protocol });
      const body = sealRequest(KEYS, base);
      const opened = HOST.open(Buffer.concat([Buffer.alloc(3), body]), 3, body.length);
      assert.ok(opened);
      assert.equal(opened.protocol, protocol);
      assert.deepEqual(opened.request.bytes.subarray(0, 236), base);
      assert.equal(opened.request.clientTimeMs, DUMPED_REQUEST.clientTimeMs);
      assert.equal(opened.request.requiredClientCount, 25);
      assert.equal(idHex(opened.request, REQUEST_OFFSET.cmid), '67452301ab89de4c8f0123456789abcd');
      assert.equal(opened.requestIv.length, protocol === 4 ? 0 : 16);
    });

    test('an answer opens at the client that asked, with the pool\u2019s PID, the count and both intervals', () => {
      const base = requestBase({ protocol });
      const { body, sent } = answerTo(base);
      const opened = openResponse(KEYS, sent, base, body);
      assert.ok(opened.ok, JSON.stringify(opened));
      assert.deepEqual(opened.response, {
        protocol,
        hostPid: HOST.hostPid,
        cmid: DUMPED_REQUEST.cmid,
        clientTimeMs: DUMPED_REQUEST.clientTimeMs,
        currentCount: 26,
        activationIntervalMinutes: 120,
        renewalIntervalMinutes: 10_080,
      });
      assert.deepEqual(opened.hardwareId, protocol === 6 ? KEYS.hardwareId : undefined);
      assert.equal(HOST.hostPid.length, 48);
      assert.doesNotMatch(opened.response.hostPid, /^\d{5}-\d{5}-\d{3}-/);
    });

    test('row 69, row 70: a request with any one bit flipped is refused', () => {
      const body = sealRequest(KEYS, requestBase({ protocol }));
      for (let bit = 0; bit < body.length * 8; bit++) assert.ok(!opens(flipped(body, bit)), `bit ${bit}`);
      assert.ok(opens(body), 'the refusals left the host able to open a good one');
    });

    test('an answer with any one bit flipped is refused by the client', () => {
      const base = requestBase({ protocol });
      const { body, sent } = answerTo(base);
      // A V5 answer has no MAC of its own: block B covers base, R and request IV; its padding is checked as far as its last bytes say.
      for (let bit = 0; bit < body.length * 8; bit++) {
        const opened = openResponse(KEYS, sent, base, flipped(body, bit));
        assert.ok(!opened.ok && opened.reason !== '', `bit ${bit}`);
      }
    });

    test('row 72: pools with different Secrets refuse each other\u2019s requests and answers', () => {
      const base = requestBase({ protocol });
      assert.ok(!opens(sealRequest(FOREIGN_KEYS, base)));
      const { body, sent } = answerTo(base, FOREIGN_KEYS);
      const opened = openResponse(KEYS, sent, base, body);
      assert.ok(!opened.ok);
      assert.match(opened.reason, /another pool key/);
    });

    test('row 68: any other length is refused', () => {
      const body = sealRequest(KEYS, requestBase({ protocol }));
      for (const length of [0, 1, 3, 4, 20, 236, body.length - 16, body.length - 1]) {
        assert.equal(HOST.open(body, 0, length), undefined, `${length} bytes`);
      }
      const longer = Buffer.concat([body, Buffer.alloc(16)]);
      for (const more of [1, 8, 16]) assert.equal(HOST.open(longer, 0, body.length + more), undefined);
    });

    test('an answer to another request of the same client is refused', () => {
      const base = requestBase({ protocol });
      const { body } = answerTo(base);
      const later = requestBase({ protocol, clientTimeMs: DUMPED_REQUEST.clientTimeMs + 1000 });
      const opened = openResponse(KEYS, sealRequest(KEYS, later), later, body);
      assert.ok(!opened.ok);
    });
  });
}

describe('V5 and V6', () => {
  for (const protocol of [5, 6] as const) {
    const base = requestBase({ protocol });
    const clear = protocol << 16;

    test(`row 70: V${protocol} with wrong padding under a fitting IV is refused`, () => {
      for (const padding of [
        [0, 0, 0, 0],
        [3, 3, 3, 3],
        [4, 4, 4, 5],
        [5, 4, 4, 4],
        [1, 2, 3, 4],
        [16, 16, 16, 16],
      ]) {
        assert.ok(!opens(encrypted({ keys: KEYS, clear, plain: padded(base, padding) })), padding.join());
      }
      assert.ok(opens(encrypted({ keys: KEYS, clear, plain: padded(base) })));
    });

    test(`row 72: V${protocol} with our cipher key but a random IV, as a genuine client has, is refused`, () => {
      assert.ok(!opens(encrypted({ keys: KEYS, clear, plain: padded(base), iv: Buffer.alloc(16, 0x42) })));
    });

    test(`row 71: clear version ${protocol} around another inner version is refused`, () => {
      for (const inner of VERSIONS.filter((version) => version !== protocol)) {
        const plain = padded(requestBase({ protocol: inner }));
        assert.ok(!opens(encrypted({ keys: KEYS, clear, plain })), `inner ${inner}`);
      }
      const minor = requestBase({ protocol });
      minor.writeUInt16LE(1, 0);
      assert.ok(!opens(encrypted({ keys: KEYS, clear, plain: padded(minor) })));
    });

    test(`two V${protocol} answers to one request share no ciphertext block`, () => {
      const { sent } = answerTo(base);
      const opened = HOST.open(sent, 0, sent.length);
      assert.ok(opened);
      const [one, two] = [HOST.seal(opened, ANSWER), HOST.seal(opened, ANSWER)];
      const blocks = (body: Buffer): string[] =>
        Array.from({ length: (body.length - 4) / 16 }, (_, n) => body.toString('hex', 4 + 16 * n, 20 + 16 * n));
      const seen = new Set(blocks(one));
      assert.deepEqual(
        blocks(two).filter((block) => seen.has(block)),
        [],
      );
    });
  }

  test('a V6 answer decrypts with AES-128-CBC and PKCS#7 to the blocks of §3.3', () => {
    const base = requestBase({ protocol: 6 });
    const { body, sent } = answerTo(base);
    const decipher = createDecipheriv('aes-128-cbc', KEYS.v6Enc, body.subarray(4, 20));
    const plain = Buffer.concat([decipher.update(body.subarray(20)), decipher.final()]);
    assert.equal(plain.length, 142 + 16 + 32 + 8 + 16 + 16);
    const hmac = (key: Buffer, ...parts: Buffer[]): Buffer =>
      createHmac('sha256', key).update(Buffer.concat(parts)).digest();
    assert.deepEqual(plain.subarray(158, 190), hmac(KEYS.blockB, plain.subarray(0, 158), sent.subarray(4, 20)));
    assert.deepEqual(plain.subarray(190, 198), KEYS.hardwareId);
    assert.deepEqual(plain.subarray(198, 214), sent.subarray(4, 20));
    assert.deepEqual(plain.subarray(214, 230), hmac(KEYS.v6Mac, plain.subarray(0, 214)).subarray(0, 16));
  });

  test('every host of a pool presents the same PID and hardware ID', () => {
    const base = requestBase({ protocol: 6 });
    const answers = [answerTo(base), answerTo(base)].map(({ body, sent }) => openResponse(KEYS, sent, base, body));
    const [one, two] = answers;
    assert.ok(one?.ok && two?.ok);
    assert.equal(one.response.hostPid, two.response.hostPid);
    assert.deepEqual(one.hardwareId, two.hardwareId);
  });
});

describe('row 70: the time of a refusal', () => {
  test('does not tell a wrong IV, wrong padding and a wrong inner version apart', () => {
    const base = requestBase({ protocol: 6 });
    const clear = 6 << 16;
    const bodies = {
      iv: encrypted({ keys: KEYS, clear, plain: padded(base), iv: Buffer.alloc(16, 1) }),
      padding: encrypted({ keys: KEYS, clear, plain: padded(base, [9, 9, 9, 9]) }),
      version: encrypted({ keys: KEYS, clear, plain: padded(requestBase({ protocol: 5 })) }),
    };
    const times: Record<string, number[]> = { iv: [], padding: [], version: [] };
    for (let round = 0; round < 3000; round++) {
      for (const [kind, body] of Object.entries(bodies)) {
        const start = process.hrtime.bigint();
        assert.equal(HOST.open(body, 0, body.length), undefined);
        times[kind]?.push(Number(process.hrtime.bigint() - start));
      }
    }
    const medians = Object.values(times).map((list) => list.sort((a, b) => a - b)[list.length >> 1] ?? 0);
    // A check that left early would save the cipher or the HMAC, which are nearly all of the work.
    assert.ok(Math.max(...medians) < 1.5 * Math.min(...medians), `medians ${medians.join(', ')} ns`);
  });
});

test('licence boundary: no request, well made or not, gets an answer whose PID is shaped like a genuine one', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...VERSIONS),
      fc.uuid(),
      fc.string({ maxLength: 70, unit: 'binary' }),
      fc.nat(0xffff_ffff),
      (protocol, cmid, workstationName, count) => {
        const base = requestBase({ protocol, cmid, workstationName });
        const sent = sealRequest(KEYS, base);
        const opened = HOST.open(sent, 0, sent.length);
        assert.ok(opened);
        const answer = openResponse(KEYS, sent, base, HOST.seal(opened, { ...ANSWER, count }));
        assert.ok(answer.ok);
        assert.equal(answer.response.currentCount, count);
        assert.equal(answer.response.hostPid, HOST.hostPid);
        assert.doesNotMatch(answer.response.hostPid, /^\d{5}-\d{5}-\d{3}-/);
      },
    ),
  );
});
