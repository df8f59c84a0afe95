// SPDX-License-Identifier: Apache-2.0
//
// HostStatus in the layout that administrators know from slmgr.vbs /dlv on a KMS host (S1-08…S1-26), so that what they
// grep for is there under its name. One block for each application, for each has a count of its own.

import { type ApplicationCount, type HostStatus, LICENSE_STATUS_KEYS } from '@kmspool/crds';
import {
  APPLICATIONS,
  type Application,
  formatHresult,
  HOST_KEY_STATE_INFO,
  hostKey,
  hostOs,
  LICENSE_STATUSES,
} from '@kmspool/kms/catalog';

/** The lines. `domains`: where the pool is published; undefined when only the host was asked, which does not know. */
export function dlvText(status: HostStatus, domains: readonly string[] | undefined): string[] {
  const { version, host, pool, hostPid, poolId } = status;
  return [
    `Software licensing service version: kmspool ${version}`,
    `Host: ${host.name} of pool ${pool.namespace}/${pool.name}, ${status.mode.toLowerCase()}`,
    `Pool ID: ${poolId}`,
    ...(status.ready ? [] : [`Not ready: ${status.reasons.join('; ')}`]),
    '',
    ...shownApplications(status).flatMap((application) => [...applicationLines(application, status, domains), '']),
    ...cumulativeLines(status),
    '',
    ...noteLines(status),
    `Extended PID of every host of this pool: ${hostPid}`,
  ];
}

/** The short form: without IDs, cumulative requests and intervals. */
export function dliText(status: HostStatus, domains: readonly string[] | undefined): string[] {
  return [
    ...(status.ready ? [] : [`Not ready: ${status.reasons.join('; ')}`, '']),
    ...shownApplications(status).flatMap((application) => [
      ...applicationLines(application, status, domains).filter((line) => !line.startsWith('Application ID: ')),
      '',
    ]),
    `Extended PID of every host of this pool: ${status.hostPid}`,
  ];
}

function shownApplications(status: HostStatus): Application[] {
  return APPLICATIONS.filter(
    (application) => keysOf(application, status).length > 0 || countOf(application, status).current > 0,
  );
}

function applicationLines(
  application: Application,
  status: HostStatus,
  domains: readonly string[] | undefined,
): string[] {
  const keys = keysOf(application, status);
  const count = countOf(application, status);
  const licensed = keys.some(({ state }) => state === 'Activated');
  return [
    `Name: ${application.title}`,
    ...keys.map(keyLine),
    `Application ID: ${application.id}`,
    `License Status: ${licensed ? 'Licensed' : 'Unlicensed'}`,
    '',
    `Key Management Service is ${licensed ? 'enabled' : 'disabled'} on this machine`,
    `    Current count: ${count.current}`,
    `    Listening on Port: ${status.advertisedPort ?? status.port}`,
    `    ${publishing(domains)}`,
    '    KMS priority: Normal',
    ...count.thresholds.map(
      ({ name, required, met }) =>
        `    ${name} threshold: ${required}, ${met ? 'reached' : `not reached, ${required - count.current} more needed`}`,
    ),
    `    Clients kept at most: ${count.cap}`,
  ];
}

type HostKeyStatus = HostStatus['hostKeys'][number];

function keyLine({ product, hostOs: os, state }: HostKeyStatus): string {
  const info = HOST_KEY_STATE_INFO.find((each) => each.state === state);
  const code = info === undefined || info.hostCode === 0 ? '' : ` (${formatHresult(info.hostCode)})`;
  const where = hostOs(os)?.title ?? os;
  return `Description: ${hostKey(product)?.title ?? product} host key, VOLUME_KMS channel, on ${where}: ${state}${code}`;
}

/** Host keys that serve an application: Windows and Office keys know which release they are for. */
function keysOf({ name }: Application, { hostKeys }: HostStatus): HostKeyStatus[] {
  return hostKeys.filter(({ product }) => {
    const kind = hostKey(product)?.kind;
    if (name === 'Windows') return kind === 'client' || kind === 'server';
    return kind === 'office' && (product === 'Office2010') === (name === 'Office2010');
  });
}

function countOf({ name }: Application, { counts }: HostStatus): ApplicationCount {
  return (
    counts.find(({ application }) => application === name) ?? {
      application: name,
      current: 0,
      cap: 0,
      highWaterRequired: 0,
      thresholds: [],
    }
  );
}

function publishing(domains: readonly string[] | undefined): string {
  if (domains === undefined) return 'DNS publishing: by the pool, see its spec.dns';
  return domains.length === 0 ? 'DNS publishing disabled' : `DNS publishing enabled (${domains.join(', ')})`;
}

function cumulativeLines({ totals }: HostStatus): string[] {
  const { byLicenseStatus } = totals;
  const known = LICENSE_STATUSES.map(({ value, dlvLabel }) => ({
    value,
    dlvLabel,
    count: byLicenseStatus[LICENSE_STATUS_KEYS[value] ?? 'unknown'],
  }));
  return [
    'Key Management Service cumulative requests received from clients',
    `    Total requests received: ${totals.total}`,
    `    Failed requests received: ${totals.failed}`,
    // slmgr has no line for the states from 6 on; they are shown once there is something to show.
    ...known
      .filter(({ value, count }) => value < 6 || count > 0)
      .map(({ dlvLabel, count }) => `    Requests with License Status ${dlvLabel}: ${count}`),
    ...(byLicenseStatus.unknown > 0 ? [`    Requests with an unknown License Status: ${byLicenseStatus.unknown}`] : []),
  ];
}

function noteLines({
  activationIntervalMinutes,
  renewalIntervalMinutes,
  clients,
  duplicates,
  store,
}: HostStatus): string[] {
  const twice =
    duplicates === 0
      ? ''
      : `; ${duplicates} CMIDs came with more than one machine name: images that were not generalised`;
  return [
    `Activation interval: ${activationIntervalMinutes} minutes`,
    `Renewal interval: ${renewalIntervalMinutes} minutes`,
    `Clients in the inventory: ${clients}${twice}`,
    `Store: ${store.kind}, ${store.state}`,
  ];
}
