// SPDX-License-Identifier: Apache-2.0

// The Dockerfiles, held to what the programs and the chart expect of the images.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { HOST_NODE_FLAGS } from '@kmspool/kms-node';
import { OPERATOR_NODE_FLAGS } from '../operator/node-flags.ts';

const files = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.Dockerfile'));
const textOf = (name: string): string => readFileSync(join(import.meta.dirname, name), 'utf8');
const entrypointOf = (name: string): string[] => JSON.parse(/^ENTRYPOINT (.*)$/m.exec(textOf(name))?.[1] ?? '[]');

test('there is an image of the operator, of a host and of kmsctl', () => {
  assert.deepEqual(files, ['kms-node.Dockerfile', 'kmsctl.Dockerfile', 'operator.Dockerfile']);
});

for (const file of files)
  test(`${file}: a base that can be chosen, no root, nothing run while it is built, the licence and what is in it`, () => {
    const text = textOf(file);
    assert.match(text, /^ARG BASE=node:\d+-slim$/m);
    assert.match(text, /^FROM \$\{BASE\}$/m);
    assert.match(text, /^USER 65532:65532$/m);
    assert.doesNotMatch(text, /^(RUN|CMD|SHELL|ADD) /m);
    assert.match(text, /^COPY LICENSE sbom\.cdx\.json /m);
    for (const label of ['title', 'description', 'licenses', 'version', 'revision'])
      assert.ok(text.includes(`org.opencontainers.image.${label}=`), label);
    const [node, ...rest] = entrypointOf(file);
    const program = rest.at(-1) ?? '';
    assert.equal(node, 'node');
    assert.ok(text.includes(`COPY ${program.replace('/app/', '')} /app/`));
  });

test('a host runs with the flags that it was measured with', () => {
  assert.deepEqual(entrypointOf('kms-node.Dockerfile').slice(1, -1), HOST_NODE_FLAGS);
});

test('the operator runs with the semi-space that it was measured with, in its image and from a checkout', () => {
  const [semiSpace = ''] = OPERATOR_NODE_FLAGS;
  assert.match(semiSpace, /^--max-semi-space-size=/);
  assert.ok(entrypointOf('operator.Dockerfile').includes(semiSpace));
  const { scripts } = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8'));
  assert.equal(scripts.operator, ['node', ...OPERATOR_NODE_FLAGS, 'operator/main.ts'].join(' '));
});
