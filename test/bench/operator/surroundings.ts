// SPDX-License-Identifier: Apache-2.0

// Everything that is neither the operator nor Kubernetes, in a process of its own: the node player with a stub for each Pod, and the name server that
// follows the DNSEndpoints. Started by cluster.ts with the path of a kubeconfig; talks over IPC; ends with its parent.
import { Client, connectionFromKubeconfig, createMetrics } from '@kmspool/operator/runtime';
import { Registry } from 'prom-client';
import { startDnsMirror } from '../../harness/kubernetes/dns-mirror.ts';
import { startNodePlayer } from '../../harness/kubernetes/node-player.ts';

/** What the bench asks for. */
export type Order =
  | {
      readonly id: number;
      readonly kind: 'setReady';
      readonly namespace: string;
      readonly host: string;
      readonly ready: boolean;
    }
  | { readonly id: number; readonly kind: 'stop' };

/** What is said to the bench. */
export type Word =
  | { readonly kind: 'begun'; readonly nameserver: string }
  /** An order was carried out; ms since 1970. */
  | { readonly kind: 'done'; readonly id: number; readonly atMs: number }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string };

const [kubeconfig = ''] = process.argv.slice(2);
const client = Client.create({
  connection: await connectionFromKubeconfig({ path: kubeconfig }),
  metrics: createMetrics(new Registry()),
  userAgent: 'kmspool-bench/1',
});
process.once('disconnect', () => process.exit());
const [mirror, player] = await Promise.all([
  startDnsMirror({ client }),
  startNodePlayer({ client, strategy: () => ({ kind: 'stub' }) }),
]);

async function carryOut(order: Order): Promise<void> {
  if (order.kind === 'setReady')
    player.host(order.namespace, order.host).stub.set({ ready: order.ready, reasons: order.ready ? [] : ['flipped'] });
  else await Promise.all([mirror.stop(), player.stop()]);
}

process.on('message', (order: Order) => {
  const atMs = Date.now();
  carryOut(order).then(
    () => say({ kind: 'done', id: order.id, atMs }),
    (error: unknown) => say({ kind: 'failed', id: order.id, message: String(error) }),
  );
});
say({ kind: 'begun', nameserver: mirror.nameserver });

function say(word: Word): void {
  process.send?.(word);
}
