// SPDX-License-Identifier: Apache-2.0
//
// Lengths of time as a fleet file writes them: `30d`, `2h`, `1d 9h`, `-5h`.

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const WHOLE = /^[+-]?(?:\d{1,6}(?:\.\d{1,3})?[smhd])(?: ?\d{1,6}(?:\.\d{1,3})?[smhd])*$/;

/** Milliseconds, a whole number; undefined if this is not written as a length of time. */
export function lengthMs(text: string): number | undefined {
  if (!WHOLE.test(text)) return undefined;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)([smhd])/g)];
  const sum = parts.reduce((ms, [, amount, unit]) => ms + Number(amount) * (UNIT_MS[unit ?? ''] ?? 0), 0);
  return Math.round(text.startsWith('-') ? -sum : sum);
}
