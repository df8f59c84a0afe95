// SPDX-License-Identifier: Apache-2.0
//
// How remarks are made: a table of sayings in every language, with {names} that are filled in. What they say is in
// sayings-*.ts, when they are said in remarks-*.ts and pool-facts.ts.

import { LANGUAGES, type Localised } from '@kmspool/kms/catalog';
import type { Remark } from './types.ts';

type Texts = readonly [en: string, ko: string];
export type Saying = Omit<Remark, 'id'>;
export type Filling = string | number | Localised;

function row(severity: Remark['severity'], text: Texts, remedy: Texts | undefined): Saying {
  const both = ([en, ko]: Texts): Localised => ({ en, ko });
  return { severity, text: both(text), ...(remedy !== undefined && { remedy: both(remedy) }) };
}

/** Something to mend. */
export const problem = (text: Texts, remedy?: Texts): Saying => row('problem', text, remedy);
/** Something to know. */
export const note = (text: Texts, remedy?: Texts): Saying => row('note', text, remedy);
/** Something that is in order. */
export const good = (text: Texts): Saying => row('good', text, undefined);

/** A function that says what stands in the table under an id, with {names} filled in. */
export function sayer<Id extends string>(
  table: Readonly<Record<Id, Saying>>,
): (id: Id, fillings?: Readonly<Record<string, Filling>>) => Remark {
  return (id, fillings = {}) => {
    const { severity, text, remedy } = table[id];
    return {
      id,
      severity,
      text: fill(text, fillings),
      ...(remedy !== undefined && { remedy: fill(remedy, fillings) }),
    };
  };
}

function fill(text: Localised, fillings: Readonly<Record<string, Filling>>): Localised {
  const [en, ko] = LANGUAGES.map((language) =>
    text[language].replace(/\{(\w+)\}/g, (whole, name: string) => {
      const filling = fillings[name];
      return filling === undefined ? whole : String(typeof filling === 'object' ? filling[language] : filling);
    }),
  );
  return { en: en ?? '', ko: ko ?? '' };
}

/** The remarks that apply: each is worked out only if its condition holds. */
export function when(condition: boolean, remark: () => Remark): Remark[] {
  return condition ? [remark()] : [];
}

const NAMED_AT_MOST = 5;

/** `a, b, c and 7 more`, in each language. */
export function listed(names: readonly string[]): Localised {
  const shown = names.slice(0, NAMED_AT_MOST).join(', ');
  const more = names.length - NAMED_AT_MOST;
  return more > 0 ? { en: `${shown} and ${more} more`, ko: `${shown} 외 ${more}개` } : { en: shown, ko: shown };
}
