// SPDX-License-Identifier: Apache-2.0
//
// When the machines of a group appear. Pure; randomness comes in.

import type { Arrival } from './plan.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Monday to Friday, 8 to 18 o'clock, UTC. */
const OPENS_MS = 8 * HOUR_MS;
const WORKDAY_MS = 10 * HOUR_MS;

/** Milliseconds after the start for each of `count` machines, first to last. `startMs`: since 1970, for the days of the week. */
export function arrivals(arrival: Arrival, count: number, startMs: number, random: () => number): Float64Array {
  if (arrival.kind === 'atOnce') return new Float64Array(count).fill(arrival.atMs);
  if (arrival.kind === 'ramp') {
    return Float64Array.from({ length: count }, (_, at) => arrival.atMs + Math.floor((arrival.overMs * at) / count));
  }
  const mornings = workdayMornings(startMs + arrival.atMs, arrival.workdays);
  const times = Float64Array.from({ length: count }, () => {
    const place = random() * mornings.length;
    const morning = mornings[Math.floor(place)] ?? startMs;
    return Math.floor(morning + (place % 1) * WORKDAY_MS) - startMs;
  });
  return times.sort();
}

/** Eight o'clock of the next `workdays` working days that begin at or after `fromMs`. */
function workdayMornings(fromMs: number, workdays: number): number[] {
  const mornings: number[] = [];
  for (let midnight = Math.floor(fromMs / DAY_MS) * DAY_MS; mornings.length < workdays; midnight += DAY_MS) {
    const morning = midnight + OPENS_MS;
    const weekday = new Date(midnight).getUTCDay();
    if (morning >= fromMs && weekday !== 0 && weekday !== 6) mornings.push(morning);
  }
  return mornings;
}
