// SPDX-License-Identifier: Apache-2.0

// Names of series in the cases of the alert rules: a pool campus in the namespace kms, its hosts, an operator.

export const POOL = 'namespace="kms",pool="campus"';
export const host = (n: number): string => `${POOL},host="campus-${n}"`;
export const hosts = (state: string): string => `kmspool_pool_hosts{${POOL},state="${state}"}`;
export const ready = (n: number): string => `kmspool_host_ready{${host(n)}}`;
export const condition = (type: string, status: string): string =>
  `kmspool_pool_condition{${POOL},type="${type}",status="${status}"}`;
export const dns = (state: string): string => `kmspool_pool_dns_records{${POOL},domain="lab.example",state="${state}"}`;
export const store = (n: number, state: string): string => `kmspool_store_state{${host(n)},state="${state}"}`;
export const WINDOWS = `${host(0)},application="Windows"`;
export const count = `kmspool_current_count{${WINDOWS}}`;
export const cap = `kmspool_count_cap{${WINDOWS}}`;
export const met = (threshold: string): string => `kmspool_threshold_met{${WINDOWS},threshold="${threshold}"}`;
export const required = (threshold: string): string =>
  `kmspool_threshold_required{${WINDOWS},threshold="${threshold}"}`;
export const CLIENT = `${POOL},application="Windows",threshold="Client"`;
export const total = `kmspool_pool_requests_total{${host(0)}}`;
export const duplicates = `kmspool_duplicate_cmids{${host(0)}}`;
export const first = `kmspool_requests_total{${WINDOWS},outcome="activated",kind="first_activation",hresult="0x00000000"}`;
export const answered = `kmspool_requests_total{${WINDOWS},outcome="activated",hresult="0x00000000"}`;
export const refused = `kmspool_requests_total{${WINDOWS},outcome="refused",hresult="0xC004F06C"}`;
export const at = (n: number): string => `job="operator",instance="10.0.0.${n}:8081"`;
export const info = (n: number): string => `kmspool_build_info{${at(n)},version="1"}`;
export const leader = (n: number): string =>
  `leader_election_master_status{${at(n)},namespace="ops",name="kmspool-operator"}`;

/** A count that clients have asked 25 of, over hours. */
export const asked = (hours: number, values: string, metNow: number | string): Record<string, string> => ({
  [count]: values,
  [cap]: `50x${hours}`,
  [required('Client')]: `25x${hours}`,
  [met('Client')]: typeof metNow === 'string' ? metNow : `${metNow}x${hours}`,
});
