// SPDX-License-Identifier: Apache-2.0
/** The names of all metrics, for docs/metrics.md. It builds a host's registry around parts that are never started. */
import type { HostConfig } from '@kmspool/crds';
import { derivePoolKeys, HostEnvelope, MIN_SECRET_BYTES } from '@kmspool/kms/wire';
import { Emulator } from '../emulate/emulator.ts';
import { RandomPool } from '../emulate/random-pool.ts';
import { KmsListener } from '../server/listener.ts';
import { createMemoryStore } from '../store/memory.ts';
import type { HostView } from './host-view.ts';
import { buildRegistry } from './metrics.ts';

export interface DocumentedMetric {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  /** Besides namespace, pool and host, which every metric carries. */
  readonly labels: readonly string[];
}

export async function metricDefinitions(config: HostConfig): Promise<DocumentedMetric[]> {
  const registry = buildRegistry(inertView(config));
  const defined = await registry.getMetricsAsJSON();
  const labels = new Map(registry.getMetricsAsArray().map((metric) => [metric.name, labelNamesOf(metric)]));
  return defined
    .map(({ name, type, help }) => ({ name, type: String(type), help, labels: labels.get(name) ?? [] }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function labelNamesOf(metric: object): readonly string[] {
  return 'labelNames' in metric && Array.isArray(metric.labelNames) ? metric.labelNames.map(String) : [];
}

function inertView(config: HostConfig): HostView {
  const nowMs = (): number => 0;
  const store = createMemoryStore({ settings: { maxRequiredCount: 25, retention: { clients: 0, events: 0 } } });
  const envelope = new HostEnvelope(derivePoolKeys(Buffer.alloc(MIN_SECRET_BYTES)), new RandomPool().fill);
  const settings = { served: new Map(), activationIntervalMinutes: 120, renewalIntervalMinutes: 10_080 };
  return {
    version: '',
    poolId: '',
    hostPid: envelope.hostPid,
    incarnation: '',
    startedAt: new Date(0),
    emulator: new Emulator({ envelope, store, settings, nowMs, onContact: undefined }),
    listener: new KmsListener({
      serve: () => undefined,
      settings: { allowedSources: [], connections: 0, connectionsPerSource: 0, advertisedPort: 0 },
      nowMs,
      groupSeed: 0,
    }),
    store,
    reloads: { applied: 0, refused: 0 },
    config: () => config,
    configHash: () => '',
    counts: () => [],
    notReadyReasons: () => [],
    probe: async () => [],
  };
}
