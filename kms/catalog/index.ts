// SPDX-License-Identifier: Apache-2.0
//
// The catalogue: products, host keys, licence states, error codes and events, as typed data with lookups.
// It is not a key store: no product key, no Microsoft SKU or counted ID and no host PID range is in it. SKU and counted
// IDs are our own UUIDv5, so a request made with them means nothing to a licensed host, and a genuine one nothing to us.

export { APPLICATIONS, application, applicationByIdHex } from './applications.ts';
export type { AvmaEdition, AvmaGuest, AvmaHost, AvmaVersion } from './avma.ts';
export { AVMA_GUESTS, AVMA_HOSTS, AVMA_VERSIONS, avmaCovers, avmaGuestsOf } from './avma.ts';
export type { CoveredProduct, ValidatedHostKey } from './coverage.ts';
export {
  coverage,
  hostKeyCovers,
  hostKeysCovering,
  hostKeysForEverything,
  productsCoveredBy,
  validateHostKey,
} from './coverage.ts';
export { EVENTS, eventById } from './events.ts';
export { HOST_KEY_STATE_INFO, HOST_KEYS, HOST_OSES, hostKey, hostKeyStateInfo, hostOs } from './hostkeys.ts';
export {
  formatHresult,
  HRESULTS,
  hresult,
  hresultFromWin32,
  hresultOfRpcFault,
  win32OfHresult,
} from './hresults.ts';
export { LICENSE_STATUSES, licenseStatus, licenseStatusSlug } from './license-status.ts';
export {
  EDITIONS,
  editionBySkuIdHex,
  editionBySlug,
  PRODUCTS,
  productByCountedIdHex,
  productBySlug,
} from './products.ts';
export { SETUP_KEYS, setupKeysEnding } from './setup-keys.ts';
export type {
  ActivationType,
  Application,
  ApplicationName,
  Coverage,
  Decider,
  Edition,
  EventField,
  EventText,
  HostKey,
  HostKeyProduct,
  HostKeySpec,
  HostKeyState,
  HostKeyStateInfo,
  HostOs,
  HostOsName,
  Hresult,
  HresultText,
  KmsEvent,
  Language,
  LicenseStatus,
  LicenseStatusText,
  Localised,
  Product,
  ProductGroup,
  ProductKind,
  ProductSlug,
  ProtocolVersion,
  SetupKey,
  Threshold,
} from './types.ts';
export {
  ACTIVATION_TYPES,
  DECIDERS,
  HOST_KEY_PRODUCTS,
  HOST_KEY_STATES,
  HOST_OS_NAMES,
  LANGUAGES,
  PRODUCT_GROUPS,
  PRODUCT_SLUGS,
} from './types.ts';
