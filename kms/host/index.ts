// SPDX-License-Identifier: Apache-2.0
//
// What a KMS host decides, as pure rules: which products its keys serve, what a request that opened gets, and what it does
// while the shared table is away. It reads no bytes and keeps no table: kms-node and the fleet simulator both ask it.

export { HRESULT, judge, MAX_CLOCK_SKEW_MS, type RequestFacts, type ServedProduct, servedProducts } from './judge.ts';
export { conditionOf, type LinkState, type LossPolicy, type OnLoss, type StoreCondition } from './loss.ts';
