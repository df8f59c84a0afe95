// SPDX-License-Identifier: Apache-2.0
//
// The values of a KMS client's life. Times are milliseconds since 1970-01-01T00:00:00Z.

/** Attempts while not activated (S1-05, S3-54). */
export const DEFAULT_ACTIVATION_INTERVAL_MINUTES = 120;
/** Attempts while activated: 7 days (S1-06, S3-55). */
export const DEFAULT_RENEWAL_INTERVAL_MINUTES = 10080;
/** How long an activation holds (S3-16). */
export const VALIDITY_DAYS = 180;
/** Out-of-box grace (S1-05), and out-of-tolerance grace after an activation has run out. */
export const GRACE_DAYS = 30;
/** S1-20. */
export const DEFAULT_KMS_PORT = 1688;

/** 0–6 of docs/protocol.md §4. This machine itself moves between 1, 2, 3 and 5. */
export type ClientLicenseStatus = 0 | 1 | 2 | 3 | 4 | 5 | 6;

export interface HostAddress {
  readonly host: string;
  /** 1 … 65535. */
  readonly port: number;
}

/** What does not change during a client's life; share one object among all clients that are alike. */
export interface ClientProfile {
  /** N: the count at which this product considers itself activated. */
  readonly requiredCount: number;
  /** Whether SRV priority and weight are looked at (S3-21). */
  readonly honoursSrvPriority: boolean;
  /** Whether the host that answered last is asked first (S1-39). */
  readonly hostCaching: boolean;
  /** The host set by slmgr /skms, which turns discovery off; empty: discover. */
  readonly configuredHost: string;
  /** The port set on the client; a host's answer overwrites it (S1-21). */
  readonly port: number;
}

/** A client at one moment. Every field is always there, so that all clients have one shape. */
export interface Client {
  readonly profile: ClientProfile;
  readonly licenseStatus: ClientLicenseStatus;
  /** End of the grace period; 0 when there is none. */
  readonly graceEndsAtMs: number;
  /** End of the activation; 0 when not licensed. */
  readonly validUntilMs: number;
  readonly nextAttemptAtMs: number;
  readonly activationIntervalMinutes: number;
  readonly renewalIntervalMinutes: number;
  /** The host that answered last; empty when none is cached. Its port is `port`. */
  readonly cachedHost: string;
  /** Port of the cached or configured host, as the last answering host handed it over. */
  readonly port: number;
  /** HRESULT of the last finished try; 0 before the first. */
  readonly lastHresult: number;
}

/** What the client learns from a successful answer. */
export interface ClientAnswer {
  readonly count: number;
  readonly activationIntervalMinutes: number;
  readonly renewalIntervalMinutes: number;
  /** The host that answered, by the name or address it was reached under. */
  readonly host: string;
  /** The port the host handed over: bind_ack's secondary address. */
  readonly port: number;
  /** The port that was tried, for event 12288; the same as `port` if left out. */
  readonly contactedPort?: number | undefined;
}

/** Why a try ended without an answer; FAILURE_HRESULTS has the codes. */
export type FailureKind = 'NoSrvRecord' | 'NoDnsDomain' | 'ConnectFailed' | 'NoAnswer' | 'AllHostsFailed';

/** Event 12288: a request was sent, or could not be (S1-40…S1-42). */
export interface RequestEvent {
  readonly id: 12288;
  readonly atMs: number;
  readonly hresult: number;
  /** Status flags; 0. */
  readonly flags: number;
  /** Host and port tried; empty and 0 when none was found. */
  readonly host: string;
  readonly port: number;
  /** The state at the attempt, before any answer. */
  readonly licenseStatus: ClientLicenseStatus;
  readonly minutesToExpiry: number;
  readonly requiredCount: number;
}

/** Event 12289: an answer was processed (S1-43…S1-45). */
export interface AnswerEvent {
  readonly id: 12289;
  readonly atMs: number;
  readonly hresult: number;
  /** Status flags; 0x04000000 when the count was not enough. */
  readonly flags: number;
  readonly activated: boolean;
  /** The host's count at the attempt; 0 on a refusal. */
  readonly count: number;
  readonly activationIntervalMinutes: number;
  readonly renewalIntervalMinutes: number;
}

export type ClientEvent = RequestEvent | AnswerEvent;

/** The client after something happened, with the code it came to and what it wrote to its event log. */
export interface ClientStep {
  readonly client: Client;
  readonly hresult: number;
  readonly events: readonly ClientEvent[];
}
