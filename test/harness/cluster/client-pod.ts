// SPDX-License-Identifier: Apache-2.0
/**
 * Pods with simulated machines in them (test/e2e/client): started, listened to, ended. What they say is read from their logs through the API server.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { CONFIG_MAPS, PODS, type Pod } from '../../../operator/pool/kinds.ts';
import { waitFor } from '../wait.ts';
import type { Cluster } from './cluster.ts';
import type { Tried } from './tried.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const SCRIPT = 'e2e-client';

export interface ClientsOptions {
  readonly cluster: Cluster;
  /** Where the pool's key Secret is. */
  readonly namespace: string;
  /** Name of the Pod. */
  readonly name: string;
  readonly keySecret: string;
  /** What test/e2e/client/main.ts is told. */
  readonly args: readonly string[];
}

export interface Clients {
  /** All tries so far. */
  tries(): Promise<Tried[]>;
  /** Waits until it has ended by itself, and answers its tries. @throws Error with its log when it failed. */
  ended(timeoutMs?: number): Promise<Tried[]>;
  /** Ends it in order, and answers all its tries; the Pod is gone then. */
  stop(): Promise<Tried[]>;
}

/** Name of an image of ours as the chart would have it. */
export function productImage(name: string): string {
  const { version } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as { version: string };
  return `${process.env['KMSPOOL_E2E_REGISTRY'] ?? 'localhost'}/kmspool/${name}:${version}`;
}

/** Makes the clients' program known in a namespace. */
export async function putProgram({ client }: Cluster, namespace: string): Promise<void> {
  const { outputFiles } = await build({
    entryPoints: [`${ROOT}test/e2e/client/main.ts`],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    minify: true,
    logLevel: 'warning',
  });
  const data = { 'main.mjs': outputFiles[0]?.text ?? '' };
  if ((await client.find(CONFIG_MAPS, { namespace, name: SCRIPT })) === undefined)
    await client.create(CONFIG_MAPS, { metadata: { namespace, name: SCRIPT }, data });
}

/** Starts a Pod of clients; it runs when this resolves, or has ended already. */
export async function startClients(options: ClientsOptions): Promise<Clients> {
  const { cluster, namespace, name } = options;
  const { client, kubectl } = cluster;
  const ref = { namespace, name };
  await client.create(PODS, podOf(options));
  const phase = async (): Promise<string> => (await client.get(PODS, ref)).status?.phase ?? '';
  const begun = async (): Promise<boolean> => ['Running', 'Succeeded', 'Failed'].includes(await phase());
  await waitFor(`clients ${name}`, begun, 60_000);
  const tries = async (): Promise<Tried[]> => {
    const { code, stdout, stderr } = await kubectl(['logs', '-n', namespace, name], { timeoutMs: 30_000 });
    if (code !== 0) throw new Error(`clients ${name}: ${stderr}`);
    // The last line may still be on its way.
    return linesOf(stdout.slice(0, stdout.lastIndexOf('\n') + 1));
  };
  const ended = async (timeoutMs = 120_000): Promise<Tried[]> => {
    await waitFor(`clients ${name} to end`, async () => ['Succeeded', 'Failed'].includes(await phase()), timeoutMs);
    if ((await phase()) === 'Failed')
      throw new Error(`clients ${name}: ${(await kubectl(['logs', '-n', namespace, name])).stdout}`);
    return tries();
  };
  return {
    tries,
    ended,
    stop: async () => {
      // The Pod would take its log with it: the program is told to end, not the Pod.
      const told = await kubectl(['exec', '-n', namespace, name, '--', 'node', '-e', 'process.kill(1, "SIGTERM")']);
      if (told.code !== 0 && (await phase()) === 'Running') throw new Error(`clients ${name}: ${told.stderr}`);
      const all = await ended(30_000);
      await kubectl(['delete', 'pod', '-n', namespace, name, '--grace-period=0', '--force']);
      return all;
    },
  };
}

function linesOf(text: string): Tried[] {
  return text.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Tried] : []));
}

function podOf({ namespace, name, keySecret, args }: ClientsOptions): Pod {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name, labels: { app: SCRIPT } },
    spec: {
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 65532,
        fsGroup: 65532,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      containers: [
        {
          name: 'clients',
          image: productImage('kmsctl'),
          imagePullPolicy: 'IfNotPresent',
          command: ['node', '/scripts/main.mjs', ...args],
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
          volumeMounts: [
            { name: 'scripts', mountPath: '/scripts', readOnly: true },
            { name: 'key', mountPath: '/key', readOnly: true },
          ],
        },
      ],
      volumes: [
        { name: 'scripts', configMap: { name: SCRIPT } },
        { name: 'key', secret: { secretName: keySecret, items: [{ key: 'key', path: 'key' }], defaultMode: 0o440 } },
      ],
    },
  };
  return pod as unknown as Pod;
}
