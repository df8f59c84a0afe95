// SPDX-License-Identifier: Apache-2.0
//
// The lines of DnsDomainPublishList, a KMS host's list of the domains that it publishes itself in: `domain`, and since Windows 7 and
// Server 2008 R2 also `domain, priority, weight` (S2-33, S2-34, S3-62). As text it may have comments and say which host it is of.

import { domainToASCII } from 'node:url';
import { redacted } from '@kmspool/crds';
import { isPlainName } from './records.ts';

export interface PublishEntry {
  /** Lower case, without a trailing dot. */
  readonly domain: string;
  /** Both or neither: the old form has none. 0 … 65535. */
  readonly rank?: { readonly priority: number; readonly weight: number } | undefined;
}

/** What one KMS host publishes. */
export interface PublishList {
  /** As the text calls it. */
  readonly host?: string | undefined;
  readonly entries: readonly PublishEntry[];
}

/** `reason` is one line that says what to write; `line` counts from 1. */
export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

/** Domains longer than this leave no room for a host's own name in front (crds: `spec.dns.domains[].name`). */
const DOMAIN_MAX = 145;
const RANK_MAX = 65_535;
const HOST_HEADING = /^[#;]\s*host\s+([a-z0-9.-]+)\s*$/i;

/** `domain, priority, weight`, or the domain alone in the form of Vista and Server 2008. */
export function publishLine({ domain, rank }: PublishEntry, legacy: boolean): string {
  return legacy || rank === undefined ? domain : `${domain}, ${rank.priority}, ${rank.weight}`;
}

/** One line of the list, without comment. */
export function parsePublishLine(line: string): Parsed<PublishEntry> {
  const [name = '', ...numbers] = line.split(',').map((part) => part.trim());
  const domain = parseDomain(name);
  if (!domain.ok) return domain;
  if (numbers.length === 0) return { ok: true, value: { domain: domain.value } };
  const [priority, weight] = numbers.map(rankNumber);
  if (numbers.length !== 2 || priority === undefined || weight === undefined) {
    const rest = JSON.stringify(redacted(numbers.join(', ')).slice(0, 60));
    return no(
      `${rest} is no priority and weight; write DOMAIN, or DOMAIN, PRIORITY, WEIGHT with numbers from 0 to ${RANK_MAX}`,
    );
  }
  return { ok: true, value: { domain: domain.value, rank: { priority, weight } } };
}

function parseDomain(text: string): Parsed<string> {
  if (redacted(text) !== text)
    return no('this looks like a product key; write a domain such as lab.example, and no key');
  const shown = JSON.stringify(text.slice(0, 80));
  if (/^_vlmcs\./i.test(text)) return no(`${shown} is the record's name; write the domain alone, such as lab.example`);
  const name = text.toLowerCase().replace(/\.$/, '');
  if (/[^\0-\x7f]/.test(name)) {
    const ascii = domainToASCII(name);
    return no(`${shown} is not ASCII; ${ascii === '' ? 'write a DNS name such as lab.example' : `write ${ascii}`}`);
  }
  if (!isPlainName(name)) return no(`${shown} is no DNS domain; write one such as lab.example, one a line`);
  return name.length > DOMAIN_MAX
    ? no(`${shown} has more than ${DOMAIN_MAX} characters; shorten it`)
    : { ok: true, value: name };
}

function rankNumber(text: string): number | undefined {
  const value = Number(text);
  return /^\d{1,5}$/.test(text) && value <= RANK_MAX ? value : undefined;
}

/** The entries of one host's lines, each domain once. `where` says of which place in the file a reason speaks. */
export function parseEntries(
  lines: readonly { readonly text: string; readonly where: string }[],
): Parsed<PublishEntry[]> {
  const found = new Map<string, PublishEntry>();
  for (const { text, where } of lines) {
    const parsed = parsePublishLine(text);
    if (!parsed.ok) return no(`${where}: ${parsed.reason}`);
    const before = found.get(parsed.value.domain);
    if (before !== undefined && JSON.stringify(before) !== JSON.stringify(parsed.value)) {
      return no(`${where}: ${parsed.value.domain} stands above with another priority or weight; keep one of the lines`);
    }
    found.set(parsed.value.domain, parsed.value);
  }
  return { ok: true, value: [...found.values()] };
}

/** A text of such lines. `# host NAME` begins the list of a host; other lines with # or ; are comments. */
export function parsePublishText(text: string): Parsed<PublishList[]> {
  const sections: { host: string | undefined; lines: { text: string; where: string }[] }[] = [];
  for (const [at, line] of text.split(/\r\n|\r|\n/).entries()) {
    const heading = HOST_HEADING.exec(line)?.[1];
    if (heading !== undefined) sections.push({ host: heading, lines: [] });
    if (line.trim() === '' || /^\s*[#;]/.test(line)) continue;
    if (sections.length === 0) sections.push({ host: undefined, lines: [] });
    sections.at(-1)?.lines.push({ text: line, where: `line ${at + 1}` });
  }
  const lists: PublishList[] = [];
  for (const { host, lines } of sections) {
    const entries = parseEntries(lines);
    if (!entries.ok) return entries;
    lists.push({ host, entries: entries.value });
  }
  if (lists.every(({ entries }) => entries.length === 0)) return no('there is no domain in it; write one a line');
  return { ok: true, value: lists };
}

/** Such a text; hosts are named when there are several lists. */
export function publishText(lists: readonly PublishList[], legacy: boolean): string {
  const sections = lists.map(({ host, entries }) => {
    const heading = lists.length > 1 && host !== undefined ? [`# host ${host}`] : [];
    return [...heading, ...entries.map((entry) => publishLine(entry, legacy)), ''].join('\n');
  });
  return sections.join(lists.length > 1 ? '\n' : '');
}

export function no(reason: string): { readonly ok: false; readonly reason: string } {
  return { ok: false, reason };
}
