// SPDX-License-Identifier: Apache-2.0
//
// Automatic virtual machine activation, simulated; README.md says what is assumed.

export { isAvmaServer, judge, type Verdict } from './attempt.ts';
export { type ComplianceRow, compliance, forTenant, history, type UsageRow, usage } from './reports.ts';
export {
  type AvmaRecord,
  type AvmaServer,
  type AvmaVm,
  type ExchangedData,
  type GuestKey,
  type GuestLicense,
  HOST_ACTIVATIONS,
  type HostActivation,
  HYPERVISORS,
  type Hypervisor,
  NOTIFICATIONS,
  type Notification,
  type NotificationReason,
  type Occasion,
  OTHER_KEYS,
  type OtherKey,
} from './types.ts';
export { AVMA_RENEWAL_MS, type AvmaAction, type AvmaWorld, guestOf, hostOf, type Stepped, step } from './world.ts';
