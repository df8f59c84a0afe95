// SPDX-License-Identifier: Apache-2.0
//
// The parts of `kmsctl up` that are not processes: manifest, key, folder, ports, Redis URL, endpoints.json.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { UserError } from '@kmspool/crds';
import type { Io } from '../cli/io.ts';
import { CAMPUS } from '../testing/child.ts';
import { findEndpoints } from './endpoints.ts';
import { readKeyFile } from './key-file.ts';
import { loadPool } from './pool-file.ts';
import { placeHosts } from './ports.ts';
import { parseRedisUrl } from './redis-url.ts';
import { openState } from './state-dir.ts';

const dir = mkdtempSync(join(tmpdir(), 'kmsctl-pool-'));
after(() => rmSync(dir, { recursive: true, force: true }));

const file = (name: string, content: string | Buffer): string => {
  writeFileSync(join(dir, name), content);
  return join(dir, name);
};

const user =
  (pattern: RegExp): ((error: unknown) => boolean) =>
  (error) => {
    assert.ok(error instanceof UserError, String(error));
    assert.match(error.message, pattern);
    assert.doesNotMatch(error.message, /\n/);
    return true;
  };

describe('the manifest', () => {
  test('of the examples is one that can run here', () => {
    const pool = loadPool({ file: CAMPUS, shownAs: 'campus.yaml' });
    assert.equal(pool.metadata.name, 'campus');
    assert.equal(pool.spec.replicas, 3);
  });

  test('is refused with the field of a zone that is no test zone', () => {
    const text = readFileSync(CAMPUS, 'utf8').replace('name: branch.example', 'name: contoso.com');
    const manifest = file('zone.yaml', text);
    assert.throws(
      () => loadPool({ file: manifest, shownAs: 'zone.yaml' }),
      user(/spec\.dns\.domains\[1\]\.name: contoso\.com .*ZoneNotAllowed/),
    );
    for (const almost of ['mytest', 'lab.example.com', 'example.org']) {
      const other = file('zone.yaml', text.replace('contoso.com', almost));
      assert.throws(() => loadPool({ file: other, shownAs: 'zone.yaml' }), user(/ZoneNotAllowed/), almost);
    }
  });

  test('with several pools needs a choice', () => {
    const campus = readFileSync(CAMPUS, 'utf8');
    const two = file('two.yaml', `${campus}\n---\n${campus.replace('name: campus\n', 'name: second\n')}`);
    assert.throws(() => loadPool({ file: two, shownAs: 'two.yaml' }), user(/--pool: campus, second/));
    assert.equal(loadPool({ file: two, shownAs: 'two.yaml', poolName: 'second' }).metadata.name, 'second');
    assert.throws(
      () => loadPool({ file: two, shownAs: 'two.yaml', poolName: 'third' }),
      user(/no pool third; use one of campus, second/),
    );
  });

  test('with a mistake names file, line and field, in one line however many there are', () => {
    const bad = file(
      'bad.yaml',
      readFileSync(CAMPUS, 'utf8').replace('replicas: 3', 'replicas: many').replace('port: 1688', 'port: 99999'),
    );
    assert.throws(
      () => loadPool({ file: bad, shownAs: 'bad.yaml' }),
      user(/^bad\.yaml:\d+: spec\.\w+.*\(and 1 more\)$/),
    );
  });

  test('without hosts, or not there at all, is refused', () => {
    const none = file('none.yaml', readFileSync(CAMPUS, 'utf8').replace('replicas: 3', 'replicas: 0'));
    assert.throws(() => loadPool({ file: none, shownAs: 'none.yaml' }), user(/spec\.replicas is 0/));
    assert.throws(
      () => loadPool({ file: join(dir, 'nope'), shownAs: 'nope' }),
      user(/-f: nope cannot be read \(ENOENT\)/),
    );
  });
});

describe('the state folder', () => {
  const state = join(dir, 'a', 'b');

  test('gets a key of 32 random bytes once, for this user only', () => {
    const first = openState({ dir: state });
    assert.equal(first.secret.length, 32);
    assert.equal(statSync(first.keyFile).mode & 0o777, 0o600);
    assert.equal(statSync(state).mode & 0o777, 0o700);
    assert.equal(statSync(first.adminTokenFile).mode & 0o777, 0o600);
    first.release();
    const second = openState({ dir: state });
    assert.deepEqual(second.secret, first.secret);
    assert.notEqual(second.adminToken, first.adminToken);
    second.release();
  });

  test('keeps a second up out while the first one lives', () => {
    const other = join(dir, 'locked');
    mkdirSync(other);
    writeFileSync(join(other, 'up.pid'), `${process.ppid}\n`);
    assert.throws(() => openState({ dir: other }), user(new RegExp(`already runs from .*process ${process.ppid}`)));
    const gone = spawnSync(process.execPath, ['-e', '']).pid;
    writeFileSync(join(other, 'up.pid'), `${gone}\n`);
    openState({ dir: other }).release();
    assert.equal(existsSync(join(other, 'up.pid')), false);
  });

  test('forgets the endpoints of a run that did not end well', () => {
    const crashed = join(dir, 'crashed');
    mkdirSync(crashed);
    writeFileSync(join(crashed, 'endpoints.json'), '{}');
    openState({ dir: crashed }).release();
    assert.equal(existsSync(join(crashed, 'endpoints.json')), false);
  });

  test('that cannot be made is one line', () => {
    assert.throws(
      () => openState({ dir: join(file('plain', ''), 'x') }),
      user(/--state: .* cannot be written \(ENOTDIR\)/),
    );
  });

  test('takes a given key instead of one of its own', () => {
    const given = file('given.key', Buffer.alloc(40, 7));
    const opened = openState({ dir: join(dir, 'given'), keyFile: given });
    assert.deepEqual([opened.keyFile, opened.secret.length], [given, 40]);
    assert.equal(existsSync(join(dir, 'given', 'pool.key')), false);
    opened.release();
  });
});

