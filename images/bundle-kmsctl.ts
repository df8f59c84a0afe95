// SPDX-License-Identifier: Apache-2.0

// Makes `dist/kmsctl.mjs`, the one file of kmsctl's image. `up --redis` alone does not work from it: its hosts are processes of kms-node's own program. Run by
// `make bundle`; nothing imports it.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';

const root = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** Puts the counting script's text where development reads the file. */
const recordScript: Plugin = {
  name: 'record-script',
  setup({ onLoad }) {
    onLoad({ filter: /record-script\.ts$/ }, async () => {
      const record = await readFile(root('kms-node/store/record.lua'), 'utf8');
      const merge = await readFile(root('kms-node/store/merge.lua'), 'utf8');
      const contents = `export const RECORD_SCRIPT = ${JSON.stringify(record)};\nexport const MERGE_SCRIPT = ${JSON.stringify(merge)};`;
      return { contents };
    });
  },
};

/** Puts in the texts of the HTML report where development reads the files. */
const pageAssets: Plugin = {
  name: 'page-assets',
  setup({ onLoad }) {
    onLoad({ filter: /simulate\/html\/assets\.ts$/ }, async () => {
      const { PAGE_ASSETS } = await import('../kmsctl/simulate/html/assets.ts');
      return { contents: `export const PAGE_ASSETS = ${JSON.stringify(PAGE_ASSETS)};` };
    });
  },
};

const REQUIRE =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

/** As a kubectl plugin it runs with whatever node there is; an older one would fail somewhere in the middle. */
const OLD_NODE = `if (Number.parseInt(process.versions.node, 10) < 24) {
  process.stderr.write('kmsctl: this is Node ' + process.versions.node + '; install Node 24 or newer\\n');
  process.exit(2);
}`;

await build({
  entryPoints: [root('kmsctl/main.ts')],
  outfile: root('dist/kmsctl.mjs'),
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'eof',
  plugins: [recordScript, pageAssets],
  // CommonJS dependencies call require() at run time.
  banner: { js: `${REQUIRE}\n${OLD_NODE}` },
  logLevel: 'warning',
});
