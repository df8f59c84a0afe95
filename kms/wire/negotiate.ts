// SPDX-License-Identifier: Apache-2.0
/**
 * What a bind or alter_context gets: per element a result, by the rules of docs/protocol.md §1.3 and §1.5. Pure; it changes
 * nothing, the association stores what was accepted.
 */
import type { ContextElement, ContextResult } from './bind.ts';
import { MAX_PDU_BYTES } from './header.ts';
import {
  btfnMask,
  KMS_INTERFACE,
  NDR32,
  NDR64,
  type Syntax,
  sameSyntax,
  type TransferSyntax,
  transferSyntaxOf,
  ZERO_SYNTAX,
} from './syntax.ts';

/** Contexts that one connection may hold; one more gets 2/3 (docs/protocol.md §5.2). */
export const MAX_CONTEXTS = 16;

const ACCEPTANCE = 0;
const PROVIDER_REJECTION = 2;
const NEGOTIATE_ACK = 3;
const ABSTRACT_SYNTAX_NOT_SUPPORTED = 1;
const TRANSFER_SYNTAXES_NOT_SUPPORTED = 2;
const LOCAL_LIMIT_EXCEEDED = 3;

/** Security context multiplexing and keep-connection-on-orphan: the features that a KMS host grants. */
const OUR_FEATURES = 3;

export type Contexts = ReadonlyMap<number, TransferSyntax>;

const NO_CONTEXTS: Contexts = new Map();

export type Negotiated =
  | { ok: true; results: ContextResult[]; accepted?: { contextId: number; syntax: TransferSyntax } }
  | { ok: false };

/**
 * v = min(client's two sizes), at least 2048, at most 5840, a multiple of 8 (docs/protocol.md §1.3).
 */
export function negotiateFragment(maxXmitFrag: number, maxRecvFrag: number): number {
  return Math.min(Math.max(Math.min(maxXmitFrag, maxRecvFrag), 2048), MAX_PDU_BYTES) & ~7;
}

const reject = (reason: number): ContextResult => ({ result: PROVIDER_REJECTION, reason, syntax: ZERO_SYNTAX });

const accept = (syntax: TransferSyntax): ContextResult => ({
  result: ACCEPTANCE,
  reason: 0,
  syntax: syntax === 'NDR64' ? NDR64 : NDR32,
});

/** Major version 1, minor 0 of the KMS interface and nothing else. */
function isKms(syntax: Syntax): boolean {
  return sameSyntax(syntax, KMS_INTERFACE);
}

/**
 * Answers a bind. Windows-like: at most one context is accepted, with NDR64 if any element offers it, else NDR32.
 * `ok: false` means bind_nak 0: no elements, an element without syntaxes, or two feature requests.
 */
export function negotiateBind(elements: readonly ContextElement[]): Negotiated {
  const masks = elements.map((element) => btfnMask(element.transferSyntaxes[0] ?? ZERO_SYNTAX));
  if (elements.length === 0 || elements.some((element) => element.transferSyntaxes.length === 0)) return { ok: false };
  if (masks.filter((mask) => mask !== undefined).length > 1) return { ok: false };
  const usable = elements.filter((element, index) => masks[index] === undefined && isKms(element.abstractSyntax));
  return settle(elements, NO_CONTEXTS, { preferred: preferredOf(usable), masks });
}

/**
 * Answers an alter_context on a connection that holds `contexts`. An element may repeat what was accepted before; one that changes it,
 * or an empty table, is `ok: false`: protocol error. A feature request has no special meaning here.
 */
export function negotiateAlter(elements: readonly ContextElement[], contexts: Contexts): Negotiated {
  if (elements.length === 0) return { ok: false };
  for (const element of elements) {
    if (element.transferSyntaxes.length === 0) return { ok: false };
    const held = contexts.get(element.contextId);
    if (held === undefined) continue;
    if (!isKms(element.abstractSyntax) || !offers(element, held)) return { ok: false };
  }
  const fresh = elements.filter((element) => !contexts.has(element.contextId) && isKms(element.abstractSyntax));
  return settle(elements, contexts, { preferred: preferredOf(fresh), masks: [] });
}

/** NDR64 if anybody offers it: KMS hosts use it since Windows 8. */
function preferredOf(elements: readonly ContextElement[]): TransferSyntax {
  return elements.some((element) => offers(element, 'NDR64')) ? 'NDR64' : 'NDR32';
}

function offers(element: ContextElement, syntax: TransferSyntax): boolean {
  return element.transferSyntaxes.some((candidate) => transferSyntaxOf(candidate) === syntax);
}

interface Terms {
  readonly preferred: TransferSyntax;
  readonly masks: readonly (number | undefined)[];
}

function settle(elements: readonly ContextElement[], contexts: Contexts, terms: Terms): Negotiated {
  const results: ContextResult[] = [];
  let accepted: { contextId: number; syntax: TransferSyntax } | undefined;
  elements.forEach((element, index) => {
    const mask = terms.masks[index];
    const held = contexts.get(element.contextId);
    if (mask !== undefined) {
      results.push({ result: NEGOTIATE_ACK, reason: mask & OUR_FEATURES, syntax: ZERO_SYNTAX });
    } else if (!isKms(element.abstractSyntax)) {
      results.push(reject(ABSTRACT_SYNTAX_NOT_SUPPORTED));
    } else if (held !== undefined) {
      results.push(accept(held));
    } else if (accepted !== undefined || !offers(element, terms.preferred)) {
      results.push(reject(TRANSFER_SYNTAXES_NOT_SUPPORTED));
    } else if (contexts.size >= MAX_CONTEXTS) {
      results.push(reject(LOCAL_LIMIT_EXCEEDED));
    } else {
      accepted = { contextId: element.contextId, syntax: terms.preferred };
      results.push(accept(terms.preferred));
    }
  });
  return { ok: true, results, ...(accepted && { accepted }) };
}