test('a key that is too short or unreadable is one line that says what to do', () => {
  assert.throws(
    () => readKeyFile(file('short.key', Buffer.alloc(31))),
    user(/--key-file: .*short\.key has 31 bytes; .*at least 32/),
  );
  assert.throws(() => readKeyFile(join(dir, 'missing.key')), user(/cannot be read \(ENOENT\)/));
  assert.throws(() => readKeyFile(dir), user(/cannot be read \(EISDIR\)/));
});

describe('places', () => {
  test('are addresses of their own with one port', async () => {
    const places = await placeHosts({ replicas: 3, port: 0 });
    assert.deepEqual(
      places.map(({ ordinal }) => ordinal),
      [0, 1, 2],
    );
    const addresses = new Set(places.map(({ address }) => address));
    const ports = new Set(places.map(({ port }) => port));
    assert.ok(addresses.size === 3 ? ports.size === 1 : ports.size === 3, JSON.stringify(places));
  });

  test('are refused when the port is in use, unless any free one will do', async () => {
    const [place] = await placeHosts({ replicas: 1, port: 0 });
    assert.ok(place);
    const blocker = createServer().listen(place.port, place.address);
    await new Promise((resolve) => blocker.once('listening', resolve));
    try {
      const wish = { replicas: 2, port: place.port };
      await assert.rejects(
        placeHosts(wish),
        user(new RegExp(`port ${place.port} on ${place.address} is in use; .*--port`)),
      );
      const free = await placeHosts({ ...wish, orFree: true });
      assert.ok(free.every(({ port }) => port !== place.port));
    } finally {
      blocker.close();
    }
  });
});

test('a Redis URL is split into what a configuration may say and the credentials', () => {
  assert.deepEqual(parseRedisUrl('redis://127.0.0.1:6379/0'), { url: 'redis://127.0.0.1:6379/0' });
  assert.deepEqual(parseRedisUrl('redis://:p%40ss@h:1'), { url: 'redis://h:1', password: 'p@ss' });
  assert.deepEqual(parseRedisUrl('rediss://me:x:y@h'), { url: 'rediss://h', username: 'me', password: 'x:y' });
  for (const bad of ['http://h', 'redis://', 'h:6379', 'redis://h:99999', 'redis://user@h', 'redis://u:%zz@h']) {
    assert.throws(() => parseRedisUrl(bad), user(/^--redis: /), bad);
  }
  assert.throws(
    () => parseRedisUrl('redis://u:s3cret@bad host'),
    (error: Error) => !error.message.includes('s3cret'),
  );
});

describe('endpoints.json', () => {
  const root = join(dir, 'xdg');
  const io = { env: { XDG_STATE_HOME: root }, path: (name: string) => name } as unknown as Io;
  const endpoints = {
    pool: 'campus',
    uid: '00000000-0000-0000-0000-000000000000',
    keyFile: '/k',
    adminTokenFile: '/t',
    hosts: [{ name: 'campus-0', address: '127.0.16.1', port: 1688, http: 'http://127.0.16.1:8080' }],
    dns: { address: '127.0.0.1', port: 10_053 },
    domains: ['lab.example'],
  };

  test('of the only pool that runs is found without a flag; of several, one has to be chosen', () => {
    assert.throws(() => findEndpoints(io, undefined), user(/no pool runs/));
    const first = openState({ dir: join(root, 'kmspool', 'campus') });
    first.publish(endpoints);
    assert.deepEqual(findEndpoints(io, undefined), endpoints);
    const second = openState({ dir: join(root, 'kmspool', 'other') });
    second.publish(endpoints);
    assert.throws(() => findEndpoints(io, undefined), user(/several pools run; choose one with --state/));
    second.withdraw();
    assert.deepEqual(findEndpoints(io, undefined), endpoints);
    for (const state of [first, second]) {
      state.withdraw();
      state.release();
    }
  });

  test('that is not there, or something else, is one line', () => {
    assert.throws(() => findEndpoints(io, dir), user(/no pool runs from/));
    const strange = join(dir, 'strange');
    mkdirSync(strange);
    for (const content of [
      '',
      'null',
      '[]',
      '{"pool":1}',
      JSON.stringify({ ...endpoints, hosts: [{}] }),
      JSON.stringify({ ...endpoints, dns: null }),
    ]) {
      writeFileSync(join(strange, 'endpoints.json'), content);
      assert.throws(() => findEndpoints(io, strange), user(/is not what kmsctl up writes/), content);
    }
    chmodSync(strange, 0o700);
  });
});
