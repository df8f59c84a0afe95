// SPDX-License-Identifier: Apache-2.0
//
// A KMS client's life as a pure state machine: grace, activation, renewal, expiry, host cache, and which host to try.
// It is not a network client and holds no clock, timer or identity: time and randomness come in, states and event-log
// records come out, and the caller does what the plan says. A state is one small flat object, so that a simulator can
// hold a million of them.
//
// One try: `beginTry` -> `afterDiscovery` and `afterReply` until it is over. Below it: `attemptPlan`, for each host that
// fails `afterSilence`, at the end exactly one of `afterAnswer`, `afterRefusal`, `afterFailure`. Between tries: `advance` at
// `nextChangeAtMs`.

export type { AttemptTarget } from './attempt.ts';
export { attemptPlan, needsDiscovery } from './attempt.ts';
export { advance, forgetHost, minutesToExpiry, newClient, nextChangeAtMs } from './life.ts';
export { fromAgedImage, hardwareChanged, MAX_REARMS, rearmed } from './mishaps.ts';
export { afterAnswer, afterFailure, afterRefusal, afterSilence, FAILURE_HRESULTS } from './outcome.ts';
export { clientProfile } from './profile.ts';
export type { Found, HostReply, TryNext, TryWalk } from './try.ts';
export { afterDiscovery, afterReply, beginTry } from './try.ts';
export type {
  AnswerEvent,
  Client,
  ClientAnswer,
  ClientEvent,
  ClientLicenseStatus,
  ClientProfile,
  ClientStep,
  FailureKind,
  HostAddress,
  RequestEvent,
} from './types.ts';
export {
  DEFAULT_ACTIVATION_INTERVAL_MINUTES,
  DEFAULT_KMS_PORT,
  DEFAULT_RENEWAL_INTERVAL_MINUTES,
  GRACE_DAYS,
  VALIDITY_DAYS,
} from './types.ts';
