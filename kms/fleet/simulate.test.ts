// SPDX-License-Identifier: Apache-2.0
//
// A fleet on the virtual clock: what the documents say of clients, hosts and counts, seen over days and months.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { cmidOf, DAY, group, HOUR, numbers, plan, pool, product, T0 } from './fixtures.ts';
import { type Change, type FleetPlan, machineName, type Simulated, simulate, type TrySeen } from './index.ts';

interface Played extends Simulated {
  readonly tries: readonly TrySeen[];
}

function play(over: Partial<FleetPlan>, seed = 1): Played {
  const tries: TrySeen[] = [];
  const result = simulate({ plan: plan(over), random: numbers(seed), cmidOf, onTry: (seen) => tries.push(seen) });
  return { ...result, tries };
}

const at = (ms: number): { kind: 'atOnce'; atMs: number } => ({ kind: 'atOnce', atMs: ms });
const server = product('windows-server-2008-r2');
const seven = product('windows-7');
/** Servers that have the pool above every threshold of theirs. */
const servers = (count: number): ReturnType<typeof group> =>
  group({ name: 'servers', product: server, count, arrival: at(0) });
const countSeries = ({ tally }: Played): readonly number[] => tally.series().counts[0]?.count ?? [];

describe('counting in a fleet', () => {
  test('S3-09 the worked example: two Windows 7 are told 1 and 2, a virtual one 3, a server 4; servers from 5, clients from 25', () => {
    const { tries } = play({
      days: 1,
      groups: [
        group({ name: 'two', product: seven, count: 2, arrival: { kind: 'ramp', atMs: 0, overMs: 2 * 60_000 } }),
        group({ name: 'vm', product: seven, count: 1, virtual: true, arrival: at(3 * 60_000) }),
        group({
          name: 'server',
          product: server,
          count: 2,
          arrival: { kind: 'ramp', atMs: 4 * 60_000, overMs: 120_000 },
        }),
        group({ name: 'rest', product: seven, count: 20, arrival: { kind: 'ramp', atMs: 10 * 60_000, overMs: HOUR } }),
      ],
    });
    assert.deepEqual(
      tries.slice(0, 25).map(({ count }) => count),
      Array.from({ length: 25 }, (_, index) => index + 1),
    );
    const licensed = tries.filter(({ hresult }) => hresult === 0).map(({ machine }) => machine);
    assert.deepEqual(licensed.slice(0, 2), [4, 24], 'the second server at 5, the last Windows 7 at 25');
    assert.equal(new Set(licensed).size, 25, 'the others follow within two hours');
  });

  test('S3-13 S3-14 servers alone come to 10; with clients the count goes on to 50 and stays there', () => {
    const alone = play({ days: 3, groups: [servers(40)] });
    assert.equal(Math.max(...countSeries(alone)), 10);
    const late = group({ name: 'late', product: seven, count: 1, arrival: at(2 * DAY) });
    const mixed = play({ days: 20, stepMs: HOUR, groups: [servers(60), late] });
    assert.equal(countSeries(mixed)[48], 10);
    assert.equal(countSeries(mixed).at(-1), 50);
  });

  test('S3-11 S3-12 who is not heard of for 30 days is forgotten, and the count of an idle pool falls', () => {
    const dns: Change = { atMs: 10 * DAY, title: '', kind: 'dns', up: false };
    const down = ['campus-0', 'campus-1'].map(
      (host): Change => ({ atMs: 10 * DAY, title: '', kind: 'host', host, up: false }),
    );
    const played = play({ days: 50, stepMs: DAY, groups: [servers(8)], changes: [dns, ...down] });
    assert.deepEqual([countSeries(played)[10], countSeries(played)[36], countSeries(played)[38]], [8, 8, 0]);
  });

  test('S1-17 thirty copies of one image that was not generalized count as one, and none is licensed', () => {
    const image = { generalized: false, ageMs: 0, rearmsLeft: 3 };
    const played = play({ days: 5, groups: [group({ image })] });
    assert.equal(Math.max(...countSeries(played)), 1);
    assert.equal(played.tally.totals().firstActivation, 0);
    const generalized = play({ days: 5, groups: [group()] });
    assert.equal(generalized.tally.groups()[0]?.licensed, 30);
  });

  test('S1-19 two pools that count for themselves leave forty clients unlicensed which one would license', () => {
    const forty = group({ count: 40, domains: ['lab.example'] });
    const split = play({
      days: 1,
      groups: [forty],
      pools: [pool({ name: 'a', replicas: 1 }), pool({ name: 'b', replicas: 1 })],
    });
    assert.equal(split.tally.groups()[0]?.licensed, 0);
    assert.equal(play({ days: 1, groups: [forty] }).tally.groups()[0]?.licensed, 40);
  });
});

