// SPDX-License-Identifier: Apache-2.0
/** The text of the counting script. A file of its own because the bundle holds the text in place of this (`bundle.ts`). */
import { readFileSync } from 'node:fs';

export const RECORD_SCRIPT = readFileSync(new URL('./record.lua', import.meta.url), 'utf8');
