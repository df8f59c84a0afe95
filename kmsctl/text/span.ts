// SPDX-License-Identifier: Apache-2.0
//
// Lengths of time as a person says them. Rounded down: what is said to be three days has lasted three days.

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `45s`, `12m`, `5h`, `3d`, and `0s` for what is not over. Milliseconds in. */
export function shortSpan(ms: number): string {
  if (ms < MINUTE) return `${Math.max(0, Math.floor(ms / SECOND))}s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)}m`;
  if (ms < 2 * DAY) return `${Math.floor(ms / HOUR)}h`;
  return `${Math.floor(ms / DAY)}d`;
}

/** `2026-01-31 07:05:09`, UTC. */
export function utcText(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
}

/** `2026-01-31`, UTC. */
export function dateText(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
