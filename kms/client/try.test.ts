// SPDX-License-Identifier: Apache-2.0
//
// One try as a walk: whom it asks, in which order, and what it comes to.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { answer, fresh, licensed, low, SERVER, srv, T0 } from './fixtures.ts';
import { afterDiscovery, afterReply, beginTry, type Client, type HostReply, type TryWalk } from './index.ts';

const SILENT: HostReply = { kind: 'silent', how: 'ConnectFailed' };
const { host: _host, ...counted } = answer();
const COUNTED: HostReply = { kind: 'counted', answer: counted };
const RECORDS = [srv('a.lab.example.', { priority: 0 }), srv('b.lab.example.', { priority: 1 })];

/** Plays a try to its end; `replies` by host. Answers whom was asked, DNS among them, and the end. */
function played(client: Client, replies: Readonly<Record<string, HostReply>>): { asked: string[]; end: TryWalk } {
  const asked: string[] = [];
  let walk = beginTry(client, T0);
  for (let { next } = walk; next !== 'over'; next = walk.next) {
    asked.push(next === 'discover' ? 'DNS' : next.host);
    walk =
      next === 'discover'
        ? afterDiscovery(walk, { records: RECORDS }, low, T0)
        : afterReply(walk, replies[next.host] ?? SILENT, T0);
  }
  return { asked, end: walk };
}

describe('a try', () => {
  test('S1-04 asks DNS, then the hosts in order, and ends with the first that answers', () => {
    const { asked, end } = played(fresh(SERVER), { 'b.lab.example': COUNTED });
    assert.deepEqual(asked, ['DNS', 'a.lab.example', 'b.lab.example']);
    assert.deepEqual(
      [end.hresult, end.client.cachedHost, end.events.map(({ id }) => id)],
      [0, 'b.lab.example', [12288, 12288, 12289]],
    );
  });

  test('S1-39 asks the cached host first, DNS only after its silence, and no host twice', () => {
    const cached: Client = { ...licensed(SERVER), cachedHost: 'b.lab.example' };
    assert.deepEqual(played(cached, { 'b.lab.example': COUNTED }).asked, ['b.lab.example']);
    const { asked, end } = played(cached, {});
    assert.deepEqual(asked, ['b.lab.example', 'DNS', 'a.lab.example']);
    assert.deepEqual([end.hresult, end.client.cachedHost], [0xc004f074, '']);
  });

  test('ends with a refusal, and does not ask the next host', () => {
    const { asked, end } = played(fresh(SERVER), { 'a.lab.example': { kind: 'refused', hresult: 0xc004f042 } });
    assert.deepEqual([asked, end.hresult], [['DNS', 'a.lab.example'], 0xc004f042]);
  });

  test('S4-03 S4-07 without a domain, or a record in it, it is over', () => {
    const walk = beginTry(fresh(), T0);
    assert.equal(afterDiscovery(walk, { records: [], noDomain: true }, low, T0).hresult, 0x8007007b);
    assert.equal(afterDiscovery(walk, { records: [] }, low, T0).hresult, 0x8007232b);
    assert.throws(() => afterReply(walk, SILENT, T0), /no host was to be asked/);
  });

  test('S3-76 S4-32 asks a configured host only, and never DNS', () => {
    const configured: Client = { ...fresh(), profile: { ...SERVER, configuredHost: 'kms' } };
    const { asked, end } = played(configured, {});
    assert.deepEqual([asked, end.hresult], [['kms'], 0xc004f074]);
  });
});
