// SPDX-License-Identifier: Apache-2.0
/**
 * kms-node: one KMS host. The public entry for `kmsctl up` and tests: start a host in this process, and the memory store that hosts of one process share. In a
 * cluster each host is a process of its own (`main.ts`).
 */
export { type HostOptions, newIncarnation, type RunningHost, startHost } from './host.ts';
export { type DocumentedMetric, metricDefinitions } from './http/metric-definitions.ts';
export type { TableOfApplication, TableView } from './http/table-view.ts';
export { HOST_NODE_FLAGS } from './node-flags.ts';
export { createMemoryStore } from './store/memory.ts';
export type { CmidStore, ContactRecord, DuplicateCmid, EventPage, Page } from './store/store.ts';
