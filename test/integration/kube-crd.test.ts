// SPDX-License-Identifier: Apache-2.0
/**
 * The contract on a real API server: the checked-in CRD is taken, its rules refuse with the words that a user should see, its defaults are the loader's,
 * and kubectl shows and scales a pool.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CONDITION_TYPES, type KmsHostPool, type KmsHostPoolStatus, loadPools, poolSchema } from '@kmspool/crds';
import { outcomeOf } from '@kmspool/operator/runtime';
import fc from 'fast-check';
import { BAD, GOOD, good, type Manifest, whole, withSpec } from '../../crds/manifests.fake.ts';
import { POOLS, type PoolObject } from '../../operator/pool/kinds.ts';
import { type ControlPlane, startControlPlane } from '../harness/kubernetes/control-plane.ts';
import type { KubectlResult } from '../harness/kubernetes/kubectl.ts';
import { missingControlPlane } from '../harness/kubernetes/tools.ts';
import { waitFor } from '../harness/wait.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CRD_FILE = join(ROOT, 'crds/kmshostpools.yaml');
const REDIS = { redis: { url: 'redis://redis' } };

describe('the CRD on a real API server', { skip: missingControlPlane() }, () => {
  let plane: ControlPlane;
  let installed: KubectlResult;

  before(async () => {
    plane = await startControlPlane();
    installed = await plane.kubectl(['apply', '-f', CRD_FILE]);
    await plane.kubectl(['wait', '--for=condition=Established', 'crd/kmshostpools.kmspool.io', '--timeout=20s']);
    await waitFor('the kind to be served', async () => (await plane.kubectl(['get', 'khp'])).code === 0);
    await plane.kubectl(['create', 'namespace', 'kms']);
  });
  after(() => plane?.stop());

  const apply = (namespace: string, manifest: object, ...more: string[]): Promise<KubectlResult> =>
    plane.kubectl(['apply', '-n', namespace, '-f', '-', ...more], { input: JSON.stringify(manifest) });

  const stored = (namespace: string, name: string): Promise<PoolObject> =>
    plane.client().get(POOLS, { namespace, name });

  test('kubectl apply takes the checked-in file without a warning, and a second time finds nothing to change', async () => {
    assert.deepEqual(installed, {
      code: 0,
      stdout: 'customresourcedefinition.apiextensions.k8s.io/kmshostpools.kmspool.io created\n',
      stderr: '',
    });
    const again = await plane.kubectl(['apply', '-f', CRD_FILE]);
    assert.match(again.stdout, /unchanged\n$/);
    const conditions = await plane.kubectl(['get', '-f', CRD_FILE, '-o', 'jsonpath={.status.conditions[*].type}']);
    assert.deepEqual(
      conditions.stdout.split(' ').sort(),
      ['Established', 'NamesAccepted'],
      'structural, and established',
    );
  });

  for (const file of readdirSync(join(ROOT, 'examples')).filter((name) => name.endsWith('.yaml'))) {
    test(`examples/${file} applies, and what is stored is what the loader makes of it`, async () => {
      const path = join(ROOT, 'examples', file);
      const loaded = loadPools(readFileSync(path, 'utf8'), { file });
      assert.ok(loaded.ok);
      const tried = await plane.kubectl(['apply', '--dry-run=server', '-f', path]);
      assert.deepEqual([tried.code, tried.stderr], [0, '']);
      const applied = await plane.kubectl(['apply', '-f', path]);
      assert.deepEqual([applied.code, applied.stderr], [0, '']);
      for (const { metadata, spec } of loaded.pools)
        assert.deepEqual((await stored(metadata.namespace ?? 'default', metadata.name)).spec, spec);
    });
  }

  for (const { title, manifest, path } of BAD) {
    test(`kubectl apply names the field and the remedy: ${title}`, async () => {
      const refused = await apply('default', whole(manifest));
      assert.equal(refused.code, 1);
      assert.equal(refused.stdout, '');
      const remedy = remedyOf(manifest);
      assert.ok(
        linesOf(refused).some((line) => line.startsWith(`${path}: Invalid value: `) && line.endsWith(remedy)),
        `${path}: ${remedy}\n${refused.stderr}`,
      );
    });
  }

  test('a password in a refused Redis URL is not shown', async () => {
    const url = 'redis://:hunter2@redis:6379';
    const refused = await apply('default', whole(withSpec({ store: { redis: { url } } })));
    assert.match(refused.stderr, /spec.store.redis.url: Invalid value: write redis:/);
    assert.doesNotMatch(refused.stderr, /hunter2/);
  });

  test('good manifests are stored as the loader reads them', async () => {
    const namespace = await plane.namespace('good');
    for (const [index, manifest] of GOOD.entries()) {
      const named = { ...manifest, metadata: { ...manifest.metadata, name: `pool-${index}`, namespace } };
      const made = await plane.client().create(POOLS, whole(named) as PoolObject);
      assert.deepEqual(made.spec, loadedSpec(named), JSON.stringify(manifest));
    }
  });

  test('the largest manifest that the schema allows stays within the cost that rules may have', async () => {
    const namespace = await plane.namespace('large');
    const made = await apply(namespace, whole(largest()));
    assert.deepEqual([made.code, made.stderr], [0, '']);
    assert.deepEqual((await stored(namespace, 'campus')).spec, loadedSpec(largest()));
  });

  test('the rules about single texts refuse on the API server what they refuse in the loader, and nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(
        texts(ODD.ranges, 64),
        texts(ODD.names, 64),
        texts(ODD.servers, 16),
        texts(ODD.addresses, 32),
        async (...lists) => {
          const [allowedSources, knownHosts, verifyNameservers, addresses] = lists;
          const store = { redis: { sentinel: { name: 'kms', addresses } } };
          const manifest = whole(
            withSpec({ access: { allowedSources }, dns: { knownHosts, verifyNameservers }, store }),
          );
          const parsed = poolSchema.safeParse(manifest);
          const byLoader = parsed.success
            ? []
            : parsed.error.issues.map(({ path, message }) => `${dotted(path)}: ${message}`);
          assert.deepEqual(await causesOf(plane, manifest), byLoader.sort());
        },
      ),
      { numRuns: 25 },
    );
  });

  test('a number out of its range is refused with the bound', async () => {
    const refused = await apply('default', whole(withSpec({ port: 80, activationIntervalMinutes: 43_201 })));
    const lines = linesOf(refused);
    assert.ok(
      lines.includes('spec.port: Invalid value: 80: spec.port in body should be greater than or equal to 1024'),
    );
    assert.ok(
      lines.includes(
        'spec.activationIntervalMinutes: Invalid value: 43201: spec.activationIntervalMinutes in body should be less than or equal to 43200',
      ),
      refused.stderr,
    );
  });

  test('a misspelt field is refused, at any depth; who turns validation off gets it dropped', async () => {
    const namespace = await plane.namespace('strict');
    const misspelt = whole(withSpec({ renewalMinutes: 5, limits: { conections: 5 } }));
    const refused = await apply(namespace, misspelt);
    assert.equal(refused.code, 1);
    assert.match(
      refused.stderr,
      /strict decoding error: unknown field "spec.limits.conections", unknown field "spec.renewalMinutes"/,
    );
    assert.equal((await apply(namespace, misspelt, '--validate=ignore')).code, 0);
    assert.deepEqual((await stored(namespace, 'campus')).spec, loadedSpec(good()));
  });

  test('what is handed on to Pods is kept whole', async () => {
    const namespace = await plane.namespace('pod');
    const pod = {
      resources: { requests: { cpu: '100m' }, limits: { 'example.com/thing': '1' } },
      affinity: { nodeAffinity: { fieldOfTomorrow: [{ a: 1 }] } },
      tolerations: [{ key: 'x', operator: 'Exists', fieldOfTomorrow: true }],
      topologySpreadConstraints: [],
    };
    const labelled = {
      ...withSpec({ pod }),
      metadata: { name: 'campus', labels: { a: 'b' }, annotations: { c: 'd' } },
    };
    assert.equal((await apply(namespace, whole(labelled))).code, 0);
    const { spec, metadata } = await stored(namespace, 'campus');
    assert.deepEqual((spec as KmsHostPool['spec']).pod, pod);
    assert.deepEqual(metadata.labels, { a: 'b' });
  });

  test('kubectl scale changes the number of hosts, and cannot go round the rules', async () => {
    const namespace = await plane.namespace('scale');
    await apply(namespace, whole(withSpec({ store: REDIS })));
    const scaled = await plane.kubectl(['scale', '-n', namespace, 'khp/campus', '--replicas=3']);
    assert.deepEqual([scaled.code, scaled.stdout], [0, 'kmshostpool.kmspool.io/campus scaled\n']);
    assert.equal(((await stored(namespace, 'campus')).spec as KmsHostPool['spec']).replicas, 3);
    const alone = { ...good(), metadata: { name: 'alone' } };
    await apply(namespace, whole(alone));
    const refused = await plane.kubectl(['scale', '-n', namespace, 'khp/alone', '--replicas=3']);
    assert.equal(refused.code, 1);
    assert.match(
      refused.stderr,
      /spec.replicas: Invalid value: more than one host needs a shared count: add spec.store.redis/,
    );
  });

  test('a status is written by itself and leaves the spec alone; the scale subresource reads it', async () => {
    const namespace = await plane.namespace('status');
    await apply(namespace, whole(good()));
    const before = await stored(namespace, 'campus');
    const status = fullStatus();
    const intent = { metadata: { name: 'campus', namespace }, status, spec: { replicas: 0 } };
    await plane.client().applyStatus(POOLS, intent, { fieldManager: 'test' });
    const later = await stored(namespace, 'campus');
    assert.deepEqual(later.status, status);
    assert.deepEqual(later.spec, before.spec);
    assert.equal(later.metadata.generation, before.metadata.generation);
    const path = `/apis/kmspool.io/v1alpha1/namespaces/${namespace}/kmshostpools/campus/scale`;
    const scale = await plane.client().request<{ spec: object; status: object }>({ method: 'GET', path });
    assert.deepEqual(scale.spec, { replicas: 1 });
    assert.deepEqual(scale.status, { replicas: 3, selector: 'kmspool.io/pool=campus' });
    await apply(namespace, { ...whole(good()), status: { readyReplicas: 99 } });
    assert.equal((await stored(namespace, 'campus')).status?.readyReplicas, 2, 'not by the way of the spec');
  });

  test('kubectl get shows the pool at a glance, by its short name and with the category', async () => {
    const namespace = await plane.namespace('get');
    await apply(namespace, whole(withSpec({ dns: { domains: [{ name: 'lab.example' }] } })));
    const intent = { metadata: { name: 'campus', namespace }, status: fullStatus() };
    await plane.client().applyStatus(POOLS, intent, { fieldManager: 'test' });
    const cells = async (...args: string[]): Promise<string[][]> => {
      const { stdout } = await plane.kubectl(['get', '-n', namespace, ...args]);
      return stdout.split('\n').map((line) => line.trim().split(/ {2,}/));
    };
    const [head, row] = await cells('khp');
    assert.deepEqual(head, ['NAME', 'READY', 'HOSTS', 'WANTED', 'COUNT', 'STATUS', 'AGE']);
    assert.deepEqual(row?.slice(0, -1), ['campus', 'Unknown', '2', '1', '31', 'Because']);
    const [wideHead, wideRow] = await cells('kms', '-o', 'wide');
    assert.deepEqual(wideHead?.slice(6, -1), ['DNS', 'DOMAIN', 'POOL ID']);
    assert.deepEqual(wideRow?.slice(6, -1), ['Because', 'lab.example', '6f1c0000-0000-0000-0000-000000000000']);
  });

  test('kubectl explain knows every field of spec.dns', async () => {
    const { stdout } = await plane.kubectl(['explain', 'khp.spec.dns']);
    const fields = [
      'publisher',
      'domains',
      'knownHosts',
      'verifyNameservers',
      'withdrawAfterSeconds',
      'minChangeSeconds',
    ];
    for (const field of fields)
      assert.match(stdout, new RegExp(`^ {2}${field}\t<.*>\n(?: {2}enum: .*\n)? {4}[A-Z]`, 'm'), field);
  });

  test('refused manifests leave nothing behind', async () => {
    const outcome = await outcomeOf(plane.client().get(POOLS, { namespace: 'default', name: 'campus' }));
    assert.equal(outcome.ok ? 200 : outcome.error.statusCode, 404);
  });
});

/** The lines of a refusal, without what kubectl puts around them. */
function linesOf({ stderr }: KubectlResult): string[] {
  return stderr
    .replace(/^The KmsHostPool "[^"]*" is invalid: \n?/, '')
    .split('\n')
    .map((line) => line.replace(/^\* /, ''));
}

