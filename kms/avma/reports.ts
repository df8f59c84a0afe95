// SPDX-License-Identifier: Apache-2.0
//
// What an administrator of the hosts learns of the guests without entering them (S5-08): use now, the history of requests, and
// what proves compliance to a tenant or an auditor (S5-04, S5-10). From the hosts' logs and the key-value pairs only; the latter are
// marked as what they are: the guest's word.

import type { AvmaRecord, AvmaVm, ExchangedData, GuestLicense } from './types.ts';
import type { AvmaWorld } from './world.ts';

export interface UsageRow {
  readonly host: string;
  readonly guest: string;
  readonly tenant: string;
  readonly running: boolean;
  /** As last decided. */
  readonly license: GuestLicense;
  readonly boundTo: string | undefined;
  /** What the guest says of itself; undefined: nothing is there. */
  readonly exchanged: ExchangedData | undefined;
  /** Always: the pairs are not protected, and changes are not watched (S5-20). */
  readonly exchangedIsTrusted: false;
}

/** Use at this moment: every guest, by host and name. */
export function usage({ guests }: AvmaWorld): UsageRow[] {
  const row = ({ host, name, tenant, running, license, boundTo, exchanged }: AvmaVm): UsageRow => ({
    ...{ host, guest: name, tenant, running, license, boundTo, exchanged },
    exchangedIsTrusted: false,
  });
  return guests.map(row).sort((a, b) => byText(a.host, b.host) || byText(a.guest, b.guest));
}

/** The requests that hosts have seen (12310), oldest first (S5-22). */
export function history(records: readonly AvmaRecord[]): AvmaRecord[] {
  return records.filter(({ id }) => id === 12310);
}

export interface ComplianceRow {
  readonly tenant: string;
  readonly guest: string;
  /** Hosts that activated it, in the order of the first time. */
  readonly hosts: readonly string[];
  readonly activations: number;
  readonly refusals: number;
  /** Milliseconds since 1970; undefined: never. */
  readonly firstMs: number | undefined;
  readonly lastMs: number | undefined;
}

/** One row for each guest that a host has ever seen, by tenant and name. */
export function compliance(records: readonly AvmaRecord[]): ComplianceRow[] {
  const groups = Map.groupBy(history(records), ({ tenant, guest }) => JSON.stringify([tenant, guest]));
  const rows = [...groups.values()].map((seen): ComplianceRow => {
    const good = seen.filter(({ notification }) => notification === 'Success');
    return {
      tenant: seen[0]?.tenant ?? '',
      guest: seen[0]?.guest ?? '',
      hosts: [...new Set(good.map(({ host }) => host))],
      activations: good.length,
      refusals: seen.length - good.length,
      firstMs: good[0]?.atMs,
      lastMs: good.at(-1)?.atMs,
    };
  });
  return rows.sort((a, b) => byText(a.tenant, b.tenant) || byText(a.guest, b.guest));
}

/**
 * What one tenant may see of these rows: its own guests. It learns no name of a host or of another tenant, and nothing of a key, for there is none in a row
 * (S5-10).
 */
export function forTenant(rows: readonly ComplianceRow[], tenant: string): Omit<ComplianceRow, 'hosts'>[] {
  return rows.filter((row) => row.tenant === tenant).map(({ hosts: _hidden, ...row }) => row);
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
