// SPDX-License-Identifier: Apache-2.0
/** `GET /status`: the pool as `slmgr /dlv` would show it on this host (S1-08…26). Pure over a {@link HostView}. */
import {
  API_VERSION,
  type ApplicationCount,
  HOST_STATUS_KIND,
  type HostStatus,
  LICENSE_STATUS_KEYS,
} from '@kmspool/crds';
import { APPLICATIONS, hostKey } from '@kmspool/kms/catalog';
import { type TableState, tableCap } from '@kmspool/kms/counting';
import type { HostView } from './host-view.ts';

/** The counts that a table snapshot stands for, with their thresholds. */
export function applicationCounts(tables: readonly TableState[]): ApplicationCount[] {
  return APPLICATIONS.map((application) => {
    const table = tables[application.index];
    const current = table?.entries.size ?? 0;
    const highWaterRequired = table?.highWater ?? 0;
    const thresholds = application.thresholds.map(({ name, required }) => ({
      name,
      required,
      met: current >= required,
    }));
    return { application: application.name, current, cap: tableCap(highWaterRequired), highWaterRequired, thresholds };
  });
}

export function hostStatus(view: HostView): HostStatus {
  const config = view.config();
  const { totals, clients, duplicates } = view.store.snapshot();
  const { counters, open, port } = view.listener;
  const reasons = [...view.notReadyReasons()];
  return {
    apiVersion: API_VERSION,
    kind: HOST_STATUS_KIND,
    version: view.version,
    mode: 'Emulated',
    pool: config.pool,
    host: config.host,
    poolId: view.poolId,
    hostPid: view.hostPid,
    startedAt: view.startedAt.toISOString(),
    incarnation: view.incarnation,
    configHash: view.configHash(),
    generation: view.reloads.applied + 1,
    ready: reasons.length === 0,
    reasons,
    hostKeys: config.hostKeys.map(({ product, hostOs, state }) => ({
      product,
      hostOs: hostOs ?? hostKey(product)?.defaultHostOs ?? 'unknown',
      state,
    })),
    port,
    ...(config.advertisedPort !== undefined && { advertisedPort: config.advertisedPort }),
    activationIntervalMinutes: config.activationIntervalMinutes,
    renewalIntervalMinutes: config.renewalIntervalMinutes,
    store: storeStatus(view),
    counts: [...view.counts()],
    totals: { total: totals.total, failed: totals.failed, byLicenseStatus: byLicenseStatus(totals.byLicenseStatus) },
    clients,
    duplicates,
    connections: {
      open,
      accepted: counters.accepted,
      refused: counters.refusedSource + counters.refusedConnections + counters.refusedPerSource,
    },
    clockSkewMilliseconds: Math.round(view.store.nowMs() - Date.now()),
  };
}

function storeStatus(view: HostView): HostStatus['store'] {
  const health = view.store.health();
  const { pendingContacts, bytes, capacityBytes } = health.journal;
  return {
    kind: health.kind,
    state: health.condition,
    journal: { contacts: pendingContacts, bytes, capacityBytes },
    ...(health.server !== undefined && { version: health.server, role: 'master' }),
    ...(health.condition !== 'Available' && { staleSeconds: health.staleSeconds }),
    ...(health.reason !== undefined && { lastError: health.reason }),
  };
}

function byLicenseStatus(counts: readonly number[]): HostStatus['totals']['byLicenseStatus'] {
  const entries = LICENSE_STATUS_KEYS.map((key, index) => [key, counts[index] ?? 0] as const);
  return Object.fromEntries(entries) as HostStatus['totals']['byLicenseStatus'];
}
