// SPDX-License-Identifier: Apache-2.0

// Pieces of PromQL that rules and dashboards share, so that an alert and the panel beside it say the same. Counts, thresholds, totals and conditions are the
// pool's, the same on every host or from the operator's leader alone: `max`. Requests are a host's own: `sum`.

/** What names a pool in the metrics. */
export const POOL = 'namespace, pool';
/** What names one table of client machine IDs. */
export const COUNT = `${POOL}, application`;
/** What names one threshold of a table. */
export const THRESHOLD = `${COUNT}, threshold`;
/** What names one domain of a pool. */
export const DOMAIN = `${POOL}, domain`;
/** What names one host. */
export const HOST = `${POOL}, host`;

/** `max by (labels) (series)`. */
export const maxBy = (labels: string, series: string): string => `max by (${labels}) (${series})`;
/** `sum by (labels) (series)`. */
export const sumBy = (labels: string, series: string): string => `sum by (${labels}) (${series})`;

/** Whether the condition has this status, 1 or 0, by pool. `matchers` narrows it, such as `pool="campus"`. */
export const condition = (type: string, status: 'True' | 'False' | 'Unknown', matchers = ''): string =>
  maxBy(POOL, `kmspool_pool_condition${selector(`type="${type}"`, `status="${status}"`, matchers)}`);

/** Hosts of a pool as the operator sees them. */
export const poolHosts = (state: 'wanted' | 'ready', matchers = ''): string =>
  maxBy(POOL, `kmspool_pool_hosts${selector(`state="${state}"`, matchers)}`);

/** SRV records of a domain as the operator sees them. */
export const records = (state: 'desired' | 'observed' | 'foreign', matchers = ''): string =>
  maxBy(DOMAIN, `kmspool_pool_dns_records${selector(`state="${state}"`, matchers)}`);

/** `{a,b}`; empty matchers are left out. */
export function selector(...matchers: readonly string[]): string {
  const given = matchers.filter((each) => each !== '');
  return given.length === 0 ? '' : `{${given.join(',')}}`;
}

/** Series of the operator alone: their names are those of every controller, and kmspool_build_info stands on its targets only. */
export const ofOperator = (series: string): string => `${series} and on (job, instance) kmspool_build_info`;
