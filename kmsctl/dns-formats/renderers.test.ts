// SPDX-License-Identifier: Apache-2.0
//
// The texts for other name servers. That real programs take them is test/integration/dns-export.test.ts; for Microsoft's there is only
// careful quoting, which is held here.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { buildZones } from '../dns/zone.ts';
import { CAMPUS_SOURCE, hostOf, recordsOf } from './fixtures.ts';
import { exportRecords, isPlainName } from './records.ts';
import { dnscmdBatch, powershellScript, psQuoted, skmsLines } from './windows.ts';
import { bindZone, dnsmasqConf, nsupdateScript, unboundConf } from './zone-files.ts';

const RECORDS = recordsOf(CAMPUS_SOURCE);
const sorted = (records: readonly object[]): string[] =>
  records.map((record) => JSON.stringify(Object.entries(record).sort())).sort();
const HOSTILE = [
  "lab'; Remove-Item C:\\ -Recurse; '.example",
  'lab.example & format c:',
  'lab.example\nupdate delete example.',
  '"lab.example"',
  'lab.example;',
  '%PATH%.example',
  '$(calc).example',
  'lab\u2019.example',
  '-lab.example',
  '',
];

describe('the records of a pool', () => {
  test('S3-62 have the ranks of spec.dns.domains, full names as targets, addresses in the first domain', () => {
    const lines = RECORDS.map((record) =>
      record.type === 'SRV'
        ? `${record.name} ${record.priority} ${record.weight} ${record.port} ${record.target}`
        : `${record.name} ${record.type} ${record.address}`,
    );
    assert.deepEqual(lines, [
      '_vlmcs._tcp.lab.example 0 60 1688 campus-0.kms.lab.example',
      '_vlmcs._tcp.lab.example 0 60 1688 campus-1.kms.lab.example',
      '_vlmcs._tcp.lab.example 10 0 1688 campus-2.kms.lab.example',
      '_vlmcs._tcp.branch.example 10 0 1688 campus-0.kms.lab.example',
      '_vlmcs._tcp.branch.example 10 0 1688 campus-1.kms.lab.example',
      '_vlmcs._tcp.branch.example 10 0 1688 campus-2.kms.lab.example',
      'campus-0.kms.lab.example A 192.0.2.10',
      'campus-0.kms.lab.example AAAA fd00::10',
      'campus-1.kms.lab.example A 192.0.2.11',
    ]);
  });

  test('S3-62 are those that the name server of kmsctl up gives, whatever the ranks', () => {
    const tier = fc.record({ hosts: fc.integer({ min: 1, max: 3 }), priority: fc.nat(65_535), weight: fc.nat(65_535) });
    fc.assert(
      fc.property(fc.array(tier, { minLength: 1, maxLength: 3 }), fc.integer({ min: 1, max: 6 }), (tiers, count) => {
        const domains = [
          { name: 'lab.example', ttlSeconds: 60, tiers },
          { name: 'sub.lab.example', ttlSeconds: 30, priority: 1 },
        ];
        const hosts = Array.from({ length: count }, (_, ordinal) => hostOf(ordinal, [`192.0.2.${ordinal}`]));
        const served = buildZones({
          pool: 'campus',
          namespace: 'kms',
          domains,
          hosts,
          nameserverAddress: '127.0.0.1',
          serial: 1,
        })
          .flatMap(({ names }) => [...names.values()].flat())
          .filter(({ type, name }) => type === 'SRV' || (type === 'A' && !name.startsWith('ns.')));
        const shown = served.map(({ name, ttl, type, data }) => ({
          name,
          ttlSeconds: ttl,
          type,
          ...(type === 'SRV' ? data : { address: data }),
        }));
        const exported = recordsOf({ domains, hosts }).map(({ zone: _zone, host: _host, ...record }) => record);
        assert.deepEqual(sorted(exported), sorted(shown));
      }),
    );
  });

  test('stand in the zone that holds them', () => {
    const records = recordsOf({ ...CAMPUS_SOURCE, zones: ['example', 'lab.example'] });
    assert.deepEqual(
      records.map(({ zone }) => zone).filter((zone, at, all) => zone !== all[at - 1]),
      ['lab.example', 'example', 'lab.example'],
    );
  });

  test('with a name or an address that could be a command are refused, wherever it comes from', () => {
    for (const name of HOSTILE) {
      assert.equal(isPlainName(name), false, name);
      const domain = exportRecords({ ...CAMPUS_SOURCE, domains: [{ name, ttlSeconds: 60 }] });
      const target = exportRecords({ ...CAMPUS_SOURCE, hosts: [{ ...hostOf(0, []), target: name }] });
      const address = exportRecords({ ...CAMPUS_SOURCE, hosts: [hostOf(0, [name])] });
      const zone = exportRecords({ ...CAMPUS_SOURCE, zones: [name] });
      assert.deepEqual([domain.ok, target.ok, address.ok, zone.ok], [false, false, false, false], name);
    }
    assert.equal(exportRecords({ ...CAMPUS_SOURCE, hosts: [hostOf(0, ['fe80::1%eth0'])] }).ok, false);
  });
});

