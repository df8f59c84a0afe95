// SPDX-License-Identifier: Apache-2.0
//
// Records for Microsoft DNS (PowerShell's DnsServer module; dnscmd for servers before 2012) and the lines that tell clients
// their host where there is no SRV (S2-21, S3-68, S3-38).

import { byZone, type ExportRecord, recordData, relativeTo, type SrvExport } from './records.ts';

export interface WindowsOptions {
  /** Take these very records out. */
  readonly remove?: boolean | undefined;
}

/** A PowerShell literal: nothing in it is expanded, and a quote is doubled. PowerShell ends one at typographic quotes, too. */
export function psQuoted(text: string): string {
  return `'${text.replace(/['\u2018-\u201b]/g, (quote) => quote + quote)}'`;
}

/** A script for the DNS server, or with `$PSDefaultParameterValues['*-DnsServer*:ComputerName']` for another machine. */
export function powershellScript(records: readonly ExportRecord[], { remove = false }: WindowsOptions): string {
  const lines = records.map((record) => (remove ? removeCommand(record) : addCommand(record)));
  return [
    '#Requires -Modules DnsServer',
    '# In an elevated PowerShell on the DNS server. From another machine, first:',
    "#   $PSDefaultParameterValues['*-DnsServer*:ComputerName'] = 'dc01'",
    "$ErrorActionPreference = 'Stop'",
    ...lines,
    '',
  ].join('\n');
}

function addCommand(record: ExportRecord): string {
  const place = `-ZoneName ${psQuoted(record.zone)} -Name ${psQuoted(relativeTo(record.zone, record.name))}`;
  const ttl = `-TimeToLive ([TimeSpan]::FromSeconds(${record.ttlSeconds}))`;
  if (record.type === 'SRV') {
    const { target, priority, weight, port } = record;
    return `Add-DnsServerResourceRecord -Srv ${place} -DomainName ${psQuoted(`${target}.`)} -Priority ${priority} -Weight ${weight} -Port ${port} ${ttl}`;
  }
  const flag = record.type === 'A' ? '-A' : '-AAAA';
  const address = record.type === 'A' ? '-IPv4Address' : '-IPv6Address';
  return `Add-DnsServerResourceRecord ${flag} ${place} ${address} ${psQuoted(record.address)} ${ttl}`;
}

// By comparing: the text form of an SRV record in -RecordData is matched loosely, and must not take a neighbour along.
function removeCommand(record: ExportRecord): string {
  const { zone, type } = record;
  const place = `-ZoneName ${psQuoted(zone)} -Name ${psQuoted(relativeTo(zone, record.name))} -RRType ${type}`;
  const same =
    record.type === 'SRV'
      ? `$_.RecordData.DomainName -eq ${psQuoted(`${record.target}.`)} -and $_.RecordData.Port -eq ${record.port}`
      : `$_.RecordData.${record.type === 'A' ? 'IPv4Address' : 'IPv6Address'}.IPAddressToString -eq ${psQuoted(record.address)}`;
  return `Get-DnsServerResourceRecord ${place} | Where-Object { ${same} } | Remove-DnsServerResourceRecord -ZoneName ${psQuoted(zone)} -Force`;
}

/** A batch file; `%1` may name the DNS server. */
export function dnscmdBatch(records: readonly ExportRecord[], { remove = false }: WindowsOptions): string {
  const lines = byZone(records).flatMap(([zone, own]) =>
    own.map((record) => {
      const node = relativeTo(zone, record.name);
      const data = `${record.type} ${recordData(record)}`;
      return remove
        ? `dnscmd %SERVER% /RecordDelete ${zone} ${node} ${data} /f || exit /b 1`
        : `dnscmd %SERVER% /RecordAdd ${zone} ${node} ${record.ttlSeconds} ${data} || exit /b 1`;
    }),
  );
  return [
    '@echo off',
    'rem In an elevated prompt: THIS-FILE [DNS-SERVER]',
    'setlocal',
    'set SERVER=%~1',
    'if "%SERVER%"=="" set SERVER=.',
    ...lines,
    '',
  ].join('\n');
}

/**
 * What to run on clients that find no SRV record: one host each (S3-38, S2-26). Hosts of the best priority come first; spread the clients
 * over those as the weights say, for a client told so looks for no other host (S3-76). By name: slmgr does not take an IPv6 address apart (C7).
 */
export function skmsLines(records: readonly ExportRecord[]): string {
  const services = records.filter((record) => record.type === 'SRV');
  const [first] = services;
  const domain = services.filter(({ name }) => name === first?.name);
  const sorted = domain.toSorted((a, b) => a.priority - b.priority || b.weight - a.weight);
  const lines = sorted.map(
    (record) => `cscript //nologo %windir%\\system32\\slmgr.vbs /skms ${record.target}:${record.port}`,
  );
  return [
    'rem In an elevated prompt on a client, ONE of these lines; it then uses that host and no other.',
    ...lines.flatMap((line, at) => [`rem ${rankWords(sorted[at], sorted)}`, line]),
    'rem Then activate:',
    'cscript //nologo %windir%\\system32\\slmgr.vbs /ato',
    'rem Back to finding hosts in DNS:',
    'rem cscript //nologo %windir%\\system32\\slmgr.vbs /ckms',
    '',
  ].join('\n');
}

function rankWords(record: SrvExport | undefined, all: readonly SrvExport[]): string {
  if (record === undefined) return '';
  const best = Math.min(...all.map(({ priority }) => priority));
  if (record.priority > best) return `priority ${record.priority}: stands by`;
  const like = all.filter(({ priority }) => priority === best);
  const sum = like.reduce((total, { weight }) => total + weight, 0);
  const share = sum === 0 ? 1 / like.length : record.weight / sum;
  return `priority ${record.priority}: for about ${Math.round(share * 100)} % of the clients`;
}
