// SPDX-License-Identifier: Apache-2.0

// Names that tie objects together: labels, annotations, finalizers, field managers, keys of Secrets and ConfigMaps.
// Whoever selects and whoever writes read the same line here.

/** Field manager of everything that the operator applies. */
export const FIELD_MANAGER = 'kmspool-operator';

export const LABELS = {
  /** On every object of a pool: the pool's name. */
  pool: 'kmspool.io/pool',
  /** On every object of one host: its ordinal. */
  ordinal: 'kmspool.io/ordinal',
  name: 'app.kubernetes.io/name',
  instance: 'app.kubernetes.io/instance',
  component: 'app.kubernetes.io/component',
  partOf: 'app.kubernetes.io/part-of',
  managedBy: 'app.kubernetes.io/managed-by',
  version: 'app.kubernetes.io/version',
} as const;

export const ANNOTATIONS = {
  /** On Pods: restartHash of the HostConfig; a change replaces the Pod. */
  restartHash: 'kmspool.io/restart-hash',
  /** On the ConfigMap: hostConfigHash of what it holds. */
  configHash: 'kmspool.io/config-hash',
  /** On the key Secret: the pool's identity, for the eye. */
  poolId: 'kmspool.io/pool-id',
  /** On a host's Deployment: since when it is being withdrawn, RFC 3339. */
  withdrawnAt: 'kmspool.io/withdrawn-at',
  /** On every object that is applied: hash of what was applied. Drift is a difference in it or in a field. */
  appliedHash: 'kmspool.io/applied-hash',
  /** On Pods: hash of the Pod template that was applied. What a spec no longer says shows only in it. */
  templateHash: 'kmspool.io/template-hash',
  /** On the DNSEndpoint: when its records changed last, RFC 3339. */
  changedAt: 'kmspool.io/changed-at',
} as const;

/** Keeps a deleted pool until its records are out of DNS. */
export const FINALIZER = 'kmspool.io/withdraw-dns';

export const SECRET_KEYS = {
  /** The pool's Secret: 32 random bytes or more. */
  poolKey: 'key',
  /** The admin token of the hosts' HTTP interface. */
  adminToken: 'token',
  redisUsername: 'username',
  redisPassword: 'password',
  sentinelUsername: 'sentinelUsername',
  sentinelPassword: 'sentinelPassword',
  certificateAuthorities: 'ca.crt',
  clientCertificate: 'tls.crt',
  clientKey: 'tls.key',
} as const;

/** Key of the ConfigMap, and the file that a host reads. */
export const HOST_CONFIG_FILE = 'host.json';

/** Labels that select the Pods of a pool. */
export function poolSelector(poolName: string): Record<string, string> {
  return { [LABELS.name]: 'kmspool', [LABELS.component]: 'host', [LABELS.pool]: poolName };
}

/** Labels of everything that belongs to a pool. */
export function poolLabels(poolName: string): Record<string, string> {
  return {
    ...poolSelector(poolName),
    [LABELS.instance]: poolName,
    [LABELS.partOf]: 'kmspool',
    [LABELS.managedBy]: FIELD_MANAGER,
  };
}

/** Labels of everything that belongs to one host of a pool. */
export function hostLabels(poolName: string, ordinal: number): Record<string, string> {
  return { ...poolLabels(poolName), [LABELS.ordinal]: String(ordinal) };
}

/** The name of the Secret that holds the pool's key, when the spec names none. */
export function defaultKeySecretName(poolName: string): string {
  return `${poolName}-key`;
}

/** The name of the Secret that holds the hosts' admin token, {@link SECRET_KEYS}.adminToken. */
export function adminSecretName(poolName: string): string {
  return `${poolName}-admin`;
}
