// SPDX-License-Identifier: Apache-2.0
//
// The blocks that need no cluster run here, as a new user would copy them; those of the other groups run in the end-to-end tests. And the runner itself.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parse } from 'yaml';
import { documents, type RunOptions, runBlocks, scratchCheckout } from '../harness/doc-blocks.ts';
import { type HelmValues, render } from '../harness/helm.ts';
import { missingTool } from '../harness/kubernetes/tools.ts';
import { waitFor } from '../harness/wait.ts';
import { docBlocks, testedBlocks } from './doc-blocks.ts';

const HARNESS = new URL('../harness/doc-blocks.ts', import.meta.url).href;

const block = (fence: string, text: string): string => `\`\`\`${fence}\n${text}\n\`\`\`\n`;

/** Runs a document with these blocks, in this group. */
function run(markdown: string, options: Partial<RunOptions> = {}): Promise<number> {
  const documents = [{ path: 'x.md', text: markdown }];
  return runBlocks('local', { cwd: '/', env: { PATH: process.env['PATH'] }, documents, ...options });
}

describe('the runner of blocks', () => {
  it('runs the blocks of a group in order and tells of each', async () => {
    const lines: number[] = [];
    const text =
      block('sh tested=local', 'true') + block('sh tested=cluster-pool', 'false') + block('sh tested=local', 'true');
    assert.equal(await run(text, { onPass: ({ line }) => lines.push(line) }), 2);
    assert.deepEqual(lines, [1, 7]);
  });

  it('wants the exit code that the fence names, and stops at the first command that fails', async () => {
    await run(block('sh tested=local exit=3', 'exit 3'));
    await assert.rejects(run(block('sh tested=local', 'echo so far; false; true')), /x\.md:1: ended with 1.*so far/s);
    await assert.rejects(run(block('sh tested=local exit=1', 'true')), /ended with 0 instead of 1/);
    await assert.rejects(run(block('sh tested=local', 'false | cat')), /ended with 1/);
  });

  it('wants the output that is shown, with standard error', async () => {
    const shown = block('text output', 'host campus-0: …\ncount 1');
    await run(block('sh tested=local', 'echo host campus-7: ready; echo count 25 >&2') + shown);
    await assert.rejects(run(block('sh tested=local', 'echo host campus-7: ready') + shown), /not printed.*count 1/);
  });

  it('wants the end of a block within its time', async () => {
    await assert.rejects(run(block('sh tested=local', 'sleep 600'), { timeoutMs: 200 }), /did not end within 0.2 s/);
  });

  it('leaves what is in the background running until the end of the document, and nothing after it', async () => {
    const port = await freePort();
    const ask = block('sh tested=local', connectTo(port));
    await run(block('sh tested=local background', serveOn(port)) + block('text output', 'ready') + ask);
    await assert.rejects(run(ask), /ended with 1/);
  });

  it('ends what a block leaves behind', async () => {
    const port = await freePort();
    await run(block('sh tested=local', `${serveOn(port)} & until ${connectTo(port)}; do sleep 0.05; done`));
    await waitFor('the end of it', async () => !(await isServed(port, '127.0.0.1')));
  });

  it('takes its blocks along when it is killed', async (t) => {
    const port = await freePort();
    const text = block('sh tested=local', serveOn(port));
    const runner = `import { runBlocks } from ${JSON.stringify(HARNESS)};
      await runBlocks('local', { cwd: '/', env: {}, documents: [{ path: 'x.md', text: ${JSON.stringify(text)} }] });`;
    const folder = mkdtempSync(join(tmpdir(), 'kmspool-docs-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const env = { ...process.env, TMPDIR: folder };
    const child = spawn(process.execPath, ['--input-type=module', '--eval', runner], { stdio: 'ignore', env });
    t.after(() => child.kill('SIGKILL'));
    await waitFor('the block to serve', () => isServed(port, '127.0.0.1'));
    child.kill('SIGKILL');
    await waitFor('the end of it', async () => !(await isServed(port, '127.0.0.1')));
  });

  it('is told of a block in the background that ends, or never says that it is ready', async () => {
    const shown = block('text output', 'ready');
    await assert.rejects(run(block('sh tested=local background', 'exit 2') + shown), /ended with 2 instead of running/);
    await assert.rejects(run(block('sh tested=local background', 'sleep 9') + shown, { timeoutMs: 200 }), /ready/);
    await assert.rejects(run(block('sh tested=local background', 'sleep 9')), /needs an output/);
  });
});

describe('blocks that need no cluster', () => {
  let scratch: ReturnType<typeof scratchCheckout>;
  before(() => {
    scratch = scratchCheckout();
  });
  after(() => scratch.remove());

  for (const document of documents()) {
    if (testedBlocks(docBlocks(document.text, document.path), 'local').length === 0) continue;
    it(`of ${document.path} do what it says`, async (t) => {
      // examples/campus.yaml names its port; another test may just have it.
      await waitFor(
        'TCP 1688 of the first host to be free',
        async () => !(await isServed(1688, '127.0.16.1')),
        180_000,
      );
      await runBlocks('local', {
        documents: [document],
        cwd: scratch.path,
        env: { PATH: process.env['PATH'], HOME: scratch.home, XDG_STATE_HOME: scratch.home },
        onPass: ({ file, line }, ms) => t.diagnostic(`${file}:${line} ${Math.round(ms)} ms`),
      });
    });
  }
});

describe('values in the documents', { skip: missingTool('helm') }, () => {
  for (const { file, line, text, mark } of documents().flatMap(({ path, text }) => docBlocks(text, path)))
    if (mark?.kind === 'values')
      it(`of ${file}:${line} are values of the chart`, async () => {
        await render(parse(text) as HelmValues);
      });
});

/** A command that serves on this port and says `ready`; and one that ends with 0 if somebody does, with 1 if not. */
function serveOn(port: number): string {
  return `${process.execPath} -e "require('net').createServer((s) => s.end()).listen(${port}, '127.0.0.1', () => console.log('ready'))"`;
}
function connectTo(port: number): string {
  return `${process.execPath} -e "require('net').connect(${port}, '127.0.0.1').on('error', () => process.exit(1)).on('end', () => process.exit(0)).resume()"`;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  assert.ok(address !== null && typeof address === 'object');
  return address.port;
}

function isServed(port: number, address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, address)
      .once('connect', () => {
        socket.destroy();
        resolve(true);
      })
      .once('error', () => resolve(false));
  });
}