/** What the loader says to a manifest that breaks one rule, without the place and the value that it shows. */
function remedyOf(manifest: Manifest): string {
  const loaded = loadPools(JSON.stringify(whole(manifest)), { file: 'x' });
  const [line = ''] = loaded.ok ? [] : loaded.errors;
  return line.replace(/^x:\d+: [^ ]+: (?:".*" will not do; )?/, '');
}

function loadedSpec(manifest: Manifest): KmsHostPool['spec'] {
  const loaded = loadPools(JSON.stringify(whole(manifest)), { file: 'x' });
  assert.ok(loaded.ok, loaded.ok ? '' : loaded.errors.join('\n'));
  const [pool] = loaded.pools;
  assert.ok(pool);
  return pool.spec;
}

/** Texts that are right, and those around which regular expressions and libraries differ. */
const ODD = {
  ranges: [
    '10.0.0.0/8',
    '192.0.2.7/32',
    'fd00::/8',
    '::/0',
    '0.0.0.0/0',
    '2001:db8::/32',
    '::ffff:10.0.0.0/104',
    '64:ff9b::/96',
    'fe80::1%eth0/64',
    '010.0.0.0/8',
    '10.0.0.0/08',
    '10/8',
    '2001:DB8::/32',
    '2001:db8:0:0::/64',
    '0::/0',
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/-1',
  ],
  names: [
    'lab.example',
    'a',
    'xn--bcher-kva.example',
    'a-b.c-d',
    '-a.example',
    'a-.example',
    'a..b',
    '.a',
    'a.',
    'A.example',
    'é.example',
    '1.2.3.4',
    'a_b',
    `${'a'.repeat(63)}.b`,
    `${'a'.repeat(64)}.b`,
  ],
  servers: [
    '10.0.0.53',
    'fd00::53',
    '[fd00::53]:53',
    '[fd00::53]',
    'ns1.lab.example',
    'ns1:5353',
    'ns1:0',
    'ns1:65535',
    'ns1:65536',
    'ns1:',
    ':53',
    '1.2.3',
    '256.1.1.1',
    '::ffff:1.2.3.4',
    'fe80::1%eth0',
    '010.0.0.1',
    '10.0.0.53:053',
  ],
  addresses: [
    'redis:6379',
    '[fd00::5]:6379',
    '10.0.0.1:1',
    'redis',
    'redis:0',
    'redis:65535',
    'redis:65536',
    'redis:06379',
    '[::1]:1',
    '::1:6379',
    '[redis]:1',
    'a.b-c:26379',
  ],
};