describe('a client in a fleet', () => {
  test('S1-05 S3-10 tries every 2 hours for 30 days of grace, then is in notification and goes on trying', () => {
    const { tries, tally } = play({ days: 31, groups: [group({ count: 1, arrival: at(0) })] });
    assert.equal(tries.length, 31 * 12);
    assert.ok(tries.every(({ atMs }, index) => atMs === T0 + index * 2 * HOUR));
    assert.equal(tries.at(12 * 30 - 1)?.before.licenseStatus, 2);
    assert.equal(tries.at(12 * 30)?.before.licenseStatus, 5);
    assert.equal(tally.groups()[0]?.notification, 1);
  });

  test('S1-06 S3-16 S3-86 renews every 7 days; with no host it tries every 2 hours and is Licensed for 180 days, then 30 more in grace', () => {
    const lost: Change = { atMs: 8 * DAY, title: '', kind: 'dns', up: false };
    const hosts = ['campus-0', 'campus-1'].map(
      (host): Change => ({ atMs: 8 * DAY, title: '', kind: 'host', host, up: false }),
    );
    const { tries, tally } = play({ days: 230, stepMs: DAY, groups: [servers(5)], changes: [lost, ...hosts] });
    const own = tries.filter(({ machine }) => machine === 4).map(({ atMs, hresult }) => [(atMs - T0) / HOUR, hresult]);
    assert.deepEqual(own.slice(0, 4), [
      [0, 0],
      [168, 0],
      [336, 0x8007232b],
      [338, 0x8007232b],
    ]);
    const { licensed, outOfTolerance, notification } = tally.series().states;
    assert.deepEqual([licensed[186], licensed[188], outOfTolerance[188], outOfTolerance[216]], [5, 0, 5, 5]);
    assert.equal(notification[218], 5);
    assert.deepEqual(tally.leavings(0).times, 5);
  });

  test('S1-39 asks the host that answered last; without host caching each renewal is drawn anew', () => {
    const hostsOf = (hostCaching: boolean): number => {
      const { tries } = play({ days: 60, groups: [servers(10), group({ hostCaching, count: 20 })] });
      const seen = new Map<number, Set<string>>();
      for (const { machine, host } of tries.filter((each) => each.machine >= 10 && each.host !== '')) {
        seen.set(machine, (seen.get(machine) ?? new Set()).add(host));
      }
      return [...seen.values()].filter((names) => names.size > 1).length;
    };
    assert.equal(hostsOf(true), 0);
    assert.ok(hostsOf(false) > 15);
  });

  test('S2-25 S3-19 S3-22 draws its host, goes on to another when that one is lost, and stays with it', () => {
    const changes: Change[] = [
      { atMs: 9 * DAY, title: '', kind: 'host', host: 'campus-0', up: false },
      { atMs: 20 * DAY, title: '', kind: 'host', host: 'campus-0', up: true },
    ];
    const { tries, tally } = play({
      days: 40,
      groups: [group({ count: 400 })],
      changes,
      pools: [pool({ withdrawAfterMs: undefined })],
    });
    const answeredIn = (from: number, to: number, host: string): number =>
      tries.filter((each) => each.atMs >= T0 + from * DAY && each.atMs < T0 + to * DAY && each.host.startsWith(host))
        .length;
    assert.ok(Math.abs(answeredIn(0, 1, 'campus-0') / (answeredIn(0, 1, 'campus') || 1) - 0.5) < 0.1);
    assert.equal(answeredIn(9, 40, 'campus-0'), 0, 'who has moved stays with the host that answered');
    assert.ok(tries.filter((each) => each.atMs > T0 + 9 * DAY).every(({ hresult }) => hresult === 0));
    assert.equal(tally.groups()[0]?.licensed, 400);
  });

  test('S3-21 looks at priority and weight from Windows 7 on; a Vista does not', () => {
    const domains = [
      {
        name: 'lab.example',
        tiers: [
          { hosts: 1, priority: 0, weight: 0 },
          { priority: 10, weight: 0 },
        ],
      },
    ];
    const share = (slug: string): number => {
      const { tries } = play({
        days: 1,
        pools: [pool({ domains })],
        groups: [group({ product: product(slug), count: 200 })],
      });
      return tries.filter(({ host }) => host.startsWith('campus-1')).length / tries.length;
    };
    assert.equal(share('windows-7'), 0);
    assert.ok(Math.abs(share('windows-vista') - 0.5) < 0.15);
  });

  test('S3-20 looks in each domain that it has; S3-76 asks a configured host only, S3-75 and without any it says why', () => {
    const one = (over: Parameters<typeof group>[0]): readonly TrySeen[] =>
      play({
        days: 1,
        groups: [servers(5), group({ count: 1, product: server, arrival: at(HOUR), ...over })],
      }).tries.filter(({ machine }) => machine === 5);
    assert.equal(one({ domains: ['other.example', 'lab.example'] })[0]?.hresult, 0);
    assert.equal(one({ domains: ['other.example'] })[0]?.hresult, 0x8007232b);
    assert.equal(one({ domains: [] })[0]?.hresult, 0x8007007b);
    assert.equal(one({ domains: [], configuredHost: 'campus-1' })[0]?.host, 'campus-1');
    assert.equal(one({ configuredHost: 'nobody' })[0]?.hresult, 0xc004f074);
  });

  test('S4-31 is refused when its clock drifts more than four hours off', () => {
    const clock = { offsetMs: -3 * HOUR, driftMsPerDay: -HOUR / 7 };
    const { tries } = play({
      days: 20,
      groups: [servers(30), group({ count: 1, product: server, arrival: at(0), clock })],
    });
    const results = tries
      .filter(({ machine }) => machine === 30)
      .map(({ atMs, hresult }) => [(atMs - T0) / DAY, hresult]);
    assert.deepEqual(results.slice(0, 3), [
      [0, 0],
      [7, 0],
      [14, 0xc004f06c],
    ]);
  });
});

