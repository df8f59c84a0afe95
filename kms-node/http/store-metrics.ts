// SPDX-License-Identifier: Apache-2.0
/** The store's metrics, and the pool's totals that it keeps (S1-24, S1-26). */

import { STORE_STATES } from '@kmspool/crds';
import { licenseStatusSlug } from '@kmspool/kms/catalog';
import type { Registry } from 'prom-client';
import type { StoreStats } from '../store/store.ts';
import { counter, gauge, histogram, type Sample } from './exposition.ts';
import type { HostView } from './host-view.ts';

/** Counters of {@link StoreStats} that are one number each. */
const STORE_COUNTERS: readonly [keyof Omit<StoreStats, 'roundTrip'>, string, string][] = [
  ['batches', 'kmspool_store_batches_total', 'Script calls sent to the store.'],
  ['contactsSent', 'kmspool_store_contacts_sent_total', 'Contacts sent to the store.'],
  ['contactsResent', 'kmspool_store_contacts_resent_total', 'Contacts sent again; the store counts each once.'],
  ['gaps', 'kmspool_store_gaps_total', 'Times the store knew less than it had acknowledged, e.g. after a failover.'],
  [
    'contactsLost',
    'kmspool_store_contacts_lost_total',
    'Contacts missing in the store that the journal no longer held.',
  ],
  ['timeouts', 'kmspool_store_timeouts_total', 'Calls that the store did not answer in time.'],
  ['failures', 'kmspool_store_failures_total', 'Calls that failed otherwise.'],
  ['reconnects', 'kmspool_store_reconnects_total', 'Connections made anew.'],
  [
    'answeredFromCopy',
    'kmspool_store_answers_from_copy_total',
    'Clients answered from this host\u2019s copy of the table.',
  ],
  ['refused', 'kmspool_store_refused_total', 'Clients told server_too_busy because nothing could be counted.'],
];

export function registerStoreMetrics(registry: Registry, view: HostView): void {
  const { store } = view;
  const one = (value: number): Sample[] => [{ value }];
  gauge(
    registry,
    { name: 'kmspool_store_state', help: '1 for the state that the store is in.', labels: ['state'] },
    () => STORE_STATES.map((state) => ({ labels: { state }, value: store.health().condition === state ? 1 : 0 })),
  );
  gauge(
    registry,
    { name: 'kmspool_store_stale_seconds', help: 'Since the store last answered; 0 while it does.' },
    () => one(store.health().staleSeconds),
  );
  gauge(
    registry,
    { name: 'kmspool_journal_pending_contacts', help: 'Contacts that the store has not acknowledged.' },
    () => one(store.health().journal.pendingContacts),
  );
  gauge(registry, { name: 'kmspool_journal_bytes', help: 'Size of the journal in use.' }, () =>
    one(store.health().journal.bytes),
  );
  gauge(registry, { name: 'kmspool_journal_capacity_bytes', help: 'Size of the journal.' }, () =>
    one(store.health().journal.capacityBytes),
  );
  for (const [field, name, help] of STORE_COUNTERS) counter(registry, { name, help }, () => one(store.stats()[field]));
  histogram(
    registry,
    { name: 'kmspool_store_round_trip_seconds', help: 'Script calls, from sending to the reply.' },
    () => {
      const { upperBoundsMs, counts, sumMs } = store.stats().roundTrip;
      return { bounds: upperBoundsMs.map((ms) => ms / 1000), counts: Float64Array.from(counts), sum: sumMs / 1000 };
    },
  );
  registerPoolTotals(registry, view);
}

function registerPoolTotals(registry: Registry, { store }: HostView): void {
  const one = (value: number): Sample[] => [{ value }];
  counter(
    registry,
    {
      name: 'kmspool_pool_requests_total',
      help: 'Requests that the whole pool has received since it exists; survives restarts.',
    },
    () => one(store.snapshot().totals.total),
  );
  counter(
    registry,
    { name: 'kmspool_pool_requests_failed_total', help: 'Those of them that were refused with an HRESULT.' },
    () => one(store.snapshot().totals.failed),
  );
  counter(
    registry,
    {
      name: 'kmspool_pool_requests_by_license_status_total',
      help: 'Those of them that came with a license status.',
      labels: ['license_status'],
    },
    () =>
      store.snapshot().totals.byLicenseStatus.map((value, status) => ({
        labels: { license_status: licenseStatusSlug(status) },
        value,
      })),
  );
  gauge(registry, { name: 'kmspool_clients', help: 'Clients in the pool\u2019s inventory.' }, () =>
    one(store.snapshot().clients),
  );
  gauge(
    registry,
    { name: 'kmspool_duplicate_cmids', help: 'Client machine IDs that more than one machine name has used.' },
    () => one(store.snapshot().duplicates),
  );
  counter(
    registry,
    { name: 'kmspool_cmids_expired_total', help: 'Client machine IDs that this host saw expire after 30 days.' },
    () => one(store.snapshot().expired),
  );
}
