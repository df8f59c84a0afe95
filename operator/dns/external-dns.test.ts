// SPDX-License-Identifier: Apache-2.0

// What the Deployments of external-dns give away: each way in which SRV records get lost, and nothing said where there is no telling.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Deployment } from '../pool/kinds.ts';
import { type ExternalDnsSurvey, findExternalDns, type ToPublish } from './external-dns.ts';
import { matchesSelector } from './label-selector.ts';

const IMAGE = 'registry.example/external-dns/external-dns:v0.22.0';
const GOOD = ['--source=crd', '--provider=pdns', '--policy=sync', ...types('A', 'AAAA', 'SRV')];
const POOL: ToPublish = {
  namespace: 'kms',
  labels: { 'kmspool.io/pool': 'campus' },
  annotations: {},
  domains: ['lab.example'],
};

function types(...values: string[]): string[] {
  return values.map((value) => `--managed-record-types=${value}`);
}

interface Parts {
  name?: string;
  image?: string;
  container?: string;
  command?: unknown;
  args?: unknown;
  env?: unknown;
  envFrom?: unknown;
  replicas?: number;
}

function deployment({ name = 'external-dns', replicas = 1, ...parts }: Parts): Deployment {
  const { image = IMAGE, container = 'dns', args = GOOD, ...more } = parts;
  const spec = {
    containers: [
      { name: 'sidecar', image: 'other:1' },
      { name: container, image, args, ...more },
    ],
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'dns' },
    spec: { replicas, template: { spec } },
  };
}

const survey = (parts: Parts, pool: ToPublish = POOL): ExternalDnsSurvey => findExternalDns([deployment(parts)], pool);
const reasons = ({ findings }: ExternalDnsSurvey): string[] => findings.map(({ reason }) => reason);
const messages = ({ findings, notes }: ExternalDnsSurvey): string =>
  [...findings, ...notes].map(({ message }) => message).join(' | ');
const usable = { state: 'Usable', findings: [], notes: [] };

describe('an external-dns', () => {
  test('that reads DNSEndpoints and manages SRV is usable', () => {
    assert.deepEqual(survey({}), usable);
  });

  test('is not there when no Deployment runs one, or none is running', () => {
    const none = { state: 'None', findings: [], notes: [] };
    assert.deepEqual(findExternalDns([], POOL), none);
    assert.deepEqual(survey({ image: 'registry.example/external-dns-webhook:v1' }), none);
    assert.deepEqual(survey({ replicas: 0 }), none);
  });

  test('is known by the name of its image or of its container', () => {
    assert.equal(survey({ image: 'localhost:5000/external-dns' }).state, 'Usable');
    assert.equal(survey({ image: 'mirror/dns-publisher:7', container: 'external-dns' }).state, 'Usable');
  });

  for (const [tag, isOld] of [
    [':v0.21.0', true],
    [':v0.22.0', false],
    [':0.14.2-debian-12-r4', true],
    [':v0.9', true],
    [':v1.0.0', false],
    [':v0.22.1-rc.1', false],
    [':v0.21.0@sha256:0123', true],
    ['@sha256:0123', false],
    [':latest', false],
    ['', false],
    [':v20260101-v0.1', false],
    [':0.21.0.7', false],
  ] as const) {
    test(`of image "…${tag}" is ${isOld ? 'too old' : 'not held to be too old'}`, () => {
      const found = survey({ image: `localhost:5000/external-dns${tag}` });
      assert.deepEqual(reasons(found), isOld ? ['PublisherTooOld'] : []);
      if (isOld)
        assert.match(messages(found), /^version v?0\.\d+\S* spoils or drops SRV records: upgrade to 0\.22 or later$/);
    });
  }

  test('of an image with another name is not judged by its tag', () => {
    assert.deepEqual(survey({ image: 'mirror/dns-publisher:0.3.1', container: 'external-dns' }), usable);
  });
});

