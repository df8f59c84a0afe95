// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { AVMA_GUESTS, AVMA_VERSIONS, avmaCovers } from '../catalog/index.ts';
import {
  AVMA_RENEWAL_MS,
  type AvmaAction,
  type AvmaRecord,
  type AvmaServer,
  type AvmaVm,
  type AvmaWorld,
  compliance,
  forTenant,
  guestOf,
  history,
  judge,
  step,
  usage,
} from './index.ts';

const HV1: AvmaServer = {
  ...{ name: 'hv1', os: 'WindowsServer2019', edition: 'Datacenter', hypervisor: 'HyperV' },
  ...{ activation: 'Volume', answers: true, connected: true },
};
const FACTS = {
  ...{ fqdn: 'web.lab.example', osName: 'Windows Server 2016 Standard', servicePack: '0.0', architecture: 'AMD64' },
  ...{ ipv4: ['192.0.2.20'], ipv6: ['fd00::20'], rdpAddress: '192.0.2.20' },
};
const WEB: AvmaVm = {
  ...{ name: 'web', tenant: 'contoso', host: 'hv1', os: 'WindowsServer2016', edition: 'Standard' },
  key: { kind: 'Avma', os: 'WindowsServer2016', edition: 'Standard' },
  ...{ running: false, connected: true, dataExchange: true, damaged: false, facts: FACTS },
  ...{ exchanged: undefined, license: 'Unlicensed', boundTo: undefined, dueMs: undefined },
};
const HOSTS: readonly AvmaServer[] = [
  HV1,
  { ...HV1, name: 'hv2', activation: 'Oem' },
  { ...HV1, name: 'cold', activation: 'NotActivated' },
  { ...HV1, name: 'old', os: 'WindowsServer2012R2' },
];
const WORLD: AvmaWorld = { nowMs: 0, hosts: HOSTS, guests: [WEB] };

function play(
  actions: readonly AvmaAction[],
  world: AvmaWorld = WORLD,
): { world: AvmaWorld; records: AvmaRecord[]; web: AvmaVm } {
  let now = world;
  const records: AvmaRecord[] = [];
  for (const action of actions) {
    const stepped = step(now, action);
    now = stepped.world;
    records.push(...stepped.records);
  }
  return { world: now, records, web: guestOf(now, 'web') };
}

const start: AvmaAction = { kind: 'start', guest: 'web' };
const migrate = (to: string): AvmaAction => ({ kind: 'migrate', guest: 'web', to });
const wait = (ms: number): AvmaAction => ({ kind: 'wait', ms });
const withGuest = (change: Partial<AvmaVm>): AvmaWorld => ({ ...WORLD, guests: [{ ...WEB, ...change }] });
const logs = (records: readonly AvmaRecord[]): string[] =>
  records.map(({ id, log, notification }) => `${id} ${log} ${notification}`);

