// SPDX-License-Identifier: Apache-2.0
//
// `kubectl kms` completes: kubectl itself is asked, with kmsctl's completion program beside it.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { openSandbox } from '../../kmsctl/testing/child.ts';
import { runHere } from '../../kmsctl/testing/here.ts';
import { missingTool, toolPath } from '../harness/kubernetes/tools.ts';

const sandbox = openSandbox();
after(() => sandbox.close());

test('kubectl offers the verbs, flags and values of kmsctl after "kubectl kms"', {
  skip: missingTool('kubectl'),
}, async () => {
  const { stdout: script } = await runHere(['completion', 'kubectl'], { dir: sandbox.dir });
  for (const [name, text] of [
    ['kubectl_complete-kms', script],
    ['kubectl-kms', '#!/bin/sh\n'],
  ] as const) {
    writeFileSync(join(sandbox.dir, name), text);
    chmodSync(join(sandbox.dir, name), 0o755);
  }
  const env = {
    PATH: `${sandbox.dir}:${process.env['PATH']}`,
    HOME: sandbox.dir,
    KUBECONFIG: join(sandbox.dir, 'none'),
  };
  const ask = async (...words: string[]): Promise<string[]> => {
    const { stdout } = await promisify(execFile)(toolPath('kubectl'), ['__complete', 'kms', ...words], { env });
    return stdout.trimEnd().split('\n');
  };
  assert.deepEqual(await ask('dns', ''), ['export', 'import', 'help', ':4']);
  assert.deepEqual(await ask('dns', 'export', '--format', 'un'), ['unbound', ':4']);
  assert.deepEqual(await ask('up', '--log-'), ['--log-level', ':4']);
  assert.deepEqual(await ask('up', '--port', ''), [':0']);
});
