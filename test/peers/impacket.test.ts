// SPDX-License-Identifier: Apache-2.0
//
// impacket as a client (docs/protocol.md §6): its RPC runtime and its NDR engine, which know nothing of ours, take our answers for what they are. The bodies are
// sealed and opened here, for impacket has no key.
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { openResponse, sealRequest } from '@kmspool/kms/wire';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { requestBase } from '../harness/messages.ts';

// Debian's own Python: python3-impacket is installed for that one, whatever else stands first on PATH.
const PYTHON = '/usr/bin/python3';
const SCRIPT = fileURLToPath(new URL('impacket_peer.py', import.meta.url));
const run = promisify(execFile);

interface Answer {
  readonly requestBytes: number;
  readonly stubBytes: number;
  readonly rspLen: number;
  readonly body: string;
  readonly hresult: number;
  readonly lastWord: number;
}

interface Results {
  readonly ndr32: readonly Answer[];
  readonly ndr64: readonly Answer[];
  readonly ndr32Refusal: Answer;
  readonly ndr64Refusal: Answer;
  readonly fragments: readonly Answer[];
  readonly object: Answer;
  readonly altered: Answer;
  readonly first: Answer;
  readonly bogus: Answer;
  readonly faults: Readonly<Record<string, string>>;
}

function missing(): string | false {
  const found = spawnSync(PYTHON, ['-c', 'import impacket']).status === 0;
  return found ? false : `impacket is not installed for ${PYTHON} (Debian package python3-impacket)`;
}

describe('impacket', { skip: missing() }, () => {
  const bases = ([4, 5, 6] as const).map((protocol) => requestBase({ protocol }));
  let host: TestHost;
  let bodies: Buffer[];
  let results: Results;

  before(async () => {
    host = await startTestHost();
    bodies = bases.map((base) => sealRequest(host.keys, base));
    const { stdout } = await run(PYTHON, [SCRIPT, String(host.port), ...bodies.map((body) => body.toString('hex'))], {
      timeout: 60_000,
    });
    results = JSON.parse(stdout);
  });

  after(() => host?.stop());

  /** An answer that impacket parsed opens to the count of its client. */
  function opens(answer: Answer | undefined, index: number): void {
    const [base, body] = [bases[index], bodies[index]];
    assert.ok(answer && base && body);
    assert.deepEqual([answer.hresult, answer.lastWord], [0, 0]);
    assert.equal(answer.rspLen, answer.body.length / 2);
    const opened = openResponse(host.keys, body, base, Buffer.from(answer.body, 'hex'));
    assert.ok(opened.ok, opened.ok ? '' : opened.reason);
    assert.ok(opened.response.currentCount >= 1 && opened.response.currentCount <= 3);
  }

  for (const [syntax, requests, responses] of [
    ['ndr32', [260, 268, 268], [176, 228, 276]],
    ['ndr64', [268, 276, 276], [188, 240, 288]],
  ] as const) {
    test(`S3-23 S3-24 ${syntax}: three requests on a connection, V4, V5, V6; stubs of the sizes of §3.3`, () => {
      assert.deepEqual(
        results[syntax].map(({ requestBytes }) => requestBytes),
        requests,
      );
      assert.deepEqual(
        results[syntax].map(({ stubBytes }) => stubBytes),
        responses,
      );
      results[syntax].forEach(opens);
    });

    test(`${syntax}: a refusal is a null pointer and the HRESULT`, () => {
      const { stubBytes, rspLen, body, hresult, lastWord } = results[`${syntax}Refusal`];
      assert.deepEqual([stubBytes, rspLen, body], [syntax === 'ndr64' ? 20 : 12, 0, '']);
      assert.deepEqual([hresult, lastWord], [0x8007000d, 0x8007000d]);
    });
  }

  test('requests in fragments of 100 bytes are joined', () => {
    assert.equal(results.fragments.length, 3);
    results.fragments.forEach(opens);
  });

  test('an object UUID is skipped, and alter_context adds a context beside the first', () => {
    for (const answer of [results.object, results.altered, results.first]) opens(answer, 0);
  });

  test('elements for interfaces that nobody knows do not disturb the real one', () => opens(results.bogus, 0));

  test('faults arrive as what they are', () => {
    const { context, opnum, stub, unknownInterface } = results.faults;
    assert.match(context ?? '', /nca_s_unk_if/);
    assert.match(opnum ?? '', /nca_s_op_rng_error/);
    assert.match(stub ?? '', /bad_stub_data|0x6f7|1783/i);
    assert.match(unknownInterface ?? '', /abstract_syntax_not_supported/);
  });
});
