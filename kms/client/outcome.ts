// SPDX-License-Identifier: Apache-2.0
//
// What a try does to a client: an answer, a refusal, silence of one host, failure of all. The client, not the host,
// decides whether the count suffices (S4-23, docs/protocol.md §4).

import { advance, DAY_MS, MINUTE_MS, minutesToExpiry } from './life.ts';
import {
  type AnswerEvent,
  type Client,
  type ClientAnswer,
  type ClientStep,
  type FailureKind,
  type HostAddress,
  type RequestEvent,
  VALIDITY_DAYS,
} from './types.ts';

const COUNT_INSUFFICIENT = 0xc004f038;
/** Microsoft's SL_VL_BINDING_ERROR_NOT_ENOUGH_COUNT, in event 12289. */
const FLAG_NOT_ENOUGH_COUNT = 0x04000000;
const NO_HOST: HostAddress = { host: '', port: 0 };

/** The codes that a client comes to by itself. */
export const FAILURE_HRESULTS: Readonly<Record<FailureKind, number>> = {
  NoSrvRecord: 0x8007232b,
  NoDnsDomain: 0x8007007b,
  ConnectFailed: 0x800706ba,
  NoAnswer: 0xc004f039,
  AllHostsFailed: 0xc004f074,
};

/**
 * A host counted the request. Its intervals and port replace the client's (S1-21, S3-54, S3-55), and it is cached.
 * Count >= N: licensed for 180 days from now, next attempt after the renewal interval (S3-16). Below: the status stays,
 * 0xC004F038, next attempt after the activation interval (S3-10).
 */
export function afterAnswer(client: Client, answer: ClientAnswer, nowMs: number): ClientStep {
  const before = advance(client, nowMs);
  const activated = answer.count >= before.profile.requiredCount;
  const hresult = activated ? 0 : COUNT_INSUFFICIENT;
  const told: Client = {
    ...before,
    // Zero would mean an attempt without end; no host offers less than 15 (S3-54).
    activationIntervalMinutes: Math.max(1, answer.activationIntervalMinutes),
    renewalIntervalMinutes: Math.max(1, answer.renewalIntervalMinutes),
    cachedHost: before.profile.hostCaching ? answer.host : '',
    port: answer.port,
  };
  const next = activated ? license(told, nowMs) : retryLater(told, hresult, nowMs);
  const tried: HostAddress = { host: answer.host, port: answer.contactedPort ?? answer.port };
  const flags = activated ? 0 : FLAG_NOT_ENOUGH_COUNT;
  return {
    client: next,
    hresult,
    events: [
      requestEvent(before, tried, 0, nowMs),
      answerEvent(next, { flags, activated, count: answer.count }, nowMs),
    ],
  };
}

/**
 * A host refused with an HRESULT, and the try ends. The status stays; next attempt after the activation interval. A
 * cached host is dropped: an error sends the client to the other hosts (S4-32 speaks of all hosts having returned one).
 */
export function afterRefusal(client: Client, hresult: number, nowMs: number, target?: HostAddress): ClientStep {
  const before = advance(client, nowMs);
  const code = hresult >>> 0;
  const next = retryLater(dropHost(before, target), code, nowMs);
  return {
    client: next,
    hresult: code,
    events: [
      requestEvent(before, target ?? NO_HOST, 0, nowMs),
      answerEvent(next, { flags: 0, activated: false, count: 0 }, nowMs),
    ],
  };
}

/**
 * One host of the plan was not reached or gave no answer; the caller goes on to the next (S3-22). A cached host is
 * dropped, so `needsDiscovery` becomes true. Writes 12288 only (S1-41); the next attempt is not moved.
 */
export function afterSilence(
  client: Client,
  target: HostAddress,
  kind: 'ConnectFailed' | 'NoAnswer',
  nowMs: number,
): ClientStep {
  const before = advance(client, nowMs);
  const hresult = FAILURE_HRESULTS[kind];
  return { client: dropHost(before, target), hresult, events: [requestEvent(before, target, hresult, nowMs)] };
}

/**
 * The try ended without any answer. The status stays; next attempt after the activation interval, also for a licensed
 * client (S3-16). `target`: the host that failed last, if it has not been told by `afterSilence`. Writes 12288, except
 * for AllHostsFailed without a target, where every host has its own 12288 already (S4-32).
 */
export function afterFailure(client: Client, kind: FailureKind, nowMs: number, target?: HostAddress): ClientStep {
  const before = advance(client, nowMs);
  const hresult = FAILURE_HRESULTS[kind];
  const told = kind === 'AllHostsFailed' && target === undefined;
  return {
    client: retryLater(dropHost(before, target), hresult, nowMs),
    hresult,
    events: told ? [] : [requestEvent(before, target ?? NO_HOST, hresult, nowMs)],
  };
}

function license(client: Client, nowMs: number): Client {
  return {
    ...client,
    licenseStatus: 1,
    graceEndsAtMs: 0,
    validUntilMs: nowMs + VALIDITY_DAYS * DAY_MS,
    nextAttemptAtMs: nowMs + client.renewalIntervalMinutes * MINUTE_MS,
    lastHresult: 0,
  };
}

function retryLater(client: Client, hresult: number, nowMs: number): Client {
  return {
    ...client,
    nextAttemptAtMs: nowMs + client.activationIntervalMinutes * MINUTE_MS,
    lastHresult: hresult,
  };
}

/** Drops the cached host if it is the one that failed, or if the caller does not say which failed. */
function dropHost(client: Client, target: HostAddress | undefined): Client {
  if (client.cachedHost === '') return client;
  if (target !== undefined && (target.host !== client.cachedHost || target.port !== client.port)) return client;
  return { ...client, cachedHost: '' };
}

function requestEvent(before: Client, target: HostAddress, hresult: number, nowMs: number): RequestEvent {
  return {
    id: 12288,
    atMs: nowMs,
    hresult,
    flags: 0,
    host: target.host,
    port: target.port,
    licenseStatus: before.licenseStatus,
    minutesToExpiry: minutesToExpiry(before, nowMs),
    requiredCount: before.profile.requiredCount,
  };
}

function answerEvent(
  after: Client,
  outcome: Pick<AnswerEvent, 'flags' | 'activated' | 'count'>,
  nowMs: number,
): AnswerEvent {
  return {
    id: 12289,
    atMs: nowMs,
    hresult: after.lastHresult,
    flags: outcome.flags,
    activated: outcome.activated,
    count: outcome.count,
    activationIntervalMinutes: after.activationIntervalMinutes,
    renewalIntervalMinutes: after.renewalIntervalMinutes,
  };
}
