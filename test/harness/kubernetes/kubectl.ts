// SPDX-License-Identifier: Apache-2.0
/**
 * Runs kubectl as a user would, away from everything that this machine has configured for it.
 */
import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
import { toolPath } from './tools.ts';

/** What it is given beside its arguments. */
export interface KubectlInput {
  /** Its standard input, for `-f -`. */
  readonly input?: string;
  /** Default 60 s; then it is killed, and `code` is -1. */
  readonly timeoutMs?: number;
}

/** How it ended. */
export interface KubectlResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs it to its end. `home` is where its cache lies. Never throws for its exit code. */
export function runKubectl(
  args: readonly string[],
  {
    kubeconfig,
    home,
    input = '',
    timeoutMs = 60_000,
  }: KubectlInput & { readonly kubeconfig: string; readonly home: string },
): Promise<KubectlResult> {
  const kubectl = toolPath('kubectl');
  const env = { PATH: dirname(kubectl), HOME: home, KUBECONFIG: kubeconfig };
  return new Promise((resolve) => {
    const limits = { timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: 64 << 20 } as const;
    const child = execFile(kubectl, args, { env, ...limits }, (error, stdout, stderr) => {
      const failed = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ code: failed, stdout, stderr });
    });
    // It need not read all of it.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}
