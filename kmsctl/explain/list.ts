// SPDX-License-Identifier: Apache-2.0
//
// Everything that the catalogue can explain, at a glance or as data.

import { EVENTS, formatHresult, HRESULTS, type Language, LICENSE_STATUSES, SETUP_KEYS } from '@kmspool/kms/catalog';
import { wrapLines } from '../text/wrap.ts';
import type { Layout } from './layout.ts';
import { ACTIVATION_NAMES } from './words.ts';

/** Codes in their numeric order, then events: number, where it is met, what it means. */
export function listLines({ language, style, width }: Omit<Layout, 'long'>): string[] {
  const line = (number: string, text: string): string[] =>
    wrapLines(text, { width, first: `${style.bold(number)}  `, rest: ' '.repeat(number.length + 2) });
  return [
    ...[...HRESULTS]
      .sort((a, b) => a.code - b.code)
      .flatMap((row) =>
        line(formatHresult(row.code), `${typesOf(row.activation, language)}: ${row.texts[language].meaning}`),
      ),
    ...EVENTS.flatMap(({ id, texts }) => line(`${id}     `, `${texts[language].title}.`)),
  ];
}

function typesOf(types: (typeof HRESULTS)[number]['activation'], language: Language): string {
  return types.map((type) => ACTIVATION_NAMES[type][language]).join(', ');
}

/** All of it in every language, for other programs. */
export function catalogueJson(): Record<string, unknown> {
  return {
    codes: HRESULTS.map((row) => ({ ...row, code: formatHresult(row.code) })),
    events: EVENTS.map(({ title: _title, fields, ...event }) => ({
      ...event,
      fields: fields.map(({ name, titles }) => ({ name, titles })),
    })),
    licenseStatuses: LICENSE_STATUSES,
    setupKeys: SETUP_KEYS,
  };
}
