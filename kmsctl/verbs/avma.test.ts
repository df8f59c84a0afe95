// SPDX-License-Identifier: Apache-2.0
//
// `kmsctl avma` as a user types it. What AVMA does is tested in kms/avma; here are the examples, the file's mistakes, the outputs.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openSandbox } from '../testing/child.ts';
import { runHere, type Said } from '../testing/here.ts';

const EXAMPLES = fileURLToPath(new URL('../../examples/avma/', import.meta.url));
const sandbox = openSandbox();
after(() => sandbox.close());
const kmsctl = (...args: string[]): Promise<Said> => runHere(['avma', ...args], { dir: sandbox.dir });
const file = (name: string, content: string): string => {
  writeFileSync(join(sandbox.dir, name), content);
  return name;
};
const example = (name: string): string => join(EXAMPLES, name);
const TENANTS = example('tenants.yaml');
// As the licence boundary's own tests do: a key in the shape of one, made when it is needed.
const key = ['ABCDE', 'FGHJK', 'LMNPQ', 'RTVWX', 'Y2346'].join('-');

describe('the examples', () => {
  for (const name of readdirSync(EXAMPLES)) {
    test(`${name}: what it expects comes to be`, async () => {
      const { code, stdout, stderr } = await kmsctl(example(name));
      assert.deepEqual([code, stderr], [0, ''], stdout);
      assert.match(stdout, /all \d+ expectations hold/);
      assert.doesNotMatch(stdout, /✘/);
    });
  }
});

test('what does not come to be is exit code 1, with what is so instead', async () => {
  const wrong = readFileSync(example('migration.yaml'), 'utf8').replace('boundTo: hv1}]', 'boundTo: attic}]');
  const { code, stdout } = await kmsctl(file('wrong.yaml', wrong));
  assert.equal(code, 1);
  assert.match(stdout, /✘ app: boundTo is hv1, and not attic/);
  assert.match(stdout, /1 of 20 expectations fail/);
});

test('S5-28 nothing is shown to a user of a guest: there are records, and they are all', async () => {
  const { stdout } = await kmsctl(example('basic.yaml'), '-o', 'json');
  const { steps } = JSON.parse(stdout);
  const records = steps.flatMap((step: { records: { id: number }[] }) => step.records);
  assert.deepEqual([...new Set(records.map(({ id }: { id: number }) => id))].sort(), [12309, 12310]);
});

describe('reports', () => {
  test('S5-10 for a tenant have its guests and no host, no other tenant', async () => {
    const { code, stdout } = await kmsctl(TENANTS, '--report', 'tenant', '--tenant', 'contoso', '-o', 'json');
    assert.equal(code, 0);
    assert.deepEqual(
      JSON.parse(stdout).map((row: { guest: string }) => row.guest),
      ['contoso-db', 'contoso-web'],
    );
    assert.doesNotMatch(stdout, /hv1|hv2|fabrikam/);
  });

  test('S5-04 S5-08 S5-10 for compliance are CSV that names every guest a host has activated', async () => {
    const { stdout } = await kmsctl(TENANTS, '--report', 'compliance', '-o', 'csv');
    const rows = stdout.trimEnd().split('\r\n');
    assert.equal(rows[0], 'tenant,guest,hosts,activations,refusals,first,last');
    assert.deepEqual(
      rows.slice(1).map((row) => row.split(',').slice(0, 5).join(' ')),
      ['contoso contoso-db hv2 5 0', 'contoso contoso-web hv1 hv2 6 0', 'fabrikam fabrikam-app hv1 5 0'],
    );
  });

  test('S5-20 what a guest says is called untrusted, and cannot become a formula of a spreadsheet', async () => {
    const tampered = readFileSync(example('tampered.yaml'), 'utf8').replace(/ {2}- wait: 7d[\s\S]*/, '');
    const { stdout } = await kmsctl(file('tampered.yaml', tampered), '--report', 'host', '-o', 'csv');
    assert.match(stdout, /^host,guest,tenant,running,license,bound_to,untrusted_fqdn,untrusted_osName,/);
    assert.match(stdout, /,"'=HYPERLINK\(""x""\)",Windows Server 2008,/);
  });

  test('S5-22 of history are the records of the hosts', async () => {
    const { stdout } = await kmsctl(example('basic.yaml'), '--report', 'history');
    assert.match(stdout, /^2026-01-05 08:00 +hv1 +web +own +Start +Success +Activated$/m);
    assert.doesNotMatch(stdout, /elsewhere/);
  });
});

