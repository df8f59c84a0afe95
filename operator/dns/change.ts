// SPDX-License-Identifier: Apache-2.0

// What follows from one round after another: since when a target is absent, and whether anything has changed that someone would care about. Pure.
import { srvText } from './names.ts';
import type {
  DomainObservation,
  HostNameObservation,
  ObservationWish,
  ObservedSrv,
  ServerAnswer,
} from './observation.ts';
import type { Answers } from './round.ts';

/** Since when each target is absent (see {@link DomainObservation.absentSinceMs}), after a round that ended at `nowMs`. */
export function absentSince(
  before: ReadonlyMap<string, number>,
  targets: readonly string[],
  { servers, error }: Answers<ObservedSrv>,
  nowMs: number,
): Map<string, number> {
  const complete = error === undefined && servers.length > 0 && servers.every(({ ok }) => ok);
  const shown = new Set(servers.flatMap((answer) => (answer.ok ? answer.records.map(({ target }) => target) : [])));
  const after = new Map<string, number>();
  for (const target of targets) {
    const sinceMs = before.get(target) ?? (complete ? nowMs : undefined);
    if (!shown.has(target) && sinceMs !== undefined) after.set(target, sinceMs);
  }
  return after;
}

/**
 * The same text as long as nothing material changes. When it was asked is not material, nor a TTL: a cache counts it down. That the TTLs of one set differ
 * is.
 */
export function domainText({ servers, error, absentSinceMs, asked = [] }: DomainObservation): string {
  const answers = servers.map((answer) => answerText(answer, srvText, hasMixedTtl));
  return JSON.stringify([error ?? null, answers, [...absentSinceMs], asked]);
}

/** As {@link domainText}, of a host's addresses. */
export function hostNameText({ servers, error }: HostNameObservation): string {
  const answers = servers.map((answer) =>
    answerText(
      answer,
      (address) => address,
      () => false,
    ),
  );
  return JSON.stringify([error ?? null, answers]);
}

function answerText<R>(
  answer: ServerAnswer<R>,
  textOf: (record: R) => string,
  mixed: (records: readonly R[]) => boolean,
): unknown[] {
  if (!answer.ok) return [answer.server, answer.error];
  return [answer.server, answer.empty ?? null, mixed(answer.records), answer.records.map(textOf)];
}

/** True when the records of one set have different TTLs, which RFC 2181 5.2 forbids: two sources write into it. */
export function hasMixedTtl(records: readonly ObservedSrv[]): boolean {
  return new Set(records.map(({ ttlSeconds }) => ttlSeconds)).size > 1;
}

/** The same text for the same wish, whether settled or not. */
export function wishText({ revision, domains, hostNames, nameservers }: ObservationWish): string {
  return JSON.stringify([revision, domains.map(({ domain, targets }) => [domain, targets]), hostNames, nameservers]);
}
