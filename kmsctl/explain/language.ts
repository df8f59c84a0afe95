// SPDX-License-Identifier: Apache-2.0
//
// In which language to talk: as the user says, else as the environment says (POSIX: the first of the three that is set).

import { LANGUAGES, type Language } from '@kmspool/kms/catalog';

/** `LC_ALL`, `LC_MESSAGES`, `LANG`: a value such as `ko_KR.UTF-8`. English for everything else. */
export function languageOf(env: Readonly<Record<string, string | undefined>>): Language {
  const set = [env['LC_ALL'], env['LC_MESSAGES'], env['LANG']].find((value) => value !== undefined && value !== '');
  const tongue = set?.toLowerCase().split(/[_.@-]/)[0];
  return LANGUAGES.find((language) => language === tongue) ?? 'en';
}
