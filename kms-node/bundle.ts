// SPDX-License-Identifier: Apache-2.0
/** Makes `dist/kms-node.mjs`, the one file that an image holds. Run by `make bundle`; nothing imports it. */
import { readFile } from 'node:fs/promises';
import { build, type Plugin } from 'esbuild';

/** Puts the counting script's text where development reads the file. */
const recordScript: Plugin = {
  name: 'record-script',
  setup({ onLoad }) {
    onLoad({ filter: /record-script\.ts$/ }, async () => {
      const record = await readFile(new URL('./store/record.lua', import.meta.url), 'utf8');
      const merge = await readFile(new URL('./store/merge.lua', import.meta.url), 'utf8');
      const contents = `export const RECORD_SCRIPT = ${JSON.stringify(record)};\nexport const MERGE_SCRIPT = ${JSON.stringify(merge)};`;
      return { contents };
    });
  },
};

await build({
  entryPoints: [new URL('./main.ts', import.meta.url).pathname],
  outfile: new URL('../dist/kms-node.mjs', import.meta.url).pathname,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  // Names too: half of the time to ready is parsing.
  minify: true,
  legalComments: 'eof',
  plugins: [recordScript],
  // CommonJS dependencies call require() at run time.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  logLevel: 'warning',
});
