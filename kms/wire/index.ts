// SPDX-License-Identifier: Apache-2.0
/**
 * The KMS wire: RPC PDUs, NDR stubs, KMS messages and the pool's keys, bytes <-> values (docs/protocol.md §1–3).
 * Decoders take untrusted bytes: they return a value or a reason, never throw, and never allocate from a length on the wire.
 * Not here: sockets, timers, the state of a connection, what an answer says.
 */
export * from './bind.ts';
export * from './call.ts';
export * from './client-envelope.ts';
export * from './guid.ts';
export * from './header.ts';
export * from './host-envelope.ts';
export * from './keys.ts';
export * from './message.ts';
export * from './ndr.ts';
export * from './negotiate.ts';
export * from './syntax.ts';
