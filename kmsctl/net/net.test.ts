// SPDX-License-Identifier: Apache-2.0
//
// The simulated client against real hosts, and against servers that are none.

import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { productBySlug } from '@kmspool/kms/catalog';
import { clientProfile, newClient } from '@kmspool/kms/client';
import { derivePoolKeys, encodeBindNak, encodeFault, FAULT, type PoolKeys } from '@kmspool/kms/wire';
import { listen } from '../testing/listener.ts';
import { startTestPool, type TestPool } from '../testing/pool.ts';
import {
  type Answer,
  askHost,
  connectKms,
  type Discovered,
  discoveryBy,
  firstChances,
  type Machine,
  requestFields,
  type Surroundings,
  type Try,
  tryActivation,
} from './index.ts';

const TIMEOUT_MS = 5_000;

function machineOf(slug: string, changes: Partial<Machine> = {}): Machine {
  const product = productBySlug(slug);
  const edition = product?.editions[0];
  assert.ok(product && edition, slug);
  return {
    name: 'pc',
    cmid: randomUUID(),
    product,
    edition,
    protocol: product.protocolVersion,
    isClientVm: false,
    ...changes,
  };
}

const fieldsOf = (machine: Machine, clockMs = Date.now()): ReturnType<typeof requestFields> =>
  requestFields(machine, newClient(clientProfile(machine.product), clockMs), clockMs);

function countOf(answer: Answer): number {
  assert.equal(answer.kind, 'counted', JSON.stringify(answer));
  return answer.kind === 'counted' ? answer.response.currentCount : -1;
}

