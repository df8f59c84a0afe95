// SPDX-License-Identifier: Apache-2.0

// What the Helm chart renders, for combinations of values, looked at as objects; and what it says of wrong values. No cluster: chart-install.test.ts has one.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { readCli } from '../../operator/cli.ts';
import { FLAGS } from '../../operator/cli-flags.ts';
import { HOST_PROXY_RULES, leaseRules, POOL_RULES } from '../../operator/rbac.ts';
import { VERSION } from '../../operator/version.ts';
import { CHART, type HelmValues, helm, isHook, only, type Rendered, render } from '../harness/helm.ts';
import { makeTestFolder } from '../harness/kubernetes/server-process.ts';
import { missingTool, toolPath } from '../harness/kubernetes/tools.ts';
import { waitFor } from '../harness/wait.ts';

const NAME = 'campus-kmspool';
const MONITORING = ['ServiceMonitor', 'PodMonitor', 'PrometheusRule'].flatMap((kind) => [
  '--api-versions',
  `monitoring.coreos.com/v1/${kind}`,
]);
/** Every switch at its other side. */
const EVERYTHING: HelmValues = {
  watchNamespaces: ['kms', 'branch'],
  imageRegistry: 'mirror.corp.test:5000/apps',
  imagePullSecrets: [{ name: 'pull' }],
  commonLabels: { team: 'clients' },
  operator: {
    hostAccess: 'Proxy',
    resolvers: ['10.0.0.10:5353', 'fd00::10'],
    nodeSelector: { pool: 'infra' },
    tolerations: [{ operator: 'Exists' }],
    priorityClassName: 'system-cluster-critical',
    podLabels: { tier: 'infra' },
    podAnnotations: { note: 'x' },
    extraArgs: ['--log-level=debug'],
    topologySpreadConstraints: [{ maxSkew: 2, topologyKey: 'rack', whenUnsatisfiable: 'DoNotSchedule' }],
  },
  serviceAccount: { annotations: { role: 'x' } },
  metrics: {
    serviceMonitor: 'Always',
    podMonitor: 'Always',
    prometheusRule: 'Always',
    interval: '30s',
    runbookBaseUrl: 'https://docs.test/runbooks',
    labels: { release: 'prometheus' },
    dashboardAnnotations: { grafana_folder: 'KMS' },
  },
  networkPolicy: { operatorEgress: [{ to: [{ ipBlock: { cidr: '10.0.0.0/8' } }] }] },
  redis: { enabled: true, persistence: { enabled: true, size: '2Gi', storageClassName: 'fast' } },
  test: { pool: 'campus', namespace: 'kms', domain: 'lab.example', dnsServer: '10.0.0.10' },
};

const podSpecs = (objects: readonly Rendered[]) =>
  objects.flatMap((one) => {
    const template = one.kind === 'Pod' ? one : one['spec']?.template;
    return template?.spec?.containers === undefined
      ? []
      : [{ name: `${one.kind} ${one.metadata.name}`, spec: template.spec }];
  });
const imagesOf = (objects: readonly Rendered[]): string[] => [
  ...new Set(
    podSpecs(objects).flatMap(({ spec }) => spec.containers.map(({ image }: { image: string }) => image) as string[]),
  ),
];
const operatorArgs = (objects: readonly Rendered[]): string[] =>
  only(objects, 'Deployment')['spec'].template.spec.containers[0].args;

