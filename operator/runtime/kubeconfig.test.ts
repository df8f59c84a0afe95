// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startFakeApiServer, WIDGETS, widget } from './api-server.fake.ts';
import { FakeClock, until } from './clock.fake.ts';
import type { TransportError } from './errors.ts';
import { connectionFromKubeconfig, KubeconfigError } from './kubeconfig.ts';

/** A folder that goes away with the test. */
async function folder(): Promise<{ path: string; [Symbol.asyncDispose](): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'runtime-kubeconfig-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

function kubeconfig(server: string, token: string, name = 'one'): string {
  return `apiVersion: v1
kind: Config
current-context: ${name}
clusters: [{name: ${name}, cluster: {server: "${server}"}}]
users: [{name: ${name}, user: {token: ${token}}}]
contexts:
- {name: ${name}, context: {cluster: ${name}, user: ${name}, namespace: home}}
- {name: broken, context: {cluster: nowhere, user: ${name}}}
`;
}

const REF = { namespace: 'ns', name: 'a' };

test('--kubeconfig goes before KUBECONFIG, and both before everything else', async () => {
  await using dir = await folder();
  const [flag, variable] = [join(dir.path, 'flag'), join(dir.path, 'variable')];
  await writeFile(flag, kubeconfig('http://127.0.0.1:1', 'x'));
  await writeFile(variable, kubeconfig('http://127.0.0.1:2', 'x', 'two'));
  const env = { KUBECONFIG: `${variable}:${flag}`, HOME: dir.path };
  const first = await connectionFromKubeconfig({ path: flag, env });
  assert.deepEqual([first.server.port, first.namespace], ['1', 'home']);
  assert.equal((await connectionFromKubeconfig({ env })).server.port, '2');
  assert.equal((await connectionFromKubeconfig({ env, context: 'one' })).server.port, '1', 'files are read as one');
});

test('the token of the kubeconfig goes with every request, on one connection', async () => {
  await using dir = await folder();
  await using server = await startFakeApiServer();
  server.handle((_, reply) => reply.json(widget('a', 1)));
  const path = join(dir.path, 'config');
  await writeFile(path, kubeconfig(server.url, 's3cret'));
  const client = server.client({ connection: await connectionFromKubeconfig({ path }) });
  for (let call = 0; call < 3; call++) await client.get(WIDGETS, REF);
  assert.deepEqual(
    server.seen.map(({ headers }) => headers.authorization),
    Array(3).fill('Bearer s3cret'),
  );
  assert.equal(new Set(server.seen.map(({ remotePort }) => remotePort)).size, 1);
});

/** A certificate for 127.0.0.1 that signs itself; undefined where openssl is missing. */
async function certificate(dir: string): Promise<{ key: string; cert: string } | undefined> {
  const [key, cert] = [join(dir, 'tls.key'), join(dir, 'tls.crt')];
  const how = [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '1',
    '-subj',
    '/CN=fake',
  ];
  const made = spawnSync('openssl', [
    'req',
    '-x509',
    ...how,
    '-addext',
    'subjectAltName=IP:127.0.0.1',
    '-keyout',
    key,
    '-out',
    cert,
  ]);
  return made.status === 0 ? { key: await readFile(key, 'utf8'), cert: await readFile(cert, 'utf8') } : undefined;
}

test('in a pod: TLS by the account’s authority, and its token read again when it is refused and after a minute', async (t) => {
  await using dir = await folder();
  const tls = await certificate(dir.path);
  if (tls === undefined) return t.skip('openssl is not installed');
  await using server = await startFakeApiServer(tls);
  const secrets = join(dir.path, 'var/run/secrets/kubernetes.io/serviceaccount');
  await mkdir(secrets, { recursive: true });
  const rotate = (token: string): Promise<void> => writeFile(join(secrets, 'token'), `${token}\n`);
  await rotate('first');
  await writeFile(join(secrets, 'ca.crt'), tls.cert);
  await writeFile(join(secrets, 'namespace'), 'op-system\n');
  const { hostname, port } = new URL(server.url);
  const env = { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port, HOME: '/nowhere' };
  const clock = new FakeClock();
  const connection = await connectionFromKubeconfig({ env, root: dir.path, clock });
  assert.equal(connection.namespace, 'op-system');
  const client = server.client({ connection, clock });
  const tokens = (): unknown[] => server.seen.splice(0).map(({ headers }) => headers.authorization);

  server.handle((_, reply) => reply.json(widget('a', 1)));
  await client.get(WIDGETS, REF);
  await rotate('second');
  await client.get(WIDGETS, REF);
  assert.deepEqual(tokens(), ['Bearer first', 'Bearer first'], 'not every request reads the file');

  server.script(
    (_, reply) => reply.status(401, 'Unauthorized'),
    (_, reply) => reply.json(widget('a', 1)),
  );
  const retried = client.get(WIDGETS, REF);
  await until(() => clock.pending().includes(0), 'it was refused');
  await clock.advance(0);
  await retried;
  assert.deepEqual(tokens(), ['Bearer first', 'Bearer second']);

  await rotate('third');
  await clock.advance(59_999);
  await client.get(WIDGETS, REF);
  await clock.advance(1);
  await client.get(WIDGETS, REF);
  assert.deepEqual(tokens(), ['Bearer second', 'Bearer third']);
});

test('a server that the authority does not vouch for is not talked to', async (t) => {
  await using dir = await folder();
  const tls = await certificate(dir.path);
  if (tls === undefined) return t.skip('openssl is not installed');
  await using server = await startFakeApiServer(tls);
  const path = join(dir.path, 'config');
  await writeFile(path, kubeconfig(server.url, 'x'));
  const client = server.client({ connection: await connectionFromKubeconfig({ path }) });
  await assert.rejects(client.get(WIDGETS, REF), (error: TransportError) => /SELF_SIGNED/.test(error.code));
  assert.equal(server.seen.length, 0);
});

/** JSON is YAML. */
function withUser(name: string, user: object): string {
  return JSON.stringify({
    clusters: [{ name: 'one', cluster: { server: 'https://127.0.0.1:1' } }],
    users: [{ name, user }],
    contexts: [{ name: 'one', context: { cluster: 'one', user: 'one' } }],
    'current-context': 'one',
  });
}

const MISTAKES: [string, string, Parameters<typeof connectionFromKubeconfig>[0], RegExp][] = [
  ['a file that is not there', '', { path: '/nowhere/config' }, /^kubeconfig \/nowhere\/config: ENOENT/],
  ['a context that is not there', kubeconfig('http://127.0.0.1:1', 'x'), { context: 'two' }, /^--context two: /],
  ['a context without a cluster', kubeconfig('http://127.0.0.1:1', 'x'), { context: 'broken' }, /names no cluster/],
  ['no context', '{}', {}, /^kubeconfig: it has no current context; name one with --context$/],
  ['no YAML', 'clusters: [', {}, /^kubeconfig \S+: \S/],
  [
    'a user that is not there',
    withUser('two', {}),
    {},
    /^kubeconfig: context "one" names the user "one", which is not/,
  ],
  [
    'a key that is not there',
    withUser('one', { 'client-key': '/nowhere/key', 'client-certificate': '/nowhere/crt' }),
    {},
    /^kubeconfig: the certificates or the key of context "one" cannot be used: ENOENT: .*\/nowhere\//,
  ],
  [
    'a certificate that is none',
    withUser('one', { 'client-key-data': 'aGVsbG8=', 'client-certificate-data': 'aGVsbG8=' }),
    {},
    /^kubeconfig: the certificates or the key of context "one" cannot be used: .*PEM/,
  ],
  ['nothing at all', '', { env: { HOME: '/nowhere' } }, /^no API server: give --kubeconfig FILE/],
];

for (const [name, content, options, message] of MISTAKES)
  test(`a mistake is told in one line: ${name}`, async () => {
    await using dir = await folder();
    const path = join(dir.path, 'config');
    if (content !== '') await writeFile(path, content);
    const found = content === '' ? options : { ...options, path };
    await assert.rejects(connectionFromKubeconfig(found), (error: Error) => {
      assert.ok(error instanceof KubeconfigError);
      assert.match(error.message, message);
      return !error.message.includes('\n');
    });
  });