describe('what is done to machines', () => {
  const change = (atMs: number, what: Extract<Change, { kind: 'machines' }>['what'], name = 'pcs'): Change => ({
    atMs,
    title: '',
    kind: 'machines',
    what,
    group: name,
    share: 1,
  });
  const alone = (over: Parameters<typeof group>[0], days: number, changes: Change[] = []): Played =>
    play({ days, stepMs: DAY, changes, groups: [group({ count: 1, arrival: at(0), domains: [], ...over })] });

  test('S3-80 slmgr /rearm gives 30 more days, three times and no more', () => {
    const { notification } = alone({ rearms: 3 }, 125).tally.series().states;
    assert.deepEqual([notification.indexOf(1), notification.filter((count) => count === 0).length], [121, 121]);
    assert.equal(alone({ rearms: 0 }, 40).tally.series().states.notification.indexOf(1), 31);
  });

  test('S3-79 an image with a rearm left starts with 30 days; without one, or not generalized, with what it had left', () => {
    const endOf = (generalized: boolean, rearmsLeft: number): number =>
      alone({ image: { generalized, rearmsLeft, ageMs: 12 * DAY } }, 40)
        .tally.series()
        .states.notification.indexOf(1);
    assert.deepEqual([endOf(true, 1), endOf(true, 0), endOf(false, 3)], [31, 19, 19]);
  });

  test('S3-82 S3-84 a MAK ends the asking, a KMS client key begins it, also on a retail machine', () => {
    const groups = [
      servers(30),
      group({ name: 'away', product: server, count: 2, arrival: at(0) }),
      group({ name: 'back', product: server, count: 2, key: 'MAK', arrival: at(0) }),
      group({ name: 'shop', product: server, count: 2, key: 'Retail', arrival: at(0) }),
    ];
    const changes = [
      change(8 * DAY, 'toMak', 'away'),
      change(8 * DAY, 'toKms', 'back'),
      change(9 * DAY, 'toKms', 'shop'),
    ];
    const { tries, tally } = play({ days: 16, groups, changes });
    const days = (machine: number): number[] =>
      tries.filter((each) => each.machine === machine).map(({ atMs }) => (atMs - T0) / DAY);
    assert.deepEqual([days(30), days(32), days(34)], [[0, 7], [8, 15], [9]]);
    assert.deepEqual(
      tally.groups().map(({ licensed, mak, retail }) => [licensed, mak, retail]),
      [
        [30, 0, 0],
        [0, 2, 0],
        [2, 0, 0],
        [2, 0, 0],
      ],
    );
  });

  test('S3-81 slmgr /ato asks at once; S2-37 S3-77 slmgr /ckms forgets the host, and the next time DNS is asked', () => {
    const groups = [servers(30), group({ product: server, count: 40, arrival: at(0) })];
    const days = (changes: Change[]): Played => play({ days: 8, groups, changes });
    const asked = days([change(3 * DAY, 'activateNow')]).tries.filter(({ machine }) => machine >= 30);
    assert.deepEqual([...new Set(asked.map(({ atMs }) => (atMs - T0) / DAY))], [0, 3]);
    const movers = ({ tries }: Played): number => {
      const hosts = (day: number): string[] =>
        tries.filter(({ machine, atMs }) => machine >= 30 && atMs === T0 + day * DAY).map(({ host }) => host);
      const before = hosts(0);
      return hosts(7).filter((host, index) => host !== before[index]).length;
    };
    assert.equal(movers(days([])), 0);
    assert.ok(movers(days([change(3 * DAY, 'forgetHost')])) > 8);
  });

  test('S3-85 other hardware puts a licensed machine out of tolerance; it asks at once and is licensed again', () => {
    const groups = [servers(30), group({ count: 1, product: server, arrival: at(0) })];
    const played = play({ days: 9, groups, changes: [change(3 * DAY, 'hardwareChange')] });
    const own = played.tries.filter(({ machine }) => machine === 30);
    assert.deepEqual(
      own.map(({ atMs, before, hresult }) => [(atMs - T0) / DAY, before.licenseStatus, hresult]),
      [
        [0, 2, 0],
        [3, 3, 0],
      ],
    );
    assert.deepEqual(played.tally.leavings(1), { times: 1, first: { machine: 30, atMs: 3 * DAY } });
    assert.equal(machineName(played, 30), 'pcs 1');
  });
});

