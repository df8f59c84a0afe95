// SPDX-License-Identifier: Apache-2.0
/**
 * Every metric of a host, by name: docs/metrics.md is generated from the registry that this builds. A CMID or a machine name is never a label. Counts are the pool's, the
 * same on every host, so dashboards take `max by (pool, application)`.
 */
import { APPLICATIONS, formatHresult, licenseStatusSlug } from '@kmspool/kms/catalog';
import { Registry } from 'prom-client';
import type { RequestCount } from '../emulate/request-counters.ts';
import { counter, gauge, histogram, type Sample } from './exposition.ts';
import type { HostView } from './host-view.ts';
import { registerStoreMetrics } from './store-metrics.ts';

const NONE = 'none';

export function buildRegistry(view: HostView): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({
    namespace: view.config().pool.namespace,
    pool: view.config().pool.name,
    host: view.config().host.name,
  });
  registerRequests(registry, view);
  registerCounts(registry, view);
  registerConnections(registry, view);
  registerStoreMetrics(registry, view);
  registerProcess(registry, view);
  return registry;
}

/** The `application` label: the catalogue's name, or `none`. */
export function applicationLabel(index: number): string {
  return APPLICATIONS[index]?.name ?? NONE;
}

/** A renewal comes from a client that is licensed; everything else asks for its first activation (S1-30). */
function requestKind(licenseStatus: number): string {
  return licenseStatus === 1 ? 'renewal' : 'first_activation';
}

function requestSample(request: RequestCount): Sample {
  const known = request.hresult !== 0xffff_ffff;
  return {
    labels: {
      application: applicationLabel(request.application),
      protocol: request.protocol === 0 ? NONE : `v${request.protocol}`,
      outcome: request.outcome,
      hresult: known ? formatHresult(request.hresult) : 'other',
      license_status: licenseStatusSlug(request.licenseStatus),
      kind: requestKind(request.licenseStatus),
    },
    value: request.count,
  };
}

function registerRequests(registry: Registry, view: HostView): void {
  counter(
    registry,
    {
      name: 'kmspool_requests_total',
      help: 'Activation requests answered by this host. outcome busy: the store could not count and the client was sent on.',
      labels: ['application', 'protocol', 'outcome', 'hresult', 'license_status', 'kind'],
    },
    () => view.emulator.requests.read().map(requestSample),
  );
  histogram(
    registry,
    { name: 'kmspool_request_duration_seconds', help: 'From the complete request to its answer, the store included.' },
    () => view.emulator.latencySeconds,
  );
  histogram(
    registry,
    {
      name: 'kmspool_client_clock_skew_seconds',
      help: 'How far clients\u2019 clocks are from the pool\u2019s, either way; over 4 hours is refused with 0xC004F06C.',
    },
    () => view.emulator.skewSeconds,
  );
}

function registerCounts(registry: Registry, view: HostView): void {
  const perApplication = (read: (index: number) => number): Sample[] =>
    APPLICATIONS.map((application) => ({ labels: { application: application.name }, value: read(application.index) }));
  const counts = () => view.counts();

  gauge(
    registry,
    {
      name: 'kmspool_current_count',
      help: 'Distinct client machine IDs of the last 30 days: the count that clients are told. The pool\u2019s.',
      labels: ['application'],
    },
    () => perApplication((index) => counts()[index]?.current ?? 0),
  );
  gauge(
    registry,
    {
      name: 'kmspool_count_cap',
      help: 'The most that the count can reach: twice the largest count required so far. The pool\u2019s.',
      labels: ['application'],
    },
    () => perApplication((index) => counts()[index]?.cap ?? 0),
  );
  const thresholds = (value: (required: number, current: number) => number): Sample[] =>
    APPLICATIONS.flatMap((application) =>
      application.thresholds.map((threshold) => ({
        labels: { application: application.name, threshold: threshold.name },
        value: value(threshold.required, counts()[application.index]?.current ?? 0),
      })),
    );
  const labels = ['application', 'threshold'];
  gauge(registry, { name: 'kmspool_threshold_required', help: 'The count that a kind of client needs.', labels }, () =>
    thresholds((required) => required),
  );
  gauge(
    registry,
    { name: 'kmspool_threshold_met', help: '1 when the count suffices for that kind of client.', labels },
    () => thresholds((required, current) => (current >= required ? 1 : 0)),
  );
}