describe('a mistake is one line that names file, line, field and remedy:', () => {
  const good =
    'name: x\nhosts: [{name: h, os: WindowsServer2022}]\nguests: [{name: g, host: h, os: WindowsServer2022}]\n';
  const CASES: readonly (readonly [what: string, text: string, line: RegExp])[] = [
    ['no YAML', 'name: [', /no-YAML\.yaml:1: this is not YAML/],
    [
      'a host that is not there',
      `${good}steps:\n  - migrate: {guest: g, to: hv9}`,
      /:5: steps\[0\]\.migrate\.to: there is no host hv9; use one of h$/m,
    ],
    [
      'a guest that is not there',
      `${good}steps: [{start: web}]`,
      /steps\[0\]\.start: there is no guest web; use one of g/,
    ],
    [
      'two actions',
      `${good}steps: [{start: g, wait: 1d}]`,
      /steps\[0\]: the step does start and wait at once; write exactly one of/,
    ],
    ['no action', `${good}steps: [{note: hm}]`, /the step does nothing/],
    ['an unknown field', `${good}steps: [{start: g}]\nhots: []`, /unknown field hots/],
    [
      'an edition that there is not',
      good
        .replace('os: WindowsServer2022}]\nsteps', '')
        .replace('host: h, os', 'edition: Essentials, host: h, os')
        .concat('steps: [{start: g}]'),
      /guests\[0\]\.edition: WindowsServer2022 has no Essentials; use Datacenter, Standard/,
    ],
    [
      'an unknown system',
      good.replace('g, host: h, os: WindowsServer2022', 'g, host: h, os: Windows11').concat('steps: [{start: g}]'),
      /guests\[0\]\.os: use one of WindowsServer2012R2/,
    ],
    [
      'a name twice',
      good.replace('[{name: h,', '[{name: h, os: Other}, {name: h,').concat('steps: [{start: g}]'),
      /hosts\[1\]\.name: h stands above already/,
    ],
    ['a bad time', `${good}steps: [{wait: soon}]`, /steps\[0\]\.wait: write a time such as 30m, 12h or 7d/],
    ['too long', `${good}steps: [{wait: 4000d}]`, /wait at most 366d/],
    ['no steps', good, /steps: write a list here/],
    [
      'a product key',
      good.replace('host: h', `key: ${key}, host: h`).concat('steps: [{start: g}]'),
      /guests\[0\]\.key: write Avma, Retail, Oem or Volume.*not needed/,
    ],
  ];
  for (const [what, text, line] of CASES) {
    test(what, async () => {
      const { code, stdout, stderr } = await kmsctl(file(`${what.replaceAll(' ', '-')}.yaml`, text));
      assert.deepEqual([code, stdout], [2, ''], stderr);
      assert.match(stderr, /^kmsctl: [^\n]+\n$/);
      assert.match(stderr, line);
      assert.doesNotMatch(stderr, /FGHJK|RTVWX/);
    });
  }

  test('flags', async () => {
    const said = async (...args: string[]): Promise<string> => (await kmsctl(...args)).stderr;
    assert.match(await said('nope.yaml'), /nope\.yaml cannot be read \(ENOENT\)/);
    assert.match(await said(TENANTS, '-o', 'csv'), /-o csv prints a report; choose one with --report/);
    assert.match(await said(TENANTS, '--report', 'tenant'), /say whose with --tenant; there are contoso, fabrikam/);
    assert.match(await said(TENANTS, '--report', 'tenant', '--tenant', 'me'), /--tenant: there is no me/);
    assert.match(await said(TENANTS, '--tenant', 'contoso'), /--tenant goes with --report tenant/);
  });
});

test('a product key anywhere in a scenario is never printed', async () => {
  const good = 'hosts: [{name: h, os: WindowsServer2022}]\nguests: [{name: g, host: h, os: WindowsServer2022}]\n';
  const text = `name: ${key}\n${good}steps: [{start: g, note: ${key}}, {tamper: {guest: g, data: {fqdn: ${key}}}, expect: [{guest: g, fqdn: x}]}]`;
  file('key.yaml', text);
  for (const flags of [
    [],
    ['-o', 'json'],
    ['--report', 'host'],
    ['--report', 'host', '-o', 'csv'],
    ['--report', 'host', '-o', 'json'],
  ]) {
    const { stdout, stderr } = await kmsctl('key.yaml', ...flags);
    assert.doesNotMatch(stdout + stderr, /FGHJK|RTVWX/, flags.join(' '));
  }
});
