// SPDX-License-Identifier: Apache-2.0
/**
 * What a test expects a host to answer, in the words of docs/protocol.md §5.3: F(status), N(reason), H(hresult), OK, X. Each compares the whole PDU, not only
 * the field in question.
 */
import assert from 'node:assert/strict';
import {
  type BindAck,
  decodeBindAck,
  decodeHeader,
  decodeReply,
  decodeResponseStub,
  encodeBindNak,
  encodeFault,
  FAULT,
  type KmsResponse,
  openResponse,
  type PoolKeys,
  PTYPE,
  sealRequest,
  type TransferSyntax,
} from '@kmspool/kms/wire';
import type { TestHost } from './host.ts';
import { bindFor, bindPdu, type FieldChanges, requestBase, requestPdu } from './messages.ts';
import { connectRpc, type RpcClient, type RpcClientOptions } from './rpc-client.ts';

/** Runs `work` with a fresh connection, which is gone afterwards. */
export async function withClient<T>(
  host: { readonly port: number },
  work: (client: RpcClient) => Promise<T>,
  options: Omit<RpcClientOptions, 'port'> = {},
): Promise<T> {
  const client = await connectRpc({ port: host.port, ...options });
  try {
    return await work(client);
  } finally {
    client.destroy();
  }
}

/** The same, bound with one context of this syntax under ID 0. */
export function withBound<T>(
  host: { readonly port: number },
  syntax: TransferSyntax,
  work: (client: RpcClient) => Promise<T>,
): Promise<T> {
  return withClient(host, async (client) => {
    const ack = expectAck(await client.ask(bindFor(syntax)));
    assert.equal(outcomes(ack), '0/0');
    return work(client);
  });
}

/** A bind_ack or alter_context_resp. */
export function expectAck(pdu: Buffer, ptype: number = PTYPE.bindAck): BindAck {
  assert.equal(decodeHeader(pdu, 0).ptype, ptype, 'PDU type');
  const decoded = decodeBindAck(pdu);
  assert.ok(decoded.ok);
  return decoded.ack;
}

/** `0/0 2/2 3/3`: result and reason of each element. */
export function outcomes(ack: BindAck): string {
  return ack.results.map(({ result, reason }) => `${result}/${reason}`).join(' ');
}

export interface ExpectedFault {
  readonly callId?: number;
  readonly contextId?: number;
  /** `+d`: DID_NOT_EXECUTE. */
  readonly dne?: boolean;
}

/** F(status). The call ID is 3 unless said otherwise, the context 0. */
export function expectFault(pdu: Buffer, status: keyof typeof FAULT, expected: ExpectedFault = {}): void {
  const { callId = 3, contextId = 0, dne = false } = expected;
  const wanted = encodeFault({ callId, contextId, status: FAULT[status], didNotExecute: dne });
  assert.equal(pdu.toString('hex'), wanted.toString('hex'), `fault ${status}`);
}

/** `F(…)+x`: the fault, then the end of the connection. */
export async function expectFaultAndEnd(
  client: RpcClient,
  status: keyof typeof FAULT,
  expected: ExpectedFault = {},
): Promise<void> {
  expectFault(await client.read(), status, expected);
  await client.expectEnd();
}

/** `N(reason)`: bind_nak, then the end of the connection. */
export async function expectNakAndEnd(client: RpcClient, reason: number, callId = 2): Promise<void> {
  assert.equal((await client.read()).toString('hex'), encodeBindNak(callId, reason).toString('hex'), 'bind_nak');
  await client.expectEnd();
}

export interface ExpectedReply {
  readonly callId?: number;
  readonly contextId?: number;
  readonly syntax?: TransferSyntax;
}

function stubOf(pdu: Buffer, expected: ExpectedReply): { hresult: number; body: Buffer } {
  const { callId = 3, contextId = 0, syntax = 'NDR32' } = expected;
  const reply = decodeReply(pdu);
  assert.ok(reply.kind === 'response', `not a response: ${JSON.stringify(reply)}`);
  assert.deepEqual([reply.callId, reply.contextId, reply.littleEndian], [callId, contextId, true]);
  const header = decodeHeader(pdu, 0);
  assert.deepEqual([header.flags, pdu.readUInt32BE(4)], [3, 0x1000_0000], 'flags and drep');
  assert.equal(pdu.readUInt32LE(16), reply.stub.length, 'alloc_hint');
  const stub = decodeResponseStub(reply.stub, { syntax, littleEndian: true });
  assert.ok(stub.ok, 'the stub parses');
  return stub;
}

/** H(hresult): a response with a null pointer. */
export function expectRefusal(pdu: Buffer, hresult: number, expected: ExpectedReply = {}): void {
  const stub = stubOf(pdu, expected);
  assert.equal(stub.hresult.toString(16), (hresult >>> 0).toString(16), 'HRESULT');
  assert.equal(stub.body.length, 0);
  assert.equal(pdu.length, expected.syntax === 'NDR64' ? 44 : 36);
}

export interface Asked extends ExpectedReply {
  readonly keys: PoolKeys;
  readonly base: Buffer;
  readonly body: Buffer;
}

/** OK: the response to the request of `asked`, opened as its client would. */
export function expectAnswer(pdu: Buffer, asked: Asked): KmsResponse {
  const { keys, base, body } = asked;
  const stub = stubOf(pdu, asked);
  assert.equal(stub.hresult, 0);
  const opened = openResponse(keys, body, base, stub.body);
  assert.ok(opened.ok, opened.ok ? '' : opened.reason);
  return opened.response;
}

/** Asks one good question on a bound connection and answers what came; proves that the connection is still usable. */
export async function askGood(
  client: RpcClient,
  host: Pick<TestHost, 'keys'>,
  changes: FieldChanges & { call?: ExpectedReply } = {},
): Promise<KmsResponse> {
  const { call = {}, ...fields } = changes;
  const base = requestBase(fields);
  const body = sealRequest(host.keys, base);
  const { callId = 3, contextId = 0, syntax = 'NDR32' } = call;
  const pdu = await client.ask(requestPdu(body, { callId, contextId, syntax }));
  return expectAnswer(pdu, { keys: host.keys, base, body, callId, contextId, syntax });
}

/** Connects, binds, asks once and closes, as most clients do. */
export function activate(
  host: Pick<TestHost, 'keys' | 'port'>,
  fields: FieldChanges = {},
  options: Omit<RpcClientOptions, 'port'> = {},
): Promise<KmsResponse> {
  return withClient(
    host,
    async (client) => {
      expectAck(await client.ask(bindPdu()));
      return askGood(client, host, fields);
    },
    options,
  );
}
