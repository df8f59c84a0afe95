// SPDX-License-Identifier: Apache-2.0

// Makes `dist/kmspool-operator.mjs`, the one file that the operator's image holds. Run by `make bundle`; nothing imports it.
import { readFileSync, writeFileSync } from 'node:fs';
import { build, type Plugin } from 'esbuild';

/**
 * Of the Kubernetes library only the reader of kubeconfigs is used: without this its models and clients of every kind would be nine tenths of the file, in
 * memory and at start.
 */
const kubeconfigAlone: Plugin = {
  name: 'kubeconfig-alone',
  setup({ onResolve, resolve }) {
    onResolve({ filter: /^@kubernetes\/client-node$/ }, async ({ path, pluginData, ...from }) => {
      if (pluginData === 'whole') return undefined;
      const whole = await resolve(path, { ...from, pluginData: 'whole' });
      return { path: whole.path.replace(/index\.js$/, 'config.js'), sideEffects: false };
    });
    onResolve({ filter: /^\.\.?\// }, async ({ path, pluginData, ...from }) => {
      if (pluginData === 'whole' || !from.importer.includes('@kubernetes/client-node')) return undefined;
      return { ...(await resolve(path, { ...from, pluginData: 'whole' })), sideEffects: false };
    });
  },
};

/**
 * What the reader of kubeconfigs brings along for clients that are not used here: undici and the generated API are 40 % of the file. Who would call them
 * all the same is told.
 */
const UNUSED: Readonly<Record<string, readonly string[]>> = {
  undici: ['Agent', 'ProxyAgent'],
  './gen/index.js': ['createConfiguration', 'ServerConfiguration'],
  './middleware.js': ['setHeaderMiddleware'],
};

const withoutClients: Plugin = {
  name: 'without-clients',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(?:undici|\.\/gen\/index\.js|\.\/middleware\.js)$/ }, ({ path, importer }) =>
      importer.endsWith('@kubernetes/client-node/dist/config.js') ? { path, namespace: 'unused' } : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'unused' }, ({ path }) => {
      const stubs = (UNUSED[path] ?? []).map(
        (name) => `export function ${name}() { throw new Error('${name} of ${path} is not part of this bundle'); }`,
      );
      return { contents: stubs.join('\n') };
    });
  },
};

const outfile = new URL('../dist/kmspool-operator.mjs', import.meta.url).pathname;

await build({
  entryPoints: [new URL('./main.ts', import.meta.url).pathname],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  // Names stay: a stack trace of the operator is worth more than a shorter start.
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'eof',
  plugins: [withoutClients, kubeconfigAlone],
  // CommonJS dependencies call require() at run time.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  logLevel: 'warning',
});

// One letter beyond Latin 1 in a licence, and V8 keeps the whole source with two bytes a character.
writeFileSync(
  outfile,
  readFileSync(outfile, 'utf8').replaceAll(/[^\0-\x7f]/g, (letter) => `\\u{${letter.codePointAt(0)?.toString(16)}}`),
);
