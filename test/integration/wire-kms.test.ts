// SPDX-License-Identifier: Apache-2.0
//
// docs/protocol.md §5.3, rows 66 to 85, on a real socket: KMS bodies, and what of them a host counts, refuses or cannot serve.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { derivePoolKeys, sealRequest } from '@kmspool/kms/wire';
import { type CmidStore, createMemoryStore } from '@kmspool/kms-node';
import {
  activate,
  askGood,
  expectAck,
  expectAnswer,
  expectFaultAndEnd,
  expectRefusal,
  withBound,
  withClient,
} from '../harness/expect.ts';
import { hostConfig, keepingLogger, secretOf, startTestHost, type TestHost } from '../harness/host.ts';
import {
  bindPdu,
  encryptedBody,
  patched,
  productFields,
  requestBase,
  requestBody,
  requestPdu,
} from '../harness/messages.ts';

const INVALID_DATA = 0x8007000d;
const NOT_SERVED = 0xc004f042;
const CLOCK_SKEW = 0xc004f06c;
const NOT_ACTIVATED = 0xc004f041;
const NOW = Date.UTC(2025, 5, 1, 12);
const HOUR = 3_600_000;
const VERSIONS = [4, 5, 6] as const;

/** Time stands still for the store, so that a skew can be chosen to the millisecond. */
const log = keepingLogger(true);
const host = await startTestHost({ nowMs: () => NOW, logger: log.logger });
after(() => host.stop());

const { keys } = host;
const now = { clientTimeMs: NOW };
const counted = (of: TestHost = host): number[] => of.host.status().counts.map(({ current }) => current);

/** Sends bodies one by one; each is refused with this code, and no count changes. */
async function refused(bodies: readonly Buffer[], hresult: number): Promise<void> {
  const before = counted();
  for (const syntax of ['NDR32', 'NDR64'] as const) {
    await withBound(host, syntax, async (client) => {
      for (const body of bodies) expectRefusal(await client.ask(requestPdu(body, { syntax })), hresult, { syntax });
      assert.deepEqual(counted(), before, 'a refused request changes no count');
      await askGood(client, host, { ...now, cmid: KNOWN, call: { syntax } });
    });
  }
}

const KNOWN = '0badcafe-0000-4000-8000-000000000000';
await activate(host, { ...now, cmid: KNOWN });

/** A body with the base changed after it was built and before it was sealed. */
const changedBase = (protocol: 4 | 5 | 6, change: (base: Buffer) => void): Buffer => {
  const base = requestBase({ ...now, protocol });
  change(base);
  return sealRequest(keys, base);
};

test('row 66: n = 0, 1, 3 → 0x8007000D', () =>
  refused(
    [0, 1, 3].map((length) => Buffer.alloc(length, 6)),
    INVALID_DATA,
  ));

test('row 67: versions 3.0, 4.1, 7.0, 65535.65535 → 0x8007000D', () => {
  const versions = [
    [0, 0, 3, 0],
    [1, 0, 4, 0],
    [0, 0, 7, 0],
    [0xff, 0xff, 0xff, 0xff],
    [0, 0, 0, 0],
  ];
  const bodies = VERSIONS.flatMap((protocol) =>
    versions.map((bytes) => patched(requestBody(keys, { ...now, protocol }), [0, ...bytes])),
  );
  return refused(bodies, INVALID_DATA);
});

test('row 68: V4 of 251 and 253 bytes, V5 and V6 of 252, 259, 261 and 276 → 0x8007000D', () => {
  const sized = (protocol: 4 | 5 | 6, length: number): Buffer =>
    Buffer.concat([requestBody(keys, { ...now, protocol }), Buffer.alloc(20)]).subarray(0, length);
  const long = ([5, 6] as const).flatMap((protocol) => [252, 259, 261, 276].map((length) => sized(protocol, length)));
  return refused([sized(4, 251), sized(4, 253), sized(4, 260), ...long], INVALID_DATA);
});

const flip = (body: Buffer, at: number): Buffer => patched(body, [at, body.readUInt8(at) ^ 1]);

test('row 69: V4 MAC with one bit flipped → 0x8007000D', () => {
  const body = requestBody(keys, { ...now, protocol: 4 });
  return refused(
    [236, 244, 251].map((at) => flip(body, at)),
    INVALID_DATA,
  );
});

