// SPDX-License-Identifier: Apache-2.0
//
// What a support bundle holds (S1-46, S1-47), file by file. A part that cannot be had is named with its reason, and the others go on.

import { POOL_KIND, poolSelector, UserError } from '@kmspool/crds';
import type { ContactRecord, DuplicateCmid } from '@kmspool/kms-node';
import { stringify } from 'yaml';
import { gather } from '../doctor/gather.ts';
import { climb } from '../doctor/ladder.ts';
import { firstOf } from '../insight/contact-filter.ts';
import { applicationName, contactView } from '../insight/contact-view.ts';
import { KINDS } from '../source/cluster.ts';
import type { KubeObject } from '../source/kube-api.ts';
import { itemsOf, type PoolSource } from '../source/source.ts';
import { dlvText } from '../verbs/dlv-text.ts';
import { Pseudonyms, withoutSecrets } from './redaction.ts';
import type { BundleFile } from './tar.ts';

export interface CollectOptions {
  readonly source: PoolSource;
  /** Leave machine names, addresses and CMIDs as they are. */
  readonly includeNames: boolean;
  /** At most so many clients, and so many events. */
  readonly limit: number;
  readonly timeoutMs: number;
  readonly version: string;
  readonly nowMs: number;
}

interface Part {
  readonly path: string;
  readonly make: () => Promise<string | undefined>;
}

const LOG_LINES = 2000;

/** The files, in the order in which somebody would read them. */
export async function collect(options: CollectOptions): Promise<readonly BundleFile[]> {
  const hidden = options.includeNames ? undefined : new Pseudonyms();
  const gaps: string[] = [];
  const files: BundleFile[] = [];
  // The listings come first: they tell which words are names of machines.
  const parts = [
    ...listingParts(options, hidden),
    ...poolParts(options),
    ...hostParts(options),
    ...clusterParts(options),
  ];
  for (const { path, make } of parts) {
    const content = await make().catch((error: unknown) => {
      if (!(error instanceof UserError)) throw error;
      gaps.push(`${path}: ${error.message}`);
      return undefined;
    });
    if (content === undefined) continue;
    const isListing = path.startsWith('clients') || path.startsWith('events') || path.startsWith('duplicates');
    const clean = withoutSecrets(content);
    files.push({ path, content: isListing ? clean : (hidden?.text(clean) ?? clean) });
  }
  return [{ path: 'README.txt', content: readme(options, { files, gaps, hidden }) }, ...files];
}

function listingParts({ source, limit }: CollectOptions, hidden: Pseudonyms | undefined): Part[] {
  const lines = async (listing: 'clients' | 'events'): Promise<string> => {
    const records: string[] = [];
    for await (const record of firstOf(itemsOf<ContactRecord>(source, listing), limit))
      records.push(JSON.stringify(contactLine(record, hidden)));
    return `${records.join('\n')}\n`;
  };
  return [
    { path: 'clients.jsonl', make: () => lines('clients') },
    { path: 'events.jsonl', make: () => lines('events') },
    {
      path: 'duplicates.jsonl',
      make: async () => {
        const groups: string[] = [];
        for await (const group of firstOf(itemsOf<DuplicateCmid>(source, 'duplicates'), limit))
          groups.push(JSON.stringify(duplicateLine(group, hidden)));
        return `${groups.join('\n')}\n`;
      },
    },
  ];
}

function contactLine(record: ContactRecord, hidden: Pseudonyms | undefined): unknown {
  const view = contactView(record);
  if (hidden === undefined) return view;
  return {
    ...view,
    machineName: hidden.name(view.machineName),
    address: hidden.address(view.address),
    cmid: hidden.cmid(view.cmid),
  };
}

function duplicateLine({ application, cmid, names }: DuplicateCmid, hidden: Pseudonyms | undefined): unknown {
  return {
    application: applicationName(application),
    cmid: hidden?.cmid(cmid) ?? cmid,
    names: names.map(({ workstationName, address, lastSeenMs }) => ({
      machineName: hidden?.name(workstationName) ?? workstationName,
      address: hidden?.address(address) ?? address,
      lastSeen: new Date(lastSeenMs).toISOString(),
    })),
  };
}

