// SPDX-License-Identifier: Apache-2.0

// Whether DNS shows what it should. Pure: what is wanted and what the servers showed in, a verdict in one word and one line out.
//
//   nobody asked yet                                  NotVerified
//   no server to ask, or one does not answer
//     while those that do are right                   Unreachable
//   every server shows all that is wanted and
//     nothing of ours besides                         Agreed
//   else, as long as the change is young              Propagating
//   else                                              Differs
//
// Records of others make no difference to the verdict; those that nobody knows are listed (S3-70).
import { type SrvRecord, srvName } from '@kmspool/kms/dns';
import { hasMixedTtl } from './change.ts';
import { type Deviation, deviationText, unreachableText } from './judge-text.ts';
import { plainAddress, plainName, srvText } from './names.ts';
import type { DomainObservation, HostNameObservation, ObservedSrv, ServerAnswer } from './observation.ts';

export type JudgementKind = 'NotVerified' | 'Agreed' | 'Propagating' | 'Differs' | 'Unreachable';

/** What the judgements of a domain and of a host name have in common. */
export interface NameJudgement {
  readonly kind: JudgementKind;
  /** One line, the same as long as the state is: what, where, what to do. */
  readonly message: string;
  /** How many of the wanted records every server that answered shows, exactly. */
  readonly observed: number;
  /** Wanted records that some server does not show. */
  readonly missing: readonly string[];
  /** Records of ours that some server shows and should not. */
  readonly stale: readonly string[];
  /** When Propagating becomes Differs if nothing else happens, ms since 1970. */
  readonly untilMs?: number | undefined;
}

/** A judgement on the SRV records of a domain; records as `priority weight port target.`. */
export interface DomainJudgement extends NameJudgement {
  /** Targets that are not ours, not a sibling's and not known; each once, with the first server that shows it. */
  readonly foreign: readonly { readonly target: string; readonly port: number; readonly server: string }[];
  /** Some server shows the set with more than one TTL: two sources write it (RFC 2181 5.2). */
  readonly mixedTtl: boolean;
}

/** How old a change is. */
interface Age {
  readonly nowMs: number;
  /** When the wanted records last changed; undefined: long ago. */
  readonly changedAtMs?: number | undefined;
  readonly ttlSeconds: number;
  /** How long external-dns may take to look; default a minute, as its own. */
  readonly publishingSeconds?: number | undefined;
}

export interface DomainQuestion extends Age {
  readonly desired: readonly SrvRecord[];
  /** Targets of this pool's hosts, those being withdrawn too: any other record of one is stale. */
  readonly ours: readonly string[];
  /** Targets of other pools of the same identity: neither stale nor foreign. */
  readonly siblings?: readonly string[];
  /** `spec.dns.knownHosts`. */
  readonly known: readonly string[];
  readonly observation: DomainObservation | undefined;
}

export interface HostNameQuestion extends Partial<Age> {
  /** Every address that the name should have, and no other. */
  readonly addresses: readonly string[];
  readonly observation: HostNameObservation | undefined;
}

/** A change takes until the records held by caches are over, and this long on top: external-dns looks once a minute unless told. */
const PUBLISHING_SECONDS = 60;
/** Once one server shows it: a secondary that is not notified looks every quarter of an hour (the refresh interval that DNS servers come with). */
const REPLICATION_MS = 900_000;

/** Judges the SRV records of a domain. */
export function judgeDomain(question: DomainQuestion): DomainJudgement {
  const { observation, desired } = question;
  const wanted = desired.map(plainRecord);
  const ours = new Set([...question.ours.map(plainName), ...wanted.map(({ target }) => target)]);
  // Whoever was one when it was asked: a pool that has gone since is no stranger for having been there.
  const siblings = [...(question.siblings ?? []), ...(observation?.asked ?? [])];
  const kin = new Set(siblings.map(plainName));
  const others = new Set([...siblings, ...question.known].map(plainName));
  const servers = byServer(observation?.servers ?? []);
  const mixedTtl = servers.some((answer) => answer.ok && hasMixedTtl(answer.records));
  const judgement = judge({
    name: observation === undefined ? '' : srvName(observation.domain),
    type: 'SRV record',
    wanted: wanted.map(srvText),
    answers:
      observation &&
      servers.map((answer) =>
        asTexts(answer, srvText, {
          isMine: ({ target }) => ours.has(target),
          isOther: ({ target }) => !ours.has(target) && !kin.has(target),
        }),
      ),
    error: observation?.error,
    age: question,
  });
  const message = mixedTtl
    ? `${judgement.message}; one set has several TTLs: another publisher writes it too`
    : judgement.message;
  return { ...judgement, message, foreign: foreignOf(servers, new Set([...ours, ...others])), mixedTtl };
}

