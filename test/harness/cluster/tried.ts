// SPDX-License-Identifier: Apache-2.0
/** What a simulated machine in a Pod says of each of its tries; test/e2e/client writes it, the oracle reads it. */
export interface Tried {
  /** Unix milliseconds; all Pods of the node have one clock. */
  readonly startedMs: number;
  readonly tookMs: number;
  /** Its number; the same number in the same Pod is the same CMID. */
  readonly machine: number;
  readonly product: string;
  /** Whether it had a host in its cache. */
  readonly cached: boolean;
  /** 0 licensed, 0xC004F038 counted but too few, or why not. */
  readonly hresult: number;
  /** The host's count; 0 when none answered with one. */
  readonly count: number;
  /** Who answered; empty when none did. */
  readonly host: string;
  /** How many hosts it had to try, from its cache and from DNS. */
  readonly offered: number;
  readonly failed: readonly { readonly host: string; readonly why: string }[];
  /** Why DNS gave no record; empty when it did, or was not asked. */
  readonly dns: string;
}