describe('a guest that starts', () => {
  test('S5-03 S5-05 S5-15 S5-16 S5-24 is activated against its activated host and bound to it, with no key of its own', () => {
    const { web, records } = play([start]);
    assert.deepEqual([web.license, web.boundTo], ['Licensed', 'hv1']);
    assert.deepEqual(logs(records), ['12310 hv1 Success', '12309 web Success']);
    const oem = play([start], withGuest({ host: 'hv2' }));
    assert.equal(oem.web.boundTo, 'hv2');
  });

  test('S5-02 S5-06 S5-07 needs no network, neither its own nor the host’s', () => {
    const { web } = play([
      { kind: 'setHost', host: 'hv1', to: { connected: false } },
      { kind: 'setGuest', guest: 'web', to: { connected: false } },
      start,
    ]);
    assert.equal(web.license, 'Licensed');
  });

  test('S5-11 S5-12 S5-13 is activated exactly where the matrix says, in every edition', () => {
    for (const os of AVMA_VERSIONS) {
      for (const guest of AVMA_GUESTS) {
        const { version, edition } = guest;
        const vm: AvmaVm = { ...WEB, running: true, os: version, edition, key: { kind: 'Avma', os: version, edition } };
        const good = judge(vm, { ...HV1, os })?.notification === 'Success';
        assert.equal(good, avmaCovers(os, version), `${os} hosts ${guest.title}`);
      }
    }
  });

  test('S5-11 S5-14 S5-25 meets an invalid host on another hypervisor, another edition or an older Windows, and only its own log says so', () => {
    const at = (change: Partial<AvmaServer>): string[] => {
      const { records, web } = play([start], { ...WORLD, hosts: [{ ...HV1, ...change }] });
      assert.equal(web.license, 'Notification');
      return logs(records);
    };
    for (const change of [
      { hypervisor: 'Other' },
      { edition: 'Standard' },
      { os: 'WindowsServer2012' },
      { answers: false },
    ] as const) {
      assert.deepEqual(at(change), ['12309 web InvalidHost'], JSON.stringify(change));
    }
    assert.deepEqual(at({ os: 'WindowsServer2012R2' }), ['12310 hv1 InvalidHost', '12309 web InvalidHost']);
    assert.deepEqual(at({ activation: 'NotActivated' }), ['12310 hv1 InvalidHost', '12309 web InvalidHost']);
  });

  test('S5-29 asks nobody without the Data Exchange service', () => {
    const { records } = play([{ kind: 'setGuest', guest: 'web', to: { dataExchange: false } }, start]);
    assert.deepEqual(
      records.map(({ id, reason }) => [id, reason]),
      [[12309, 'NoDataExchange']],
    );
  });

  test('S5-26 whose exchange with the host is damaged is told invalid data', () => {
    const { records, web } = play([{ kind: 'setGuest', guest: 'web', to: { damaged: true } }, start]);
    assert.deepEqual(logs(records), ['12310 hv1 InvalidData', '12309 web InvalidData']);
    assert.equal(web.license, 'Notification');
  });

  test('S5-27 whose key is of another edition or version is denied: the AVMA IDs differ', () => {
    for (const key of [
      { kind: 'Avma', os: 'WindowsServer2016', edition: 'Datacenter' },
      { kind: 'Avma', os: 'WindowsServer2012R2', edition: 'Standard' },
    ] as const) {
      assert.deepEqual(logs(play([start], withGuest({ key })).records), [
        '12310 hv1 ActivationDenied',
        '12309 web ActivationDenied',
      ]);
    }
  });

  test('with another key makes no request at all', () => {
    const { records, web } = play([start, wait(30 * AVMA_RENEWAL_MS)], withGuest({ key: { kind: 'Volume' } }));
    assert.deepEqual([records, web.license], [[], 'OtherKey']);
  });
});

describe('over time', () => {
  test('an activation is renewed every seven days, and lapses when that fails', () => {
    const { world, records } = play([start, wait(2 * AVMA_RENEWAL_MS)]);
    assert.deepEqual(
      history(records).map(({ atMs }) => atMs),
      [0, AVMA_RENEWAL_MS, 2 * AVMA_RENEWAL_MS],
    );
    const off = play(
      [{ kind: 'setHost', host: 'hv1', to: { activation: 'NotActivated' } }, wait(AVMA_RENEWAL_MS - 1)],
      world,
    );
    assert.equal(off.web.license, 'Licensed');
    assert.equal(play([wait(1)], off.world).web.license, 'Notification');
    const back = play(
      [wait(1), { kind: 'setHost', host: 'hv1', to: { activation: 'Volume' } }, wait(AVMA_RENEWAL_MS)],
      off.world,
    );
    assert.equal(back.web.license, 'Licensed');
  });

  test('a guest that is off does not ask, and asks when it starts', () => {
    const { records } = play([start, { kind: 'stop', guest: 'web' }, wait(10 * AVMA_RENEWAL_MS), start]);
    assert.deepEqual(
      history(records).map(({ occasion }) => occasion),
      ['Start', 'Start'],
    );
  });

  test('S5-09 a move to an activated host binds the guest there, and it stays licensed', () => {
    const { web, records } = play([start, migrate('hv2')]);
    assert.deepEqual([web.license, web.boundTo], ['Licensed', 'hv2']);
    assert.equal(records.at(-1)?.occasion, 'Migration');
  });

  test('S5-09 a move to a host that is not activated or too old keeps what there is until it is due', () => {
    for (const host of ['cold', 'old']) {
      const moved = play([start, wait(AVMA_RENEWAL_MS / 7), migrate(host)]);
      assert.deepEqual([moved.web.license, moved.web.boundTo], ['Licensed', 'hv1']);
      assert.equal(moved.records.at(-1)?.notification, 'InvalidHost');
      const due = play([wait(AVMA_RENEWAL_MS)], moved.world);
      assert.deepEqual([due.web.license, due.web.boundTo], ['Notification', undefined]);
      assert.equal(play([migrate('hv2')], due.world).web.license, 'Licensed');
    }
  });
});

