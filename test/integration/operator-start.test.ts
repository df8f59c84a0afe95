// SPDX-License-Identifier: Apache-2.0
/**
 * What goes wrong when the operator is started, and what its user sees: a kubeconfig that does not work, a port that is taken, an API server that is not there
 * yet, a kind that is not installed yet. The first two end it, the others it outlasts.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { POOLS } from '../../operator/pool/kinds.ts';
import { type ControlPlane, startControlPlane } from '../harness/kubernetes/control-plane.ts';
import { kubeconfigThrough } from '../harness/kubernetes/fault-proxy.ts';
import { endAll, operatorUser, poolOf, poolsWhen } from '../harness/kubernetes/fleet.ts';
import { type NodePlayer, startNodePlayer } from '../harness/kubernetes/node-player.ts';
import { type OperatorProcess, startOperator } from '../harness/kubernetes/operator-process.ts';
import { missingControlPlane } from '../harness/kubernetes/tools.ts';
import { startProxy } from '../harness/proxy.ts';
import { waitFor } from '../harness/wait.ts';

interface Config {
  clusters: { cluster: Record<string, unknown> }[];
  users: { user: Record<string, unknown> }[];
  contexts: { context: Record<string, unknown> }[];
  'current-context'?: string;
}

/** Each spoils a kubeconfig that works. */
const MISTAKES: readonly { what: string; spoil: (config: Config) => unknown; said: RegExp }[] = [
  { what: 'no YAML', spoil: () => '{[', said: /^kubeconfig \S+: / },
  {
    what: 'no current context',
    spoil: ({ 'current-context': _, ...rest }) => rest,
    said: /it has no current context; name one with --context$/,
  },
  {
    what: 'a cluster that is not there',
    spoil: (config) => ({ ...config, clusters: [] }),
    said: /context "test" names no cluster with a server URL$/,
  },
  {
    what: 'a user that is not there',
    spoil: (config) => ({ ...config, users: [] }),
    said: /context "test" names the user "broken", which is not there$/,
  },
  {
    what: 'a key file that is not there',
    spoil: (config) => ({
      ...config,
      users: [{ name: 'broken', user: { ...config.users[0]?.user, 'client-key': '/no/key' } }],
    }),
    said: /cannot be used: ENOENT: .*'\/no\/key'$/,
  },
];

describe('the start of an operator', { skip: missingControlPlane({ controllers: true }) }, () => {
  const running: OperatorProcess[] = [];
  let plane: ControlPlane;
  let player: NodePlayer;

  before(async () => {
    plane = await startControlPlane({ controllers: true, crds: ['DNSEndpoint'] });
    player = await startNodePlayer({ client: plane.client(), strategy: () => ({ kind: 'stub' }) });
  });
  afterEach(() => Promise.all(running.splice(0).map((operator) => operator.kill())));
  after(() =>
    endAll(
      () => player?.stop(),
      () => plane?.stop(),
    ),
  );

  async function start(kubeconfig: string, ...flags: string[]): Promise<OperatorProcess> {
    const args = ['--host-access=Direct', ...flags];
    const operator = await startOperator({ kubeconfig, args, awaitReady: false });
    running.push(operator);
    return operator;
  }

  async function endsWithOneLine(operator: OperatorProcess, said: RegExp): Promise<void> {
    assert.equal(await operator.ended, 2);
    const [line = '', ...rest] = operator.output().split('\n');
    assert.deepEqual(rest, [''], operator.output());
    const [program, message] = [line.slice(0, 18), line.slice(18)];
    assert.equal(program, 'kmspool-operator: ');
    assert.match(message, said);
  }

  for (const [index, { what, spoil, said }] of MISTAKES.entries())
    test(`a kubeconfig with ${what}: one line, and it ends with 2`, async () => {
      const user = await plane.user('broken');
      const config = spoil(JSON.parse(readFileSync(user.kubeconfig, 'utf8')) as Config);
      const path = join(plane.directory, `broken-${index}.kubeconfig`);
      writeFileSync(path, typeof config === 'string' ? config : JSON.stringify(config));
      await endsWithOneLine(await start(path), said);
    });

  test('a port that another process has: one line, and it ends with 2', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await waitFor('the port to be taken', () => taken.listening);
    const address = taken.address();
    assert.ok(address !== null && typeof address === 'object');
    try {
      const operator = await start(plane.kubeconfig, `--http=127.0.0.1:${address.port}`);
      await endsWithOneLine(
        operator,
        /^--http: 127\.0\.0\.1:\d+ is in use by another process; stop that one or choose/,
      );
    } finally {
      taken.close();
    }
  });

  const unready = async (operator: OperatorProcess): Promise<string> => {
    const answer = await operator.http('/readyz').catch(() => undefined);
    return answer?.status === 503 ? answer.body : '';
  };

  const complaints = (operator: OperatorProcess, said: RegExp) =>
    operator.log().flatMap(({ msg = '', resource, lease }) => (said.test(msg) ? [String(resource ?? lease)] : []));

  test('an API server that refuses connections: it is not ready, tells it once for each kind, tries again, and works once it is there', async () => {
    const user = await operatorUser(plane, 'patient', 'patient');
    const proxy = await startProxy(plane.port);
    try {
      proxy.refusing = true;
      const kubeconfig = kubeconfigThrough(user, `https://127.0.0.1:${proxy.port}`);
      const operator = await start(kubeconfig, '--lease-name=patient', '--log-level=debug');
      await waitFor(
        'readyz to name the kinds',
        async () => /kmshostpools, deployments/.test(await unready(operator)),
        20_000,
      );
      const tried = (): number => complaints(operator, /^list failed$/).filter((kind) => kind === 'services').length;
      await waitFor('three attempts', () => tried() >= 3, 20_000);
      const told = complaints(operator, /^cannot follow the API server/);
      assert.ok(told.includes('services'));
      // 'deployments.apps' are followed twice: the pools' own, and external-dns.
      assert.deepEqual(
        told.filter((kind, at) => told.indexOf(kind) !== at),
        ['deployments.apps'],
      );
      assert.deepEqual(complaints(operator, /^cannot get or renew the lease/), ['patient']);
      proxy.refusing = false;
      await waitFor(
        'it to follow what there is',
        async () => /"not listed yet: kmshostpools"/.test(await unready(operator)),
        60_000,
      );
    } finally {
      await proxy.stop();
    }
  });

  test('the kind KmsHostPool is not installed: it says so, waits, and goes on once it is there', async () => {
    const operator = await start((await operatorUser(plane, 'early', 'early')).kubeconfig, '--lease-name=early');
    const told = () => complaints(operator, /install its CustomResourceDefinition/);
    await waitFor('the log to say so', () => told().length > 0, 20_000);
    assert.deepEqual(told(), ['kmshostpools.kmspool.io']);
    await waitFor('readyz to say so', async () => /"not listed yet: kmshostpools"/.test(await unready(operator)));
    await plane.applyCrds('KmsHostPool');
    const namespace = await plane.namespace('early');
    await plane.client().create(POOLS, poolOf(namespace, 'campus', { replicas: 1 }));
    await poolsWhen(plane.client(), namespace, { count: 1 });
    assert.equal((await operator.http('/readyz')).status, 200);
  });
});