describe('the Helm chart', { skip: missingTool('helm'), concurrency: 2 }, () => {
  test('passes helm lint, strictly, with the defaults and with everything', async () => {
    for (const values of [{}, EVERYTHING]) {
      const { code, stdout } = await helm(['lint', '--strict', CHART], { values });
      assert.equal(code, 0, stdout);
    }
  });

  test('renders by default one operator for the whole cluster, and nothing besides', async () => {
    const objects = (await render()).filter(
      (one) => !isHook(one) && one.metadata.labels?.['grafana_dashboard'] === undefined,
    );
    assert.deepEqual(objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`).sort(), [
      `ClusterRole ${NAME}`,
      `ClusterRole ${NAME}-edit`,
      `ClusterRole ${NAME}-view`,
      `ClusterRoleBinding ${NAME}`,
      'CustomResourceDefinition kmshostpools.kmspool.io',
      `Deployment ${NAME}`,
      `NetworkPolicy ${NAME}`,
      `PodDisruptionBudget ${NAME}`,
      `Role ${NAME}-leader-election`,
      `RoleBinding ${NAME}-leader-election`,
      `Service ${NAME}-metrics`,
      `ServiceAccount ${NAME}`,
    ]);
  });

  for (const [which, values] of [
    ['the defaults', {}],
    ['everything', EVERYTHING],
  ] as const)
    test(`every Pod meets the restricted Pod security standard, with a read-only root and bounded memory: ${which}`, async () => {
      const pods = podSpecs(await render(values));
      assert.ok(pods.length >= 2);
      for (const { name, spec } of pods) {
        const { runAsNonRoot, runAsUser, seccompProfile } = spec.securityContext;
        assert.deepEqual([runAsNonRoot, runAsUser > 0, seccompProfile.type], [true, true, 'RuntimeDefault'], name);
        assert.equal(spec.nodeSelector['kubernetes.io/os'], 'linux', name);
        for (const { securityContext, resources } of spec.containers) {
          assert.deepEqual(
            securityContext,
            { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
            name,
          );
          assert.ok(resources.limits.memory, name);
        }
      }
    });

  test('the operator has a leader and a standby, spread, budgeted, probed, with flags that it understands', async () => {
    const objects = await render();
    const { replicas, selector, template } = only(objects, 'Deployment')['spec'];
    assert.equal(replicas, 2);
    const [container] = template.spec.containers;
    assert.deepEqual(
      [container.startupProbe, container.readinessProbe, container.livenessProbe].map(({ httpGet }) => httpGet),
      ['/livez', '/readyz', '/livez'].map((path) => ({ path, port: 'http' })),
    );
    assert.deepEqual(
      template.spec.topologySpreadConstraints.map(({ topologyKey }: { topologyKey: string }) => topologyKey),
      ['kubernetes.io/hostname', 'topology.kubernetes.io/zone'],
    );
    assert.deepEqual(only(objects, 'PodDisruptionBudget')['spec'].selector, selector);
    for (const [label, value] of Object.entries(selector.matchLabels))
      assert.equal(template.metadata.labels[label], value);
    assert.equal(template.metadata.annotations['prometheus.io/port'], '8081');
    const options = readCli(operatorArgs(objects), {});
    assert.ok(!('exitCode' in options), JSON.stringify(options));
    assert.deepEqual([options.lease?.namespace, options.lease?.name], ['kms-system', NAME]);
    const single = await render({ operator: { replicas: 1 } });
    assert.equal(
      single.some(({ kind }) => kind === 'PodDisruptionBudget'),
      false,
    );
  });

  test("its defaults are the operator's own", async () => {
    const args = new Map(
      operatorArgs(await render()).map((arg) => arg.replace('--', '').split('=') as [string, string]),
    );
    const differ = FLAGS.flatMap((flag) => {
      const { name, byDefault } = { byDefault: undefined, ...flag };
      const given = args.get(name);
      const own = ['lease-name', 'emulated-dns-zone'].includes(name);
      return given === undefined || byDefault === undefined || given === byDefault || own ? [] : [`${name}: ${given}`];
    });
    assert.deepEqual(differ, []);
    assert.deepEqual(
      operatorArgs(await render()).filter((arg) => arg.startsWith('--emulated')),
      ['--emulated-dns-zone=test', '--emulated-dns-zone=example'],
    );
  });

  test('values reach the flags', async () => {
    const options = readCli(operatorArgs(await render(EVERYTHING)), {});
    assert.ok(!('exitCode' in options), JSON.stringify(options));
    assert.deepEqual(options.watchNamespaces, ['kms', 'branch']);
    assert.deepEqual(options.resolvers, [
      { address: '10.0.0.10', port: 5353 },
      { address: 'fd00::10', port: 53 },
    ]);
    assert.deepEqual([options.hostAccess, options.logLevel], ['Proxy', 'debug']);
    assert.equal(options.hostImage, `mirror.corp.test:5000/apps/kmspool/kms-node:${VERSION}`);
    const args = ['--set', 'operator.apiQps=100000', '--set-json', 'operator.leaderElection.renewDeadlineSeconds=7.5'];
    const set = await helm(['template', 'x', CHART, ...args]);
    assert.match(set.stdout, /--api-qps=100000\n/);
    assert.match(set.stdout, /--lease-renew-deadline-seconds=7\.5\n/);
  });

  test('rights are those of operator/rbac.ts: everywhere, or in the namespaces that are watched', async () => {
    const everywhere = await render();
    assert.deepEqual(only(everywhere, 'ClusterRole', NAME)['rules'], POOL_RULES);
    assert.deepEqual(only(everywhere, 'Role')['rules'], leaseRules(NAME));
    const subject = { kind: 'ServiceAccount', name: NAME, namespace: 'kms-system' };
    for (const kind of ['ClusterRoleBinding', 'RoleBinding'])
      assert.deepEqual(only(everywhere, kind)['subjects'], [subject]);

    const some = await render(EVERYTHING);
    assert.equal(
      some.some((one) => one.kind === 'ClusterRoleBinding'),
      false,
    );
    const roles = some.filter((one) => one.kind === 'Role' && one.metadata.name === NAME);
    assert.deepEqual(
      roles.map(({ metadata }) => metadata.namespace),
      ['kms', 'branch'],
    );
    for (const role of roles) assert.deepEqual(role['rules'], [...POOL_RULES, ...HOST_PROXY_RULES]);
    const bindings = some.filter((one) => one.kind === 'RoleBinding' && one.metadata.name === NAME);
    assert.deepEqual(
      bindings.map(({ metadata }) => metadata.namespace),
      ['kms', 'branch'],
    );
    for (const binding of bindings)
      assert.deepEqual([binding['roleRef'].kind, binding['subjects']], ['Role', [subject]]);

    const none = await render({
      rbac: { create: false, userRoles: false },
      serviceAccount: { create: false, name: 'given' },
    });
    assert.deepEqual(
      none.filter(({ kind }) => /Role|ServiceAccount/.test(kind)).filter((one) => !isHook(one)),
      [],
    );
    assert.equal(only(none, 'Deployment')['spec'].template.spec.serviceAccountName, 'given');
  });

  test('users of the built-in roles may see and make pools', async () => {
    const objects = await render();
    const label = (role: string) => `rbac.authorization.k8s.io/aggregate-to-${role}`;
    const view = only(objects, 'ClusterRole', `${NAME}-view`);
    const edit = only(objects, 'ClusterRole', `${NAME}-edit`);
    assert.deepEqual(
      ['view', 'edit', 'admin'].map((role) => view.metadata.labels?.[label(role)]),
      ['true', 'true', 'true'],
    );
    assert.deepEqual(
      ['view', 'edit', 'admin'].map((role) => edit.metadata.labels?.[label(role)]),
      [undefined, 'true', 'true'],
    );
    assert.deepEqual(
      view['rules'].flatMap(({ verbs }: { verbs: string[] }) => verbs),
      ['get', 'list', 'watch', 'get'],
    );
  });

  test('the CRD is the one of crds/, stays after an uninstall, and can be left out', async () => {
    const crd = only(await render(), 'CustomResourceDefinition');
    const { customResourceDefinition } = await import('../../crds/crd.ts');
    assert.deepEqual(crd['spec'], JSON.parse(JSON.stringify(customResourceDefinition())).spec);
    assert.equal(crd.metadata.annotations?.['helm.sh/resource-policy'], 'keep');
    const without = await render({ crds: { install: false } });
    assert.equal(
      without.some(({ kind }) => kind === 'CustomResourceDefinition'),
      false,
    );
  });

  test('all images come from the registry of the site, by digest where one is given, with its pull secrets', async () => {
    const digest = `sha256:${'a'.repeat(64)}`;
    const objects = await render({
      ...EVERYTHING,
      host: { image: { digest } },
      redis: { enabled: true, image: { digest } },
    });
    const registry = 'mirror.corp.test:5000/apps';
    assert.deepEqual(imagesOf(objects).sort(), [
      `${registry}/kmspool/kmsctl:${VERSION}`,
      `${registry}/kmspool/operator:${VERSION}`,
      `${registry}/redis@${digest}`,
    ]);
    assert.ok(operatorArgs(objects).includes(`--host-image=${registry}/kmspool/kms-node@${digest}`));
    for (const { name, spec } of podSpecs(objects)) assert.deepEqual(spec.imagePullSecrets, [{ name: 'pull' }], name);
    assert.deepEqual(imagesOf(await render()), [`kmspool/operator:${VERSION}`]);
  });

  test('monitors and rules come when the API server knows them, when they are forced, and never otherwise', async () => {
    const monitored = (objects: readonly Rendered[]) =>
      [...new Set(objects.map(({ kind }) => kind))].filter((kind) => /Monitor$/.test(kind)).sort();
    assert.deepEqual(monitored(await render()), []);
    assert.deepEqual(monitored(await render({}, MONITORING)), ['PodMonitor', 'ServiceMonitor']);
    assert.deepEqual(monitored(await render({ metrics: { podMonitor: 'Never' } }, MONITORING)), ['ServiceMonitor']);
    const all = await render(EVERYTHING);
    const pods = only(all, 'PodMonitor');
    assert.deepEqual(pods['spec'].namespaceSelector, { matchNames: ['kms', 'branch'] });
    // Else Prometheus puts the namespace of the operator where alerts look for that of the pool.
    for (const { honorLabels } of [
      ...pods['spec'].podMetricsEndpoints,
      ...only(all, 'ServiceMonitor')['spec'].endpoints,
    ])
      assert.equal(honorLabels, true);
    assert.deepEqual(pods.metadata.labels?.['release'], 'prometheus');
    assert.equal(only(all, 'ServiceMonitor')['spec'].endpoints[0].interval, '30s');
    assert.deepEqual(only(await render({}, MONITORING), 'PodMonitor')['spec'].namespaceSelector, { any: true });
    for (const rule of all.filter(({ kind }) => kind === 'PrometheusRule')) {
      assert.ok(rule['spec'].groups.length > 0);
      assert.match(JSON.stringify(rule), /"runbook_url":"https:\/\/docs\.test\/runbooks\/Kms\w+\.md"/);
      assert.doesNotMatch(JSON.stringify(rule), /RUNBOOK_BASE_URL/);
    }
    for (const map of all.filter(({ metadata }) => metadata.labels?.['grafana_dashboard'] === '1')) {
      assert.equal(map.metadata.annotations?.['grafana_folder'], 'KMS');
      for (const text of Object.values(map['data'])) assert.ok(JSON.parse(text as string).panels);
    }
  });

  test('the small Redis keeps all it is told, evicts nothing, and lets in hosts and the operator alone', async () => {
    const objects = await render({ redis: { enabled: true, password: 'pass-word' } });
    const name = `${NAME}-redis`;
    const { data } = only(objects, 'Secret', name);
    assert.equal(atob(data.password), 'pass-word');
    assert.equal(atob(data['auth.conf']), 'requirepass pass-word\n');
    const conf: string = only(objects, 'ConfigMap', name)['data']['redis.conf'];
    for (const line of ['appendonly yes', 'maxmemory-policy noeviction', 'include /etc/redis-auth/auth.conf'])
      assert.ok(conf.split('\n').includes(line), line);
    const { template, volumeClaimTemplates } = only(objects, 'StatefulSet')['spec'];
    assert.equal(volumeClaimTemplates, undefined);
    assert.equal(JSON.stringify(template).includes('pass-word'), false, 'the password is in the Secret only');
    const policy = only(objects, 'NetworkPolicy', name)['spec'];
    assert.equal(policy.ingress[0].from.length, 2);
    const kept = only(await render(EVERYTHING), 'StatefulSet')['spec'];
    assert.deepEqual(kept.volumeClaimTemplates[0].spec, {
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'fast',
      resources: { requests: { storage: '2Gi' } },
    });
    assert.equal(
      kept.template.spec.volumes.some(({ emptyDir }: { emptyDir?: object }) => emptyDir !== undefined),
      false,
    );
  });

  test('a real Redis starts with that configuration, and its readiness probe heeds what it answers', {
    skip: missingTool('redis-server'),
  }, async () => {
    const objects = await render({ redis: { enabled: true, password: 'pass-word', maxMemory: '100mb' } });
    const folder = makeTestFolder('chart-redis');
    const socket = join(folder.path, 'socket');
    const conf: string = only(objects, 'ConfigMap', `${NAME}-redis`)['data']['redis.conf'];
    const own = conf.replace('/etc/redis-auth/', `${folder.path}/`).replace('dir /data', `dir ${folder.path}`);
    writeFileSync(join(folder.path, 'auth.conf'), atob(only(objects, 'Secret')['data']['auth.conf']));
    writeFileSync(join(folder.path, 'redis.conf'), `${own}\nport 0\nunixsocket ${socket}\n`);
    const [{ command, readinessProbe }] = only(objects, 'StatefulSet')['spec'].template.spec.containers;
    const server = spawn(toolPath(command[0]), [join(folder.path, 'redis.conf')], { stdio: 'ignore' });
    const ended = once(server, 'close');
    const probe = ([program, ...args]: string[], password: string) =>
      spawnSync(program ?? '', ['-s', socket, ...args], {
        encoding: 'utf8',
        env: { ...process.env, REDISCLI_AUTH: password },
      });
    const { command: ping } = readinessProbe.exec;
    try {
      await waitFor('Redis to be ready', () => probe(ping, 'pass-word').status === 0);
      assert.notEqual(probe(ping, 'wrong').status, 0);
      const settings = probe(['redis-cli', 'config', 'get', 'maxmemory*', 'append[of]*'], 'pass-word').stdout.split(
        '\n',
      );
      for (const value of ['noeviction', '104857600', 'everysec', 'yes']) assert.ok(settings.includes(value), value);
    } finally {
      server.kill();
      await ended;
      folder.remove();
    }
  });

  test('nothing in the Pod of Redis tells the version of the chart: an upgrade does not restart it', async () => {
    const { template } = only(await render({ redis: { enabled: true, image: { tag: '8' } } }), 'StatefulSet')['spec'];
    assert.equal(JSON.stringify(template).includes(VERSION), false);
  });

  test('helm test runs kmsctl in the namespace of the pool, with its key', async () => {
    const objects = await render(EVERYTHING);
    const pod = objects.find(({ kind }) => kind === 'Pod');
    assert.equal(pod?.metadata.namespace, 'kms');
    const { containers, volumes } = pod?.['spec'] ?? {};
    assert.deepEqual(containers[0].args, [
      'kms-system/campus',
      '5',
      '--',
      '--key-file=/key/key',
      '--domain=lab.example',
      '--product=windows-server-2025',
      '--dns=10.0.0.10',
    ]);
    assert.equal(volumes[1].secret.secretName, 'campus-key');
    assert.equal(
      (await render()).some(({ kind }) => kind === 'Pod'),
      false,
    );
  });

  const wrong: readonly (readonly [string, HelmValues, RegExp])[] = [
    ['a number out of range', { operator: { replicas: 0 } }, /\/operator\/replicas'?: minimum/],
    ['a text for a number', { operator: { workers: 'many' } }, /\/operator\/workers'?: got string, want integer/],
    ['a name that is misspelt', { opertor: {} }, /'opertor' not allowed/],
    [
      'a name that is misspelt further in',
      { redis: { persistance: {} } },
      /\/redis'?: additional properties 'persistance' not allowed/,
    ],
    [
      'a word that is not known',
      { metrics: { podMonitor: 'auto' } },
      /\/metrics\/podMonitor'?: value must be one of 'Auto', 'Always', 'Never'/,
    ],
    ['a digest that is none', { host: { image: { digest: 'abc' } } }, /\/host\/image\/digest/],
    ['a registry with its scheme', { imageRegistry: 'https://mirror.test' }, /\/imageRegistry/],
    ['no zone', { emulatedDnsZones: [] }, /\/emulatedDnsZones'?: minItems/],
    ['a namespace that is none', { watchNamespaces: ['Kms'] }, /\/watchNamespaces\/0/],
    ['a test without a domain', { test: { pool: 'campus' } }, /test\.domain is empty: name a domain/],
  ];
  for (const [what, values, said] of wrong)
    test(`${what} is refused with the name of the value`, async () => {
      const { code, stderr } = await helm(['template', 'x', CHART], { values });
      assert.notEqual(code, 0);
      assert.match(stderr, said);
    });

  test('the notes name the next three commands', async () => {
    const args = ['install', 'campus', CHART, '--dry-run=client', '--namespace', 'kms-system'];
    for (const values of [{}, EVERYTHING]) {
      const { code, stdout, stderr } = await helm(args, { values });
      assert.equal(code, 0, stderr);
      const notes = stdout.slice(stdout.indexOf('NOTES:'));
      for (const command of [
        'rollout status deployment/campus-kmspool',
        'kubectl apply -f -',
        'kubectl -n kms wait khp/campus',
      ])
        assert.ok(notes.includes(command), `${command}\n${notes}`);
    }
  });
});
