// SPDX-License-Identifier: Apache-2.0
/** The limits of docs/protocol.md §5.2 that are not settings. Times in milliseconds. */
export const LIMITS = {
  /** From accept to a complete bind, however the bytes trickle in. */
  bindMs: 10_000,
  /** From the first byte of a PDU to its last. */
  pduMs: 5_000,
  /** From the first fragment of a call to its last. */
  callMs: 10_000,
  /** Between PDUs; clients drop an idle connection after about as long. */
  idleMs: 30_000,
  /** A peer that takes none of our bytes for this long, or lets this many queue up, is dropped. */
  unreadMs: 10_000,
  unreadBytes: 64 * 1024,
  /** Input taken from a peer while its call is being served; then reading stops. */
  pendingInputBytes: 64 * 1024,
  requestsPerConnection: 1000,
  /** After our half-close the peer may send so much for so long before the connection is destroyed. */
  lingerMs: 1_000,
  lingerBytes: 64 * 1024,
  /** A draining host lets a client go that has asked nothing for so long. */
  letGoMs: 250,
  /** Kept back from the time that a drain may take, for clients that are connected when it runs out. */
  lastAnswersMs: 500,
  /** How often deadlines are looked at: one sweep over all connections instead of timers of their own (docs/adr/0005). */
  sweepMs: 250,
} as const;