test('row 70: V5 and V6 with a bit of IV or ciphertext flipped, or bad PKCS#7 → 0x8007000D', () => {
  const bodies = ([5, 6] as const).flatMap((protocol) => {
    const body = requestBody(keys, { ...now, protocol });
    const base = requestBase({ ...now, protocol });
    const flips = [4, 19, 20, 100, 243, 244, 259].map((at) => flip(body, at));
    const paddings = [
      [4, 4, 4, 3],
      [0, 0, 0, 0],
      [16, 16, 16, 16],
    ].map((padding) => encryptedBody({ keys, clear: protocol, plain: Buffer.concat([base, Buffer.from(padding)]) }));
    return [...flips, ...paddings];
  });
  return refused(bodies, INVALID_DATA);
});

test('row 70: a flipped IV, a flipped ciphertext and bad padding are refused in about the same time', async () => {
  const times: [number[], number[], number[]] = [[], [], []];
  await withBound(host, 'NDR32', async (client) => {
    const base = requestBase({ ...now, protocol: 6 });
    const good = sealRequest(keys, base);
    const kinds = [
      flip(good, 4),
      flip(good, 250),
      encryptedBody({ keys, clear: 6, plain: Buffer.concat([base, Buffer.from([9, 9, 9, 9])]) }),
    ];
    for (let round = 0; round < 120; round++) {
      for (const [kind, body] of kinds.entries()) {
        const start = performance.now();
        const pdu = await client.ask(requestPdu(body));
        times[kind]?.push(performance.now() - start);
        if (round === 0) expectRefusal(pdu, INVALID_DATA);
      }
    }
  });
  const medians = times.map((list) => list.sort((a, b) => a - b)[list.length >> 1] ?? 0);
  // What a round trip costs hides the rest; the unit test of the envelope compares the work itself.
  assert.ok(Math.max(...medians) < 3 * Math.min(...medians), `medians ${medians.join(', ')} ms`);
});

test('row 71: clear 6, inner 5, and the other way → 0x8007000D', () => {
  const mixed = (
    [
      [6, 5],
      [5, 6],
      [6, 4],
    ] as const
  ).map(([clear, inner]) => {
    const plain = Buffer.concat([requestBase({ ...now, protocol: inner }), Buffer.alloc(4, 4)]);
    return encryptedBody({ keys, clear, plain });
  });
  return refused(mixed, INVALID_DATA);
});

test('row 72: bodies made with any foreign key → 0x8007000D: another pool, or a genuine client\u2019s random IV', () => {
  const foreign = derivePoolKeys(secretOf('two'));
  const bodies = VERSIONS.map((protocol) => requestBody(foreign, { ...now, protocol }));
  const plain = Buffer.concat([requestBase({ ...now, protocol: 6 }), Buffer.alloc(4, 4)]);
  return refused([...bodies, encryptedBody({ keys, clear: 6, plain, iv: Buffer.alloc(16, 0x5a) })], INVALID_DATA);
});

test('row 73: S4-31 skew 3:59:59 → answered, 4:00:01 → 0xC004F06C, both signs; exactly 4:00:00 is accepted', async () => {
  for (const sign of [1, -1]) {
    for (const skew of [4 * HOUR - 1000, 4 * HOUR])
      await activate(host, { clientTimeMs: NOW + sign * skew, cmid: KNOWN });
    for (const skew of [4 * HOUR + 1, 4 * HOUR + 1000]) {
      await refused(
        VERSIONS.map((protocol) => requestBody(keys, { protocol, clientTimeMs: NOW + sign * skew })),
        CLOCK_SKEW,
      );
    }
  }
});

test('row 74: FILETIME 0, 2^63, 2^64−1 → 0xC004F06C, no overflow', () => {
  const times = [0n, 1n << 63n, (1n << 64n) - 1n];
  const bodies = times.flatMap((time) =>
    VERSIONS.map((protocol) => changedBase(protocol, (base) => base.writeBigUInt64LE(time, 84))),
  );
  return refused(bodies, CLOCK_SKEW);
});

test('row 75: N = 0 and 1000 → answered', async () => {
  for (const requiredClientCount of [0, 1000]) {
    const before = counted()[0] ?? 0;
    const { currentCount } = await activate(host, { ...now, requiredClientCount });
    assert.equal(currentCount, before + 1);
  }
});