describe('a host that is lost', () => {
  const clustered: AvmaWorld = {
    nowMs: 0,
    hosts: ['hv1', 'hv2', 'hv3']
      .map((name) => ({ ...HV1, name, cluster: 'main' }))
      .concat({ ...HV1, name: 'alone', cluster: 'other' }),
    guests: [WEB, { ...WEB, name: 'db' }, { ...WEB, name: 'off' }, { ...WEB, name: 'far', host: 'alone' }],
  };
  const run = (...more: AvmaAction[]): ReturnType<typeof play> =>
    play([...['web', 'db', 'far'].map((guest): AvmaAction => ({ kind: 'start', guest })), ...more], clustered);
  const where = ({ guests }: AvmaWorld): unknown[] =>
    guests.map(({ name, host, running, license }) => [name, host, running, license]);

  test('S5-09 has its running guests started on the others of its cluster, where they are activated anew', () => {
    const { world, records } = run({ kind: 'lose', host: 'hv1' });
    assert.deepEqual(where(world), [
      ['web', 'hv2', true, 'Licensed'],
      ['db', 'hv3', true, 'Licensed'],
      ['off', 'hv1', false, 'Unlicensed'],
      ['far', 'alone', true, 'Licensed'],
    ]);
    assert.deepEqual(
      records.slice(-4).map(({ log, occasion }) => [log, occasion]),
      [
        ['hv2', 'Start'],
        ['web', 'Start'],
        ['hv3', 'Start'],
        ['db', 'Start'],
      ],
    );
  });

  test('S5-09 leaves guests unactivated on a host of the cluster that nobody has activated: a start decides at once', () => {
    const { web } = run(
      { kind: 'setHost', host: 'hv2', to: { activation: 'NotActivated' } },
      { kind: 'lose', host: 'hv1' },
    );
    assert.deepEqual([web.host, web.license], ['hv2', 'Notification']);
  });

  test('without a cluster stops its guests, and is lost until it answers again', () => {
    const { world } = run({ kind: 'lose', host: 'alone' });
    assert.deepEqual(where(world).at(-1), ['far', 'alone', false, 'Licensed']);
    const { records } = play([{ kind: 'start', guest: 'far' }], world);
    assert.equal(records[0]?.reason, 'HostDoesNotAnswer');
  });
});

describe('exchanged data', () => {
  test('S5-18 S5-19 is there while an AVMA guest runs, with every field, and travels with it', () => {
    assert.equal(WEB.exchanged, undefined);
    const { web } = play([start, migrate('hv2')]);
    assert.deepEqual(web.exchanged, FACTS);
    assert.equal(web.host, 'hv2');
  });

  test('S5-20 can be altered by anybody in the guest: no record, no effect on activation, and never trusted', () => {
    const { world, records, web } = play([
      start,
      { kind: 'tamper', guest: 'web', data: { fqdn: 'bank.example', osName: 'Solaris' } },
    ]);
    assert.equal(records.length, 2);
    assert.deepEqual([web.exchanged?.fqdn, web.license], ['bank.example', 'Licensed']);
    const [row] = usage(world);
    assert.deepEqual([row?.exchanged?.fqdn, row?.exchangedIsTrusted], ['bank.example', false]);
    assert.equal(play([wait(AVMA_RENEWAL_MS)], world).web.license, 'Licensed');
  });

  test('S5-21 goes when another key replaces the AVMA key, and comes back with it', () => {
    const replaced = play([start, { kind: 'setKey', guest: 'web', key: { kind: 'Retail' } }]);
    assert.deepEqual(
      [replaced.web.exchanged, replaced.web.license, replaced.web.boundTo],
      [undefined, 'OtherKey', undefined],
    );
    const again = play([{ kind: 'setKey', guest: 'web', key: WEB.key }], replaced.world);
    assert.deepEqual([again.web.exchanged, again.web.license], [FACTS, 'Licensed']);
  });
});

