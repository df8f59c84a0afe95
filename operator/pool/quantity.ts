// SPDX-License-Identifier: Apache-2.0

// Quantities of Kubernetes resources ("100m", "1Gi"), as far as to tell whether two are the same amount: the API server rewrites them in a form of its own.

// Enough digits for any real amount, and a bound on the work for an unreal one.
const QUANTITY = /^([+-]?)(\d{0,40})(?:\.(\d{0,40}))?(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d{1,2}))?$/;

const POWERS_OF_TEN: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const POWERS_OF_1024: Readonly<Record<string, number>> = { Ki: 1, Mi: 2, Gi: 3, Ti: 4, Pi: 5, Ei: 6 };

/** Whether two quantities are the same amount. What is no quantity is the same as nothing. */
export function sameQuantity(a: unknown, b: unknown): boolean {
  const [first, second] = [amountOf(a), amountOf(b)];
  return first !== undefined && second !== undefined && first.over * second.under === second.over * first.under;
}

/** An exact fraction. */
interface Amount {
  readonly over: bigint;
  readonly under: bigint;
}

function amountOf(value: unknown): Amount | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const found = QUANTITY.exec(String(value));
  const [, sign = '', whole = '', fraction = '', suffix = '', exponent = '0'] = found ?? [];
  if (found === null || whole + fraction === '') return undefined;
  const digits = BigInt(whole + fraction) * (sign === '-' ? -1n : 1n);
  const tens = (POWERS_OF_TEN[suffix] ?? Number(exponent)) - fraction.length;
  const units = digits * 1024n ** BigInt(POWERS_OF_1024[suffix] ?? 0);
  return tens >= 0 ? { over: units * 10n ** BigInt(tens), under: 1n } : { over: units, under: 10n ** BigInt(-tens) };
}
