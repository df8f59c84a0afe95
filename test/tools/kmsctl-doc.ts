// SPDX-License-Identifier: Apache-2.0
//
// Writes docs/kmsctl.md from docs/kmsctl/ and the program, or with --check says whether it is right. Examples in it are really run.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Io } from '../../kmsctl/cli/io.ts';
import { buildProgram, run } from '../../kmsctl/cli/program.ts';
import { commandTree } from '../../kmsctl/cli/tree.ts';
import { makeDoc } from './kmsctl-doc-parts.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SECTIONS = resolve(ROOT, 'docs/kmsctl');
const TARGET = resolve(ROOT, 'docs/kmsctl.md');
const COLUMNS = 80;

/** A terminal of nobody: plain text, names relative to the repository, no pool of the user's. */
function pageIo(write: (text: string) => void): Io {
  return {
    ...{ out: write, err: write, tty: false, color: false, columns: () => COLUMNS, program: 'kmsctl' },
    env: { XDG_STATE_HOME: resolve(ROOT, 'test/.out/no-state') },
    path: (name) => resolve(ROOT, name),
  };
}

async function play(args: readonly string[]): Promise<{ code: number; output: string }> {
  let output = '';
  const code = await run(
    args,
    pageIo((text) => {
      output += text;
    }),
  );
  return { code, output };
}

const files = readdirSync(SECTIONS).filter(
  (name) => name.endsWith('.md') && name !== 'README.md' && name !== 'front.md',
);
const made = await makeDoc({
  root: commandTree(buildProgram({ io: pageIo(() => {}), exit: () => {} })),
  front: readFileSync(resolve(SECTIONS, 'front.md'), 'utf8'),
  sections: new Map(files.map((name) => [name.slice(0, -'.md'.length), readFileSync(resolve(SECTIONS, name), 'utf8')])),
  run: play,
});

if (!made.ok) {
  process.stderr.write(made.errors.map((error) => `docs/kmsctl: ${error}\n`).join(''));
  process.exitCode = 1;
} else if (!process.argv.includes('--check')) {
  writeFileSync(TARGET, made.text);
} else if (readFileSync(TARGET, 'utf8') !== made.text) {
  process.stderr.write('docs/kmsctl.md is stale; run make generate\n');
  process.exitCode = 1;
}