describe('what happens to a pool', () => {
  test('S4-25 a blocked host key refuses clients with 0xC004F041, and they come back when it is activated', () => {
    const key = (atMs: number, state: 'Blocked' | 'Activated'): Change => ({
      atMs,
      title: '',
      kind: 'hostKey',
      pool: 'campus',
      product: 'WindowsServer2025',
      state,
    });
    const { tally } = play({
      days: 20,
      groups: [servers(10)],
      changes: [key(6 * DAY, 'Blocked'), key(8 * DAY, 'Activated')],
    });
    assert.deepEqual(
      [...tally.hresults].sort(),
      [
        [0xc004f038, 4],
        [0xc004f041, 6 * 12 + 4 * 11],
      ].sort(),
    );
    assert.equal(tally.groups()[0]?.licensed, 10);
  });

  test('without its store a pool goes on counting for a while (LastKnown), or turns clients away (Refuse); nothing is lost', () => {
    const lost = (onLoss: 'LastKnown' | 'Refuse'): Played =>
      play({
        days: 2,
        stepMs: HOUR,
        groups: [servers(3), group({ name: 'new', product: server, count: 4, arrival: at(HOUR + 60_000) })],
        changes: [
          {
            atMs: HOUR,
            title: '',
            kind: 'store',
            pool: 'campus',
            up: false,
            policy: { onLoss, maxStaleSeconds: 7000 },
          },
          { atMs: 5 * HOUR, title: '', kind: 'store', pool: 'campus', up: true },
        ],
      });
    const known = lost('LastKnown');
    const first = known.tries.filter(({ atMs }) => atMs === T0 + HOUR + 60_000).map(({ count }) => count ?? 0);
    assert.equal(first.length, 4);
    assert.ok(Math.max(...first) >= 4 && Math.max(...first) <= 7, 'each host counts its own on top of what was known');
    const later = known.tries.filter(({ atMs }) => atMs === T0 + 3 * HOUR + 60_000).map(({ hresult }) => hresult);
    assert.ok(
      later.every((code) => code === 0xc004f074),
      'after maxStaleSeconds it refuses',
    );
    const refused = lost('Refuse');
    assert.ok(refused.tries.filter(({ atMs }) => atMs === T0 + HOUR + 60_000).every(({ host }) => host === ''));
    for (const played of [known, refused]) {
      assert.equal(countSeries(played).at(-1), 7);
      assert.equal(played.tally.groups()[1]?.licensed, 4);
    }
  });

  test('S3-54 S3-55 other intervals reach each client with its next answer', () => {
    const intervals = { activationIntervalMinutes: 60, renewalIntervalMinutes: 1440 };
    const changes: Change[] = [{ atMs: DAY, title: '', kind: 'intervals', pool: 'campus', intervals }];
    const { tries } = play({ days: 10, groups: [servers(5)], changes });
    const days = tries.filter(({ machine }) => machine === 4).map(({ atMs }) => (atMs - T0) / DAY);
    assert.deepEqual(days, [0, 7, 8, 9]);
  });

  test('a host that is down for longer than withdrawAfter leaves SRV; a record kept by hand stays, and clients run into it', () => {
    const dead = (withdrawAfterMs: number | undefined): boolean => {
      const changes = ['campus-0', 'campus-1'].map(
        (host): Change => ({ atMs: 0, title: '', kind: 'host', host, up: false }),
      );
      const groups = [group({ count: 1, arrival: at(HOUR) })];
      const { tries } = play({ days: 1, pools: [pool({ withdrawAfterMs })], groups, changes });
      return tries[0]?.hresult === 0xc004f074;
    };
    assert.equal(dead(undefined), true, 'the records are there, and no host answers');
    assert.equal(dead(30_000), false, 'there is no record any more');
  });
});

test('the same seed gives the same simulation, another seed another one', () => {
  const told = (seed: number): string => {
    const { tries, tally, events } = play({ days: 20, groups: [group({ count: 300 })] }, seed);
    return JSON.stringify([
      events,
      tally.series(),
      tries.map(({ machine, host, count, atMs }) => [machine, host, count, atMs]),
    ]);
  };
  assert.equal(told(3), told(3));
  assert.notEqual(told(3), told(4));
});
