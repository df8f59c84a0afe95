// SPDX-License-Identifier: Apache-2.0
/** A Redis that speaks TLS only and asks for client certificates: trust, names and certificates come from files. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { RedisTls } from '../../kms-node/store/redis-client.ts';
import { ask } from '../harness/contacts.ts';
import { freePort, missingBinary, type RedisServer, startRedis } from '../harness/redis.ts';
import { redisPool } from '../harness/redis-pool.ts';
import { waitFor } from '../harness/wait.ts';

const noOpenssl = spawnSync('openssl', ['version']).status !== 0 && 'openssl is not installed';
const skip = missingBinary('redis-server') || noOpenssl;

describe('Redis over TLS', { skip }, () => {
  let directory: string;
  let server: RedisServer;
  const file = (name: string): string => join(directory, name);

  function openssl(...args: readonly string[]): void {
    execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' });
  }

  async function certificate(name: string, alternativeName: string): Promise<void> {
    openssl(
      'req',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
      '-subj',
      `/CN=${name}`,
    );
    await writeFile(file(`${name}.ext`), `subjectAltName=${alternativeName}\n`);
    const signing = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', `${name}.ext`];
    openssl('x509', '-req', '-days', '2', '-in', `${name}.csr`, '-out', `${name}.crt`, ...signing);
  }

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kmspool-tls-'));
    openssl(
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-keyout',
      'ca.key',
      '-out',
      'ca.crt',
      '-subj',
      '/CN=test CA',
    );
    await certificate('server', 'DNS:redis.test.example');
    await certificate('client', 'DNS:kmspool.test.example');
    const port = await freePort();
    const names = { 'tls-cert-file': 'server.crt', 'tls-key-file': 'server.key', 'tls-ca-cert-file': 'ca.crt' };
    const files = Object.entries(names).map(([key, name]) => `${key} ${file(name)}`);
    server = await startRedis({ port, config: ['port 0', `tls-port ${port}`, 'tls-auth-clients yes', ...files] });
  });
  after(async () => {
    await server?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const trusted = (): RedisTls => ({
    caFile: file('ca.crt'),
    certFile: file('client.crt'),
    keyFile: file('client.key'),
    serverName: 'redis.test.example',
  });

  async function reasonWith(tls: RedisTls): Promise<string> {
    const pool = redisPool({ url: server.url }, { tls });
    const store = pool.connect();
    try {
      await waitFor('a reason', () => !/connecting to Redis$/.test(store.health().reason ?? ''));
      assert.equal(store.health().condition, 'Starting');
      return store.health().reason ?? '';
    } finally {
      await pool.close();
    }
  }

  test('a host with the right files counts', async () => {
    for (const url of [server.url, server.url.replace('redis:', 'rediss:')]) {
      const pool = redisPool({ url }, { tls: trusted() });
      const store = await pool.host();
      assert.equal(await ask(store, { client: 1 }), 1);
      await pool.close();
    }
  });

  test('a certificate that nobody trusted signed, or for another name, is not believed', async () => {
    const { caFile, ...untrusting } = trusted();
    assert.ok(caFile);
    assert.match(await reasonWith(untrusting), /certificate/);
    assert.match(await reasonWith({ ...trusted(), serverName: 'other.test.example' }), /other\.test\.example/);
  });

  test('insecureSkipVerify believes any certificate', async () => {
    const { certFile, keyFile } = trusted();
    const tls = { insecureSkipVerify: true, ...(certFile ? { certFile } : {}), ...(keyFile ? { keyFile } : {}) };
    const pool = redisPool({ url: server.url }, { tls });
    assert.equal(await ask(await pool.host(), { client: 1 }), 1);
    await pool.close();
  });

  test('a file that is missing is named', async () => {
    assert.match(await reasonWith({ ...trusted(), caFile: file('nothing.crt') }), /nothing\.crt/);
  });
});
