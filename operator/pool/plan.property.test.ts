// SPDX-License-Identifier: Apache-2.0

// What holds of every plan, whatever has happened before: random histories of a pool, of its hosts, its records and the clock.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sameTemplate } from './build/deployment.ts';
import { Findings } from './findings.ts';
import { isReady } from './hosts.ts';
import type { Deployment, DnsEndpoint } from './kinds.ts';
import { planPool } from './plan.ts';
import type { Step } from './state.ts';
import { settle, settleDns, settleHosts, settlePods, settleServices } from './surroundings.fake.ts';
import { FakeWorld, specOf } from './world.fake.ts';

/** Something that happens to a pool between two reconciles. */
type Happening = { readonly name: string; readonly to: (fake: FakeWorld) => void };

const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc.nat(4).map((replicas) => ({ name: `replicas ${replicas}`, to: (fake: FakeWorld) => fake.change({ replicas }) })),
  fc.constantFrom(1688, 1700).map((port) => ({ name: `port ${port}`, to: (fake: FakeWorld) => fake.change({ port }) })),
  fc.constantFrom(60, 120).map((minutes) => ({
    name: `interval ${minutes}`,
    to: (fake: FakeWorld) => fake.change({ activationIntervalMinutes: minutes }),
  })),
  fc.constantFrom('ClusterIP' as const, 'PodIP' as const).map((type) => ({
    name: type,
    to: (fake: FakeWorld) => fake.change({ exposure: { type } }),
  })),
  fc.constantFrom('ExternalDNS' as const, 'None' as const).map((publisher) => ({
    name: `publisher ${publisher}`,
    to: (fake: FakeWorld) =>
      fake.change({ dns: { publisher, domains: [{ name: 'lab.example' }, { name: 'b.example' }] } }),
  })),
  fc.subarray(['campus-0', 'campus-1', 'campus-2', 'campus-3']).map((broken) => ({
    name: `broken ${broken.join()}`,
    to: (fake: FakeWorld) => settlePods(fake, new Set(broken)),
  })),
  fc.constant({ name: 'services', to: settleServices }),
  fc.constantFrom('Available' as const, 'Refusing' as const).map((state) => ({
    name: `hosts say ${state}`,
    to: (fake: FakeWorld) => settleHosts(fake, state),
  })),
  fc.constant({ name: 'dns follows', to: settleDns }),
  fc.constantFrom(1_000, 11_000, 61_000, 700_000).map((ms) => ({
    name: `${ms} ms pass`,
    to: (fake: FakeWorld) => {
      fake.nowMs += ms;
    },
  })),
  fc
    .constantFrom('DNSEndpoint/campus', 'Service/campus-0', 'ConfigMap/campus-1', 'PodDisruptionBudget/campus')
    .map((key) => ({
      name: `somebody deletes ${key}`,
      to: (fake: FakeWorld) => {
        fake.objects.delete(key);
      },
    })),
);

const history = fc.array(happening, { minLength: 1, maxLength: 14 });

const targets = (fake: FakeWorld): Set<string> =>
  new Set(
    (fake.get<DnsEndpoint>('DNSEndpoint')?.spec?.endpoints ?? [])
      .filter(({ recordType }) => recordType === 'SRV')
      .flatMap((set) => set.targets.map((line) => line.split(' ')[3]?.split('.')[0] ?? '')),
  );

const readyHosts = (fake: FakeWorld): Set<string> =>
  new Set(fake.pods.filter(isReady).map(({ metadata }) => metadata.name.replace(/-\d+$/, '')));

/** Plays a history; `look` sees the world before and the steps of every plan. */
function play(happenings: readonly Happening[], look: (fake: FakeWorld, steps: readonly Step[]) => void): FakeWorld {
  const fake = new FakeWorld(specOf(3));
  settle(fake);
  for (const { to } of happenings) {
    to(fake);
    for (let round = 0; ; round++) {
      const { steps } = planPool(fake.world());
      look(fake, steps);
      if (steps.length === 0) break;
      assert.ok(round < 6, 'a plan whose steps are done is followed by one without steps');
      for (const step of steps) fake.apply(step);
    }
  }
  return fake;
}

const options = { numRuns: 200, interruptAfterTimeLimit: 60_000 };

test('a plan is a fixed point: once its steps are done there are none', () => {
  fc.assert(
    fc.property(history, (happenings) => {
      play(happenings, () => {});
    }),
    options,
  );
});

test('the same world gives the same plan', () => {
  fc.assert(
    fc.property(history, (happenings) => {
      const world = play(happenings, () => {}).world();
      assert.deepEqual(planPool(world), planPool(world));
    }),
    { ...options, numRuns: 100 },
  );
});

test('what earlier plans found out changes no plan', () => {
  fc.assert(
    fc.property(history, (happenings) => {
      const byGeneration = new Map<number | undefined, Findings>();
      play(happenings, (fake) => {
        const { generation } = fake.object.metadata;
        const findings = byGeneration.get(generation) ?? new Findings();
        byGeneration.set(generation, findings);
        const world = fake.world();
        assert.deepEqual(planPool({ ...world, findings }), planPool(world));
      });
    }),
    { ...options, numRuns: 100 },
  );
});

test('no host enters DNS that is not ready', () => {
  fc.assert(
    fc.property(history, (happenings) => {
      let before: Set<string> | undefined;
      play(happenings, (fake) => {
        const now = targets(fake);
        const ready = readyHosts(fake);
        for (const host of now)
          if (before?.has(host) === false) assert.ok(ready.has(host), `${host} entered and is not ready`);
        before = now;
      });
    }),
    options,
  );
});

test('of the hosts that serve at most one is replaced at a time, and only when all others are ready', () => {
  fc.assert(
    fc.property(history, (happenings) => {
      play(happenings, (fake, steps) => {
        const ready = readyHosts(fake);
        const replaced = steps.flatMap((step) => {
          if (step.kind !== 'apply' || step.resource.kind !== 'Deployment') return [];
          const live = fake.get<Deployment>('Deployment', step.object.metadata.name);
          return live !== undefined && !sameTemplate(live, step.object) && ready.has(live.metadata.name) ? [live] : [];
        });
        assert.ok(replaced.length <= 1, 'one at a time');
        if (replaced.length === 0) return;
        const wanted = Array.from({ length: fake.pool.spec.replicas }, (_, n) => `campus-${n}`);
        assert.ok(
          wanted.every((host) => ready.has(host)),
          'all are ready',
        );
      });
    }),
    options,
  );
});

test('a host whose record was published is not stopped before its record is gone, but for the bound', () => {
  fc.assert(
    fc.property(history, (happenings) => {
      play(happenings, (fake, steps) => {
        const stopped = steps.flatMap((step) =>
          step.kind === 'delete' && step.resource.kind === 'Deployment' ? [step.ref.name] : [],
        );
        const shown = [...fake.shown.values()].flat().map(({ target }) => target.split('.')[0] ?? '');
        const { events, conclusions } = planPool(fake.world());
        if (conclusions.publication.mode !== 'On') return;
        for (const host of stopped)
          if (shown.includes(host))
            assert.ok(
              events.some(({ reason }) => reason === 'StaleRecord'),
              `${host} was stopped in silence`,
            );
      });
    }),
    options,
  );
});
