// SPDX-License-Identifier: Apache-2.0
//
// What `kmsctl explain` recognises in what a user gives it, and what it has to say about that. Values only.

import type { Localised } from '@kmspool/kms/catalog';

/** One thing to say. `problem` is something to mend, `good` something that is in order. */
export interface Remark {
  /** Stable, kebab-case; for programs. */
  readonly id: string;
  readonly severity: 'good' | 'note' | 'problem';
  readonly text: Localised;
  /** What to do about it. */
  readonly remedy?: Localised;
}

/** How a code was written. */
export type CodeForm = 'hex' | 'signed' | 'unsigned' | 'win32' | 'rpcFault';

export interface CodeFinding {
  readonly kind: 'code';
  /** Unsigned, 0 … 0xFFFFFFFF. */
  readonly code: number;
  readonly form: CodeForm;
}

export interface EventFinding {
  readonly kind: 'event';
  readonly id: number;
  /** By the catalogue's field names; empty when only the number was given. */
  readonly values: Readonly<Record<string, string>>;
}

export type DlvRole = 'host' | 'client' | 'mak' | 'other';

/** A block of slmgr /dlv; what was not there is undefined. */
export interface DlvFinding {
  readonly kind: 'dlv';
  readonly role: DlvRole;
  readonly version: string | undefined;
  readonly name: string | undefined;
  readonly description: string | undefined;
  readonly partialKey: string | undefined;
  /** As it was written; `state` is what it stands for. */
  readonly licenseText: string | undefined;
  /** 0–6. */
  readonly state: number | undefined;
  readonly reasonCode: number | undefined;
  readonly minutesLeft: number | undefined;
  /** How often slmgr /rearm may still be used. */
  readonly rearmsLeft: number | undefined;
  /** Whether "Key Management Service is enabled on this machine". */
  readonly enabled: boolean | undefined;
  readonly count: number | undefined;
  readonly port: number | undefined;
  readonly publishing: boolean | undefined;
  readonly totalRequests: number | undefined;
  readonly failedRequests: number | undefined;
  readonly cmid: string | undefined;
  /** `host:port` found by DNS, or set by hand. */
  readonly machineFromDns: string | undefined;
  readonly machineRegistered: string | undefined;
  /** "DNS auto-discovery: KMS name not available". */
  readonly discoveryFailed: boolean;
  readonly caching: boolean | undefined;
  readonly activationIntervalMinutes: number | undefined;
  readonly renewalIntervalMinutes: number | undefined;
}

export interface IpconfigFinding {
  readonly kind: 'ipconfig';
  readonly hostName: string | undefined;
  readonly primarySuffix: string | undefined;
  readonly searchList: readonly string[];
  readonly connectionSuffixes: readonly string[];
  readonly addresses: readonly string[];
  readonly gateways: readonly string[];
  readonly dnsServers: readonly string[];
}

export interface SrvLine {
  /** The owner name as it was shown. */
  readonly name: string;
  readonly priority: number | undefined;
  readonly weight: number | undefined;
  readonly port: number | undefined;
  readonly target: string | undefined;
}

export interface NslookupFinding {
  readonly kind: 'nslookup';
  readonly server: string | undefined;
  readonly records: readonly SrvLine[];
  /** Addresses of targets, by lower-case name. */
  readonly addresses: Readonly<Record<string, readonly string[]>>;
  readonly failure: 'notFound' | 'timeout' | 'serverFailed' | 'refused' | undefined;
}

/** A product key that was pasted; the key itself is gone. */
export interface KeyFinding {
  readonly kind: 'key';
  readonly lastFive: string;
  /** What stood between its groups. */
  readonly joiner: 'hyphen' | 'dash' | 'other';
}

export type Finding = CodeFinding | EventFinding | DlvFinding | IpconfigFinding | NslookupFinding | KeyFinding;
