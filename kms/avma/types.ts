// SPDX-License-Identifier: Apache-2.0
//
// The things of automatic virtual machine activation: hosts, guests, keys, notifications, event records. No behaviour.

import type { AvmaEdition, AvmaVersion } from '../catalog/index.ts';

/** How a host itself is activated (S5-05). */
export const HOST_ACTIVATIONS = ['Volume', 'Oem', 'NotActivated'] as const;
export type HostActivation = (typeof HOST_ACTIVATIONS)[number];

export const HYPERVISORS = ['HyperV', 'Other'] as const;
export type Hypervisor = (typeof HYPERVISORS)[number];

/** A virtualisation server. */
export interface AvmaServer {
  readonly name: string;
  /** Windows of the host, as in the catalogue; anything else can be no AVMA host (S5-11). */
  readonly os: string;
  readonly edition: string;
  readonly hypervisor: Hypervisor;
  readonly activation: HostActivation;
  /** False: its service does not answer guests. */
  readonly answers: boolean;
  /** False: no network, neither to the guests' networks nor to the Internet. AVMA does not need one (S5-02, S5-07). */
  readonly connected: boolean;
  /** Hosts of one cluster restart the guests of a host that is lost. */
  readonly cluster?: string | undefined;
}

/** Keys that are none of AVMA. */
export const OTHER_KEYS = ['Retail', 'Oem', 'Volume'] as const;
export type OtherKey = (typeof OTHER_KEYS)[number];

/** A guest's product key: for AVMA the product that it is for, of others the kind only. No key is stored. */
export type GuestKey =
  | { readonly kind: 'Avma'; readonly os: AvmaVersion; readonly edition: AvmaEdition }
  | { readonly kind: OtherKey };

/** What a guest writes into the key-value pairs that its host can read (S5-19). All of it is the guest's word. */
export interface ExchangedData {
  readonly fqdn?: string | undefined;
  readonly osName?: string | undefined;
  readonly servicePack?: string | undefined;
  readonly architecture?: string | undefined;
  readonly ipv4?: readonly string[] | undefined;
  readonly ipv6?: readonly string[] | undefined;
  readonly rdpAddress?: string | undefined;
}

/** `Notification`: the activation has lapsed, or none could be had. `OtherKey`: not AVMA's business. */
export type GuestLicense = 'Unlicensed' | 'Licensed' | 'Notification' | 'OtherKey';

/** A virtual machine. */
export interface AvmaVm {
  readonly name: string;
  readonly tenant: string;
  /** The server that it is on. */
  readonly host: string;
  readonly os: string;
  readonly edition: string;
  readonly key: GuestKey;
  readonly running: boolean;
  readonly connected: boolean;
  /** The integration service "Data Exchange" is on (S5-29). */
  readonly dataExchange: boolean;
  /** What passes between guest and host is damaged. */
  readonly damaged: boolean;
  /** What the guest would write. */
  readonly facts: ExchangedData;
  /** What stands in the key-value pairs; undefined: nothing. They travel with the machine (S5-18). */
  readonly exchanged: ExchangedData | undefined;
  readonly license: GuestLicense;
  /** The server that it is activated against (S5-03). */
  readonly boundTo: string | undefined;
  /** When it asks again while it runs, milliseconds since 1970; undefined: not. */
  readonly dueMs: number | undefined;
}

/** The four notifications of Microsoft's table (S5-24…S5-27). */
export const NOTIFICATIONS = ['Success', 'InvalidHost', 'InvalidData', 'ActivationDenied'] as const;
export type Notification = (typeof NOTIFICATIONS)[number];

/** Why a request came to its notification. */
export type NotificationReason =
  | 'Activated'
  | 'OtherHypervisor'
  | 'NoDataExchange'
  | 'HostDoesNotAnswer'
  | 'HostNotSupported'
  | 'HostNotActivated'
  | 'HostTooOld'
  | 'DataDamaged'
  | 'IdMismatch';

/** What made the guest ask. */
export type Occasion = 'Start' | 'Renewal' | 'Migration' | 'KeyChange' | 'Retry';

/** A record in an event log: 12309 in the guest's, 12310 in the host's (S5-22, S5-23). Nobody sees a message (S5-28). */
export interface AvmaRecord {
  readonly atMs: number;
  readonly id: 12309 | 12310;
  /** Whose log: the guest's name or the host's. */
  readonly log: string;
  readonly guest: string;
  readonly tenant: string;
  readonly host: string;
  readonly occasion: Occasion;
  readonly notification: Notification;
  readonly reason: NotificationReason;
}
