// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { loadPools } from '@kmspool/crds';
import { rankHosts } from '@kmspool/kms/dns';
import fc from 'fast-check';
import { distinctLists, domainsOf, listsOfHosts } from './domains.ts';
import { CAMPUS_SOURCE } from './fixtures.ts';
import { type Parsed, parsePublishLine, parsePublishText, publishText } from './publish-list.ts';
import type { ExportDomain } from './records.ts';
import { decodeText, encodeReg, isRegText, parseReg, REGISTRY_PLACES, regText } from './registry.ts';

const KEY = REGISTRY_PLACES.SoftwareProtectionPlatform;

function valueIn<T>(parsed: Parsed<T>): T {
  if (!parsed.ok) assert.fail(parsed.reason);
  return parsed.value;
}

function reasonIn(parsed: Parsed<unknown>): string {
  return parsed.ok ? assert.fail(`accepted: ${JSON.stringify(parsed.value)}`) : parsed.reason;
}

const reg = (...lines: string[]): string => ['Windows Registry Editor Version 5.00', '', ...lines, ''].join('\r\n');
const multiText = (...lines: string[]): string =>
  `hex(7):${[...Buffer.from(`${lines.map((line) => `${line}\0`).join('')}\0`, 'utf16le')].map((byte) => byte.toString(16).padStart(2, '0')).join(',')}`;

const rank = fc.record({ priority: fc.integer({ min: 0, max: 65_535 }), weight: fc.integer({ min: 0, max: 65_535 }) });
const tiers = fc.tuple(fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), rank), { maxLength: 3 }), rank);

/** Domains as a manifest may have them, each once. */
const domainsArbitrary: fc.Arbitrary<ExportDomain[]> = fc.uniqueArray(
  fc
    .tuple(
      fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?\.(test|example)$/),
      fc.oneof(
        rank,
        tiers.map(([closed, last]) => ({ tiers: [...closed.map(([hosts, each]) => ({ hosts, ...each })), last] })),
      ),
    )
    .map(([name, ranking]): ExportDomain => ({ name, ttlSeconds: 60, ...ranking })),
  { minLength: 1, maxLength: 6, selector: ({ name }) => name },
);

describe('a line of DnsDomainPublishList', () => {
  test('S2-33 S2-34 S3-62 is a domain, alone or with priority and weight', () => {
    assert.deepEqual(valueIn(parsePublishLine('contoso.com')), { domain: 'contoso.com' });
    const rank = { priority: 10, weight: 20 };
    assert.deepEqual(valueIn(parsePublishLine(' CONTOSO.com. , 10,20 ')), { domain: 'contoso.com', rank });
  });

  test('that is neither is refused with what to write', () => {
    assert.match(reasonIn(parsePublishLine('contoso.com, 10')), /write DOMAIN, or DOMAIN, PRIORITY, WEIGHT/);
    assert.match(reasonIn(parsePublishLine('contoso.com, 0, 65536')), /from 0 to 65535/);
    assert.match(reasonIn(parsePublishLine('contoso.com, -1, 0')), /from 0 to 65535/);
    assert.match(reasonIn(parsePublishLine('_vlmcs._tcp.contoso.com')), /write the domain alone/);
    assert.match(reasonIn(parsePublishLine('bücher.example')), /write xn--bcher-kva\.example/);
    assert.match(reasonIn(parsePublishLine('a b.example')), /is no DNS domain/);
    assert.match(reasonIn(parsePublishLine(`${'a.'.repeat(80)}example`)), /more than 145 characters/);
  });
});

describe('a publish list as text', () => {
  test('has comments and empty lines, and says the line of a mistake', () => {
    const [list] = valueIn(parsePublishText('# ours\r\n\r\nlab.example\r\n; old\r\nbranch.example, 1, 2\r\n'));
    assert.deepEqual(
      list?.entries.map(({ domain }) => domain),
      ['lab.example', 'branch.example'],
    );
    assert.match(reasonIn(parsePublishText('lab.example\n\nlab_example')), /^line 3: /);
    assert.match(reasonIn(parsePublishText('# nothing\n')), /there is no domain in it/);
  });

  test('has each domain once; the same line again is no mistake', () => {
    assert.equal(valueIn(parsePublishText('lab.example\nLAB.example'))[0]?.entries.length, 1);
    assert.match(
      reasonIn(parsePublishText('lab.example, 0, 1\nlab.example, 0, 2')),
      /line 2: lab\.example stands above/,
    );
  });

  test('S2-34 of Vista and Server 2008 has domains only', () => {
    const text = publishText(listsOfHosts(CAMPUS_SOURCE.domains, ['campus-0']), true);
    assert.equal(text, 'lab.example\nbranch.example\n');
  });
});

