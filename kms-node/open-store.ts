// SPDX-License-Identifier: Apache-2.0
/** The store that a HostConfig asks for. */
import type { HostConfig } from '@kmspool/crds';
import type { Logger } from 'pino';
import { createMemoryStore } from './store/memory.ts';
import type { CmidStore } from './store/store.ts';

export interface OpenStoreOptions {
  readonly config: HostConfig;
  readonly poolId: string;
  readonly incarnation: string;
  readonly logger: Logger;
  readonly credentialsDir?: string;
  readonly tlsDir?: string;
}

export function openStore(options: OpenStoreOptions): CmidStore {
  const { limits, retention } = options.config;
  const settings = { maxRequiredCount: limits.maxRequiredCount, retention };
  return createMemoryStore({ settings });
}
