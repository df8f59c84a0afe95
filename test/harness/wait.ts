// SPDX-License-Identifier: Apache-2.0
/** Waiting for a state with a deadline, instead of sleeping for a time that is hoped to be long enough. */
import { setTimeout as delay } from 'node:timers/promises';

/** Resolves once `holds` answers true; rejects with `what` after `timeoutMs` (10 s). */
export async function waitFor(
  what: string,
  holds: () => boolean | Promise<boolean>,
  timeoutMs = 10_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain for: ${what}`);
    await delay(10);
  }
}
