// SPDX-License-Identifier: Apache-2.0
/**
 * What stands around kmspool in a cluster under test: name server, external-dns, Redis with Sentinels, Prometheus; and kmspool itself, installed as docs/install.md says.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CONFIG_MAPS } from '../../../operator/pool/kinds.ts';
import { CHART, type HelmValues } from '../helm.ts';
import { installCrds } from '../kubernetes/cluster-objects.ts';
import type { Cluster } from './cluster.ts';

/** Where kmspool is installed. */
export const SYSTEM = 'kmspool-system';
/** Where examples/campus.yaml puts its pool. */
export const CAMPUS_NAMESPACE = 'kms';
export const EXAMPLE: string = fileURLToPath(new URL('../../../examples/campus.yaml', import.meta.url));

/** Starts what of it is not there, side by side, and waits until it serves. */
export async function surround(cluster: Cluster): Promise<void> {
  const { client, kubectl, run, manifest, ready } = cluster;
  // Our kind outlives a release, and belongs to the one that brought it.
  await run(['delete', 'crd', 'kmshostpools.kmspool.io', '--ignore-not-found']);
  await installCrds(client, ['DNSEndpoint']);
  if ((await kubectl(['get', 'namespace', CAMPUS_NAMESPACE])).code !== 0)
    await run(['create', 'namespace', CAMPUS_NAMESPACE]);
  await manifest('powerdns');
  await Promise.all([manifest('redis-sentinel'), manifest('prometheus')]);
  const rules = readFileSync(join(CHART, 'rules/kmspool.yaml'), 'utf8');
  // Nobody waits minutes for a group here.
  const quick = rules.replaceAll(/^( *)interval: .*$/gm, '$1interval: 5s');
  const rulesMap = { metadata: { namespace: 'monitoring', name: 'rules' }, data: { 'kmspool.yaml': quick } };
  await client.apply(CONFIG_MAPS, rulesMap, { fieldManager: 'test' });
  await ready('dns', 'app=powerdns');
  await manifest('external-dns');
  await Promise.all([
    ready('dns', 'app.kubernetes.io/name=external-dns'),
    ready('kms', 'app=redis-0'),
    ready('kms', 'app=redis-1'),
    ready('kms', 'app=redis-sentinel', 3),
    ready('monitoring', 'app=prometheus'),
  ]);
}

/** Values for images that are there already. */
export const VALUES: HelmValues = {
  imageRegistry: process.env['KMSPOOL_E2E_REGISTRY'] ?? 'localhost',
  redis: { enabled: true, image: { repository: 'redis', tag: 'e2e' } },
};

/** `helm install`, as a user does it. @throws Error with helm's words. */
export async function install(cluster: Cluster, values: HelmValues = VALUES, chart: string = CHART): Promise<string> {
  const args = ['install', 'kmspool', chart, '-n', SYSTEM, '--create-namespace', '--wait', '--timeout', '3m'];
  const { code, stdout, stderr } = await cluster.helm(args, values);
  if (code !== 0) throw new Error(`${stderr}\n${await cluster.run(['get', 'pods', '-A', '-o', 'wide'])}`);
  return stdout;
}
