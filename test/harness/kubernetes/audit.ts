// SPDX-License-Identifier: Apache-2.0
/**
 * The API server's audit log: who asked for what, and when it was received. It tells what a process has really done, whatever that process believes.
 *
 *     const audit = auditLog(['operator-a']);
 *     const plane = await startControlPlane({ apiServerFlags: audit.flags });
 *     audit.entries().filter(isWrite)
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeTestFolder } from './server-process.ts';

/** One request that was answered (a watch when it ended). */
export interface AuditEntry {
  readonly user: string;
  /** `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`. */
  readonly verb: string;
  /** `deployments.apps`; with its subresource, `kmshostpools.kmspool.io/status`. */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly statusCode: number;
  /** RFC 3339 with microseconds; its order is that of time. */
  readonly receivedAt: string;
  /** The same, Unix milliseconds. */
  readonly receivedMs: number;
  /** Body of the request, of Leases only. */
  readonly body: { readonly spec?: { readonly holderIdentity?: string } } | undefined;
}

export interface AuditLog {
  /** For kube-apiserver. */
  readonly flags: readonly string[];
  /** What these users have asked for so far, in the order of its arrival. */
  entries(user?: string): AuditEntry[];
  remove(): void;
}

/** Prepares the log of an API server, of these users' requests only. */
export function auditLog(users: readonly string[]): AuditLog {
  const folder = makeTestFolder('audit');
  const [policyFile, logFile] = [join(folder.path, 'policy.json'), join(folder.path, 'audit.log')];
  writeFileSync(policyFile, JSON.stringify(policyOf(users)));
  return {
    flags: [
      `--audit-policy-file=${policyFile}`,
      `--audit-log-path=${logFile}`,
      // So that an answer that was received is in the file.
      '--audit-log-mode=blocking',
    ],
    entries: (user) => {
      if (!existsSync(logFile)) return [];
      const lines = readFileSync(logFile, 'utf8').split('\n').slice(0, -1);
      const entries = lines.map((line) => entryOf(JSON.parse(line) as RawEvent));
      const wanted = entries.filter((entry) => user === undefined || entry.user === user);
      return wanted.sort((a, b) => (a.receivedAt < b.receivedAt ? -1 : Number(a.receivedAt > b.receivedAt)));
    },
    remove: () => folder.remove(),
  };
}

/** Whether it was to change something. */
export function isWrite({ verb }: AuditEntry): boolean {
  return ['create', 'update', 'patch', 'delete', 'deletecollection'].includes(verb);
}

export function isOfLease({ resource }: AuditEntry): boolean {
  return resource === 'leases.coordination.k8s.io';
}

/** Objects that were created more than once, as `resource namespace/name`; events are not counted. */
export function createdTwice(entries: readonly AuditEntry[]): string[] {
  const created = entries.filter(
    ({ statusCode, verb, resource }) => statusCode === 201 && verb !== 'delete' && resource !== 'events',
  );
  const times = Map.groupBy(created, ({ resource, namespace, name }) => `${resource} ${namespace}/${name}`);
  return [...times].flatMap(([object, all]) => (all.length > 1 ? [object] : []));
}

/**
 * Writes of somebody who did not hold the Lease when they arrived, as text; a test expects none. Who holds it follows from the Lease's own writes, which are
 * in the log: `identity` begins with the user's name.
 */
export function writesOutOfTerm(entries: readonly AuditEntry[]): string[] {
  const offences: string[] = [];
  let holder = '';
  for (const entry of entries.filter(isWrite)) {
    if (isOfLease(entry)) {
      if (entry.statusCode < 300) holder = entry.body?.spec?.holderIdentity ?? '';
    } else if (!holder.startsWith(`${entry.user}_`))
      offences.push(
        `${entry.receivedAt} ${entry.user}: ${entry.verb} ${entry.resource} ${entry.name} (${holder} leads)`,
      );
  }
  return offences;
}

/** The terms of office: each holder of the Lease in its turn. A process that is started anew is another holder, under the same user's name. */
export function termsOf(entries: readonly AuditEntry[]): string[] {
  const holders = entries
    .filter((entry) => isWrite(entry) && isOfLease(entry) && entry.statusCode < 300)
    .map(({ body }) => body?.spec?.holderIdentity ?? '')
    .filter((holder) => holder !== '');
  return holders.filter((holder, at) => holder !== holders[at - 1]);
}

/** The users in the order in which each came to hold the Lease. */
export function leadersOf(entries: readonly AuditEntry[]): string[] {
  const users = termsOf(entries).map((holder) => holder.split('_')[0] ?? '');
  return users.filter((user, at) => user !== users[at - 1]);
}

function policyOf(users: readonly string[]): object {
  return {
    apiVersion: 'audit.k8s.io/v1',
    kind: 'Policy',
    omitStages: ['RequestReceived', 'ResponseStarted'],
    rules: [
      { level: 'Request', users, resources: [{ group: 'coordination.k8s.io', resources: ['leases'] }] },
      { level: 'Metadata', users },
    ],
  };
}

interface RawEvent {
  readonly user: { readonly username: string };
  readonly verb: string;
  readonly objectRef?: {
    readonly resource?: string;
    readonly apiGroup?: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly responseStatus?: { readonly code?: number };
  readonly requestReceivedTimestamp: string;
  readonly requestObject?: AuditEntry['body'];
}

function entryOf(event: RawEvent): AuditEntry {
  const { resource = '', apiGroup = '', subresource, namespace = '', name = '' } = event.objectRef ?? {};
  const grouped = apiGroup === '' ? resource : `${resource}.${apiGroup}`;
  return {
    user: event.user.username,
    verb: event.verb,
    resource: subresource === undefined ? grouped : `${grouped}/${subresource}`,
    namespace,
    name,
    statusCode: event.responseStatus?.code ?? 0,
    receivedAt: event.requestReceivedTimestamp,
    receivedMs: Date.parse(event.requestReceivedTimestamp),
    body: event.requestObject,
  };
}
