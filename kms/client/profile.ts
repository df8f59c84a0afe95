// SPDX-License-Identifier: Apache-2.0
//
// From a catalogue product to a client profile.

import type { Product } from '../catalog/index.ts';
import { type ClientProfile, DEFAULT_KMS_PORT } from './types.ts';

/** The profile of a volume client of `product` as installed (S3-37): discovery on, host caching on, port 1688. */
export function clientProfile(
  product: Pick<Product, 'threshold' | 'honoursSrvPriority'>,
  settings: Partial<Pick<ClientProfile, 'hostCaching' | 'configuredHost' | 'port'>> = {},
): ClientProfile {
  return {
    requiredCount: product.threshold,
    honoursSrvPriority: product.honoursSrvPriority,
    hostCaching: settings.hostCaching ?? true,
    configuredHost: settings.configuredHost ?? '',
    port: settings.port ?? DEFAULT_KMS_PORT,
  };
}
