// SPDX-License-Identifier: Apache-2.0

// The script of `helm test`, run as its Pod would run it: Windows Server clients find a pool by SRV, and the fifth of them is licensed.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startTestPool, type TestPool } from '../../kmsctl/testing/pool.ts';

const ROOT = new URL('../..', import.meta.url);

describe('the script of helm test', () => {
  let folder: string;
  let pool: TestPool;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'kmspool-activation-'));
    // The ConfigMap names it so.
    copyFileSync(new URL('charts/kmspool/files/activate-clients.ts', ROOT), join(folder, 'activate-clients.mts'));
    pool = await startTestPool();
  });
  after(async () => {
    await pool?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  function run(clients: number, ...flags: string[]): Promise<{ code: number | null; output: string }> {
    const { keyFile, dns, domains } = pool.endpoints;
    const { address, port } = dns;
    const found = [`--key-file=${keyFile}`, `--domain=${domains[0]}`, `--dns=${address}:${port}`];
    const child = spawn(
      process.execPath,
      [join(folder, 'activate-clients.mts'), 'kms-system/campus', String(clients), '--', ...found, ...flags],
      { env: { PATH: process.env['PATH'], KMSCTL: fileURLToPath(new URL('kmsctl/main.ts', ROOT)) } },
    );
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString();
      });
    return new Promise((resolve) => child.once('close', (code) => resolve({ code, output })));
  }

  test('four servers are too few, the fifth is licensed, and run again the same machines count no further', async () => {
    const few = await run(4, '--product=windows-server-2025');
    assert.equal(few.code, 1, few.output);
    const enough = await run(5, '--product=windows-server-2025');
    assert.equal(enough.code, 0, enough.output);
    assert.match(enough.output, /licensed: a host was found by SRV/);
    assert.match(enough.output, /^client 5 of at most 5$/m, 'the four of the first run were not counted twice');
    const again = await run(5, '--product=windows-server-2025');
    assert.equal(again.code, 0, again.output);
    assert.doesNotMatch(again.output, /^client 2 of/m);
  });

  test('a mistake in what it is told ends it at once, in kmsctl’s words', async () => {
    const { code, output } = await run(5, '--product=windows-nt');
    assert.equal(code, 2, output);
    assert.doesNotMatch(output, /^client 2 of/m);
  });
});
