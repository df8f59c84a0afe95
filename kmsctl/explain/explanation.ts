// SPDX-License-Identifier: Apache-2.0
//
// Findings put together with what there is to say of them, and the same for a program. Pure.

import { eventById, formatHresult, hresult, type Language, win32OfHresult } from '@kmspool/kms/catalog';
import { diagnose, type PoolFacts } from './pool-facts.ts';
import { remarksOf } from './remarks.ts';
import { togetherRemarks } from './remarks-events.ts';
import type { Finding, Remark } from './types.ts';
import { win32Meaning } from './win32.ts';

export interface ExplainedFinding {
  readonly finding: Finding;
  readonly remarks: readonly Remark[];
  /** Undefined when no pool was asked. */
  readonly pool: readonly Remark[] | undefined;
}

export interface Explanation {
  readonly items: readonly ExplainedFinding[];
  /** What several findings say only together. */
  readonly together: readonly Remark[];
  readonly facts: PoolFacts | undefined;
}

/** What there is to say; `facts` of a pool, if one was asked. */
export function explain(findings: readonly Finding[], facts: PoolFacts | undefined): Explanation {
  return {
    items: findings.map((finding) => ({
      finding,
      remarks: remarksOf(finding, findings),
      pool: facts === undefined || finding.kind === 'key' ? undefined : diagnose(finding, facts),
    })),
    together: togetherRemarks(findings),
    facts,
  };
}

/** False if there is nothing to explain or a code is not in the catalogue: then the answer is no. */
export function isKnown({ items }: Explanation): boolean {
  const known = items.filter(({ finding }) => finding.kind !== 'key');
  return (
    items.length > 0 && known.every(({ finding }) => finding.kind !== 'code' || hresult(finding.code) !== undefined)
  );
}

/** One language's share of an explanation, as plain data; with a pool, the facts themselves too. */
export function explanationJson({ items, together, facts }: Explanation, language: Language): Record<string, unknown> {
  return {
    language,
    known: isKnown({ items, together, facts }),
    items: items.map(({ finding, remarks, pool: here }) => ({
      ...findingJson(finding, language),
      remarks: remarks.map((remark) => remarkJson(remark, language)),
      pool: here?.map((remark) => remarkJson(remark, language)),
    })),
    together: together.map((remark) => remarkJson(remark, language)),
    facts,
  };
}

function remarkJson({ id, severity, text, remedy }: Remark, language: Language): Record<string, unknown> {
  return { id, severity, text: text[language], remedy: remedy?.[language] };
}

function findingJson(finding: Finding, language: Language): Record<string, unknown> {
  if (finding.kind === 'code') return codeJson(finding.code, language);
  if (finding.kind !== 'event') return { ...finding };
  const event = eventById(finding.id);
  return {
    ...finding,
    ...event?.texts[language],
    loggedBy: event?.loggedBy,
    log: event?.log,
    fields: event?.fields.map(({ name, titles }) => ({ name, title: titles[language] })),
  };
}

function codeJson(code: number, language: Language): Record<string, unknown> {
  const row = hresult(code);
  const base = { kind: 'code', code: formatHresult(code), win32: win32OfHresult(code), known: row !== undefined };
  if (row === undefined) return { ...base, win32Meaning: win32Meaning(code)?.text?.[language] };
  return { ...base, symbol: row.symbol, activation: row.activation, decidedBy: row.decidedBy, ...row.texts[language] };
}
