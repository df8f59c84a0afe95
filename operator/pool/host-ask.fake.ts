// SPDX-License-Identifier: Apache-2.0

// For tests: what a host answers to GET /status, whole, with what a test wants otherwise.
import { type HostStatus, type HostStoreState, LICENSE_STATUS_KEYS } from '@kmspool/crds';
import type { HostReply } from './host-ask.ts';

/** What differs from a host in which all is well. */
export interface StatusChanges {
  readonly pool?: string;
  readonly namespace?: string;
  readonly host?: string;
  readonly poolId?: string;
  readonly configHash?: string;
  readonly ready?: boolean;
  readonly storeState?: HostStoreState;
  readonly lastError?: string;
  readonly current?: number;
}

const NONE = Object.fromEntries(LICENSE_STATUS_KEYS.map((key) => [key, 0])) as HostStatus['totals']['byLicenseStatus'];

function countOf(current: number): HostStatus['counts'][number] {
  const thresholds = [{ name: 'Client', required: 25, met: current >= 25 }];
  return { application: 'Windows', current, cap: 50, highWaterRequired: 25, thresholds };
}

/** The status of `kms/campus`'s first host, unless changed. */
export function hostStatus(changes: StatusChanges = {}): HostStatus {
  const { pool = 'campus', namespace = 'kms', host = 'campus-0', ready = true, current = 3 } = changes;
  return {
    apiVersion: 'kmspool.io/v1alpha1',
    kind: 'HostStatus',
    version: '0.1.0',
    mode: 'Emulated',
    pool: { name: pool, namespace },
    host: { name: host, ordinal: Number(host.split('-').at(-1)) },
    poolId: changes.poolId ?? '6f1c2d3e-0000-4000-8000-000000000000',
    hostPid: 'EMULATED',
    startedAt: '2026-01-01T00:00:00Z',
    incarnation: 'a',
    configHash: changes.configHash ?? 'new',
    ready,
    reasons: ready ? [] : ['the store has not answered yet'],
    hostKeys: [],
    port: 1688,
    activationIntervalMinutes: 120,
    renewalIntervalMinutes: 10_080,
    store: {
      kind: 'redis',
      state: changes.storeState ?? 'Available',
      journal: { contacts: 0, bytes: 0, capacityBytes: 0 },
      ...(changes.lastError !== undefined && { lastError: changes.lastError }),
    },
    counts: [countOf(current)],
    totals: { total: 0, failed: 0, byLicenseStatus: NONE },
    clients: 0,
    duplicates: 0,
    connections: { open: 0, accepted: 0, refused: 0 },
  };
}

/** The same as an HTTP answer. */
export function statusReply(changes: StatusChanges = {}): HostReply {
  return { status: 200, body: JSON.stringify(hostStatus(changes)) };
}