describe('a .reg file', () => {
  test('S3-65 from regedit is read: UTF-16 with byte order mark, folded bytes, other values beside', () => {
    const text = reg(
      '; exported',
      `[${KEY}]`,
      '"KeyManagementServicePort"="1688"',
      `"DnsDomainPublishList"=${multiText('lab.example, 0, 60', 'branch.example').replace(/((?:[0-9a-f]{2},){20})/g, '$1\\\r\n  ')}`,
      `[${KEY}\\55c92734-d682-4d71-983e-d6ec3f16059f]`,
      `"DnsDomainPublishList"=${multiText('wrong.example')}`,
    );
    const bytes = encodeReg(text);
    assert.deepEqual([...bytes.subarray(0, 2)], [0xff, 0xfe]);
    const { list, place, publish } = valueIn(parseReg(decodeText(bytes)));
    assert.deepEqual(list?.entries, [
      { domain: 'lab.example', rank: { priority: 0, weight: 60 } },
      { domain: 'branch.example' },
    ]);
    assert.deepEqual([place, publish], ['SoftwareProtectionPlatform', true]);
  });

  test('S3-64 C2 is read from either place, and the newer one wins', () => {
    const old = [`[${REGISTRY_PLACES.SL}]`, `"DnsDomainPublishList"=${multiText('old.example')}`];
    const now = [`[${KEY}]`, `"DnsDomainPublishList"=${multiText('new.example')}`];
    assert.equal(valueIn(parseReg(reg(...old))).place, 'SL');
    const both = valueIn(parseReg(reg(...old, ...now)));
    assert.deepEqual([both.place, both.list?.entries[0]?.domain], ['SoftwareProtectionPlatform', 'new.example']);
    assert.match(both.notes[0] ?? '', /both places/);
  });

  test('S2-09 S3-72 DisableDnsPublishing 1 turns publishing off, 0 and absence leave it on', () => {
    const at = (value: string): boolean =>
      valueIn(parseReg(reg(`[${KEY}]`, `"DisableDnsPublishing"=${value}`))).publish;
    assert.deepEqual([at('dword:00000001'), at('dword:00000000')], [false, true]);
    assert.equal(valueIn(parseReg(reg(`[${KEY}]`, `"DnsDomainPublishList"=${multiText('a.example')}`))).publish, true);
    assert.match(reasonIn(parseReg(reg(`[${KEY}]`, '"DisableDnsPublishing"="1"'))), /no REG_DWORD/);
  });

  test('without the values, or with damaged ones, is refused with the remedy', () => {
    assert.match(
      reasonIn(parseReg(reg('[HKEY_LOCAL_MACHINE\\SOFTWARE]'))),
      /export the subkey SoftwareProtectionPlatform/,
    );
    assert.match(
      reasonIn(parseReg(reg(`[-${KEY}]`, `"DnsDomainPublishList"=${multiText('a.example')}`))),
      /export the subkey/,
    );
    assert.match(reasonIn(parseReg(reg(`[${KEY}]`, '"DnsDomainPublishList"="a.example"'))), /no REG_MULTI_SZ/);
    assert.match(reasonIn(parseReg(reg(`[${KEY}]`, '"DnsDomainPublishList"=hex(7):61,00,zz'))), /damaged/);
    assert.match(
      reasonIn(parseReg(reg(`[${KEY}]`, `"DnsDomainPublishList"=${multiText('a b')}`))),
      /entry 1: .* no DNS domain/,
    );
  });

  test('of the old format has bytes of one-byte letters', () => {
    const bytes = [...Buffer.from('a.example\0b.example, 1, 2\0\0', 'latin1')]
      .map((byte) => byte.toString(16))
      .join(',');
    const text = `REGEDIT4\n\n[${KEY}]\n"DnsDomainPublishList"=hex(7):${bytes}\n`;
    assert.equal(isRegText(text), true);
    assert.deepEqual(
      valueIn(parseReg(text)).list?.entries.map(({ domain }) => domain),
      ['a.example', 'b.example'],
    );
  });

  test('never shows a product key that stands beside the values, whatever is wrong', () => {
    const key = ['ABCDE', 'FGHJK', 'LMNPQ', 'RTVWX', 'Y2346'].join('-');
    const beside = `"BackupProductKeyDefault"="${key}"`;
    for (const value of [multiText('lab.example'), '"x"', 'hex(7):61', multiText('no domain')]) {
      const parsed = parseReg(reg(`[${KEY}]`, beside, `"DnsDomainPublishList"=${value}`));
      assert.doesNotMatch(JSON.stringify(parsed), /FGHJK|RTVWX/);
    }
    assert.doesNotMatch(reasonIn(parsePublishText(key)), /FGHJK|RTVWX/);
    assert.doesNotMatch(reasonIn(parsePublishText(`a.example, ${key}`)), /FGHJK|RTVWX/);
  });

  test('S2-34 S3-64 for Vista stands at SL and has no ranks', () => {
    const [list] = listsOfHosts(CAMPUS_SOURCE.domains, ['campus-0']);
    const text = regText(list ?? assert.fail(), { place: 'SL', publish: false });
    const read = valueIn(parseReg(text));
    assert.deepEqual(read.list?.entries, [{ domain: 'lab.example' }, { domain: 'branch.example' }]);
    assert.deepEqual([read.place, read.publish], ['SL', false]);
    assert.ok(
      text.split('\r\n').every((line) => !line.includes('\n')),
      'every line ends as on Windows',
    );
  });

  test('any bytes are an answer, never an exception', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void parseReg(decodeText(bytes))));
    fc.assert(
      fc.property(fc.string(), (line) => {
        parseReg(reg(`[${KEY}]`, `"DnsDomainPublishList"=${line}`));
        parsePublishText(line);
      }),
    );
  });
});

