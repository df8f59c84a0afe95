// SPDX-License-Identifier: Apache-2.0

// The one line of a judgement: who shows what, with the code that a client would see, and what to do. Pure. The text is the same as long as the state is:
// no ages, no counts of attempts. What many servers have in common is said once.

/** How one server deviates from what is wanted. */
export interface Deviation {
  readonly server: string;
  readonly missing: readonly string[];
  readonly stale: readonly string[];
  /** It shows records of others at this name and none of ours. */
  readonly taken: boolean;
  /** Why it shows nothing at all: NxDomain or NoData. */
  readonly empty: string | undefined;
}

/** A server that did not answer. */
export interface Silent {
  readonly server: string;
  readonly error: string;
}

/** What is to be said of a name at which some servers are not as they should be. */
export interface Differences {
  readonly name: string;
  /** What is asked for: `SRV record`, `address`. */
  readonly type: string;
  readonly deviations: readonly Deviation[];
  readonly silent: readonly Silent[];
  /** The change is young, so waiting is the remedy. */
  readonly isYoung: boolean;
}

/** What a client shows when the name is not there (S4-07), has no such record (S4-08), or DNS does not work (S4-06). */
const NO_NAME = '0x8007232B';
const NO_RECORD = '0x8007251D';
const SERVER_FAILURE = '0x8007232A';
/** Records or servers in a row before it says how many more there are. */
const LISTED_MAX = 3;

/** A sentence for each kind of deviation, the servers that share it together. */
export function deviationText({ name, type, deviations, silent, isYoung }: Differences): string {
  const said = deviations.flatMap((deviation) => statements(deviation, name, type));
  const sentences = [...Map.groupBy(said, ({ one }) => one).values()].map((same) => {
    const servers = listed(same.map(({ server }) => server));
    return `${servers} ${same.length === 1 ? same[0]?.one : same[0]?.many}`;
  });
  return [...sentences, ...silentTexts(silent), remedy(deviations, isYoung)].join('; ');
}

/** What is said of one server, and of several of which the same is true. */
interface Statement {
  readonly server: string;
  readonly one: string;
  readonly many: string;
}

function statements({ server, missing, stale, empty }: Deviation, name: string, type: string): Statement[] {
  const has = (what: string): Statement => ({ server, one: `has ${what}`, many: `have ${what}` });
  const shown = listed(missing);
  const lacks = (): Statement => {
    if (empty === 'NxDomain') return has(`no name ${name} (clients see ${NO_NAME})`);
    if (empty === 'NoData') return has(`no ${type} at ${name} (clients see ${NO_RECORD})`);
    return { server, one: `does not show ${shown}`, many: `do not show ${shown}` };
  };
  const left = listed(stale);
  return [
    ...(missing.length > 0 ? [lacks()] : []),
    ...(stale.length > 0 ? [{ server, one: `still shows ${left}`, many: `still show ${left}` }] : []),
  ];
}

function remedy(deviations: readonly Deviation[], isYoung: boolean): string {
  if (isYoung) return 'the change is young: wait';
  if (deviations.some(({ taken }) => taken))
    return 'the name holds records that external-dns did not make, and such names it leaves alone: publish those hosts by a DNSEndpoint of their own with the same TTL, or remove their records';
  const isMissing = deviations.some(({ missing }) => missing.length > 0);
  return isMissing
    ? 'look at the log of external-dns and at the replication of the zone'
    : 'if the publisher does not remove it (policy sync), remove it by hand';
}

/** @param error why there is nobody to ask. */
export function unreachableText(silent: readonly Silent[], error: string | undefined): string {
  const advice = 'name the servers to ask in spec.dns.verifyNameservers';
  const reasons = [
    ...(error === undefined ? [] : [`${error} (DNS server failure, ${SERVER_FAILURE})`]),
    ...silentTexts(silent),
  ];
  if (reasons.length === 0) return `there is no name server to ask; ${advice}`;
  const text = reasons.join('; ');
  return text.includes('verifyNameservers') ? text : `${text}; check the server and the way to it, or ${advice}`;
}

function silentTexts(silent: readonly Silent[]): string[] {
  const byError = Map.groupBy(silent, ({ error }) => error);
  return [...byError].map(([error, servers]) => {
    return `${listed(servers.map(({ server }) => server))} cannot be asked: ${error} (DNS server failure, ${SERVER_FAILURE})`;
  });
}

/** `a`, `a and b`, `a, b, c and 4 more`. */
function listed(texts: readonly string[]): string {
  if (texts.length > LISTED_MAX)
    return `${texts.slice(0, LISTED_MAX).join(', ')} and ${texts.length - LISTED_MAX} more`;
  return texts.length < 2 ? texts.join('') : `${texts.slice(0, -1).join(', ')} and ${texts.at(-1)}`;
}
