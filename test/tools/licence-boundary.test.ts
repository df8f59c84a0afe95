// SPDX-License-Identifier: Apache-2.0
//
// The static half of the licence boundary (SECURITY.md): nothing in the repository is, or lets in, a secret of Microsoft's. The samples are
// put together at run time from meaningless letters, so that this file itself stays clean.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Detector,
  findings,
  forbiddenInput,
  hostProductId,
  keyLiteral,
  namesForbiddenInput,
  ownCipher,
  productKey,
  wordsOf,
} from './licence.ts';
import { type SourceFile, sourceFiles } from './source-files.ts';

const ALL: readonly SourceFile[] = sourceFiles('', (path) => path !== 'package-lock.json');
const isCode = (path: string): boolean => path.endsWith('.ts') || path.endsWith('.lua') || path.endsWith('.sh');
const isProductCode = (path: string): boolean =>
  isCode(path) && !path.endsWith('.test.ts') && !path.startsWith('test/');
const CODE = ALL.filter(({ path }) => isCode(path));
// What a host serves is no way in; the host PID there is the pool's own.
const isStatus = (path: string): boolean => /^crds\/[\w-]*status\.ts$/.test(path);
const PRODUCT_CODE = ALL.filter(({ path }) => isProductCode(path));

test('the walk sees code, manifests and texts', () => {
  const paths = ALL.map(({ path }) => path);
  for (const path of ['test/tools/licence.ts', 'package.json', 'docs/protocol.md'])
    assert.ok(paths.includes(path), path);
  assert.ok(PRODUCT_CODE.some(({ path }) => path.startsWith('kms/')));
});

test('no file holds a full product key', () => {
  assert.deepEqual(findings(ALL, [productKey]), []);
});

test('no file holds a genuine host product ID', () => {
  assert.deepEqual(findings(ALL, [hostProductId]), []);
});

test('no code implements AES by hand, so no key schedule can be changed', () => {
  assert.deepEqual(findings(CODE, [ownCipher]), []);
});

test('no product code holds a key as a constant', () => {
  assert.deepEqual(findings(PRODUCT_CODE, [keyLiteral]), []);
});

test('no option, environment variable or field takes a raw key, a product key or a genuine host ID', () => {
  const inputs = PRODUCT_CODE.filter(({ path }) => !isStatus(path));
  assert.deepEqual(findings(inputs, [forbiddenInput]), []);
});

const GROUPS = ['BCDFG', 'HJKMP', 'QRTVW', 'XY234', '6789N'];
const DIGITS = ['12345', '67890', '123', '456'];
const sbox = [...Buffer.from('Y3x3ew==', 'base64')];
const bytes = (count: number): readonly number[] => Array.from({ length: count }, (_, n) => (n * 37 + 11) % 256);
const hex = (list: readonly number[]): string => list.map((byte) => byte.toString(16).padStart(2, '0')).join('');

const FOUND: readonly (readonly [string, Detector, string])[] = [
  ['a key with hyphens', productKey, `key ${GROUPS.join('-')}.`],
  ['a key in small letters', productKey, GROUPS.join('-').toLowerCase()],
  ['a key pasted with em dashes', productKey, GROUPS.join('\u2014')],
  ['a key with blanks', productKey, GROUPS.join(' ')],
  ['a key as one quoted word', productKey, `'${GROUPS.join('')}'`],
  ['a host ID', hostProductId, `pid: "${DIGITS.join('-')}-03-1033-1.0000-0012024"`],
  ['an S-box in hex', ownCipher, `[${sbox.map((byte) => `0x${byte.toString(16)}`).join(', ')}]`],
  ['an S-box in decimals', ownCipher, sbox.join(', ')],
  ['an S-box as one word', ownCipher, `'${hex(sbox)}'`],
  ['16 bytes in hex', keyLiteral, `Buffer.from('${hex(bytes(16))}', 'hex')`],
  ['32 bytes in hex', keyLiteral, `"${hex(bytes(32)).toUpperCase()}"`],
  ['16 bytes as a list', keyLiteral, `[${bytes(16).join(', ')}]`],
  ['32 bytes as a hex list', keyLiteral, `[\n${bytes(32).map((byte) => `0x${byte.toString(16)}`)},\n]`],
  ['a variable', forbiddenInput, `process.env.${['KMS', 'AES', 'KEY'].join('_')}`],
  ['a variable in brackets', forbiddenInput, `env['${['ACTIVATION', 'KEY'].join('_')}']`],
  ['an option', forbiddenInput, `.option('--${['v6', 'key'].join('-')} <hex>')`],
  ['a field', forbiddenInput, `z.object({\n  ${['raw', 'Key'].join('')}: z.string(),\n})`],
];
for (const [name, detector, text] of FOUND) {
  test(`the detector finds ${name}`, () => {
    const found = findings([{ path: 'a.ts', text: `first\n${text}\nlast` }], [detector]);
    assert.equal(found.length, 1);
    assert.ok(found[0]!.line >= 2 && found[0]!.what === detector.what);
  });
}

const PASSED: readonly (readonly [string, Detector, string])[] = [
  ['the form of a key', productKey, Array(5).fill('XXXXX').join('-')],
  ['the last five characters', productKey, `Partial product key: ${GROUPS[4]}`],
  ['four groups', productKey, GROUPS.slice(1).join('-')],
  ['a UUID', productKey, '55c92734-d682-4d71-983e-d6ec3f16059f'],
  ['the pattern of a host ID', hostProductId, String.raw`/^\d{5}-\d{5}-\d{3}-/`],
  ['a date and a time', hostProductId, '2024-01-01T00:00:00Z 12345-678'],
  ['a UUID with digits only', hostProductId, '00000000-0000-0000-0000-000000000000'],
  ['numbers near an S-box', ownCipher, '99, 124, 119, 122'],
  ['16 zero bytes', keyLiteral, `'${'00'.repeat(16)}' and [${Array(16).fill(0)}]`],
  ['17 bytes', keyLiteral, `[${bytes(17).join(', ')}]`],
  ['an interface with its version', keyLiteral, `'${hex(bytes(20))}'`],
  [
    'the pool Secret by reference',
    forbiddenInput,
    "keySecretRef: z.object({}), '--key-file F', env['KMSPOOL_KEY_FILE']",
  ],
  ['the host keys of a manifest', forbiddenInput, 'hostKeys: z.array(hostKey)'],
];
for (const [name, detector, text] of PASSED) {
  test(`the detector lets pass ${name}`, () => assert.deepEqual(detector.find(text), []));
}

test('names are judged by their words, however they are joined', () => {
  assert.deepEqual(wordsOf('kmsV6AESKey-file_NAME'), ['kms', 'v6', 'aes', 'key', 'file', 'name']);
  for (const name of [
    'aesKey',
    'AES_KEY',
    'raw-secret',
    'productKey',
    'HOST_PID',
    'epid',
    'v5-key',
    'keySchedule'.replace('key', 'round'),
  ]) {
    assert.ok(namesForbiddenInput(name), name);
  }
  for (const name of [
    'keyFile',
    'keySecretRef',
    'hostKeys',
    'product',
    'activationIntervalMinutes',
    'rapid',
    'adminTokenFile',
  ]) {
    assert.ok(!namesForbiddenInput(name), name);
  }
});