describe('flags that lose SRV records', () => {
  for (const [what, args, message] of [
    ['no crd source', ['--source=service', ...types('SRV', 'A')], /^does not read DNSEndpoints: add --source=crd$/],
    ['no source at all', types('SRV', 'A'), /add --source=crd/],
    ['the default types', ['--source=crd'], /^manages A, AAAA, CNAME and not SRV: set --managed-record-types=A, /],
    ['types without SRV', ['--source=crd', ...types('A', 'TXT')], /^manages A, TXT and not SRV/],
    [
      'types in one flag',
      ['--source=crd', ...types('A,AAAA,SRV')],
      /^manages A,AAAA,SRV and not SRV: .* each by itself$/,
    ],
    ['SRV alone', ['--source=crd', ...types('SRV')], /^manages neither A nor AAAA/],
    ['SRV excluded', [...GOOD, '--exclude-record-types=SRV'], /^excludes SRV by --exclude-record-types: remove that$/],
    [
      'a provider without SRV',
      ['--source=crd', '--provider=azure-private-dns', ...types('SRV', 'A')],
      /^its provider azure-private-dns cannot write SRV/,
    ],
    ['another namespace', [...GOOD, '--namespace=prod'], /^looks only into namespace prod: run another one for kms/],
    [
      'another label',
      [...GOOD, '--label-filter=dns in (public)'],
      /^its --label-filter \(dns in \(public\)\) does not select the pool's DNSEndpoint/,
    ],
    ['an annotation', [...GOOD, '--annotation-filter=publish=yes'], /^its --annotation-filter/],
    [
      'another domain',
      [...GOOD, '--domain-filter=prod.example'],
      /^its --domain-filter or --exclude-domains leaves out lab\.example: add them$/,
    ],
    ['the domain excluded', [...GOOD, '--exclude-domains=lab.example'], /leaves out lab\.example/],
    ['a domain filter with a dot', [...GOOD, '--domain-filter=.b.example'], /leaves out lab\.example/],
  ] as const) {
    test(`${what}: PublisherIgnoresSrv, with the remedy`, () => {
      const found = survey({ args: [...args] });
      assert.deepEqual(
        [found.state, reasons(found), found.findings[0]?.where],
        ['Unsuitable', ['PublisherIgnoresSrv'], 'dns/external-dns'],
      );
      assert.match(messages(found), message);
    });
  }

  test('are all named at once, the version first', () => {
    const found = survey({ image: 'external-dns:v0.20.0', args: ['--source=ingress'] });
    assert.deepEqual(reasons(found), ['PublisherTooOld']);
    assert.match(
      messages(found),
      /^version v0\.20\.0 .*; does not read DNSEndpoints.*; manages A, AAAA, CNAME and not SRV/,
    );
  });
});

describe('flags that do no harm', () => {
  for (const [what, args] of [
    [
      'filters that fit',
      [...GOOD, '--namespace=kms', '--label-filter=kmspool.io/pool', '--domain-filter=', '--domain-filter=example.'],
    ],
    ['a filter for the domain itself', [...GOOD, '--domain-filter=other.test', '--domain-filter=.lab.example']],
    ['an exclusion of a neighbour', [...GOOD, '--exclude-domains=a.lab.example', '--exclude-domains=ab.example']],
    ['a pattern that nobody here runs', [...GOOD, '--regex-domain-filter=(a+)+$', '--domain-filter=prod.example']],
    ['a selector that nobody here understands', [...GOOD, '--label-filter=a b c']],
  ] as const) {
    test(what, () => assert.deepEqual(survey({ args: [...args] }), usable));
  }

  test('are not judged by a pool that is not known', () => {
    assert.deepEqual(
      survey({ args: [...GOOD, '--namespace=prod', '--label-filter=x=y', '--domain-filter=prod.example'] }, {}),
      usable,
    );
  });
});

describe('what is to be lived with is noted', () => {
  test('a policy that never removes, a provider that never changes, a type that is left out', () => {
    const args = ['--source=crd', '--provider=rfc2136', '--policy=upsert-only', ...types('SRV', 'A')];
    const found = survey({ args });
    assert.deepEqual([found.state, found.findings, found.notes.length], ['Usable', [], 3]);
    assert.match(
      messages(found),
      /--policy=upsert-only it never removes.* \| its provider rfc2136 adds SRV.* \| does not manage AAAA/,
    );
  });
});

