// SPDX-License-Identifier: Apache-2.0

// The operator's own namespace is being deleted, and the operator with it: nobody will be left who takes the finalizer off pools, and they, and their namespaces,
// would wait for ever. So the last thing that the leader does is what the chart's uninstall hook does after `helm uninstall` (ADR 0013). Pods are the first to be
// deleted in a namespace (Kubernetes 1.34 and later; before that in no order), so the rights are still there.
import { FINALIZER } from '@kmspool/crds';
import { type Client, defineResource, hasFinalizer, isConflict, removeFinalizer } from '../runtime/index.ts';
import type { Logger } from '../runtime/log.ts';
import { POOLS } from './kinds.ts';

const NAMESPACES = defineResource({
  group: '',
  version: 'v1',
  plural: 'namespaces',
  kind: 'Namespace',
  namespaced: false,
});

/** A pool may be written to once more by what was still under way. */
const ROUNDS = 5;
const CALL_MS = 5_000;

export interface Farewell {
  /** One that may still write. */
  readonly client: Client;
  /** Of the operator. */
  readonly ownNamespace: string;
  /** Where pools are looked after; empty: everywhere. */
  readonly namespaces: readonly string[];
  readonly log: Logger;
}

/** Takes the finalizer off every pool if the operator's namespace is being deleted. Never rejects: it is said in the log, and the operator ends all the same. */
export async function releasePoolsIfLast(farewell: Farewell): Promise<void> {
  const { client, ownNamespace, log } = farewell;
  try {
    const own = await client.get(NAMESPACES, { name: ownNamespace }, { timeoutMs: CALL_MS });
    if (own.metadata.deletionTimestamp === undefined) return;
    log.warn(
      { namespace: ownNamespace },
      'this namespace is being deleted: pools are released, their records stay until external-dns removes them',
    );
    for (let round = 0; round < ROUNDS; round++) if ((await releaseAll(farewell)) === 0) return;
  } catch (error) {
    log.warn({ err: error }, 'could not tell whether pools have to be released');
  }
}

/** Answers how many had it. */
async function releaseAll({ client, namespaces, log }: Farewell): Promise<number> {
  let released = 0;
  for (const namespace of namespaces.length === 0 ? [undefined] : namespaces) {
    const { items } = await client.list(POOLS, {
      ...(namespace === undefined ? {} : { namespace }),
      timeoutMs: CALL_MS,
    });
    for (const object of items.filter((pool) => hasFinalizer(pool, FINALIZER))) {
      released++;
      try {
        await removeFinalizer({ client, resource: POOLS, object }, FINALIZER, { timeoutMs: CALL_MS });
      } catch (error) {
        // The next round reads it anew.
        if (!isConflict(error)) log.warn({ err: error, pool: object.metadata.name }, 'a pool could not be released');
      }
    }
  }
  return released;
}