describe('records and reports', () => {
  const two: AvmaWorld = { ...WORLD, guests: [WEB, { ...WEB, name: 'db', tenant: 'fabrikam' }] };

  test('S5-22 S5-23 S5-28 every request is one 12309, and a 12310 where it reached a service; there is no other message', () => {
    const name = fc.constantFrom('web', 'db');
    const flag = fc.boolean();
    const action: fc.Arbitrary<AvmaAction> = fc.oneof(
      fc.record({ kind: fc.constantFrom('start' as const, 'stop' as const, 'retry' as const), guest: name }),
      fc.record({
        kind: fc.constant('migrate' as const),
        guest: name,
        to: fc.constantFrom(...HOSTS.map((host) => host.name)),
      }),
      fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 3 * AVMA_RENEWAL_MS }) }),
      fc.record({
        kind: fc.constant('setGuest' as const),
        guest: name,
        to: fc.record({ damaged: flag, dataExchange: flag }),
      }),
      fc.record({ kind: fc.constant('setHost' as const), host: fc.constant('hv1'), to: fc.record({ answers: flag }) }),
    );
    fc.assert(
      fc.property(fc.array(action, { maxLength: 20 }), (actions) => {
        const { world, records } = play(actions, two);
        const told = records.filter(({ id }) => id === 12309);
        assert.ok(history(records).length <= told.length);
        for (const [at, record] of records.entries()) {
          assert.equal(record.log, record.id === 12309 ? record.guest : record.host);
          if (record.id === 12310) assert.deepEqual({ ...records[at + 1], id: 12310, log: record.host }, record);
          assert.ok(record.atMs >= (records[at - 1]?.atMs ?? 0));
        }
        // Whoever is licensed was told so last by the host that it is bound to.
        for (const guest of world.guests.filter(({ license }) => license === 'Licensed')) {
          const good = told.findLast((record) => record.guest === guest.name && record.notification === 'Success');
          assert.equal(good?.host, guest.boundTo);
        }
      }),
    );
  });

  test('S5-04 S5-08 use is seen on the host’s side, without the guests', () => {
    const { world } = play([start, { kind: 'start', guest: 'db' }, { kind: 'stop', guest: 'db' }], two);
    assert.deepEqual(
      usage(world).map(({ host, guest, tenant, running, license }) => [host, guest, tenant, running, license]),
      [
        ['hv1', 'db', 'fabrikam', false, 'Licensed'],
        ['hv1', 'web', 'contoso', true, 'Licensed'],
      ],
    );
  });

  test('S5-10 a tenant sees its own guests and nothing of hosts, keys and others', () => {
    const { records } = play([start, { kind: 'start', guest: 'db' }, migrate('cold'), migrate('hv2')], two);
    const rows = compliance(records);
    assert.deepEqual(
      rows.map(({ tenant, guest, hosts, activations, refusals }) => [tenant, guest, hosts, activations, refusals]),
      [
        ['contoso', 'web', ['hv1', 'hv2'], 2, 1],
        ['fabrikam', 'db', ['hv1'], 1, 0],
      ],
    );
    const own = forTenant(rows, 'contoso');
    assert.deepEqual(
      own.map(({ guest }) => guest),
      ['web'],
    );
    assert.doesNotMatch(JSON.stringify(own), /hv1|fabrikam|Avma|key/);
  });

  test('a name that is not there is the caller’s mistake', () => {
    assert.throws(() => step(WORLD, migrate('nowhere')), RangeError);
    assert.throws(() => step(WORLD, { kind: 'start', guest: 'nobody' }), RangeError);
  });
});
