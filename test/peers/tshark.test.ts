// SPDX-License-Identifier: Apache-2.0
//
// What a host says, dissected by tshark (docs/protocol.md §6): no malformed packet and no expert error in honest conversations, every answer paired with its
// request, and all fields as §1 has them.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { btfnSyntax, encodeRequestStub, NDR32, NDR64, PFC, PTYPE } from '@kmspool/kms/wire';
import { type CmidStore, createMemoryStore } from '@kmspool/kms-node';
import { askGood, withClient } from '../harness/expect.ts';
import { hostConfig, startTestHost, type TestHost } from '../harness/host.ts';
import { bindFor, bindPdu, element, requestBody, requestPdu, stubPdu, withTrailer } from '../harness/messages.ts';
import type { RpcClient } from '../harness/rpc-client.ts';
import { Capture, tsharkMissing } from './tshark.ts';

const FIELDS = [
  'tcp.srcport',
  'dcerpc.pkt_type',
  'dcerpc.cn_flags',
  'dcerpc.cn_frag_len',
  'dcerpc.cn_call_id',
  'dcerpc.cn_ctx_id',
  'dcerpc.cn_alloc_hint',
  'dcerpc.cn_num_results',
  'dcerpc.cn_ack_result',
  'dcerpc.cn_ack_reason',
  'dcerpc.cn_bind_trans_btfn',
  'dcerpc.cn_reject_reason',
  'dcerpc.cn_status',
  'dcerpc.time',
  'dcerpc.stub_data',
  'dcerpc.cn_sec_addr',
  'tcp.dstport',
] as const;

type Row = Record<(typeof FIELDS)[number], string>;