test('row 76: N = 1001 and FFFFFFFF → 0x8007000D', () => {
  const bodies = [1001, 0xffff_ffff].flatMap((requiredClientCount) =>
    VERSIONS.map((protocol) => requestBody(keys, { ...now, protocol, requiredClientCount })),
  );
  return refused(bodies, INVALID_DATA);
});

test('row 77: CMID all zero → 0x8007000D', () =>
  refused([requestBody(keys, { ...now, cmid: '00000000-0000-0000-0000-000000000000' })], INVALID_DATA));

test('row 78: S4-26 counted ID not served, application ID not fitting → 0xC004F042', () => {
  const { countedId } = productFields('office-2010');
  const { applicationId } = productFields('office-2021');
  const changes = [{ countedId: randomUUID() }, { countedId }, { applicationId }, { applicationId: randomUUID() }];
  return refused(
    changes.map((change) => requestBody(keys, { ...now, ...change })),
    NOT_SERVED,
  );
});

test('row 78: S3-26 S1-23 a host that covers clients only refuses a server, and counts it as failed', async () => {
  const clientsOnly = await startTestHost({ config: { hostKeys: [{ product: 'Windows7' }] } });
  try {
    await activate(clientsOnly, productFields('windows-7'));
    await withBound(clientsOnly, 'NDR32', async (client) => {
      for (const slug of ['windows-server-2008-r2', 'windows-8', 'office-2010']) {
        expectRefusal(await client.ask(requestPdu(requestBody(keys, productFields(slug)))), NOT_SERVED);
      }
    });
    const { totals, counts } = clientsOnly.host.status();
    assert.deepEqual([totals.total, totals.failed, counts[0]?.current], [4, 3, 1]);
  } finally {
    await clientsOnly.stop();
  }
});

test('S4-25 S1-12 a product whose host key is not activated → 0xC004F041, for every state that is not Activated', async () => {
  for (const state of ['NotActivated', 'Blocked', 'LimitReached']) {
    const waiting = await startTestHost({ config: { hostKeys: [{ product: 'WindowsServer2025', state }] } });
    try {
      await withBound(waiting, 'NDR32', async (client) => {
        expectRefusal(await client.ask(requestPdu(requestBody(keys))), NOT_ACTIVATED);
      });
    } finally {
      await waiting.stop();
    }
  }
});

test('row 79: random activation ID → answered', async () => {
  for (let n = 0; n < 5; n++) await activate(host, { ...now, cmid: KNOWN, activationId: randomUUID() });
});

test('row 80: S1-24 license status 7 and VM flag 2 → answered, logged as unknown', async () => {
  log.lines.length = 0;
  await withBound(host, 'NDR32', async (client) => {
    const base = requestBase({ ...now, cmid: KNOWN, licenseStatus: 7 });
    base.writeUInt32LE(2, 4);
    const body = sealRequest(keys, base);
    expectAnswer(await client.ask(requestPdu(body)), { keys, base, body });
  });
  const [line] = log.lines;
  assert.deepEqual([line?.fields['licenseStatus'], line?.fields['isClientVm']], ['unknown', 'unknown']);
  assert.ok(host.host.status().totals.byLicenseStatus.unknown > 0);
});

/** The debug lines of one request with this name. */
async function loggedName(write: (base: Buffer) => void): Promise<string> {
  log.lines.length = 0;
  await withBound(host, 'NDR32', async (client) => {
    const base = requestBase({ ...now, cmid: KNOWN, workstationName: '' });
    write(base);
    const body = sealRequest(keys, base);
    expectAnswer(await client.ask(requestPdu(body)), { keys, base, body });
  });
  assert.equal(log.lines.length, 1);
  return String(log.lines[0]?.fields['workstationName']);
}

test('row 81: name of 64 units without NUL, empty, with bytes after the NUL → answered', async () => {
  assert.equal(await loggedName((base) => base.write('n'.repeat(64), 108, 'utf16le')), 'n'.repeat(64));
  assert.equal(await loggedName(() => undefined), '');
  assert.equal(await loggedName((base) => base.write('pc\0rubbish', 108, 'utf16le')), 'pc');
});

test('row 82: name with a lone surrogate, newline, ESC, bidi → answered, escaped in logs', async () => {
  const name = 'a\ud800b\nc\u001b[2Jd\u202ee';
  const logged = await loggedName((base) => base.write(name, 108, 'utf16le'));
  assert.equal(logged, 'a\\u{d800}b\\u{a}c\\u{1b}[2Jd\\u{202e}e');
});

