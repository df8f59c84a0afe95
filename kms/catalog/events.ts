// SPDX-License-Identifier: Apache-2.0
//
// The Windows event-log records of volume activation: what they are called and what they carry, in the order of their
// text (Microsoft, "Windows Event Log", table 11 of the volume activation guide; S1-27…S1-32, S1-40…S1-45, S3-66,
// S3-67, S5-22, S5-23). It writes no events.

import type { EventField, KmsEvent } from './types.ts';

const SOURCE = 'Microsoft-Windows-Security-SPP';

const HRESULT: EventField = { name: 'hresult', title: 'HRESULT' };
const FLAGS: EventField = { name: 'flags', title: 'Status flags' };
const CMID: EventField = { name: 'cmid', title: 'Client machine ID (CMID)' };
const CLIENT_TIME: EventField = { name: 'clientTime', title: 'Client time (UTC)' };
const VM: EventField = { name: 'isClientVm', title: 'Virtual machine flag' };
const LICENSE_STATUS: EventField = { name: 'licenseStatus', title: 'License status' };
const MINUTES: EventField = { name: 'minutesToExpiry', title: 'Minutes until the status expires' };
const ACTIVATION_ID: EventField = { name: 'activationId', title: 'Activation ID' };
const MINIMUM_COUNT: EventField = { name: 'minimumCount', title: 'Minimum count needed to activate' };
const DOMAIN: EventField = { name: 'domain', title: 'DNS domain' };

/** By id. */
export const EVENTS: readonly KmsEvent[] = [
  {
    id: 12288,
    title: 'The client has sent an activation request',
    loggedBy: 'client',
    source: SOURCE,
    log: 'Application',
    fields: [
      HRESULT,
      FLAGS,
      { name: 'server', title: 'Host and port' },
      CMID,
      CLIENT_TIME,
      VM,
      LICENSE_STATUS,
      MINUTES,
      ACTIVATION_ID,
      MINIMUM_COUNT,
    ],
  },
  {
    id: 12289,
    title: 'The client has processed an activation answer',
    loggedBy: 'client',
    source: SOURCE,
    log: 'Application',
    fields: [
      HRESULT,
      FLAGS,
      { name: 'activated', title: 'Activation flag' },
      { name: 'unused', title: 'Unused' },
      { name: 'count', title: 'Current count of the host' },
      { name: 'activationIntervalMinutes', title: 'Activation interval (minutes)' },
      { name: 'renewalIntervalMinutes', title: 'Renewal interval (minutes)' },
      CLIENT_TIME,
    ],
  },
  {
    id: 12290,
    title: 'The host has processed an activation request',
    loggedBy: 'host',
    source: SOURCE,
    log: 'Key Management Service',
    fields: [
      HRESULT,
      MINIMUM_COUNT,
      { name: 'workstationName', title: 'Workstation name' },
      CMID,
      CLIENT_TIME,
      VM,
      LICENSE_STATUS,
      MINUTES,
      ACTIVATION_ID,
    ],
  },
  hostEvent(12291, 'The host failed to initialise its key management service', [HRESULT]),
  hostEvent(12292, 'The host failed to initialise its renewal timer', [HRESULT]),
  hostEvent(12293, 'Publishing the host in DNS failed', [HRESULT, DOMAIN]),
  hostEvent(12294, 'Publishing the host in DNS succeeded', [DOMAIN]),
  // For the two events of automatic virtual machine activation Microsoft publishes no field list.
  {
    id: 12309,
    title: 'The guest has been told the outcome of automatic virtual machine activation',
    loggedBy: 'guest',
    source: SOURCE,
    log: 'Application',
    fields: [],
  },
  hostEvent(12310, 'The virtualisation host has seen a request for automatic virtual machine activation', []),
];

const BY_ID: ReadonlyMap<number, KmsEvent> = new Map(EVENTS.map((e) => [e.id, e]));

/** The event with this number, or undefined. */
export function eventById(id: number): KmsEvent | undefined {
  return BY_ID.get(id);
}

function hostEvent(id: number, title: string, fields: readonly EventField[]): KmsEvent {
  return { id, title, loggedBy: 'host', source: SOURCE, log: 'Application', fields };
}
