// SPDX-License-Identifier: Apache-2.0
//
// Reports of a played scenario as lists of rows, which become a table, JSON or CSV. What a tenant may see is decided in @kmspool/kms/avma.

import { type AvmaRecord, compliance, type ExchangedData, forTenant, history, usage } from '@kmspool/kms/avma';
import type { Played } from './play.ts';

export const REPORTS = ['host', 'history', 'compliance', 'tenant'] as const;
export type ReportName = (typeof REPORTS)[number];

export interface Report {
  readonly title: string;
  /** Column names, as CSV and JSON have them. */
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** The report of that name; `tenant` is whose, for the tenant's. */
export function reportOf(played: Played, name: ReportName, tenant: string | undefined): Report {
  switch (name) {
    case 'host':
      return usageReport(played);
    case 'history':
      return historyReport(played.records);
    case 'compliance':
      return complianceReport(played.records);
    case 'tenant':
      return tenantReport(played.records, tenant ?? '');
  }
}

const EXCHANGED: readonly (keyof ExchangedData)[] = [
  ...(['fqdn', 'osName', 'servicePack', 'architecture'] as const),
  ...(['ipv4', 'ipv6', 'rdpAddress'] as const),
];

function usageReport({ world }: Played): Report {
  const rows = usage(world).map(({ host, guest, tenant, running, license, boundTo, exchanged }) => {
    const said = EXCHANGED.map((field) => [exchanged?.[field] ?? ''].flat().join(' '));
    return [host, guest, tenant, running ? 'yes' : 'no', license, boundTo ?? '', ...said];
  });
  // The names say it wherever the table goes: the guest's word, not to be trusted.
  const untrusted = EXCHANGED.map((field) => `untrusted_${field}`);
  const columns = ['host', 'guest', 'tenant', 'running', 'license', 'bound_to', ...untrusted];
  return { title: 'Guests now, as the hosts see them; what guests say of themselves can be altered', columns, rows };
}

function historyReport(records: readonly AvmaRecord[]): Report {
  const rows = history(records).map(({ atMs, log, guest, tenant, occasion, notification, reason }) => [
    ...[timeText(atMs), log, guest, tenant, occasion, notification, reason],
  ]);
  const columns = ['time', 'host', 'guest', 'tenant', 'occasion', 'notification', 'reason'];
  return { title: "Requests in the hosts' logs (event 12310)", columns, rows };
}

function complianceReport(records: readonly AvmaRecord[]): Report {
  const rows = compliance(records).map(({ tenant, guest, hosts, activations, refusals, firstMs, lastMs }) => [
    ...[tenant, guest, hosts.join(' '), String(activations), String(refusals), timeText(firstMs), timeText(lastMs)],
  ]);
  const columns = ['tenant', 'guest', 'hosts', 'activations', 'refusals', 'first', 'last'];
  return { title: 'Activations of each guest, from the logs of all hosts', columns, rows };
}

function tenantReport(records: readonly AvmaRecord[], tenant: string): Report {
  const rows = forTenant(compliance(records), tenant).map(({ guest, activations, refusals, firstMs, lastMs }) => [
    ...[guest, String(activations), String(refusals), timeText(firstMs), timeText(lastMs)],
  ]);
  const columns = ['guest', 'activations', 'refusals', 'first', 'last'];
  return { title: `Activations of the guests of ${tenant}`, columns, rows };
}

/** `2026-01-05 08:00`, in UTC; empty for no time. */
export function timeText(ms: number | undefined): string {
  return ms === undefined ? '' : new Date(ms).toISOString().slice(0, 16).replace('T', ' ');
}

/** RFC 4180. A cell that a spreadsheet would take for a formula gets an apostrophe: guests choose some of these texts. */
export function csvText({ columns, rows }: Report): string {
  const cell = (text: string): string => {
    const plain = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
    return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
  };
  return [columns, ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}

/** The rows as objects by column. */
export function jsonRows({ columns, rows }: Report): Record<string, string>[] {
  return rows.map((row) => Object.fromEntries(columns.map((column, at) => [column, row[at] ?? ''])));
}