describe('a simulated client and a pool', () => {
  let pool: TestPool;
  let keys: PoolKeys;
  before(async () => {
    pool = await startTestPool();
    keys = derivePoolKeys(pool.secret);
  });
  after(() => pool.close());

  const options = (host = 0): { address: string; port: number; timeoutMs: number } => {
    const endpoint = pool.endpoints.hosts[host];
    assert.ok(endpoint);
    return { address: endpoint.address, port: endpoint.port, timeoutMs: TIMEOUT_MS };
  };

  const world = (changes: Partial<Surroundings> = {}): Surroundings => ({
    keys,
    discovery: discoveryBy(pool.endpoints.dns, TIMEOUT_MS),
    domain: 'lab.example',
    clockMs: Date.now,
    random: Math.random,
    timeoutMs: TIMEOUT_MS,
    ...changes,
  });

  const tryOnce = (machine: Machine, surroundings: Surroundings, settings = {}): Promise<Try> =>
    tryActivation(newClient(clientProfile(machine.product, settings), Date.now()), machine, surroundings);

  test('S3-23 S1-21 binds as Windows does, and reads the port that the host hands over', async () => {
    const { association, answer } = await askHost(options(), keys, fieldsOf(machineOf('windows-11')));
    assert.ok(countOf(answer) >= 1);
    assert.deepEqual(
      association?.elements.map(({ offered, outcome }) => `${offered}: ${outcome}`),
      ['NDR32: refused 2/2', 'NDR64: accepted', 'features: acknowledged, mask 3', 'alter_context NDR32: accepted'],
    );
    assert.equal(association?.secondaryAddress, String(options().port));
  });

  test('sends the first request in NDR32 and later ones in NDR64 on one connection', async () => {
    const connected = await connectKms(options());
    assert.ok(connected.ok);
    const machine = machineOf('windows-10');
    const answers = [
      await connected.connection.request(keys, fieldsOf(machine)),
      await connected.connection.request(keys, fieldsOf(machine)),
    ];
    connected.connection.close();
    assert.deepEqual(
      answers.map((answer) => (answer.kind === 'counted' ? answer.wire.syntax : answer.kind)),
      ['NDR32', 'NDR64'],
    );
    assert.equal(countOf(answers[0] as Answer), countOf(answers[1] as Answer));
  });

  test('S3-24 speaks every protocol version in both transfer syntaxes, at the documented sizes', async () => {
    const sizes = { 4: [284, 292, 200, 212], 5: [292, 300, 252, 264], 6: [292, 300, 300, 312] } as const;
    for (const protocol of [4, 5, 6] as const) {
      for (const ndr of ['NDR32', 'NDR64'] as const) {
        const { answer } = await askHost({ ...options(), ndr }, keys, fieldsOf(machineOf('windows-7', { protocol })));
        assert.equal(answer.kind, 'counted', `${protocol} ${ndr}: ${JSON.stringify(answer)}`);
        const wide = ndr === 'NDR64' ? 1 : 0;
        const wire = answer.kind === 'counted' ? answer.wire : undefined;
        assert.deepEqual(
          [wire?.syntax, wire?.requestBytes, wire?.responseBytes],
          [ndr, sizes[protocol][wide], sizes[protocol][2 + wide]],
        );
      }
    }
  });

  test('S4-31 is refused when its clock is more than four hours off', async () => {
    const { answer } = await askHost(options(), keys, fieldsOf(machineOf('windows-11'), Date.now() - 5 * 3_600_000));
    assert.deepEqual([answer.kind, answer.kind === 'refused' && answer.hresult], ['refused', 0xc004f06c]);
  });

  test('is refused with another pool’s key', async () => {
    const foreign = derivePoolKeys(randomBytes(32));
    for (const protocol of [4, 6] as const) {
      const { answer } = await askHost(options(), foreign, fieldsOf(machineOf('windows-11', { protocol })));
      assert.deepEqual([answer.kind, answer.kind === 'refused' && answer.hresult], ['refused', 0x8007000d]);
    }
  });

  test('S3-02 S3-22 finds a host by SRV, drops one that does not answer and takes the next', async () => {
    const deaf = new Set(['campus-0.kms.lab.example', 'campus-1.kms.lab.example']);
    const { discovery } = world();
    const addresses = async (host: string): Promise<readonly string[]> =>
      deaf.has(host) ? ['127.0.16.99'] : discovery.addresses(host);
    const result = await tryOnce(machineOf('windows-server-2022'), world({ discovery: { ...discovery, addresses } }));
    assert.deepEqual(
      result.contacts.map(({ answer }) => answer.kind),
      ['failed', 'failed', 'counted'],
    );
    assert.equal(result.contacts.at(-1)?.target.host, 'campus-2.kms.lab.example');
    assert.deepEqual(
      result.events.map(({ id, hresult }) => [id, hresult]),
      [
        [12288, 0x800706ba],
        [12288, 0x800706ba],
        [12288, 0],
        [12289, result.hresult],
      ],
    );
    assert.equal(result.client.cachedHost, 'campus-2.kms.lab.example');
  });

  test('S1-39 asks the host that answered before without asking DNS, and DNS again once that host is silent', async () => {
    const machine = machineOf('windows-11');
    const first = await tryOnce(machine, world());
    const again = await tryActivation(first.client, machine, world());
    assert.equal(again.discovered, undefined);
    assert.deepEqual(
      again.contacts.map(({ target }) => target.source),
      ['cached'],
    );
    const gone = { ...again.client, cachedHost: '127.0.16.99' };
    const found = await tryActivation(gone, machine, world());
    assert.deepEqual(
      found.contacts.map(({ target, answer }) => [target.source, answer.kind]),
      [
        ['cached', 'failed'],
        ['dns', 'counted'],
      ],
    );
  });

  test('S3-22 does not ask a silent cached host again because DNS still names it', async () => {
    const { discovery } = world();
    const dead = 'campus-0.kms.lab.example';
    const addresses = async (host: string): Promise<readonly string[]> =>
      host === dead ? ['127.0.16.99'] : discovery.addresses(host);
    const machine = machineOf('windows-11');
    const client = { ...newClient(clientProfile(machine.product), Date.now()), cachedHost: dead, port: options().port };
    // The dead host stands first in DNS, so that it would be asked again for certain.
    const srv = async (domain: string): Promise<Discovered> => {
      const found = await discovery.srv(domain);
      return { ...found, records: found.records.map((each) => ({ ...each, priority: each.target === dead ? 0 : 1 })) };
    };
    const result = await tryActivation(client, machine, world({ discovery: { ...discovery, addresses, srv } }));
    assert.deepEqual(
      result.contacts.map(({ target, answer }) => [target.host === dead, answer.kind]),
      [
        [true, 'failed'],
        [false, 'counted'],
      ],
    );
  });

  test('S3-75 S4-07 comes to 0x8007232B without an SRV record, S4-03 to 0x8007007B without a domain', async () => {
    const machine = machineOf('windows-11');
    const none = await tryOnce(machine, world({ domain: 'nobody.lab.example' }));
    assert.deepEqual([none.hresult, none.discovered?.reason], [0x8007232b, 'the name does not exist (NXDOMAIN)']);
    assert.equal((await tryOnce(machine, world({ domain: undefined }))).hresult, 0x8007007b);
    const nobody = discoveryBy({ address: '127.0.0.1', port: 1 }, 500);
    assert.equal((await tryOnce(machine, world({ discovery: nobody }))).hresult, 0x8007232b);
  });

  test('S3-76 S4-32 asks a configured host only, and comes to 0xC004F074 when that is silent', async () => {
    const result = await tryOnce(machineOf('windows-11'), world(), { configuredHost: '127.0.16.99' });
    assert.deepEqual([result.hresult, result.contacts.length, result.discovered], [0xc004f074, 1, undefined]);
  });

  test('S3-08 stays unactivated below its threshold and is licensed for 180 days from it on', async () => {
    const server = (): Promise<Try> => tryOnce(machineOf('office-2024'), world());
    const tries = [await server(), await server(), await server(), await server(), await server()];
    assert.deepEqual(
      tries.map(({ hresult, client }) => [hresult, client.licenseStatus]),
      [...new Array(4).fill([0xc004f038, 2]), [0, 1]],
    );
    const days = ((tries[4]?.client.validUntilMs ?? 0) - Date.now()) / 86_400_000;
    assert.ok(days > 179.9 && days <= 180, String(days));
  });
});