/** Judges the addresses of a host's name: an SRV record is of no use without them (S2-36). */
export function judgeHostName(question: HostNameQuestion): NameJudgement {
  const { observation, addresses, nowMs = 0, ttlSeconds = 60 } = question;
  const plain = (address: string): string => plainAddress(address) ?? address;
  return judge({
    name: observation?.fqdn ?? '',
    type: 'address',
    wanted: [...new Set(addresses.map(plain))],
    answers:
      observation &&
      byServer(observation.servers).map((answer) =>
        asTexts(answer, plain, { isMine: () => true, isOther: () => false }),
      ),
    error: observation?.error,
    age: { ...question, nowMs, ttlSeconds },
  });
}

/** The answer of one server in texts; `mine` are those that have to be wanted or gone. */
type TextAnswer =
  | {
      readonly server: string;
      readonly ok: true;
      readonly shown: readonly string[];
      readonly mine: readonly string[];
      /** Records of hosts that are neither ours nor a sibling's. */
      readonly others: number;
      readonly empty: string | undefined;
    }
  | { readonly server: string; readonly ok: false; readonly error: string };

interface Case {
  readonly name: string;
  readonly type: string;
  readonly wanted: readonly string[];
  /** Undefined: nobody was asked. */
  readonly answers: readonly TextAnswer[] | undefined;
  readonly error: string | undefined;
  readonly age: Age;
}

function judge({ name, type, wanted, answers, error, age }: Case): NameJudgement {
  const none = { observed: 0, missing: [], stale: [] };
  if (answers === undefined)
    return { kind: 'NotVerified', message: 'the name servers have not been asked yet', ...none };
  const silent = answers.filter((answer) => !answer.ok);
  const heard = answers.filter((answer) => answer.ok);
  if (heard.length === 0) return { kind: 'Unreachable', message: unreachableText(silent, error), ...none };
  const deviations = heard
    .map((answer) => deviationOf(answer, wanted))
    .filter(({ missing, stale }) => missing.length + stale.length > 0);
  const found = {
    observed: wanted.filter((text) => heard.every(({ shown }) => shown.includes(text))).length,
    missing: wanted.filter((text) => deviations.some(({ missing }) => missing.includes(text))),
    stale: [...new Set(deviations.flatMap(({ stale }) => stale))].sort(),
  };
  if (deviations.length === 0) {
    if (silent.length > 0) return { kind: 'Unreachable', message: unreachableText(silent, error), ...found };
    return { kind: 'Agreed', message: agreedText(heard.length, wanted.length), ...found };
  }
  const untilMs = propagatesUntil(age, deviations.length < heard.length);
  const isYoung = untilMs !== undefined && age.nowMs < untilMs;
  const message = deviationText({ name, type, deviations, silent, isYoung });
  return isYoung ? { kind: 'Propagating', message, ...found, untilMs } : { kind: 'Differs', message, ...found };
}

function deviationOf(
  { server, shown, mine, others, empty }: TextAnswer & { ok: true },
  wanted: readonly string[],
): Deviation {
  return {
    server,
    empty,
    // A publisher that keeps a registry of what it made leaves a name alone that it finds taken.
    taken: mine.length === 0 && others > 0,
    missing: wanted.filter((text) => !shown.includes(text)),
    stale: [...new Set(mine.filter((text) => !wanted.includes(text)))].sort(),
  };
}

function propagatesUntil(age: Age, someAgree: boolean): number | undefined {
  const { changedAtMs, ttlSeconds, publishingSeconds = PUBLISHING_SECONDS } = age;
  if (changedAtMs === undefined) return undefined;
  const publishingMs = publishingSeconds * 1000;
  return changedAtMs + ttlSeconds * 1000 + (someAgree ? Math.max(REPLICATION_MS, publishingMs) : publishingMs);
}

function agreedText(servers: number, records: number): string {
  const who = servers === 1 ? 'the name server shows' : `all ${servers} name servers show`;
  return records === 0 ? `${who} nothing of this pool, as it should be` : `${who} what is wanted`;
}

function asTexts<R>(
  answer: ServerAnswer<R>,
  textOf: (record: R) => string,
  { isMine, isOther }: { readonly isMine: (record: R) => boolean; readonly isOther: (record: R) => boolean },
): TextAnswer {
  if (!answer.ok) return answer;
  const { server, records, empty } = answer;
  const mine = records.filter(isMine).map(textOf);
  return { server, ok: true, shown: records.map(textOf), mine, others: records.filter(isOther).length, empty };
}

/** In the order of their names, so that the message does not depend on who answered first. */
function byServer<A extends { readonly server: string }>(answers: readonly A[]): A[] {
  return [...answers].sort((a, b) => (a.server < b.server ? -1 : 1));
}

function plainRecord(record: SrvRecord): SrvRecord {
  return { ...record, target: plainName(record.target) };
}

function foreignOf(
  servers: readonly ServerAnswer<ObservedSrv>[],
  familiar: ReadonlySet<string>,
): DomainJudgement['foreign'] {
  const found = new Map<string, DomainJudgement['foreign'][number]>();
  for (const answer of servers) {
    for (const { target, port } of answer.ok ? answer.records : []) {
      const key = `${target} ${port}`;
      // A target of "." says that there is no host (RFC 2782).
      if (target !== '.' && !familiar.has(target) && !found.has(key))
        found.set(key, { target, port, server: answer.server });
    }
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, host]) => host);
}
