// SPDX-License-Identifier: Apache-2.0
/**
 * Counts every activation request by what the metrics show of it, in one typed array: an index computation and an addition per request, where a labelled
 * counter costs a microsecond (docs/adr/0006). `http/metrics.ts` reads it back.
 */
import { APPLICATIONS } from '@kmspool/kms/catalog';
import { LICENSE_STATUS_COUNT, licenseStatusIndex } from '@kmspool/kms/counting';

/** What became of a request. `busy`: the store could not count it and the client was sent to the next host. */
export const OUTCOMES = ['activated', 'refused', 'busy'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** HRESULTs with a place of their own; any other one is counted as the last. */
export const COUNTED_HRESULTS = [0, 0x8007000d, 0xc004f042, 0xc004f06c, 0xc004f041, 0xffff_ffff] as const;

const APPLICATION_COUNT = APPLICATIONS.length + 1;
const PROTOCOLS = 4;
const CELLS = APPLICATION_COUNT * PROTOCOLS * COUNTED_HRESULTS.length * LICENSE_STATUS_COUNT * OUTCOMES.length;

export interface CountedRequest {
  /** Index in APPLICATIONS; anything else is "none". */
  readonly application: number;
  /** 4, 5, 6; 0 when the body did not open. */
  readonly protocol: number;
  readonly hresult: number;
  /** As on the wire. */
  readonly licenseStatus: number;
  readonly outcome: Outcome;
}

export interface RequestCount extends CountedRequest {
  readonly count: number;
}

export class RequestCounters {
  readonly #cells = new Float64Array(CELLS);

  add(request: CountedRequest): void {
    const index = this.#index(request);
    this.#cells[index] = (this.#cells[index] ?? 0) + 1;
  }

  #index(request: CountedRequest): number {
    const application = Math.min(request.application, APPLICATION_COUNT - 1);
    const protocol = request.protocol === 0 ? 0 : request.protocol - 3;
    const known = COUNTED_HRESULTS.indexOf(request.hresult as 0);
    const hresult = known < 0 ? COUNTED_HRESULTS.length - 1 : known;
    const status = licenseStatusIndex(request.licenseStatus);
    const outcome = OUTCOMES.indexOf(request.outcome);
    const row = (application * PROTOCOLS + protocol) * COUNTED_HRESULTS.length + hresult;
    return (row * LICENSE_STATUS_COUNT + status) * OUTCOMES.length + outcome;
  }

  /** Every combination that was seen. */
  read(): RequestCount[] {
    const seen: RequestCount[] = [];
    this.#cells.forEach((count, index) => {
      if (count === 0) return;
      const outcome = OUTCOMES[index % OUTCOMES.length] ?? 'refused';
      const status = Math.floor(index / OUTCOMES.length);
      const row = Math.floor(status / LICENSE_STATUS_COUNT);
      const column = Math.floor(row / COUNTED_HRESULTS.length);
      const protocol = column % PROTOCOLS;
      seen.push({
        application: Math.floor(column / PROTOCOLS),
        protocol: protocol === 0 ? 0 : protocol + 3,
        hresult: COUNTED_HRESULTS[row % COUNTED_HRESULTS.length] ?? 0xffff_ffff,
        licenseStatus: status % LICENSE_STATUS_COUNT,
        outcome,
        count,
      });
    });
    return seen;
  }
}