/** Different texts, half of them with a character too many, too few, or another one. */
function texts(seeds: readonly string[], maxLength: number): fc.Arbitrary<string[]> {
  const odd = fc.constantFrom(...'aA0-._:/[]%@ \n\té\u2028'.split(''));
  const changed = fc
    .tuple(fc.constantFrom(...seeds), fc.nat({ max: 42 }), odd, fc.constantFrom(0, 1), fc.constantFrom(0, 1))
    .map(
      ([seed, at, char, cut, put]) =>
        seed.slice(0, at % seed.length) + char.repeat(put) + seed.slice((at % seed.length) + cut),
    )
    .filter((text) => text.length > 0 && Buffer.byteLength(text) <= 43);
  return fc.uniqueArray(fc.oneof(fc.constantFrom(...seeds.filter((text) => text.length <= 43)), changed), {
    minLength: 1,
    maxLength,
  });
}

/** `spec.a[0].b`, as the API server writes it. */
function dotted(path: readonly PropertyKey[]): string {
  return path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
    .join('')
    .replace(/^\./, '');
}

/** Field and message of everything that the API server has against a manifest. */
async function causesOf(plane: ControlPlane, manifest: object): Promise<string[]> {
  const path = '/apis/kmspool.io/v1alpha1/namespaces/default/kmshostpools';
  const query = { dryRun: 'All' };
  const outcome = await outcomeOf(plane.client().request({ method: 'POST', path, query, body: manifest }));
  if (outcome.ok) return [];
  assert.equal(outcome.error.statusCode, 422, outcome.error.message);
  return outcome.error.causes
    .map(({ field, message = '' }) => `${field}: ${message.replace(/^Invalid value: (?:".*": )?/s, '')}`)
    .sort();
}

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const longName = (index: number, length: number): string =>
  `${String(index).padStart(3, '0')}${'.abcdefghi'.repeat(30)}`.slice(0, length).replace(/\.$/, 'a');

