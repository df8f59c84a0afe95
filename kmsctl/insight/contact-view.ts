// SPDX-License-Identifier: Apache-2.0
//
// One contact of a client as people and programs read it: names of the catalogue instead of numbers, RFC 3339 times. Pure.

import {
  APPLICATIONS,
  editionBySkuIdHex,
  formatHresult,
  hresult,
  licenseStatusSlug,
  productByCountedIdHex,
} from '@kmspool/kms/catalog';
import { guidToHex, isGuid } from '@kmspool/kms/wire';
import type { ContactRecord } from '@kmspool/kms-node';

/** A client's latest contact, or one event 12290 (S1-27…S1-30). */
export interface ContactView {
  readonly at: string;
  readonly machineName: string;
  readonly address: string;
  /** Slug; undefined for IDs that the catalogue does not know. */
  readonly product: string | undefined;
  readonly edition: string | undefined;
  readonly application: string;
  readonly cmid: string;
  readonly licenseStatus: string;
  /** Until that status ends; 0: it does not. */
  readonly minutesToExpiry: number;
  /** S1-28: 5 is a server or Office, 25 a client. */
  readonly minimumCount: number;
  readonly virtual: boolean;
  readonly protocol: number;
  /** `0x00000000`: it was counted. */
  readonly hresult: string;
  readonly symbol: string | undefined;
  /** What the client believes the time is. */
  readonly clientTime: string;
  readonly activationId: string;
  readonly countedId: string;
}

export function contactView(record: ContactRecord): ContactView {
  return {
    at: new Date(record.atMs).toISOString(),
    machineName: record.workstationName,
    address: record.address,
    product: productOf(record),
    edition: isGuid(record.activationId) ? editionBySkuIdHex(guidToHex(record.activationId))?.slug : undefined,
    application: applicationName(record.application),
    cmid: record.cmid,
    licenseStatus: licenseStatusSlug(record.licenseStatus),
    minutesToExpiry: record.minutesToExpiry,
    minimumCount: record.requiredClientCount,
    virtual: record.isClientVm !== 0,
    protocol: record.protocol,
    hresult: formatHresult(record.hresult),
    symbol: record.hresult === 0 ? undefined : hresult(record.hresult)?.symbol,
    clientTime: instant(record.clientTimeMs),
    activationId: record.activationId,
    countedId: record.countedId,
  };
}

/** The catalogue's slug of what asked. */
export function productOf({ countedId }: ContactRecord): string | undefined {
  return isGuid(countedId) ? productByCountedIdHex(guidToHex(countedId))?.slug : undefined;
}

/** `Windows`, `Office2010`, `Office2013`; `unknown` for none of them. */
export function applicationName(index: number): string {
  return APPLICATIONS[index]?.name ?? 'unknown';
}

/** A client may send any time, also one that JavaScript has no date for. */
function instant(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? 'unknown' : date.toISOString();
}