describe('export and import', () => {
  const hostNames = (count: number): string[] => Array.from({ length: count }, (_, ordinal) => `p-${ordinal}`);
  const ranked = (domains: Parameters<typeof listsOfHosts>[0], count: number): unknown =>
    domains.map((domain) => [domain.name, rankHosts(domain, count)]);

  test('S3-61 S3-62 as text give the same domains, in order, with the same rank for every host', () => {
    fc.assert(
      fc.property(domainsArbitrary, fc.integer({ min: 1, max: 8 }), (domains, count) => {
        const text = publishText(distinctLists(listsOfHosts(domains, hostNames(count))), false);
        const back = valueIn(domainsOf(valueIn(parsePublishText(text))));
        assert.deepEqual(
          ranked(
            back.domains.map((each) => ({ ttlSeconds: 60, ...each })),
            count,
          ),
          ranked(domains, count),
        );
        assert.deepEqual(back.notes, []);
      }),
    );
  });

  test('S3-65 as one .reg file for each host do, too', () => {
    fc.assert(
      fc.property(domainsArbitrary, fc.integer({ min: 1, max: 5 }), fc.boolean(), (domains, count, publish) => {
        const files = listsOfHosts(domains, hostNames(count)).map((list) =>
          encodeReg(regText(list, { place: 'SoftwareProtectionPlatform', publish })),
        );
        const read = files.map((file) => valueIn(parseReg(decodeText(file))));
        assert.ok(read.every((each) => each.publish === publish));
        const back = valueIn(domainsOf(read.flatMap(({ list }) => list ?? [])));
        assert.deepEqual(
          ranked(
            back.domains.map((each) => ({ ttlSeconds: 60, ...each })),
            count,
          ),
          ranked(domains, count),
        );
      }),
    );
  });

  test('what comes out is accepted as spec.dns.domains', () => {
    fc.assert(
      fc.property(domainsArbitrary, fc.integer({ min: 1, max: 8 }), (domains, count) => {
        const { domains: back } = valueIn(domainsOf(listsOfHosts(domains, hostNames(count))));
        const spec = { replicas: 1, hostKeys: [{ product: 'WindowsServer2025' }], dns: { domains: back } };
        const manifest = { apiVersion: 'kmspool.io/v1alpha1', kind: 'KmsHostPool', metadata: { name: 'p' }, spec };
        const loaded = loadPools(JSON.stringify(manifest), { file: 'p', localStore: true });
        assert.deepEqual(loaded.ok ? [] : loaded.errors, []);
      }),
      { numRuns: 30 },
    );
  });

  test('a domain that only some hosts publish is told', () => {
    const { notes } = valueIn(
      domainsOf([{ entries: [{ domain: 'a.example' }] }, { entries: [{ domain: 'b.example' }] }]),
    );
    assert.match(notes[0] ?? '', /a\.example is published by 1 of 2 hosts/);
  });
});