describe('a simulated client and a server that is no KMS host', () => {
  const keys = derivePoolKeys(randomBytes(32));

  const failureAt = async (serve: Parameters<typeof listen>[0], timeoutMs = 300): Promise<string> => {
    const server = await listen(serve);
    try {
      const { answer } = await askHost({ ...server, timeoutMs }, keys, fieldsOf(machineOf('windows-11')));
      assert.equal(answer.kind, 'failed');
      return answer.kind === 'failed'
        ? `${answer.failure.stage} ${answer.failure.hresult.toString(16)} ${answer.failure.reason}`
        : '';
    } finally {
      await server.close();
    }
  };

  test('S4-05 comes to 0x800706BA where nothing listens', async () => {
    const server = await listen(() => {});
    await server.close();
    const { answer } = await askHost({ ...server, timeoutMs: 1_000 }, keys, fieldsOf(machineOf('windows-11')));
    assert.deepEqual(answer.kind === 'failed' && [answer.failure.stage, answer.failure.hresult], [
      'connect',
      0x800706ba,
    ]);
  });

  test('S4-24 comes to 0xC004F039 where nothing usable answers', async () => {
    assert.match(await failureAt(() => {}), /^bind c004f039 no answer within 300 ms$/);
    assert.match(await failureAt((socket) => socket.destroy()), /^bind c004f039 /);
    assert.match(await failureAt((socket) => socket.end()), /^bind c004f039 the host closed the connection$/);
    assert.match(
      await failureAt((socket) => void socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')),
      /^bind c004f039 what came back is not DCE\/RPC$/,
    );
    assert.match(
      await failureAt((socket) => void socket.write(encodeBindNak(2, 0))),
      /^bind c004f039 bind_nak, reason 0$/,
    );
  });

  test('reads a PDU that comes byte by byte, and a fault in its place', async () => {
    const fault = encodeFault({ callId: 2, contextId: 0, status: FAULT.serverTooBusy, didNotExecute: true });
    const trickle = (socket: import('node:net').Socket): void => {
      let at = 0;
      const next = (): void => {
        if (at < fault.length) socket.write(fault.subarray(at, ++at), next);
      };
      next();
    };
    assert.match(await failureAt(trickle, TIMEOUT_MS), /^bind 800706bb RPC fault 0x1c010014$/);
  });

  test('survives whatever bytes come', async () => {
    for (let round = 0; round < 50; round++) {
      const junk = randomBytes(1 + ((round * 37) % 300));
      junk.set([5, 0, [2, 3, 12, 13, 15][round % 5] ?? 0, 3, 0x10, 0, 0, 0].slice(0, junk.length));
      if (junk.length >= 10) junk.writeUInt16LE(junk.length, 8);
      assert.match(await failureAt((socket) => void socket.end(junk), 1_000), /^bind /);
    }
  });
});

test('S3-21 the chance of each host to be asked first follows priority and weight, for who looks at them', () => {
  const srv = (
    priority: number,
    weight: number,
    target: string,
  ): { priority: number; weight: number; port: number; target: string } => ({ priority, weight, port: 1, target });
  const records = [srv(0, 60, 'a'), srv(0, 20, 'b'), srv(10, 0, 'c')];
  assert.deepEqual(firstChances(records, true), [0.75, 0.25, 0]);
  assert.deepEqual(firstChances(records, false), [1 / 3, 1 / 3, 1 / 3]);
  assert.deepEqual(firstChances([srv(10, 0, 'a'), srv(10, 0, 'b')], true), [0.5, 0.5]);
});