/** A store that cannot count as long as `away` says so. */
function fragileStore(state: { away: boolean }): CmidStore {
  const { limits, retention } = hostConfig();
  const memory = createMemoryStore({ settings: { maxRequiredCount: limits.maxRequiredCount, retention } });
  return new Proxy(memory, {
    get(target, name) {
      if (name === 'record' && state.away) return (_: unknown, reply: (count: undefined) => void) => reply(undefined);
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

const missing = tsharkMissing();

describe('tshark', { skip: missing ?? false }, () => {
  const state = { away: false };
  let host: TestHost;
  let capture: Capture;
  let rows: Row[];
  /** Source port of each conversation, by its name. */
  const ports = new Map<string, number>();

  /** Has one conversation, of which the capture sees the whole. */
  async function converse(name: string, talk: (client: RpcClient) => Promise<void>): Promise<void> {
    await withClient(host, async (client) => {
      ports.set(name, client.socket.localPort ?? 0);
      await talk(client);
      client.end();
      await client.until(() => client.ended);
    });
  }

  /** The server's PDUs of a conversation, in order. */
  function answers(name: string): Row[] {
    const port = String(ports.get(name));
    return rows.filter((row) => row['tcp.dstport'] === port);
  }

  async function honest(): Promise<void> {
    for (const syntax of ['NDR32', 'NDR64'] as const) {
      for (const protocol of [4, 5, 6] as const) {
        await converse(`V${protocol} ${syntax}`, async (client) => {
          await client.ask(bindFor(syntax));
          await askGood(client, host, { protocol, call: { syntax, callId: 3 } });
          await askGood(client, host, { protocol, call: { syntax, callId: 4 } });
        });
      }
      await converse(`refusal ${syntax}`, async (client) => {
        await client.ask(bindFor(syntax));
        await client.ask(requestPdu(requestBody(host.keys, { clientTimeMs: 0 }), { syntax }));
      });
    }
    await converse('windows', async (client) => {
      await client.ask(
        bindPdu({ flags: 0x17, elements: [element(0, NDR32), element(1, NDR64), element(2, btfnSyntax(3))] }),
      );
      await client.ask(bindPdu({ ptype: PTYPE.alterContext, callId: 2, elements: [element(0, NDR32)] }));
      await askGood(client, host, { call: { callId: 2, contextId: 0 } });
      await askGood(client, host, { call: { callId: 3, contextId: 1, syntax: 'NDR64' } });
    });
    await converse('big-endian', async (client) => {
      await client.ask(bindPdu({ littleEndian: false, callId: 7 }));
      await client.ask(requestPdu(requestBody(host.keys), { littleEndian: false, callId: 8 }));
    });
    await converse('object and fragments', async (client) => {
      await client.ask(bindPdu());
      const stub = encodeRequestStub(requestBody(host.keys), { syntax: 'NDR32', littleEndian: true });
      const part = (from: number, to: number, flags: number): Buffer =>
        stubPdu(stub.subarray(from, to), { flags, allocHint: stub.length - from });
      client.send(part(0, 100, PFC.firstFrag), part(100, 200, 0), part(200, stub.length, PFC.lastFrag));
      await client.read();
      await client.ask(stubPdu(stub, { callId: 4, objectUuid: Buffer.alloc(16, 0x11) }));
    });
  }

  async function refusals(): Promise<void> {
    const body = requestBody(host.keys);
    await converse('faults that stay', async (client) => {
      await client.ask(bindPdu());
      await client.ask(requestPdu(body, { opnum: 1, callId: 3 }));
      await client.ask(requestPdu(body, { contextId: 5, callId: 4 }));
      await client.ask(stubPdu(Buffer.alloc(8, 1), { callId: 5 }));
    });
    await converse('proto_error', async (client) => {
      await client.ask(bindPdu());
      await client.ask(stubPdu(Buffer.alloc(8), { flags: PFC.lastFrag }));
    });
    await converse('cancelled', async (client) => {
      await client.ask(bindPdu());
      await client.ask(requestPdu(body, { flags: 7 }));
    });
    await converse('too long', async (client) => {
      await client.ask(bindPdu());
      await client.ask(stubPdu(Buffer.alloc(5000)));
    });
    await converse('nak 0', async (client) => {
      await client.ask(bindPdu({ elements: [] }));
    });
    await converse('nak 4', async (client) => {
      await client.ask(requestPdu(body));
    });
    await converse('nak 8', async (client) => {
      await client.ask(
        withTrailer(bindPdu(), { value: Buffer.from(`4e544c4d535350000100000007820800${'00'.repeat(16)}`, 'hex') }),
      );
    });
    state.away = true;
    await converse('too busy', async (client) => {
      await client.ask(bindPdu());
      await client.ask(requestPdu(body));
    });
    state.away = false;
  }

  before(async () => {
    host = await startTestHost({ store: fragileStore(state), config: { advertisedPort: 1688 } });
    capture = await Capture.start(host.port);
    await honest();
    await refusals();
    await capture.stopAfter(ports.size);
    const read = await capture.read('dcerpc', FIELDS);
    rows = read.map((values) => Object.fromEntries(FIELDS.map((field, index) => [field, values[index] ?? ''])) as Row);
  });

  after(async () => {
    await capture?.discard();
    await host?.stop();
  });

  const type = (row: Row | undefined): number => Number(row?.['dcerpc.pkt_type']);
  const flags = (row: Row | undefined): number => Number(row?.['dcerpc.cn_flags']);

  test('calls nothing malformed and raises no expert error, in either direction', async () => {
    const bad = await capture.read('_ws.malformed || _ws.expert.severity > 6291456');
    assert.deepEqual(
      bad.map((line) => line.join(' ')),
      [],
    );
  });

  test('sees every answer as one PDU, each in a frame of its own', () => {
    for (const name of ports.keys()) {
      const seen = answers(name);
      assert.ok(seen.length > 0, name);
      for (const row of seen) assert.doesNotMatch(row['dcerpc.pkt_type'], /,/, name);
    }
  });

  for (const [syntax, sizes] of [
    ['NDR32', [200, 252, 300]],
    ['NDR64', [212, 264, 312]],
  ] as const) {
    [4, 5, 6].forEach((protocol, index) => {
      test(`S3-23 S3-24 V${protocol} in ${syntax}: bind_ack and two responses of ${sizes[index]} bytes, paired with their requests`, () => {
        const [ack, ...responses] = answers(`V${protocol} ${syntax}`);
        assert.deepEqual([type(ack), flags(ack), ack?.['dcerpc.cn_frag_len']], [PTYPE.bindAck, 3, '60']);
        assert.deepEqual([ack?.['dcerpc.cn_num_results'], ack?.['dcerpc.cn_ack_result']], ['1', '0']);
        assert.equal(responses.length, 2);
        responses.forEach((row, n) => {
          const length = sizes[index] ?? 0;
          assert.deepEqual([type(row), flags(row), row['dcerpc.cn_frag_len']], [PTYPE.response, 3, String(length)]);
          assert.deepEqual([row['dcerpc.cn_call_id'], row['dcerpc.cn_ctx_id']], [String(3 + n), '0']);
          assert.equal(row['dcerpc.cn_alloc_hint'], String(length - 24));
          assert.notEqual(row['dcerpc.time'], '', 'paired with its request');
          assert.match(row['dcerpc.stub_data'], /00000000$/, 'HRESULT 0');
        });
      });
    });

    test(`S4-31 a refusal in ${syntax} is a response that ends in its HRESULT`, () => {
      const [, refusal] = answers(`refusal ${syntax}`);
      assert.deepEqual([type(refusal), flags(refusal)], [PTYPE.response, 3]);
      assert.equal(refusal?.['dcerpc.cn_frag_len'], syntax === 'NDR64' ? '44' : '36');
      assert.match(refusal?.['dcerpc.stub_data'] ?? '', /^0+6cf004c0$/);
    });
  }

  test('S1-21 a Windows conversation: 2/2, 0/0 and the feature mask, alter_context_resp, NDR32 then NDR64', () => {
    const [ack, altered, first, second] = answers('windows');
    assert.deepEqual([type(ack), flags(ack), ack?.['dcerpc.cn_frag_len']], [PTYPE.bindAck, 0x17, '108']);
    assert.deepEqual([ack?.['dcerpc.cn_num_results'], ack?.['dcerpc.cn_ack_result']], ['3', '2,0,3']);
    assert.equal(ack?.['dcerpc.cn_ack_reason'], '2');
    assert.equal(Number(ack?.['dcerpc.cn_bind_trans_btfn']), 3);
    assert.equal(ack?.['dcerpc.cn_sec_addr'], '1688');
    assert.deepEqual(
      [type(altered), flags(altered), altered?.['dcerpc.cn_frag_len']],
      [PTYPE.alterContextResp, 3, '56'],
    );
    assert.deepEqual([altered?.['dcerpc.cn_num_results'], altered?.['dcerpc.cn_ack_result']], ['1', '0']);
    assert.deepEqual([first?.['dcerpc.cn_frag_len'], first?.['dcerpc.cn_ctx_id']], ['300', '0']);
    assert.deepEqual([second?.['dcerpc.cn_frag_len'], second?.['dcerpc.cn_ctx_id']], ['312', '1']);
  });

  test('row 16: a big-endian client is answered in little-endian', async () => {
    const [ack, response] = answers('big-endian');
    assert.deepEqual([ack?.['dcerpc.cn_call_id'], response?.['dcerpc.cn_call_id']], ['7', '8']);
    const orders = await capture.read(`tcp.port == ${ports.get('big-endian')} && dcerpc`, [
      'tcp.dstport',
      'dcerpc.drep.byteorder',
    ]);
    for (const [to, order] of orders) assert.equal(order, to === String(host.port) ? '0' : '1');
  });

  test('fragments are reassembled into one call, and an object UUID is understood', () => {
    const [, joined, withObject] = answers('object and fragments');
    assert.deepEqual([type(joined), joined?.['dcerpc.cn_call_id']], [PTYPE.response, '3']);
    assert.deepEqual([type(withObject), withObject?.['dcerpc.cn_call_id']], [PTYPE.response, '4']);
    assert.notEqual(withObject?.['dcerpc.time'], '');
  });

  test('faults: status, DID_NOT_EXECUTE, call and context', () => {
    const [, range, unknown, stub] = answers('faults that stay');
    const read = (row: Row | undefined): unknown[] => [
      type(row),
      flags(row),
      row?.['dcerpc.cn_frag_len'],
      row?.['dcerpc.cn_call_id'],
      Number(row?.['dcerpc.cn_status']),
      row?.['dcerpc.cn_alloc_hint'],
    ];
    assert.deepEqual(read(range), [PTYPE.fault, 0x23, '32', '3', 0x1c010002, '32']);
    assert.deepEqual(read(unknown), [PTYPE.fault, 0x23, '32', '4', 0x1c010003, '32']);
    assert.deepEqual(read(stub), [PTYPE.fault, 0x03, '32', '5', 0x6f7, '32']);
    assert.deepEqual(read(answers('proto_error')[1]), [PTYPE.fault, 0x03, '32', '3', 0x1c01000b, '32']);
    assert.deepEqual(read(answers('cancelled')[1]), [PTYPE.fault, 0x23, '32', '3', 0x6bd, '32']);
    assert.deepEqual(read(answers('too long')[1]), [PTYPE.fault, 0x03, '32', '3', 5, '32']);
    assert.deepEqual(read(answers('too busy')[1]), [PTYPE.fault, 0x23, '32', '3', 0x1c010014, '32']);
  });

  test('bind_nak: its reason, 24 bytes', () => {
    for (const reason of [0, 4, 8]) {
      const [nak, ...more] = answers(`nak ${reason}`);
      assert.deepEqual(
        [type(nak), nak?.['dcerpc.cn_frag_len'], nak?.['dcerpc.cn_reject_reason']],
        [PTYPE.bindNak, '24', String(reason)],
      );
      assert.deepEqual(more, []);
    }
  });
});
