// SPDX-License-Identifier: Apache-2.0
/** Makes `dist/kms-node.mjs`, the one file that an image holds. Run by `make bundle`; nothing imports it. */
import { build } from 'esbuild';

await build({
  entryPoints: [new URL('./main.ts', import.meta.url).pathname],
  outfile: new URL('../dist/kms-node.mjs', import.meta.url).pathname,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'eof',
  loader: { '.lua': 'text' },
  // CommonJS dependencies call require() at run time.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  logLevel: 'warning',
});
