// SPDX-License-Identifier: Apache-2.0
/**
 * Notices a changed configuration file. It reads the file every second and compares the text: a mounted ConfigMap is replaced by switching a symbolic link, which
 * watching the file does not show.
 */
import { readFile } from 'node:fs/promises';

const EVERY_MS = 1_000;

export interface ConfigWatch {
  stop(): void;
}

/** Calls `onChange` with the new text, once for each change; a file that is gone for a moment is no change. */
export function watchConfig(file: string, current: string, onChange: (text: string) => void): ConfigWatch {
  let known = current;
  const timer = setInterval(async () => {
    const text = await readFile(file, 'utf8').catch(() => known);
    if (text === known) return;
    known = text;
    onChange(text);
  }, EVERY_MS);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
