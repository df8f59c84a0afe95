// SPDX-License-Identifier: Apache-2.0
//
// The virtual clock of kmsctl simulate: events a second on one core, bytes a machine, and whether cost stays linear. Prints one
// line a size; `--quick` leaves the million out. Run with --expose-gc: npm run -s node -- --expose-gc test/bench/fleet.ts

import { fileURLToPath } from 'node:url';
import { simulate } from '@kmspool/kms/fleet';
import { loadFleet } from '../../kmsctl/simulate/fleet-file.ts';
import { planOf } from '../../kmsctl/simulate/plan.ts';
import { seededCmid, seededNumbers } from '../../kmsctl/simulate/random.ts';

const FLEET = 'examples/fleets/million.yaml';
const GOAL = { eventsPerSecond: 300_000, bytesPerMachine: 400, millionSeconds: 120 };
const SEED = 1;
const sizes = process.argv.includes('--quick') ? [10_000, 100_000] : [10_000, 100_000, 1_000_000];

interface Row {
  readonly machines: number;
  readonly events: number;
  readonly seconds: number;
  readonly eventsPerSecond: number;
  readonly bytesPerMachine: number;
}

/** The example, shrunk to so many machines. */
function measure(machines: number): Row {
  const file = fileURLToPath(new URL(`../../${FLEET}`, import.meta.url));
  const plan = planOf(loadFleet({ file, shownAs: FLEET }), 180);
  const all = plan.groups.reduce((sum, { count }) => sum + count, 0);
  const groups = plan.groups.map((group) => ({ ...group, count: Math.round((group.count * machines) / all) }));
  const before = heldBytes();
  const startMs = performance.now();
  const result = simulate({
    plan: { ...plan, groups },
    random: seededNumbers(SEED),
    cmidOf: (machine) => seededCmid(SEED, machine),
  });
  const seconds = (performance.now() - startMs) / 1000;
  const held = heldBytes() - before;
  return {
    machines: result.machines.count,
    events: result.events,
    seconds,
    eventsPerSecond: result.events / seconds,
    bytesPerMachine: held / machines,
  };
}

function heldBytes(): number {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const rounded = (value: number): string => Math.round(value).toLocaleString('en-US').padStart(12);

console.log(`    machines       events      seconds     events/s  bytes/machine   (180 quiet days, ${FLEET})`);
for (const size of sizes) {
  const { machines, events, seconds, eventsPerSecond, bytesPerMachine } = measure(size);
  const memory = globalThis.gc === undefined ? '  (--expose-gc)' : rounded(bytesPerMachine);
  console.log(
    `${rounded(machines)} ${rounded(events)} ${seconds.toFixed(1).padStart(12)} ${rounded(eventsPerSecond)} ${memory}`,
  );
}
const { eventsPerSecond, bytesPerMachine, millionSeconds } = GOAL;
console.log(
  `goals: ${eventsPerSecond.toLocaleString('en-US')} events/s, ${bytesPerMachine} bytes a machine, a million machines in ${millionSeconds} s`,
);
