// SPDX-License-Identifier: Apache-2.0
//
// For tests: a fleet from a text instead of a file. Imported by tests only.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LoadedFleet, loadFleet } from './fleet-file.ts';

/** Loads `text` as `fleet.yaml`, in a folder that is gone afterwards; `beside` are other files there. */
export function fleetOfText(text: string, beside: Readonly<Record<string, string>> = {}): LoadedFleet {
  const dir = mkdtempSync(join(tmpdir(), 'kmspool-fleet-'));
  try {
    for (const [name, content] of Object.entries({ ...beside, 'fleet.yaml': text })) {
      writeFileSync(join(dir, name), content);
    }
    return loadFleet({ file: join(dir, 'fleet.yaml'), shownAs: 'fleet.yaml' });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
