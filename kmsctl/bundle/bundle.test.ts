// SPDX-License-Identifier: Apache-2.0
//
// What leaves the house in a support bundle: no name, no address, no CMID, no secret; and the archive is one that tar reads.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Pseudonyms, withoutSecrets } from './redaction.ts';
import { tarOf } from './tar.ts';

const CMID = '0f0e0d0c-0b0a-0908-0706-050403020100';

describe('S1-47 pseudonyms', () => {
  test('the same machine is the same word everywhere, in any case, as a field, a word of a text or the head of a full name', () => {
    const hidden = new Pseudonyms();
    assert.equal(hidden.name('PC-17'), 'machine-0001');
    assert.equal(hidden.name('office printer'), 'machine-0002');
    assert.equal(hidden.name('pc-17'), 'machine-0001');
    assert.equal(hidden.name(''), '');
    assert.equal(
      hidden.text('pc-17 and PC-17.corp.example and "office PRINTER", not pc-170 or xpc-17'),
      'machine-0001 and machine-0001.corp.example and "machine-0002", not pc-170 or xpc-17',
    );
  });

  test('addresses go wherever they stand, loopback and versions stay', () => {
    const hidden = new Pseudonyms();
    assert.equal(
      hidden.text('10.1.2.3:1688 [fd00::17] ::ffff:10.1.2.3 127.0.16.1 0.22.0 v1.2.3.4.5 2026-01-01T10:20:30Z'),
      'address-0001:1688 [address-0002] ::ffff:address-0001 127.0.16.1 0.22.0 v1.2.3.4.5 2026-01-01T10:20:30Z',
    );
  });

  test('CMIDs that were met go, other IDs stay; fields of a log go also when they are new', () => {
    const hidden = new Pseudonyms();
    hidden.cmid(CMID);
    const other = '11111111-2222-3333-4444-555555555555';
    assert.equal(hidden.text(`${CMID.toUpperCase()} ${other}`), `cmid-0001 ${other}`);
    const line = JSON.stringify({ workstationName: 'new "one"', cmid: other, pool: other });
    const clean = hidden.text(line);
    assert.ok(!clean.includes('new'), clean);
    assert.match(clean, /"cmid":"cmid-0002","pool":"cmid-0002"/);
  });
});

test('S1-47 no product key, password, bearer token or credentials of a URL stay in a text', () => {
  // Put together here, so that no file holds the form of a key.
  const key = ['AAAAA', 'BBBBB', 'CCCCC', 'DDDDD', 'EEEEE'].join('-');
  const text = `slmgr /ipk ${key} url: redis://user:pa55@redis:6379/0 Authorization: Bearer abcdefghijk password: "hunter22" requirepass ok`;
  const clean = withoutSecrets(text);
  for (const secret of ['BBBBB', 'pa55', 'abcdefghijk', 'hunter22']) assert.ok(!clean.includes(secret), clean);
  assert.match(clean, /redis:6379\/0/);
});

test('the archive is one that tar reads, whatever the sizes of its files', {
  skip: spawnSync('tar', ['--version']).status !== 0 && 'tar is not installed',
}, () => {
  const folder = mkdtempSync(join(tmpdir(), 'kmsctl-tar-'));
  try {
    const contents = ['', 'x', 'y'.repeat(511), 'z'.repeat(512), '한국어\n'.repeat(300)];
    const files = contents.map((content, at) => ({ path: `b/hosts/f${at}.txt`, content }));
    writeFileSync(join(folder, 'a.tar'), tarOf(files, Date.UTC(2026, 0, 1)));
    const { status, stderr } = spawnSync('tar', ['xf', 'a.tar'], { cwd: folder, encoding: 'utf8' });
    assert.deepEqual([status, stderr], [0, '']);
    for (const { path, content } of files) assert.equal(readFileSync(join(folder, path), 'utf8'), content);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  assert.throws(() => tarOf([{ path: 'x'.repeat(101), content: '' }], 0), RangeError);
});
