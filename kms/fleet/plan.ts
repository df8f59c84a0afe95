// SPDX-License-Identifier: Apache-2.0
//
// What is to be simulated: pools, groups of machines, and what happens to them when. Values only; where they come from (a
// YAML file, a test) is not said here. Times are milliseconds since the start of the simulation, unless named otherwise.

import type { HostKeySpec, HostKeyState, Product } from '../catalog/index.ts';
import type { DomainRanking } from '../dns/index.ts';
import type { LossPolicy } from '../host/index.ts';

export interface FleetPlan {
  /** Milliseconds since 1970, UTC; a whole minute. */
  readonly startMs: number;
  /** 1 … 3650. */
  readonly days: number;
  /** Distance of the points of the series. */
  readonly stepMs: number;
  readonly pools: readonly PoolPlan[];
  readonly groups: readonly GroupPlan[];
  readonly changes: readonly Change[];
}

/** A pool of hosts that share one count. */
export interface PoolPlan {
  readonly name: string;
  readonly namespace: string;
  /** 1 … 100. */
  readonly replicas: number;
  readonly port: number;
  readonly hostKeys: readonly HostKeySpec[];
  readonly activationIntervalMinutes: number;
  readonly renewalIntervalMinutes: number;
  readonly maxRequiredCount: number;
  readonly domains: readonly DomainPlan[];
  /** After so long a host that is down leaves SRV; undefined: records are kept by hand and stay. */
  readonly withdrawAfterMs: number | undefined;
  readonly store: LossPolicy;
}

export interface DomainPlan extends DomainRanking {
  readonly name: string;
}

/** What a machine's key makes it: a KMS client, or a machine that never asks a KMS host. */
export type KeyKind = 'KMS' | 'MAK' | 'Retail';

/** Machines that are alike. */
export interface GroupPlan {
  readonly name: string;
  readonly product: Product;
  readonly count: number;
  readonly virtual: boolean;
  readonly key: KeyKind;
  /** DNS domains that a client searches, in order (S2-31, S3-20). */
  readonly domains: readonly string[];
  /** The host set by slmgr /skms; empty: discover. */
  readonly configuredHost: string;
  readonly configuredPort: number;
  readonly hostCaching: boolean;
  readonly arrival: Arrival;
  readonly clock: { readonly offsetMs: number; readonly driftMsPerDay: number };
  readonly image: ImagePlan;
  /** How often each machine is rearmed when its grace runs out: 0 … 3 (S3-80). */
  readonly rearms: number;
}

/** How the machines were made (S1-17, S3-79). */
export interface ImagePlan {
  /** Without Sysprep /generalize all copies have one CMID, and their grace has been running for `ageMs`. */
  readonly generalized: boolean;
  readonly ageMs: number;
  /** How often the image's timer can still be reset: 0 … 3. At 0 /generalize leaves it as it is. */
  readonly rearmsLeft: number;
}

export type Arrival =
  | { readonly kind: 'atOnce'; readonly atMs: number }
  | { readonly kind: 'ramp'; readonly atMs: number; readonly overMs: number }
  | { readonly kind: 'officeHours'; readonly atMs: number; readonly workdays: number };

/** Something that happens at a time to the pools' side or to the machines of a group. */
export type Change = { readonly atMs: number; readonly title: string } & ChangeKind;

export type ChangeKind =
  | { readonly kind: 'host'; readonly host: string; readonly up: boolean }
  | { readonly kind: 'dns'; readonly up: boolean }
  | { readonly kind: 'store'; readonly pool: string; readonly up: boolean; readonly policy?: LossPolicy | undefined }
  | { readonly kind: 'intervals'; readonly pool: string; readonly intervals: Partial<Intervals> }
  | {
      readonly kind: 'domain';
      readonly pool: string;
      readonly domain: string;
      readonly ranking: DomainRanking | undefined;
    }
  | { readonly kind: 'hostKey'; readonly pool: string; readonly product: string; readonly state: HostKeyState }
  | {
      readonly kind: 'machines';
      readonly what: MachineChange;
      readonly group: string | undefined;
      readonly share: number;
    };

export interface Intervals {
  readonly activationIntervalMinutes: number;
  readonly renewalIntervalMinutes: number;
}

/** `toKms`: GVLK installed, then /ato (S3-82, S3-84). `toMak`: activated once and for all. `activateNow`: /ato (S3-81). */
export type MachineChange = 'rearm' | 'toKms' | 'toMak' | 'hardwareChange' | 'activateNow' | 'forgetHost';
