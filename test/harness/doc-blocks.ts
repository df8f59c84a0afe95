// SPDX-License-Identifier: Apache-2.0

// Runs the tested blocks of the documents, as somebody would who copies them one after the other. What the marks mean: test/tools/doc-blocks.ts.
//
//   local               in a checkout (scratchCheckout); npm, make, helm
//   cluster-install     in a cluster that has the images kmspool/{operator,kms-node,kmsctl}:VERSION and redis:8.2-alpine; helm, kubectl
//   cluster-quickstart  after cluster-install; npm; TCP 1688 free on 127.0.0.1
//   cluster-dns         after cluster-quickstart, once external-dns publishes quickstart.example and the cluster's DNS knows that zone
//   cluster-pool        with the pool of examples/campus.yaml in the namespace `kms`, whose records external-dns publishes, and a release in `kmspool`; TCP 8080 free on 127.0.0.1
//   cluster-uninstall   at the end
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { docBlocks, type Group, type TestedBlock, testedBlocks } from '../tools/doc-blocks.ts';
import { fitsSoFar, misfit } from '../tools/doc-output.ts';
import { ROOT, type SourceFile, sourceFiles } from '../tools/source-files.ts';
import { waitFor } from './wait.ts';

/** How blocks are run. */
export interface RunOptions {
  /** Folder of the blocks, a checkout or what looks like one. */
  readonly cwd: string;
  /** The whole environment; nothing is added. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whose blocks run. Default: documents(). */
  readonly documents?: readonly SourceFile[];
  /** Of one block; of one in the background: until it is ready. Default 5 minutes. */
  readonly timeoutMs?: number;
  /** Told of each block that was right, as soon as it was. */
  readonly onPass?: (block: TestedBlock, milliseconds: number) => void;
}

const DEFAULT_TIMEOUT_MS = 300_000;

/** A process in the background gets SIGINT, as by Ctrl-C, and after this SIGKILL. Longer than a host drains. */
const END_MS = 30_000;

/** README.md, docs and examples: the documents of which every shell block is marked, in the order in which their blocks run. */
export function documents(): readonly SourceFile[] {
  const wanted = ['README.md', 'docs/install.md', 'docs/production.md', 'docs/redis.md'];
  const files = sourceFiles('', (path) => wanted.includes(path) || /^(docs\/runbooks|examples)\/.*\.md$/.test(path));
  const rank = ({ path }: SourceFile): number => (wanted.indexOf(path) + wanted.length + 1) % (wanted.length + 1);
  return [...files].sort((a, b) => rank(a) - rank(b) || (a.path < b.path ? -1 : 1));
}

/**
 * Runs all blocks of a group, document by document. Each must end with the exit code that its fence names, within its time, and print what is shown
 * below it. What a block leaves running is ended with it, and its background blocks with the document.
 * @returns the number of blocks. @throws Error for the first block that is wrong, with its place and the end of what it printed.
 */
export async function runBlocks(group: Group, options: RunOptions): Promise<number> {
  let count = 0;
  for (const { path, text } of options.documents ?? documents()) {
    const blocks = testedBlocks(docBlocks(text, path), group);
    await runDocument(blocks, options);
    count += blocks.length;
  }
  return count;
}

async function runDocument(blocks: readonly TestedBlock[], options: RunOptions): Promise<void> {
  const background: Running[] = [];
  try {
    for (const block of blocks) {
      const startedAtMs = performance.now();
      const running = start(block, options);
      if (block.mark.isBackground) {
        background.push(running);
        await untilReady(running, options);
      } else await untilEnded(running, options);
      options.onPass?.(block, performance.now() - startedAtMs);
    }
  } finally {
    await Promise.all(background.map(end));
  }
}

interface Running {
  readonly block: TestedBlock;
  readonly child: ChildProcess;
  /** What was printed so far, standard error included. */
  readonly printed: () => string;
  readonly remove: () => void;
}

/**
 * Runs a block ($0) as somebody would paste it, but stops at the first command that fails. Descriptor 3 is a pipe that we hold: should we be killed, it
 * ends, and so does the group. The guard is no job of the block's own shell, whose %1 is the block's.
 */
const SHELL = '(read -r _ <&3; kill -KILL 0) & exec bash -e -o pipefail -c "$0" 3<&-';

/** A process group of its own, so that all of it can be ended; output into a file, which no child left behind holds open. */
function start(block: TestedBlock, { cwd, env }: RunOptions): Running {
  const folder = mkdtempSync(join(tmpdir(), 'kmspool-doc-block-'));
  const file = join(folder, 'output');
  const output = openSync(file, 'w');
  const child = spawn('bash', ['-c', SHELL, block.text], {
    cwd,
    env,
    detached: true,
    stdio: ['ignore', output, output, 'pipe'],
  });
  closeSync(output);
  return {
    block,
    child,
    printed: () => readFileSync(file, 'utf8'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

async function untilEnded(running: Running, { timeoutMs = DEFAULT_TIMEOUT_MS }: RunOptions): Promise<void> {
  const { block, child } = running;
  try {
    await waitFor('the end of a block', () => hasEnded(child), timeoutMs).catch(() => {
      throw wrong(running, `it did not end within ${timeoutMs / 1000} s`);
    });
    if (child.exitCode !== block.mark.exitCode)
      throw wrong(running, `ended with ${child.exitCode ?? child.signalCode} instead of ${block.mark.exitCode}`);
    const difference = block.output === undefined ? undefined : misfit(block.output, running.printed());
    if (difference !== undefined) throw wrong(running, difference);
  } finally {
    signalGroup(child, 'SIGKILL');
    running.remove();
  }
}

async function untilReady(running: Running, { timeoutMs = DEFAULT_TIMEOUT_MS }: RunOptions): Promise<void> {
  const { block, child } = running;
  const { output } = block;
  if (output === undefined)
    throw wrong(running, 'a block in the background needs an output that says when it is ready');
  await waitFor('the output shown', () => hasEnded(child) || fitsSoFar(output, running.printed()), timeoutMs).catch(
    () => {
      throw wrong(running, misfit(`${output}…\n`, running.printed()) ?? 'not ready');
    },
  );
  if (hasEnded(child)) throw wrong(running, `ended with ${child.exitCode ?? child.signalCode} instead of running on`);
}

async function end(running: Running): Promise<void> {
  const { child } = running;
  if (!hasEnded(child)) {
    const ended = once(child, 'exit');
    signalGroup(child, 'SIGINT');
    const late = setTimeout(() => signalGroup(child, 'SIGKILL'), END_MS);
    await ended;
    clearTimeout(late);
  }
  signalGroup(child, 'SIGKILL');
  running.remove();
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch (error) {
    // Nobody of the group is left.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function wrong({ block, printed }: Running, what: string): Error {
  return new Error(
    `${block.file}:${block.line}: ${what}\n--- the block\n${block.text}--- the end of what it printed\n${printed().slice(-4000)}`,
  );
}

/** A folder with links to everything in the checkout, so that what a block writes into it stays out of the checkout; and an empty home beside it. */
export function scratchCheckout(): { readonly path: string; readonly home: string; readonly remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'kmspool-docs-'));
  const [path, home] = [mkdtempSync(join(folder, 'checkout-')), mkdtempSync(join(folder, 'home-'))];
  for (const entry of readdirSync(ROOT)) if (entry !== '.git') symlinkSync(join(ROOT, entry), join(path, entry));
  return { path, home, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
