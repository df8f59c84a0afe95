// SPDX-License-Identifier: Apache-2.0

// The contract of kmspool, as one import: KmsHostPool (what a user writes), HostConfig (what a host reads), HostStatus
// (what a host serves), the words of conditions and labels, and the loader of manifests.
export {
  CONDITION_TYPES,
  type ConditionType,
  HOSTS_PER_KEY,
  REASONS,
  REASONS_BY_USE,
  type Reason,
} from './conditions.ts';
export { type WholeNumber, whole } from './fields.ts';
export {
  canonicalJson,
  changedFields,
  HOST_CONFIG_KIND,
  type HostConfig,
  type HostRedisConfig,
  type HostStoreConfig,
  hostConfigHash,
  hostConfigSchema,
  type ParsedHostConfig,
  parseHostConfig,
  RESTART_FIELDS,
  restartHash,
  restartNeeded,
} from './host-config.ts';
export { type HostConfigOverrides, type HostConfigSource, hostConfigFor, hostName } from './host-config-for.ts';
export {
  type ApplicationCount,
  HOST_STATUS_KIND,
  type HostStatus,
  type HostStoreState,
  type HostStoreStatus,
  hostStatusSchema,
  LICENSE_STATUS_KEYS,
  type LicenseStatusKey,
  STORE_STATES,
} from './host-status.ts';
export { fieldTree } from './json-schema.ts';
export {
  ANNOTATIONS,
  adminSecretName,
  defaultKeySecretName,
  FIELD_MANAGER,
  FINALIZER,
  HOST_CONFIG_FILE,
  hostLabels,
  LABELS,
  poolLabels,
  poolSelector,
  SECRET_KEYS,
} from './labels.ts';
export { type Loaded, type LoadOptions, loadPools } from './load.ts';
export { redacted } from './load-errors.ts';
export { type FileOptions, type LoadedFile, loadFile } from './load-file.ts';
export { DNS_NAME, isCidrRange, isNameserver, REDIS_URL, SERVER_ADDRESS } from './network-names.ts';
export {
  API_VERSION,
  type Condition,
  GROUP,
  HOST_HTTP_PORT,
  type HostKeyEntry,
  INTERVAL_MINUTES,
  type KmsHostPool,
  type KmsHostPoolInput,
  type KmsHostPoolSpec,
  type KmsHostPoolStatus,
  localPoolSchema,
  POOL_KIND,
  type PoolDomain,
  type PoolStore,
  poolSchema,
  type RedisStore,
  type Tier,
  VERSION,
} from './pool.ts';
export { EXPOSURE_TYPES, PRIVATE_SOURCES } from './pool-network.ts';
export { DNS_STATUS_BOUNDS, poolStatusSchema } from './pool-status.ts';
export { ON_LOSS, RETENTION_DEFAULT } from './pool-store.ts';
export { fieldTables } from './reference.ts';
export { UserError } from './user-error.ts';
