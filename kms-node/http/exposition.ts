// SPDX-License-Identifier: Apache-2.0
/**
 * Metrics that are read when Prometheus asks, from numbers that the host keeps anyway (docs/adr/0006). Each is a prom-client metric in the host's own
 * registry; nothing here runs while a request is served.
 */
import { Counter, Gauge, type Metric, type Registry } from 'prom-client';
import type { Histogram } from '../emulate/histogram.ts';

export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface MetricDefinition {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
}

/** A counter whose samples `read` gives, in whole, each time. */
export function counter(registry: Registry, definition: MetricDefinition, read: () => readonly Sample[]): void {
  new Counter({
    ...definition,
    labelNames: definition.labels ?? [],
    registers: [registry],
    collect(): void {
      this.reset();
      for (const { labels = {}, value } of read()) this.inc(labels, value);
    },
  });
}

/** A gauge whose samples `read` gives; a sample that is not given any more disappears. */
export function gauge(registry: Registry, definition: MetricDefinition, read: () => readonly Sample[]): void {
  new Gauge({
    ...definition,
    labelNames: definition.labels ?? [],
    registers: [registry],
    collect(): void {
      this.reset();
      for (const { labels = {}, value } of read()) this.set(labels, value);
    },
  });
}

/** The parts of {@link Histogram} that exposition needs; the store keeps its own in milliseconds. */
export type HistogramSource = Pick<Histogram, 'bounds' | 'counts' | 'sum'>;

interface HistogramSample {
  readonly metricName: string;
  readonly labels: Record<string, string | number>;
  readonly value: number;
}

/** A histogram from plain bucket counts: prom-client's own can only observe one value at a time. */
export function histogram(registry: Registry, definition: MetricDefinition, read: () => HistogramSource): void {
  const { name, help } = definition;
  const get = async (): Promise<{
    name: string;
    help: string;
    type: string;
    values: HistogramSample[];
    aggregator: string;
  }> => ({
    name,
    help,
    type: 'histogram',
    values: histogramSamples(name, read()),
    aggregator: 'sum',
  });
  // registerMetric takes any object with a name and get(); its declared type is the union of the built-in classes.
  registry.registerMetric({ name, get } as unknown as Metric);
}

function histogramSamples(name: string, source: HistogramSource): HistogramSample[] {
  let total = 0;
  const buckets = Array.from(source.counts, (count, index) => {
    total += count;
    const le = index < source.bounds.length ? (source.bounds[index] ?? 0) : '+Inf';
    return { metricName: `${name}_bucket`, labels: { le }, value: total };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels: {}, value: source.sum },
    { metricName: `${name}_count`, labels: {}, value: total },
  ];
}
