// SPDX-License-Identifier: Apache-2.0
import { FAULT, NAK } from '@kmspool/kms/wire';

/** What the listener counts, as plain numbers; `http/metrics.ts` shows them. One object per host, written on the hot path. */
export class ConnectionCounters {
  /** Since start. */
  accepted = 0;
  /** Of those, the ones whose first request was a call of the operation: neither health checks nor scanners. */
  clients = 0;
  bytesIn = 0;
  bytesOut = 0;
  /** Closed at accept, by reason. */
  refusedSource = 0;
  refusedConnections = 0;
  refusedPerSource = 0;
  /** Closed by a deadline (docs/protocol.md §5.2). */
  timedOut = 0;
  /** All that can be, from 0: a rate would miss the first of a series that begins with it. */
  readonly naks = new Map<number, number>(Object.values(NAK).map((reason) => [reason, 0]));
  readonly faults = new Map<number, number>(Object.values(FAULT).map((status) => [status, 0]));

  nak(reason: number): void {
    this.naks.set(reason, (this.naks.get(reason) ?? 0) + 1);
  }

  fault(status: number): void {
    this.faults.set(status, (this.faults.get(status) ?? 0) + 1);
  }
}
