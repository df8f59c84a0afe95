// SPDX-License-Identifier: Apache-2.0
//
// Whom a verb asks, and what it says when that does not answer as it should; with API servers and hosts that are none.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { kmsctl } from '../testing/in-process.ts';
import { forbidden } from './kube-api.ts';

const dir = mkdtempSync(join(tmpdir(), 'kmsctl-source-'));
const servers: Server[] = [];
after(() => {
  for (const server of servers) server.close();
  rmSync(dir, { recursive: true, force: true });
});

/** An HTTP server that says this, and its URL. */
async function saying(status: number, body: string): Promise<string> {
  const server = createServer((_request, answer) => answer.writeHead(status, { connection: 'close' }).end(body));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function kubeconfigOf(server: string): string {
  const name = 'there';
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server } }],
    users: [{ name, user: { token: 'x' } }],
    contexts: [{ name, context: { cluster: name, user: name, namespace: 'kms' } }],
    'current-context': name,
  };
  writeFileSync(join(dir, 'config'), JSON.stringify(config));
  return 'config';
}

describe('what answers is not what was looked for', () => {
  const line = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await kmsctl(args, { dir });
    assert.deepEqual([code, stdout, stderr.split('\n').length], [2, '', 2], stderr);
    return stderr;
  };

  test('an API server that is none, that does not know us, or that refuses in words that could steer a terminal', async () => {
    const at = async (status: number, body: string): Promise<string> =>
      line('dlv', 'campus', '--kubeconfig', kubeconfigOf(await saying(status, body)));
    assert.match(await at(200, '<html>'), /is no API server; look at the kubeconfig/);
    assert.match(await at(401, '{}'), /does not know who you are \(401\); log in again/);
    const refused = await at(500, JSON.stringify({ message: 'a\u001b[2Jb' }));
    assert.match(refused, /\(500\): a\\u\{1b\}\[2Jb/);
  });

  test('a host that refuses the token, is too old, or is none', async () => {
    writeFileSync(join(dir, 'token'), 'x');
    const at = async (verb: string, status: number, body: string): Promise<string> =>
      line(verb, await saying(status, body), '--token-file', 'token');
    assert.match(await at('clients', 401, '{}'), /does not take this admin token/);
    assert.match(await at('export', 404, '{}'), /has no \/table: it is older than this kmsctl/);
    assert.match(await at('clients', 200, '[]'), /no host of kmspool/);
    assert.match(await at('clients', 503, '{"error":"Redis is away"}'), /refuses \(503\): Redis is away/);
  });
});

test('S4-02 a missing right comes with commands that grant exactly it', () => {
  const what = { base: '/apis/kmspool.io/v1alpha1', plural: 'kmshostpools', namespace: 'kms', name: 'campus' };
  const text = forbidden({ verb: 'get', what, said: 'User "ann" cannot get' });
  assert.match(
    text,
    /kubectl create role kmsctl-kmshostpools -n kms --verb=get --resource=kmshostpools\.kmspool\.io --resource-name=campus/,
  );
  assert.match(text, /kubectl create rolebinding kmsctl-kmshostpools -n kms --role=kmsctl-kmshostpools --user=ann$/);
  const everywhere = forbidden({ verb: 'list', what: { base: '/apis/apps/v1', plural: 'deployments' }, said: '' });
  assert.match(everywhere, /kubectl create clusterrole kmsctl-deployments --verb=list --resource=deployments\.apps /);
});
