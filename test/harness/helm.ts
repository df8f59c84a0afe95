// SPDX-License-Identifier: Apache-2.0

// Runs helm on the checked-in chart, away from everything that this machine has configured for it, and reads what it renders.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { toolPath } from './kubernetes/tools.ts';

/** The folder of the chart. */
export const CHART: string = fileURLToPath(new URL('../../charts/kmspool', import.meta.url));

/** What templates without a cluster are made for. */
const KUBE_VERSION = '1.36.0';

/** An object as it was rendered; tests look into it by its members' names. */
export interface Rendered {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  // biome-ignore lint/suspicious/noExplicitAny: objects of every kind, asserted member by member
  readonly [member: string]: any;
}

/** How it ended. */
export interface HelmResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Values, as in a values file. */
export type HelmValues = Readonly<Record<string, unknown>>;

/** Runs helm to its end; `values` come after the arguments as a values file. Never throws for its exit code. */
export function helm(
  args: readonly string[],
  { kubeconfig, values = {} }: { readonly kubeconfig?: string; readonly values?: HelmValues } = {},
): Promise<HelmResult> {
  const home = mkdtempSync(join(tmpdir(), 'kmspool-helm-'));
  // What is not a cluster may not become one by chance.
  const env = { PATH: process.env['PATH'], HOME: home, KUBECONFIG: kubeconfig ?? join(home, 'none') };
  // Without a cluster helm supposes a version, which depends on how it was built.
  const version = args[0] === 'template' ? ['--kube-version', KUBE_VERSION] : [];
  const given = Object.keys(values).length === 0 ? [] : ['--values', '-'];
  return new Promise((resolve) => {
    const limits = { timeout: 120_000, killSignal: 'SIGKILL', maxBuffer: 64 << 20 } as const;
    const child = execFile(
      toolPath('helm'),
      [...args, ...version, ...given],
      { env, ...limits },
      (error, stdout, stderr) => {
        rmSync(home, { recursive: true, force: true });
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
        resolve({ code, stdout, stderr });
      },
    );
    child.stdin?.on('error', () => undefined);
    // JSON is YAML.
    child.stdin?.end(JSON.stringify(values));
  });
}

/** What `helm template` makes of these values, hooks too. @throws Error with helm's words. */
export async function render(values: HelmValues = {}, args: readonly string[] = []): Promise<Rendered[]> {
  const { code, stdout, stderr } = await helm(['template', 'campus', CHART, '--namespace', 'kms-system', ...args], {
    values,
  });
  if (code !== 0) throw new Error(stderr);
  return objectsOf(stdout);
}

/** The objects of a manifest. @throws Error for what is no YAML. */
export function objectsOf(manifest: string): Rendered[] {
  return parseAllDocuments(manifest).flatMap((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw error;
    const object = document.toJS() as Rendered | null;
    return object === null ? [] : [object];
  });
}

/** Whether it is a hook, which helm does not count as part of the release. */
export function isHook({ metadata }: Rendered): boolean {
  return metadata.annotations?.['helm.sh/hook'] !== undefined;
}

/** The only object of this kind that is no hook. @throws Error when there is none, or several. */
export function only(objects: readonly Rendered[], kind: string, name?: string): Rendered {
  const found = objects.filter(
    (one) => one.kind === kind && !isHook(one) && (name ?? one.metadata.name) === one.metadata.name,
  );
  if (found.length !== 1 || found[0] === undefined)
    throw new Error(`${found.length} objects of kind ${kind} ${name ?? ''}`);
  return found[0];
}
