// SPDX-License-Identifier: Apache-2.0
//
// Holds the walls between the packages, and two rules that keep files readable. Each offender is listed with its line and the reason.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { defaultExports, importsOf, type Manifests, offenceOf, overlongFiles, WALLS, wallOffences } from './imports.ts';
import { ROOT, type SourceFile, sourceFiles } from './source-files.ts';

const WORKSPACES = Object.keys(WALLS).filter((folder) => existsSync(join(ROOT, folder)));
const FILES: readonly SourceFile[] = WORKSPACES.flatMap((folder) =>
  sourceFiles(folder, (path) => path.endsWith('.ts')),
);

function dependenciesOf(folder: string): readonly string[] {
  const manifest = JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8')) as Record<
    string,
    Record<string, string>
  >;
  return ['dependencies', 'devDependencies'].flatMap((field) => Object.keys(manifest[field] ?? {}));
}

const MANIFESTS: Manifests = {
  root: dependenciesOf('.'),
  workspaces: Object.fromEntries(WORKSPACES.map((folder) => [folder, dependenciesOf(folder)])),
};

test('the walk sees the packages and this file', () => {
  assert.ok(FILES.some((file) => file.path === 'test/tools/imports.test.ts'));
  for (const folder of ['kms', 'crds', 'kms-node', 'kmsctl']) {
    assert.ok(
      FILES.some((file) => file.path.startsWith(`${folder}/`)),
      `no TypeScript found below ${folder}/`,
    );
  }
});

test('no import goes through a wall between the packages', () => {
  assert.deepEqual(wallOffences(FILES, MANIFESTS), []);
});

test('every workspace of package.json stands behind a wall', () => {
  const { workspaces } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { workspaces: string[] };
  assert.deepEqual(
    workspaces.filter((folder) => !(folder in WALLS)),
    [],
  );
});

test('no file has a default export', () => {
  assert.deepEqual(defaultExports(FILES), []);
});

test('no file is longer than 300 lines, no test longer than 500', () => {
  assert.deepEqual(overlongFiles(FILES), []);
});

test('the scanner finds every form of import, also of types, and none in comments or strings', () => {
  const text = [
    "import a from 'one';",
    "import type { B } from 'two';",
    'import {',
    '  c, /* nor; "this" */ // not the end; "really"',
    "} from './three.ts';",
    "export * from './four.ts';",
    "import 'five';",
    "const six = await import('six');",
    "let seven: import('seven').T;",
    "const eight = require('eight');",
    "const nine = import.meta.resolve('nine');",
    'const ten = await import(name);',
    "// import x from 'no';",
    "/* import x from 'no';",
    "import y from 'no'; */",
    'const s = "import z from \'no\'";',
    "const t = `\nimport z from 'no';\n`;",
    'const q = /["\'`]/;',
    "const last = import('eleven');",
  ].join('\n');
  assert.deepEqual(
    importsOf(text).map(({ specifier, line }) => `${line} ${specifier}`),
    [
      '1 one',
      '2 two',
      '5 ./three.ts',
      '6 ./four.ts',
      '7 five',
      '8 six',
      '9 seven',
      '10 eight',
      '11 nine',
      '12 undefined',
      '21 eleven',
    ],
  );
});

const SAMPLE: Manifests = {
  root: ['fast-check'],
  workspaces: {
    crds: ['zod'],
    'kms-node': ['fastify', '@kubernetes/client-node'],
    operator: ['@kubernetes/client-node'],
    kmsctl: ['commander'],
  },
};

const ALLOWED: readonly (readonly [string, string])[] = [
  ['kms/wire/a.ts', 'node:crypto'],
  ['kms/wire/a.ts', './b.ts'],
  ['kms/wire/a.ts', '../counting/rules.ts'],
  ['kms/client/a.ts', '@kmspool/kms/dns'],
  ['kms/wire/a.test.ts', 'node:test'],
  ['kms/wire/a.test.ts', 'fast-check'],
  ['crds/pool.ts', '@kmspool/kms/catalog'],
  ['crds/pool.ts', 'zod'],
  ['kms-node/server/a.ts', '@kmspool/crds'],
  ['kms-node/server/a.ts', 'node:net'],
  ['kmsctl/up.ts', '@kmspool/kms-node'],
  ['operator/runtime/a.ts', '@kubernetes/client-node'],
  ['test/bench/a.ts', '@kmspool/kmsctl'],
];
for (const [path, specifier] of ALLOWED) {
  test(`${path} may import ${specifier}`, () => assert.equal(offenceOf(path, specifier, SAMPLE), undefined));
}

const FORBIDDEN: readonly (readonly [string, string | undefined])[] = [
  ['kms/wire/a.ts', 'node:fs'],
  ['kms/wire/a.ts', 'fast-check'],
  ['kms/wire/a.ts', 'zod'],
  ['kms/wire/a.ts', '@kmspool/crds'],
  ['kms/wire/a.ts', '../../crds/pool.ts'],
  ['kms/wire/a.test.ts', '@kmspool/kms-node'],
  ['crds/pool.ts', '@kmspool/kms-node'],
  ['crds/pool.ts', 'yaml'],
  ['crds/pool.ts', '@kubernetes/client-node'],
  ['kms-node/server/a.ts', '@kmspool/kmsctl'],
  ['kms-node/server/a.ts', '@kmspool/operator'],
  ['kms-node/server/a.ts', '@kubernetes/client-node'],
  ['kms-node/server/a.ts', '@kubernetes/client-node/dist/config.js'],
  ['kms-node/server/a.test.ts', '@kmspool/test'],
  ['kms-node/server/a.test.ts', '../../test/harness/a.ts'],
  ['kms-node/server/a.ts', '/etc/a.ts'],
  ['kms-node/server/a.ts', undefined],
  ['operator/pool/a.ts', '@kmspool/kms-node'],
  ['kmsctl/up.ts', '@kmspool/kms-node/store'],
  ['kmsctl/up.ts', '@kmspool/operator'],
  ['kmsctl/up.ts', '../kms-node/index.ts'],
  ['kmsctl/up.ts', 'fast-check'],
];
for (const [path, specifier] of FORBIDDEN) {
  test(`${path} may not import ${specifier ?? 'a computed name'}`, () =>
    assert.notEqual(offenceOf(path, specifier, SAMPLE), undefined));
}

test('an offence names the file, the line, the import and the reason', () => {
  assert.deepEqual(wallOffences([{ path: 'kms/a.ts', text: "// first\nimport fs from 'node:fs';\n" }], SAMPLE), [
    'kms/a.ts:2 imports "node:fs": kms imports only node:crypto and itself',
  ]);
});

test('default exports and long files are found', () => {
  const files = [
    { path: 'kms/a.ts', text: 'export default 1;\n' },
    { path: 'kms/b.ts', text: 'export { b as default };\n' },
    { path: 'kms/c.ts', text: `import { default as d } from 'd'; // export default\n${'\n'.repeat(299)}` },
    { path: 'kms/d.ts', text: '\n'.repeat(301) },
    { path: 'kms/d.test.ts', text: '\n'.repeat(500) },
    { path: 'test/e.ts', text: '\n'.repeat(501) },
    { path: 'crds/generated/f.ts', text: '\n'.repeat(5000) },
  ];
  assert.deepEqual(defaultExports(files), ['kms/a.ts', 'kms/b.ts']);
  assert.deepEqual(overlongFiles(files), ['kms/d.ts: 301 lines, at most 300', 'test/e.ts: 501 lines, at most 500']);
});
