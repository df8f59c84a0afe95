// SPDX-License-Identifier: Apache-2.0
/** Verbs that read a pool of a hundred thousand clients: page by page, all of them once, and without holding them. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { contactOf } from '../harness/contacts.ts';
import { ADMIN_TOKEN, startTestHost, type TestHost } from '../harness/host.ts';

const MAIN = fileURLToPath(new URL('../../kmsctl/main.ts', import.meta.url));
const CLIENTS = 100_000;
/** A heap in which a hundred thousand records as objects have no room. */
const HEAP_MEGABYTES = 48;

describe('kmsctl and a hundred thousand clients', () => {
  let host: TestHost;
  let dir: string;
  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'kmsctl-many-'));
    writeFileSync(join(dir, 'token'), ADMIN_TOKEN);
    host = await startTestHost();
    for (let client = 0; client < CLIENTS; client++) host.store.record(contactOf({ client }), () => undefined);
  });
  after(async () => {
    await host?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  const lines = async (args: readonly string[], take: (line: string) => void): Promise<number> => {
    const flags = [`--max-old-space-size=${HEAP_MEGABYTES}`, MAIN, ...args, '--token-file', join(dir, 'token')];
    const child = spawn(process.execPath, flags, { env: { HOME: dir }, stdio: ['ignore', 'pipe', 'inherit'] });
    for await (const line of createInterface({ input: child.stdout })) take(line);
    const [code] = child.exitCode === null ? await once(child, 'close') : [child.exitCode];
    return code as number;
  };

  test('clients --all writes each of them once, in a small heap', async () => {
    const seen = new Set<string>();
    const code = await lines(['clients', host.httpUrl, '--all', '-o', 'json'], (line) => {
      if (line.startsWith('{')) seen.add((JSON.parse(line.replace(/,$/, '')) as { cmid: string }).cmid);
    });
    assert.deepEqual([code, seen.size], [0, CLIENTS]);
  });

  test('a filter by name reads them all and writes who fits; the table has a line for each', async () => {
    const found: string[] = [];
    await lines(['clients', host.httpUrl, '--name', 'pc-9999?', '--all'], (line) => void found.push(line.slice(0, 8)));
    assert.deepEqual(
      found.slice(1).sort(),
      Array.from({ length: 10 }, (_, n) => `pc-9999${n}`),
    );
  });

  test('count --explain finds the names of the counted without reading the others', async () => {
    const found: string[] = [];
    const code = await lines(['count', host.httpUrl, '--explain'], (line) => void found.push(line));
    assert.equal(code, 0);
    assert.equal(found.filter((line) => /^ {2}pc-999\d\d /.test(line)).length, 50);
  });
});
