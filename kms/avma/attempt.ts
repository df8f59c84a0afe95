// SPDX-License-Identifier: Apache-2.0
//
// One AVMA request: from guest and host to a notification, and into which logs it goes. Nothing of the exchanged data decides here,
// for the guest can write into it what it likes (S5-20).

import { AVMA_GUESTS, avmaCovers, avmaGuestsOf } from '../catalog/index.ts';
import type { AvmaServer, AvmaVm, GuestKey, Notification, NotificationReason } from './types.ts';

export interface Verdict {
  readonly notification: Notification;
  readonly reason: NotificationReason;
  /** The request reached a service that understands it, so that the host's log has it as well (12310). */
  readonly reachedHost: boolean;
}

/** What comes of a request, or undefined if the guest makes none: it is off, or has no AVMA key. The network does not matter (S5-02, S5-07). */
export function judge(guest: AvmaVm, host: AvmaServer): Verdict | undefined {
  const { key } = guest;
  if (!guest.running || key.kind !== 'Avma') return undefined;
  const unreached = whyUnreached(guest, host);
  if (unreached !== undefined) return { notification: 'InvalidHost', reason: unreached, reachedHost: false };
  if (guest.damaged) return { notification: 'InvalidData', reason: 'DataDamaged', reachedHost: true };
  if (host.activation === 'NotActivated') return refused('InvalidHost', 'HostNotActivated');
  if (!avmaCovers(host.os, guest.os)) return refused('InvalidHost', 'HostTooOld');
  if (!fits(key, guest)) return refused('ActivationDenied', 'IdMismatch');
  return { notification: 'Success', reason: 'Activated', reachedHost: true };
}

/** Whether this server can activate guests at all: Hyper-V on a Datacenter edition from 2012 R2 (S5-11, S5-14). */
export function isAvmaServer({ hypervisor, os, edition }: AvmaServer): boolean {
  return hypervisor === 'HyperV' && edition === 'Datacenter' && avmaGuestsOf(os).length > 0;
}

function whyUnreached(guest: AvmaVm, host: AvmaServer): NotificationReason | undefined {
  if (host.hypervisor !== 'HyperV') return 'OtherHypervisor';
  if (!guest.dataExchange) return 'NoDataExchange';
  if (!isAvmaServer(host)) return 'HostNotSupported';
  return host.answers ? undefined : 'HostDoesNotAnswer';
}

function refused(notification: Notification, reason: NotificationReason): Verdict {
  return { notification, reason, reachedHost: true };
}

function fits(key: Extract<GuestKey, { kind: 'Avma' }>, guest: AvmaVm): boolean {
  const known = AVMA_GUESTS.some(({ version, edition }) => version === guest.os && edition === guest.edition);
  return known && key.os === guest.os && key.edition === guest.edition;
}