test('S1-27 S1-28 S1-29 S1-30 S3-74 the debug line of a contact has the fields of event 12290', async () => {
  log.lines.length = 0;
  await activate(host, {
    ...now,
    ...productFields('windows-server-2008-r2'),
    cmid: KNOWN,
    isClientVm: true,
    licenseStatus: 1,
    minutesToExpiry: 99,
  });
  const [line] = log.lines;
  assert.equal(line?.level, 'debug');
  const { count, activationId, ...fields } = line.fields;
  assert.equal(count, counted()[0]);
  assert.equal(activationId, productFields('windows-server-2008-r2').activationId);
  assert.deepEqual(fields, {
    event: 12290,
    hresult: '0x00000000',
    requiredClientCount: 5,
    workstationName: 'pc.lab.example',
    cmid: KNOWN,
    clientTime: new Date(NOW).toISOString(),
    isClientVm: true,
    licenseStatus: 'licensed',
    minutesToExpiry: 99,
    protocol: 4,
    address: '127.0.0.1',
  });
});

test('row 83: previous CMID = CMID, or another client\u2019s → answered, no effect on counts', async () => {
  const before = counted();
  const cmid = randomUUID();
  const { currentCount } = await activate(host, { ...now, cmid, previousCmid: KNOWN });
  assert.equal(currentCount, (before[0] ?? 0) + 1);
  await activate(host, { ...now, cmid, previousCmid: cmid });
  assert.equal(counted()[0], currentCount);
});

test('row 84: one CMID over 1000 connections → counted once', async () => {
  const before = counted()[0] ?? 0;
  const cmid = randomUUID();
  for (let batch = 0; batch < 20; batch++) {
    await Promise.all(Array.from({ length: 50 }, () => activate(host, { ...now, cmid })));
  }
  assert.equal(counted()[0], before + 1);
});

/** A store that keeps everything but the count, as Redis that is away. */
function storeWithoutCount(): CmidStore {
  const { limits, retention } = hostConfig();
  const memory = createMemoryStore({ settings: { maxRequiredCount: limits.maxRequiredCount, retention } });
  return new Proxy(memory, {
    get(target, name) {
      if (name === 'record') return (_: unknown, reply: (count: undefined) => void) => setImmediate(reply, undefined);
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

test('row 85: count store down → server_too_busy, not executed, closed; refusals are answered as ever', async () => {
  const down = await startTestHost({ store: storeWithoutCount() });
  try {
    await withClient(down, async (client) => {
      expectAck(await client.ask(bindPdu()));
      expectRefusal(await client.ask(requestPdu(requestBody(keys, { countedId: randomUUID() }))), NOT_SERVED);
      client.send(requestPdu(requestBody(keys)), requestPdu(requestBody(keys)));
      await expectFaultAndEnd(client, 'serverTooBusy', { dne: true });
    });
    const metrics = await (await fetch(`${down.httpUrl}/metrics`)).text();
    assert.match(metrics, /^kmspool_rpc_faults_total\{[^}]*status="0x1C010014"[^}]*\} 1$/m);
    assert.match(metrics, /^kmspool_requests_total\{[^}]*outcome="busy"[^}]*\} 1$/m);
  } finally {
    await down.stop();
  }
});

test('S3-54 S3-55 each answer hands over the configured intervals, and every host the same PID and hardware ID', async () => {
  const other = await startTestHost({ config: { activationIntervalMinutes: 15, renewalIntervalMinutes: 43_200 } });
  try {
    for (const protocol of VERSIONS) {
      const one = await activate(host, { ...now, cmid: KNOWN, protocol });
      const two = await activate(other, { protocol });
      assert.deepEqual([one.activationIntervalMinutes, one.renewalIntervalMinutes], [120, 10_080]);
      assert.deepEqual([two.activationIntervalMinutes, two.renewalIntervalMinutes], [15, 43_200]);
      assert.equal(one.hostPid, two.hostPid);
      assert.equal(one.hostPid.length, 48);
      assert.doesNotMatch(one.hostPid, /^\d{5}-\d{5}-\d{3}-/);
    }
  } finally {
    await other.stop();
  }
});
