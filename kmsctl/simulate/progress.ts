// SPDX-License-Identifier: Apache-2.0
//
// A bar that fills, where someone watches, and gone before anything else is printed.

import type { Io } from '../cli/io.ts';

const WIDTH = 30;
/** What is over sooner shows no bar; and no bar is drawn more often. */
const EVERY_MS = 150;

export interface Progress {
  /** `share` 0 … 1; `note` follows the bar. */
  show(share: number, note?: string): void;
  /** Leaves no trace. */
  clear(): void;
}

/** A bar on this terminal; in a pipe nothing. `nowMs`: monotonic. */
export function progressOn(io: Io, nowMs: () => number = () => performance.now()): Progress {
  let drawnMs = nowMs();
  let shown = false;
  return {
    show: (share, note = '') => {
      if (!io.tty || nowMs() - drawnMs < EVERY_MS) return;
      drawnMs = nowMs();
      shown = true;
      const full = Math.round(WIDTH * Math.min(1, Math.max(0, share)));
      const percent = String(Math.floor(share * 100)).padStart(3);
      const bar = `${'█'.repeat(full)}${'░'.repeat(WIDTH - full)} ${percent} %`;
      io.out(`\r\x1b[2K${bar}${note === '' ? '' : `  ${note}`}`);
    },
    clear: () => {
      if (shown) io.out('\r\x1b[2K');
      shown = false;
    },
  };
}