describe('flags are read', () => {
  const lost = (parts: Parts): string[] => reasons(survey(parts));

  test('as a word of their own before the value', () => {
    const args = [
      '--source',
      'crd',
      '--managed-record-types',
      'SRV',
      '--managed-record-types',
      'A',
      '--provider',
      'pdns',
    ];
    assert.deepEqual(lost({ args }), []);
    assert.deepEqual(lost({ args: ['--source', 'service', ...types('SRV', 'A')] }), ['PublisherIgnoresSrv']);
  });

  test('from a whole command line in one text, after a shell too', () => {
    const line = `exec /external-dns --source=crd --txt-prefix="a b" \\\n --managed-record-types=SRV '--managed-record-types=A'`;
    assert.deepEqual(lost({ command: ['/bin/sh', '-c', line], args: [] }), []);
    assert.deepEqual(lost({ args: [line.replace('crd', 'ingress')] }), ['PublisherIgnoresSrv']);
  });

  test('from variables, several values on lines; the command line comes first', () => {
    const env = [
      { name: 'EXTERNAL_DNS_SOURCE', value: 'service\ncrd' },
      { name: 'EXTERNAL_DNS_MANAGED_RECORD_TYPES', value: 'A\r\nSRV\n' },
    ];
    assert.deepEqual(lost({ args: [], env }), []);
    assert.deepEqual(lost({ args: ['--source=service'], env }), ['PublisherIgnoresSrv']);
  });

  test('with variables filled in where they are known', () => {
    const env = [{ name: 'KIND', value: 'service' }];
    assert.deepEqual(lost({ args: ['--source=$(KIND)', ...types('SRV', 'A')], env }), ['PublisherIgnoresSrv']);
  });

  test('and not guessed where they come from elsewhere', () => {
    const elsewhere = [{ name: 'EXTERNAL_DNS_SOURCE', valueFrom: { configMapKeyRef: { name: 'x', key: 'y' } } }];
    assert.deepEqual(lost({ args: types('SRV', 'A'), env: elsewhere }), []);
    assert.deepEqual(lost({ args: [], envFrom: [{ configMapRef: { name: 'x' } }] }), []);
    assert.deepEqual(lost({ args: ['@/etc/flags'] }), []);
    const vast = [{ name: 'X', value: 'x'.repeat(1_000_000) }];
    assert.deepEqual(lost({ args: [`--source=${'$(X)'.repeat(8000)}`, ...types('SRV', 'A')], env: vast }), []);
    assert.deepEqual(lost({ args: Array.from({ length: 20_000 }, () => '--x') }), []);
    assert.deepEqual(lost({ args: ['--source=$(KIND)', ...types('SRV', 'A')] }), []);
    assert.deepEqual(
      lost({ command: ['sh', '-c', '/external-dns --source=$KIND --managed-record-types=$TYPES'], args: [] }),
      [],
    );
  });
});

describe('several of them', () => {
  const other = (name: string, args: string[]): Deployment => deployment({ name, args });

  test('are usable when each domain has one that publishes it; the others do not matter', () => {
    const pool = { ...POOL, domains: ['lab.example', 'lab.test'] };
    const public_ = other('public', ['--source=ingress']);
    const both = [
      other('a', [...GOOD, '--domain-filter=example']),
      other('b', [...GOOD, '--domain-filter=test']),
      public_,
    ];
    assert.deepEqual(findExternalDns(both, pool), usable);
    const found = findExternalDns([both[0]!, public_], pool);
    assert.equal(found.state, 'Unsuitable');
    assert.deepEqual(
      found.findings.map(({ where, message }) => `${where}: ${message.split(/[;:]/)[0]}`),
      ['dns/a: its --domain-filter or --exclude-domains leaves out lab.test', 'dns/public: does not read DNSEndpoints'],
    );
  });
});

test('whatever a Deployment holds is read without harm, and no message holds a control character', () => {
  const text = fc.oneof(
    fc.string(),
    fc.constantFrom('--source=crd', '--managed-record-types=SRV\n\u001b', '--domain-filter', '$(X)', '--a --source "'),
  );
  const container = fc.record(
    {
      name: fc.constantFrom('external-dns', 7),
      image: fc.oneof(text, fc.anything()),
      args: fc.oneof(fc.array(text), fc.anything()),
      command: fc.array(fc.anything()),
      env: fc.anything(),
      envFrom: fc.anything(),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.oneof(fc.array(fc.oneof(container, fc.anything())), fc.anything()), (containers) => {
      const object = { ...deployment({}), spec: { template: { spec: { containers } } } };
      const found = findExternalDns([object], POOL);
      assert.ok(['None', 'Usable', 'Unsuitable'].includes(found.state));
      assert.equal(found.findings.length > 0, found.state === 'Unsuitable');
      assert.match(messages(found), /^[\x20-\x7e]*$/);
    }),
    { numRuns: 500 },
  );
});

describe('a label selector', () => {
  const labels = { app: 'kms', 'kmspool.io/pool': 'campus' };
  for (const [selector, expected] of [
    ['', true],
    ['app', true],
    ['!app', false],
    ['app=kms', true],
    ['app==kms,kmspool.io/pool=campus', true],
    ['app!=kms', false],
    ['other!=x', true],
    ['app in (a, kms), !other', true],
    ['app notin (kms,x)', false],
    ['other notin (x)', true],
    ['other in (x)', false],
    ['app=kms,', undefined],
    ['a b', undefined],
    ['app in (a', undefined],
    ['constructor', false],
    [','.repeat(100_000), undefined],
  ] as const) {
    test(`"${selector.slice(0, 40)}": ${expected}`, () => assert.equal(matchesSelector(selector, labels), expected));
  }
});