describe('Microsoft DNS', () => {
  test('S2-21 S3-68 by PowerShell: service, protocol, port, host, and what the rank says', () => {
    const script = powershellScript(RECORDS, {});
    assert.match(
      script,
      /^Add-DnsServerResourceRecord -Srv -ZoneName 'lab\.example' -Name '_vlmcs\._tcp' -DomainName 'campus-0\.kms\.lab\.example\.' -Priority 0 -Weight 60 -Port 1688 -TimeToLive \(\[TimeSpan\]::FromSeconds\(60\)\)$/m,
    );
    assert.match(
      script,
      /^Add-DnsServerResourceRecord -AAAA -ZoneName 'lab\.example' -Name 'campus-0\.kms' -IPv6Address 'fd00::10' /m,
    );
    assert.equal(script.match(/^Add-/gm)?.length, RECORDS.length);
  });

  test('by PowerShell quotes every text: a quote in it is doubled, whatever kind', () => {
    assert.equal(psQuoted("a'b"), "'a''b'");
    assert.equal(psQuoted('a\u2019b'), "'a\u2019\u2019b'");
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const inside = psQuoted(text).slice(1, -1);
        // Left of every pair of quotes nothing may end the literal.
        assert.doesNotMatch(inside.replace(/(['\u2018-\u201b])\1/g, ''), /['\u2018-\u201b]/);
      }),
    );
  });

  test('S3-63 takes out exactly what it put there', () => {
    const script = powershellScript(RECORDS, { remove: true });
    assert.match(
      script,
      /Where-Object \{ \$_\.RecordData\.DomainName -eq 'campus-2\.kms\.lab\.example\.' -and \$_\.RecordData\.Port -eq 1688 \} \| Remove-DnsServerResourceRecord -ZoneName 'branch\.example' -Force/,
    );
    assert.doesNotMatch(script, /^Add-/m);
    assert.match(
      dnscmdBatch(RECORDS, { remove: true }),
      /\/RecordDelete lab\.example _vlmcs\._tcp SRV 0 60 1688 campus-0\.kms\.lab\.example\. \/f/,
    );
  });

  test('S2-21 S3-68 by dnscmd: zone, node, TTL, type and data', () => {
    const batch = dnscmdBatch(RECORDS, {});
    assert.match(
      batch,
      /^dnscmd %SERVER% \/RecordAdd lab\.example _vlmcs\._tcp 60 SRV 0 60 1688 campus-0\.kms\.lab\.example\. \|\| exit \/b 1$/m,
    );
    assert.match(
      batch,
      /^dnscmd %SERVER% \/RecordAdd branch\.example _vlmcs\._tcp 300 SRV 10 0 1688 campus-2\.kms\.lab\.example\. /m,
    );
  });

  test('no text has a character that a shell of Windows would act on', () => {
    fc.assert(
      fc.property(fc.domain(), (name) => {
        const records = recordsOf({ ...CAMPUS_SOURCE, domains: [{ name: name.toLowerCase(), ttlSeconds: 60 }] });
        const batch = dnscmdBatch(records, {})
          .split('\n')
          .filter((line) => line.startsWith('dnscmd'));
        assert.ok(
          batch.every((line) => /^dnscmd %SERVER% [\w./:-]+( [\w./:-]+)+ \|\| exit \/b 1$/.test(line)),
          batch.join('\n'),
        );
      }),
    );
  });
});

describe('clients without SRV', () => {
  test('S3-38 S2-26 S3-76 get one /skms line a host, the best first, by name and port', () => {
    const lines = skmsLines(RECORDS)
      .split('\n')
      .filter((line) => line.includes('/skms'));
    assert.deepEqual(
      lines.map((line) => line.split('/skms ')[1]),
      ['campus-0.kms.lab.example:1688', 'campus-1.kms.lab.example:1688', 'campus-2.kms.lab.example:1688'],
    );
    assert.match(skmsLines(RECORDS), /for about 50 % of the clients/);
    assert.match(skmsLines(RECORDS), /priority 10: stands by/);
  });
});

describe('other name servers', () => {
  test('S2-22 S3-71 C4 a BIND zone has the name, type, priority, weight, port and host of table 5', () => {
    const zone = bindZone(RECORDS, { serial: 1 });
    assert.match(zone, /^\$ORIGIN lab\.example\.$/m);
    assert.match(zone, /^_vlmcs\._tcp {2}60 IN SRV {2}0 60 1688 campus-0\.kms\.lab\.example\.$/m);
    assert.doesNotMatch(zone, /SOA/);
  });

  test('S2-24 S3-71 updates are allowed to one key and these names, not to everybody', () => {
    const zone = bindZone(RECORDS, { serial: 1 });
    assert.match(zone, /grant kmspool name _vlmcs\._tcp\.lab\.example\. SRV;/);
    assert.match(zone, /Do not write allow-update \{ any; \}/);
    assert.match(nsupdateScript(RECORDS, {}), /^; nsupdate -k kmspool\.key/);
  });

  test('S3-63 nsupdate takes out exactly these records, not the whole name', () => {
    const script = nsupdateScript(RECORDS, { remove: true, server: '192.0.2.53 53' });
    assert.match(script, /^server 192\.0\.2\.53 53$/m);
    assert.match(
      script,
      /^update delete _vlmcs\._tcp\.lab\.example\. IN SRV 0 60 1688 campus-0\.kms\.lab\.example\.$/m,
    );
    assert.equal(script.match(/^send$/gm)?.length, 2);
  });

  test('S2-22 dnsmasq has port before priority and weight; Unbound answers for these names only', () => {
    assert.match(dnsmasqConf(RECORDS), /^srv-host=_vlmcs\._tcp\.lab\.example,campus-2\.kms\.lab\.example,1688,10,0$/m);
    assert.match(
      unboundConf(RECORDS),
      /local-data: "_vlmcs\._tcp\.lab\.example\. 60 IN SRV 10 0 1688 campus-2\.kms\.lab\.example\."/,
    );
    assert.doesNotMatch(unboundConf(RECORDS), /local-zone: "lab\.example\."/);
  });
});