/** Every list as long as it may be, of texts as long as they may be. */
function largest(): Manifest {
  const tiers = range(16).map((index) => ({ hosts: 100, priority: index, weight: index }));
  return withSpec({
    replicas: 100,
    store: {
      redis: { sentinel: { name: 'kms', addresses: range(32).map((index) => `${longName(index, 250)}:26379`) } },
    },
    dns: {
      domains: range(32).map((index) => ({ name: longName(index, 145), tiers })),
      knownHosts: range(64).map((index) => longName(index, 253)),
      verifyNameservers: range(16).map((index) => `${longName(index, 250)}:53`),
    },
    access: { allowedSources: range(64).map((index) => `2001:db8:ffff:ffff:ffff:ffff:ffff:ff${index + 10}/128`) },
    pod: { imagePullSecrets: range(16).map((index) => ({ name: longName(index, 253) })) },
  });
}

/** A status as the operator writes it. */
function fullStatus(): KmsHostPoolStatus {
  return {
    observedGeneration: 1,
    poolId: '6f1c0000-0000-0000-0000-000000000000',
    replicas: 3,
    readyReplicas: 2,
    selector: 'kmspool.io/pool=campus',
    hosts: [
      {
        name: 'campus-0',
        fqdn: 'campus-0.kms.lab.example',
        address: '10.96.4.7',
        port: 1688,
        ready: true,
        priority: 0,
        weight: 60,
      },
    ],
    counts: [
      { application: 'Windows', current: 31, cap: 50, thresholds: [{ name: 'Client', required: 25, met: true }] },
    ],
    dns: [
      {
        domain: 'lab.example',
        record: '_vlmcs._tcp.lab.example',
        desired: 3,
        observed: 3,
        verifiedAt: '2026-01-01T00:00:00Z',
      },
    ],
    conditions: CONDITION_TYPES.map((type) => ({
      type,
      status: 'Unknown',
      observedGeneration: 1,
      lastTransitionTime: '2026-01-01T00:00:00Z',
      reason: 'Because',
      message: 'Why.',
    })),
  };
}