function registerConnections(registry: Registry, view: HostView): void {
  const { listener } = view;
  const { counters } = listener;
  const one = (value: number): Sample[] => [{ value }];
  gauge(registry, { name: 'kmspool_connections_open', help: 'TCP connections open now.' }, () => one(listener.open));
  counter(registry, { name: 'kmspool_connections_accepted_total', help: 'TCP connections that arrived.' }, () =>
    one(counters.accepted),
  );
  counter(
    registry,
    { name: 'kmspool_connections_refused_total', help: 'Connections closed at accept.', labels: ['reason'] },
    () => [
      { labels: { reason: 'source_not_allowed' }, value: counters.refusedSource },
      { labels: { reason: 'too_many' }, value: counters.refusedConnections },
      { labels: { reason: 'too_many_from_source' }, value: counters.refusedPerSource },
    ],
  );
  counter(
    registry,
    { name: 'kmspool_connections_timed_out_total', help: 'Connections closed because a time limit passed.' },
    () => one(counters.timedOut),
  );
  counter(registry, { name: 'kmspool_receive_bytes_total', help: 'Bytes received on the KMS port.' }, () =>
    one(counters.bytesIn),
  );
  counter(registry, { name: 'kmspool_transmit_bytes_total', help: 'Bytes sent on the KMS port.' }, () =>
    one(counters.bytesOut),
  );
  counter(
    registry,
    { name: 'kmspool_binds_refused_total', help: 'bind_nak sent, by reject reason.', labels: ['reason'] },
    () => [...counters.naks].map(([reason, value]) => ({ labels: { reason: String(reason) }, value })),
  );
  counter(registry, { name: 'kmspool_rpc_faults_total', help: 'RPC faults sent, by status.', labels: ['status'] }, () =>
    [...counters.faults].map(([status, value]) => ({ labels: { status: formatHresult(status) }, value })),
  );
}

function registerProcess(registry: Registry, view: HostView): void {
  gauge(
    registry,
    {
      name: 'kmspool_host_info',
      help: 'Always 1; what this host is.',
      labels: ['version', 'pool_id', 'mode', 'store'],
    },
    () => [
      {
        labels: { version: view.version, pool_id: view.poolId, mode: 'Emulated', store: view.store.health().kind },
        value: 1,
      },
    ],
  );
  gauge(registry, { name: 'kmspool_host_ready', help: '1 when the host is ready to serve.' }, () => [
    { value: view.notReadyReasons().length === 0 ? 1 : 0 },
  ]);
  counter(
    registry,
    { name: 'kmspool_config_reloads_total', help: 'Re-reads of a changed configuration.', labels: ['result'] },
    () => [
      { labels: { result: 'applied' }, value: view.reloads.applied },
      { labels: { result: 'refused' }, value: view.reloads.refused },
    ],
  );
  gauge(registry, { name: 'process_start_time_seconds', help: 'Start of the process, seconds since 1970.' }, () => [
    { value: view.startedAt.getTime() / 1000 },
  ]);
  gauge(registry, { name: 'process_resident_memory_bytes', help: 'Resident memory.' }, () => [
    { value: process.memoryUsage.rss() },
  ]);
  gauge(registry, { name: 'nodejs_heap_size_used_bytes', help: 'JavaScript heap in use.' }, () => [
    { value: process.memoryUsage().heapUsed },
  ]);
  counter(registry, { name: 'process_cpu_seconds_total', help: 'CPU time, user and system.' }, () => {
    const { user, system } = process.cpuUsage();
    return [{ value: (user + system) / 1e6 }];
  });
}
