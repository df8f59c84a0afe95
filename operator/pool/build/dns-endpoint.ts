// SPDX-License-Identifier: Apache-2.0

// The records of a pool, as external-dns takes them. Which records is decided elsewhere.
import { ANNOTATIONS } from '@kmspool/crds';
import { DNS_ENDPOINTS, type DnsEndpoint, type DnsRecordSet } from '../kinds.ts';
import { annotated, intentOf, type PoolSource, poolMetadata } from './object.ts';

/** What the DNSEndpoint is made from. */
export interface DnsEndpointSource extends PoolSource {
  /** At least one: with none the object is to be deleted, for an empty list in it could not be told from an absent one. */
  readonly recordSets: readonly DnsRecordSet[];
  /** When these records came to be the wanted ones, RFC 3339. */
  readonly changedAt: string;
}

/** The DNSEndpoint `<pool>`. @throws RangeError without any record. */
export function buildDnsEndpoint({ pool, owner, recordSets, changedAt }: DnsEndpointSource): DnsEndpoint {
  if (recordSets.length === 0) throw new RangeError('a DNSEndpoint needs a record; delete it when there is none');
  return intentOf<DnsEndpoint>(DNS_ENDPOINTS, {
    metadata: annotated(poolMetadata({ pool, owner }), { [ANNOTATIONS.changedAt]: changedAt }),
    spec: { endpoints: recordSets },
  });
}
