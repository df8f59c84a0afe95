// SPDX-License-Identifier: Apache-2.0
//
// Clients, answers and SRV records for this folder's tests. Imported by tests only.

import { type Product, productBySlug } from '../catalog/index.ts';
import type { SrvRecord } from '../dns/index.ts';
import { afterAnswer, type Client, type ClientAnswer, type ClientProfile, clientProfile, newClient } from './index.ts';

export const T0 = Date.UTC(2024, 0, 1);
export const MINUTE = 60_000;
export const DAY = 86_400_000;

export function product(slug: string): Product {
  const found = productBySlug(slug);
  if (found === undefined) throw new RangeError(`no product ${slug}`);
  return found;
}
export const WINDOWS_7: ClientProfile = clientProfile(product('windows-7'));
export const SERVER: ClientProfile = clientProfile(product('windows-server-2008-r2'));
export const fresh = (profile: ClientProfile = WINDOWS_7): Client => newClient(profile, T0);
export const answer = (over: Partial<ClientAnswer> = {}): ClientAnswer => ({
  count: 25,
  activationIntervalMinutes: 120,
  renewalIntervalMinutes: 10080,
  host: 'campus-0.lab.example',
  port: 1688,
  ...over,
});
export const licensed = (profile: ClientProfile = WINDOWS_7): Client =>
  afterAnswer(fresh(profile), answer(), T0).client;
export const srv = (target: string, over: Partial<SrvRecord> = {}): SrvRecord => ({
  priority: 0,
  weight: 0,
  port: 1688,
  target,
  ...over,
});
export const low = (): number => 0;
