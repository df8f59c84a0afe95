// SPDX-License-Identifier: Apache-2.0

// Makes `dist/kmspool-operator.mjs`, the one file that the operator's image holds. Run by `make bundle`; nothing imports it.
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

await build({
  entryPoints: [new URL('./main.ts', import.meta.url).pathname],
  outfile: new URL('../dist/kmspool-operator.mjs', import.meta.url).pathname,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  // Names stay: a stack trace of the operator is worth more than a shorter start.
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'eof',
  plugins: [kubeconfigAlone],
  // CommonJS dependencies call require() at run time.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  logLevel: 'warning',
});