function poolParts({ source, timeoutMs }: CollectOptions): Part[] {
  return [
    { path: 'dlv.txt', make: async () => `${dlvText(await source.status(), source.domains).join('\n')}\n` },
    { path: 'table.json', make: async () => `${JSON.stringify(await source.read('/table'), null, 2)}\n` },
    {
      path: 'doctor.json',
      make: async () => {
        const facts = await gather({
          source,
          domains: [],
          servers: [],
          client: undefined,
          clientAddress: undefined,
          timeoutMs,
        });
        return `${JSON.stringify(climb(facts), null, 2)}\n`;
      },
    },
  ];
}

function hostParts({ source }: CollectOptions): Part[] {
  return source.hosts.flatMap(({ name }) => {
    const folder = `hosts/${name.replace(/[^\w.-]/g, '_').slice(0, 60)}`;
    return [
      { path: `${folder}/status.json`, make: () => source.text(name, '/status') },
      { path: `${folder}/readyz.txt`, make: () => source.text(name, '/readyz') },
      { path: `${folder}/metrics.txt`, make: () => source.text(name, '/metrics') },
    ];
  });
}

function clusterParts({ source }: CollectOptions): Part[] {
  const { cluster, object } = source;
  if (cluster === undefined || object === undefined) return [];
  const { name, namespace = cluster.access.namespace } = object.metadata;
  const listPods = (): Promise<readonly KubeObject[]> =>
    cluster.list({ ...KINDS.pods, namespace, labels: poolSelector(name) });
  return [
    { path: 'pool.yaml', make: async () => stringify(bare(object as unknown as KubeObject)) },
    { path: 'pods.yaml', make: async () => stringify((await listPods()).map(bare)) },
    {
      path: 'kubernetes-events.yaml',
      make: async () => {
        const events = await cluster.list({ ...KINDS.events, namespace });
        return stringify(events.filter((event) => isAbout(event, name)).map(bare));
      },
    },
    {
      path: 'logs.txt',
      make: async () => {
        const logs = await Promise.all(
          (await listPods()).map(async ({ metadata }) => {
            const path = `/api/v1/namespaces/${namespace}/pods/${metadata.name}/log?tailLines=${LOG_LINES}`;
            return `==> ${metadata.name}\n${(await cluster.text(path)) ?? '(not readable)'}\n`;
          }),
        );
        return logs.join('\n');
      },
    },
  ];
}

/** Without what only the API server's own bookkeeping needs, which also repeats whole objects. */
function bare(object: KubeObject): KubeObject {
  const {
    managedFields: _managed,
    annotations,
    ...metadata
  } = object.metadata as Record<string, unknown> & {
    annotations?: Record<string, string>;
  };
  const { 'kubectl.kubernetes.io/last-applied-configuration': _applied, ...others } = annotations ?? {};
  return { ...object, metadata: { ...metadata, annotations: others } as unknown as KubeObject['metadata'] };
}

function isAbout(event: KubeObject, pool: string): boolean {
  const { name = '', kind = '' } = (event['involvedObject'] ?? {}) as { name?: string; kind?: string };
  return (kind === POOL_KIND && name === pool) || name.startsWith(`${pool}-`);
}

interface Account {
  readonly files: readonly BundleFile[];
  readonly gaps: readonly string[];
  readonly hidden: Pseudonyms | undefined;
}

function readme({ source, version, nowMs, limit }: CollectOptions, { files, gaps, hidden }: Account): string {
  const counts = hidden?.counts;
  const names =
    counts === undefined
      ? 'Machine names, addresses and CMIDs are in it as they are (--include-names).'
      : `Replaced, each by the same word everywhere: ${counts.names} machine names, ${counts.addresses} addresses, ${counts.cmids} CMIDs. Names of hosts and DNS domains of the pool are left.`;
  return [
    `Support bundle of pool ${source.pool} (${source.kind}), made by kmsctl ${version} at ${new Date(nowMs).toISOString()}.`,
    'Pool keys, admin tokens and Secrets are never in it; what looks like a product key, a password or a bearer token is removed.',
    names,
    `Clients and events: at most ${limit} each, the newest.`,
    '',
    'Files:',
    ...files.map(({ path, content }) => `  ${path}  ${Buffer.byteLength(content)} bytes`),
    ...(gaps.length === 0 ? [] : ['', 'Missing:', ...gaps.map((gap) => `  ${hidden?.text(gap) ?? gap}`)]),
    '',
  ].join('\n');
}
