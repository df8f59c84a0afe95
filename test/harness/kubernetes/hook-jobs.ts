// SPDX-License-Identifier: Apache-2.0

// Plays the Jobs of a chart's hooks where there is no node: each runs as a process of this machine's node, with the script of its ConfigMap, the arguments of its
// container and a token of its ServiceAccount, so what it may do is what the chart's roles say. The Job's status then tells helm how it ended.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Rendered } from '../helm.ts';
import type { ControlPlane } from './control-plane.ts';

/** Its `activeDeadlineSeconds`, shortened. */
const JOB_MS = 60_000;

/** How a Job ended. */
export interface PlayedJob {
  readonly name: string;
  readonly code: number;
  readonly output: string;
}

/** What a service account's token is put into. */
export interface AccountOptions {
  readonly plane: ControlPlane;
  readonly namespace: string;
  readonly account: string;
}

/** A new token of a service account. @throws Error with kubectl's words. */
export async function tokenOf({ plane, namespace, account }: AccountOptions): Promise<string> {
  const { code, stdout, stderr } = await plane.kubectl(['create', 'token', account, '-n', namespace]);
  if (code !== 0) throw new Error(stderr);
  return stdout.trim();
}

/** A kubeconfig with which somebody is this service account, as a Pod is. Answers its path. */
export async function kubeconfigOf(options: AccountOptions): Promise<string> {
  const { plane, namespace, account } = options;
  const config = JSON.parse(readFileSync(plane.kubeconfig, 'utf8'));
  config.users[0].user = { token: await tokenOf(options) };
  const file = join(plane.directory, `${namespace}-${account}.kubeconfig`);
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
  return file;
}

/** Plays the next Job that appears in a namespace, and resolves with its end. @throws Error when none appears in time. */
export async function playNextJob(plane: ControlPlane, namespace: string, timeoutMs = 60_000): Promise<PlayedJob> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const { stdout } = await plane.kubectl(['get', 'jobs', '-n', namespace, '-o', 'json']);
    const [job] = (JSON.parse(stdout || '{"items":[]}') as { items: Rendered[] }).items;
    if (job !== undefined) return play(plane, namespace, job);
    if (performance.now() > deadline) throw new Error(`no Job appeared in ${namespace}`);
    await delay(100);
  }
}

async function play(plane: ControlPlane, namespace: string, job: Rendered): Promise<PlayedJob> {
  const started = new Date();
  const { serviceAccountName: account, containers, volumes } = job['spec'].template.spec;
  const [{ command, args = [], env = [] }] = containers;
  const folder = join(plane.directory, `job-${namespace}-${job.metadata.name}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'token'), await tokenOf({ plane, namespace, account }), { mode: 0o600 });
  const maps = await plane.kubectl(['get', 'configmap', volumes[0].configMap.name, '-n', namespace, '-o', 'json']);
  for (const [name, text] of Object.entries(JSON.parse(maps.stdout).data))
    writeFileSync(join(folder, name), text as string);
  const names: string[] = env.map(({ name }: { name: string }) => name);
  const end = await run([join(folder, basename(command[1])), ...args], {
    PATH: process.env['PATH'],
    KUBERNETES_SERVICE_HOST: '127.0.0.1',
    KUBERNETES_SERVICE_PORT: String(plane.port),
    SERVICE_ACCOUNT_DIR: folder,
    ...(names.includes('NODE_EXTRA_CA_CERTS') ? { NODE_EXTRA_CA_CERTS: authorityOf(plane) } : {}),
  });
  await tell(plane, namespace, { job, started, ok: end.code === 0 });
  return { name: job.metadata.name, ...end };
}

function authorityOf(plane: ControlPlane): string {
  return JSON.parse(readFileSync(plane.kubeconfig, 'utf8')).clusters[0].cluster['certificate-authority'];
}

function run(args: readonly string[], env: NodeJS.ProcessEnv): Promise<{ code: number; output: string }> {
  const limits = { timeout: JOB_MS, killSignal: 'SIGKILL' } as const;
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'], ...limits });
  let output = '';
  const take = (chunk: Buffer): void => {
    output += chunk.toString();
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  return new Promise((resolve) => child.once('close', (code) => resolve({ code: code ?? -1, output })));
}

/** As the Job controller would write it. */
async function tell(
  plane: ControlPlane,
  namespace: string,
  { job, started, ok }: { readonly job: Rendered; readonly started: Date; readonly ok: boolean },
): Promise<void> {
  const now = new Date().toISOString().replace(/\.\d+/, '');
  const at = { lastProbeTime: now, lastTransitionTime: now, status: 'True' };
  const types = ok ? ['SuccessCriteriaMet', 'Complete'] : ['FailureTarget', 'Failed'];
  const status = {
    startTime: started.toISOString().replace(/\.\d+/, ''),
    ...(ok ? { completionTime: now, succeeded: 1 } : { failed: 1 }),
    conditions: types.map((type) => ({ ...at, type, reason: 'Played' })),
  };
  const patch = JSON.stringify({ status });
  const args = [
    'patch',
    'job',
    job.metadata.name,
    '-n',
    namespace,
    '--subresource=status',
    '--type=merge',
    '-p',
    patch,
  ];
  const { code, stderr } = await plane.kubectl(args);
  if (code !== 0) throw new Error(stderr);
}
