// SPDX-License-Identifier: Apache-2.0
//
// Addresses and who may connect (docs/protocol.md §5.1 step 1), and the association groups that a host hands out.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { AssociationGroups } from './groups.ts';
import { probeAddress } from './probe.ts';
import { normaliseAddress, Sources } from './sources.ts';

describe('sources', () => {
  test('IPv4-mapped addresses are IPv4, and zones are not part of an address', () => {
    assert.equal(normaliseAddress('::ffff:10.1.2.3'), '10.1.2.3');
    assert.equal(normaliseAddress('fe80::1%eth0'), 'fe80::1');
    for (const same of ['10.1.2.3', '::1', 'fd00::ffff:1', '::ffff:0:0']) assert.equal(normaliseAddress(same), same);
  });

  test('ranges of both families, single addresses, and nothing else', () => {
    const sources = new Sources(['10.0.0.0/8', '192.0.2.7/32', 'fd00::/8', '::1/128']);
    for (const allowed of ['10.0.0.0', '10.255.255.255', '192.0.2.7', 'fd12::1', '::1'])
      assert.ok(sources.allows(allowed), allowed);
    for (const other of ['11.0.0.0', '192.0.2.8', '2001:db8::1', '::2']) assert.ok(!sources.allows(other), other);
    assert.ok(!new Sources([]).allows('127.0.0.1'), 'an empty list lets nobody in');
  });

  test('an IPv4 range is a range of numbers', () => {
    const text = (address: number): string => [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join('.');
    fc.assert(
      fc.property(
        fc.nat(0xffff_ffff),
        fc.integer({ min: 1, max: 32 }),
        fc.nat(0xffff_ffff),
        (network, prefix, address) => {
          const mask = (0xffff_ffff << (32 - prefix)) >>> 0;
          const sources = new Sources([`${text((network & mask) >>> 0)}/${prefix}`]);
          assert.equal(sources.allows(text(address)), (address & mask) >>> 0 === (network & mask) >>> 0);
          assert.ok(sources.allows(text(network)));
        },
      ),
    );
  });

  test('new rules hold at once, for addresses that were asked about before, too', () => {
    const sources = new Sources(['10.0.0.0/8']);
    assert.deepEqual([sources.allows('10.1.1.1'), sources.allows('192.0.2.1')], [true, false]);
    sources.configure(['192.0.2.0/24']);
    assert.deepEqual([sources.allows('10.1.1.1'), sources.allows('192.0.2.1')], [false, true]);
  });

  test('verdicts about ever new addresses do not pile up, and stay right', () => {
    const sources = new Sources(['10.0.0.0/9']);
    for (let n = 0; n < 20_000; n++) {
      assert.equal(sources.allows(`10.${n & 0xff}.${(n >> 8) & 0xff}.1`), (n & 0xff) < 128);
    }
  });

  test('connections are counted by address until the last is closed', () => {
    const sources = new Sources([]);
    sources.opened('10.0.0.1');
    sources.opened('10.0.0.1');
    sources.closed('10.0.0.1');
    assert.deepEqual([sources.open('10.0.0.1'), sources.open('10.0.0.2')], [1, 0]);
    sources.closed('10.0.0.1');
    assert.equal(sources.open('10.0.0.1'), 0);
  });
});

describe('association groups', () => {
  test('are never 0, new for whoever asks for none or for a foreign one, and joined when they are ours', () => {
    fc.assert(
      fc.property(
        fc.nat(0xffff_ffff),
        fc.array(fc.oneof(fc.constant(0), fc.nat(0xffff_ffff)), { maxLength: 20 }),
        (seed, wishes) => {
          const groups = new AssociationGroups(seed);
          const ours = new Set<number>();
          for (const wish of wishes) {
            const id = groups.join(wish);
            assert.ok(id > 0 && id <= 0xffff_ffff);
            if (ours.has(wish)) assert.equal(id, wish);
            else assert.ok(!ours.has(id));
            ours.add(id);
            assert.equal(groups.join(id), id);
          }
        },
      ),
    );
  });
});

test('the readiness probe goes to the address that is listened on', () => {
  assert.equal(probeAddress('0.0.0.0', 'IPv4'), '127.0.0.1');
  assert.equal(probeAddress('::', 'IPv6'), '::1');
  assert.equal(probeAddress('::', 'IPv4'), '127.0.0.1');
  assert.equal(probeAddress('10.1.2.3', 'IPv4'), '10.1.2.3');
});
