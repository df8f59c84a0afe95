// SPDX-License-Identifier: Apache-2.0
/**
 * Counting: the CMID table's rules and merge, the cumulative totals (docs/protocol.md §4). Pure: who stores a table, and where, is not said here.
 */
export * from './rules.ts';
export * from './table.ts';
export * from './totals.ts';
