// SPDX-License-Identifier: Apache-2.0

// Every object that the operator may write, by its version: two equal snapshots show that nobody wrote anything in between, whatever a killed process could
// not tell any more.
import { FIELD_MANAGER, LABELS } from '@kmspool/crds';
import {
  type Client,
  EVENTS,
  type KubernetesObject,
  keyOf,
  type Resource,
  refOfObject,
} from '@kmspool/operator/runtime';
import {
  CONFIG_MAPS,
  DEPLOYMENTS,
  DISRUPTION_BUDGETS,
  DNS_ENDPOINTS,
  NETWORK_POLICIES,
  PODS,
  POOLS,
  SECRETS,
  SERVICE_ACCOUNTS,
  SERVICES,
} from '../../../operator/pool/kinds.ts';

/** Resource versions and generations by `Kind namespace/name`. */
export type Snapshot = ReadonlyMap<string, string>;

const OWNED: readonly Resource[] = [
  DEPLOYMENTS,
  SERVICES,
  CONFIG_MAPS,
  DISRUPTION_BUDGETS,
  NETWORK_POLICIES,
  SERVICE_ACCOUNTS,
  DNS_ENDPOINTS,
  PODS,
];

/** The world as it is now. */
export async function takeSnapshot(client: Client): Promise<Snapshot> {
  const owned = `${LABELS.managedBy}=${FIELD_MANAGER}`;
  const seen = new Map<string, string>();
  const add = async (resource: Resource, labelSelector?: string): Promise<void> => {
    await client.listEach(resource, { limit: 500, labelSelector }, (object) =>
      seen.set(nameOf(resource, object), versionOf(object)),
    );
  };
  for (const resource of OWNED) await add(resource, owned);
  await add(POOLS);
  await add(SECRETS);
  await add(EVENTS);
  return seen;
}

function nameOf({ kind }: Resource, object: KubernetesObject): string {
  return `${kind} ${keyOf(refOfObject(object))}`;
}

function versionOf({ metadata }: KubernetesObject): string {
  return `generation ${metadata.generation ?? '-'}, version ${metadata.resourceVersion}, uid ${metadata.uid}`;
}

/** Objects that came, went or changed, sorted by name. */
export function changedBetween(before: Snapshot, after: Snapshot): string[] {
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names]
    .filter((name) => before.get(name) !== after.get(name))
    .map((name) => `${name}: ${before.get(name) ?? 'absent'} -> ${after.get(name) ?? 'absent'}`)
    .sort();
}
