// SPDX-License-Identifier: Apache-2.0

// The names of all metrics of the operator, for docs/metrics.md: a registry filled as the process fills its own, with nothing started.
import { Registry } from 'prom-client';
import { createDnsMetrics } from './dns/metrics.ts';
import { createOperatorMetrics } from './metrics.ts';
import { createMetrics } from './runtime/index.ts';

/** One metric as it is documented. */
export interface DocumentedMetric {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly labels: readonly string[];
}

/** Every metric of the operator, sorted by name. */
export async function operatorMetricDefinitions(): Promise<DocumentedMetric[]> {
  const registry = new Registry();
  createMetrics(registry);
  createDnsMetrics(registry);
  createOperatorMetrics(registry);
  const labels = new Map(registry.getMetricsAsArray().map((metric) => [metric.name, labelNamesOf(metric)]));
  const defined = await registry.getMetricsAsJSON();
  return defined
    .map(({ name, type, help }) => ({ name, type: String(type), help, labels: labels.get(name) ?? [] }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function labelNamesOf(metric: object): readonly string[] {
  return 'labelNames' in metric && Array.isArray(metric.labelNames) ? metric.labelNames.map(String) : [];
}
