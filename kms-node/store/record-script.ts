// SPDX-License-Identifier: Apache-2.0
/** The texts of the scripts that run in Redis. A file of its own because the bundles hold the texts in place of this (`bundle.ts`). */
import { readFileSync } from 'node:fs';

export const RECORD_SCRIPT = readFileSync(new URL('./record.lua', import.meta.url), 'utf8');
export const MERGE_SCRIPT = readFileSync(new URL('./merge.lua', import.meta.url), 'utf8');
