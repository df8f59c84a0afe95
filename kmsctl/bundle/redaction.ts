// SPDX-License-Identifier: Apache-2.0
//
// What may leave the house: names of machines, addresses and CMIDs are replaced, the same one by the same word throughout a bundle, so that who reads it can
// follow a machine without knowing which. Secrets are taken out whether or not names are. Pure but for its memory of what it has replaced.

import { isIP } from 'node:net';
import { redact } from '../explain/redact.ts';

const BEARER = /\b(Bearer)\s+[\w.~+/=-]{8,}/gi;
/** User and password in a URL. */
const URL_CREDENTIALS = /(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@"']+@/gi;
const SECRET_FIELD =
  /("?(?:password|token|secret|client-key-data|authorization)"?\s*[:=]\s*)("[^"]{4,}"|[^\s",}]{4,})/gi;

/** Product keys, tokens and passwords out of a text. */
export function withoutSecrets(text: string): string {
  return redact(text)
    .text.replace(BEARER, '$1 [removed]')
    .replace(URL_CREDENTIALS, '$1[removed]@')
    .replace(SECRET_FIELD, '$1[removed]');
}

const GUID = /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi;
const NAME_FIELD = /("(?:workstationName|machineName)"\s*:\s*)"((?:[^"\\]|\\.)*)"/g;
const CMID_FIELD = /("cmid"\s*:\s*)"([^"]*)"/g;
const IPV4 = /(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])/g;
const IPV6 = /(?<![\w:])[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?![\w:])/gi;

export class Pseudonyms {
  readonly #names = new Map<string, string>();
  readonly #addresses = new Map<string, string>();
  readonly #cmids = new Map<string, string>();

  /** `machine-0001`. The same name in any case is the same machine; an empty one stays empty. */
  name(text: string): string {
    return text === '' ? '' : remembered(this.#names, text.toLowerCase(), (number) => `machine-${number}`);
  }

  /** `address-0001`; loopback and unspecified ones, which tell nothing, stay. */
  address(text: string): string {
    if (/^(127\.|::1$|0\.0\.0\.0$|::$)/.test(text) || text === '') return text;
    return remembered(this.#addresses, text.toLowerCase(), (number) => `address-${number}`);
  }

  /** `cmid-0001`. */
  cmid(text: string): string {
    return remembered(this.#cmids, text.toLowerCase(), (number) => `cmid-${number}`);
  }

  /** Free text, such as a log: names that were met before, known CMIDs, all addresses. Other IDs, such as the pool's, stay. */
  text(text: string): string {
    const addressed = text
      // Fields of the hosts' debug log, and of the table: also of machines that were not met before.
      .replace(NAME_FIELD, (_whole, head: string, name: string) => `${head}"${this.name(name)}"`)
      .replace(CMID_FIELD, (_whole, head: string, cmid: string) => `${head}"${this.cmid(cmid)}"`)
      .replace(GUID, (guid) => this.#cmids.get(guid.toLowerCase()) ?? guid)
      .replace(IPV4, (address) => (isIP(address) === 4 ? this.address(address) : address))
      .replace(IPV6, (address) => (isIP(address) === 6 ? this.address(address) : address));
    if (this.#names.size === 0) return addressed;
    const [spaced, words] = this.#patterns();
    return addressed
      .replace(spaced, (name) => this.#names.get(name.toLowerCase()) ?? name)
      .replace(
        words,
        (word) =>
          this.#names.get(word.toLowerCase()) ??
          word.replace(/^[^.]+/, (first) => this.#names.get(first.toLowerCase()) ?? first),
      );
  }

  /** Names with blanks as they are, and words of which each may be a name or, up to its first dot, begin with one. */
  #patterns(): readonly [RegExp, RegExp] {
    const spaced = [...this.#names.keys()].filter((name) => /[^\p{L}\p{N}_.-]/u.test(name));
    const escaped = spaced.map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    return [escaped.length === 0 ? /(?!)/g : new RegExp(escaped.join('|'), 'giu'), WORD];
  }

  /** What was replaced, for the bundle's own account. */
  get counts(): { readonly names: number; readonly addresses: number; readonly cmids: number } {
    return { names: this.#names.size, addresses: this.#addresses.size, cmids: this.#cmids.size };
  }
}

/** What can be a machine's name within a text; names with blanks stand in fields of their own only. */
const WORD = /[\p{L}\p{N}_][\p{L}\p{N}_.-]*[\p{L}\p{N}_]|[\p{L}\p{N}_]/gu;

function remembered(known: Map<string, string>, key: string, make: (number: string) => string): string {
  const found = known.get(key);
  if (found !== undefined) return found;
  const made = make(String(known.size + 1).padStart(4, '0'));
  known.set(key, made);
  return made;
}
