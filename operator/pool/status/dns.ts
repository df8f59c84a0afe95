// SPDX-License-Identifier: Apache-2.0

// `status.dns`: one entry for each domain, with the state of its records in one word. What the name servers last showed in agreement is kept (S2-11). An
// entry does not change while nothing changes, and a start of the operator changes nothing. Pure.
import { DNS_STATUS_BOUNDS, type Reason } from '@kmspool/crds';
import type { DomainState } from '../state.ts';
import { type DnsEntry, isDeleting, oldStatus, type StatusInput } from './input.ts';
import { clipped, defined, instant, sameTexts } from './text.ts';

const MOST_DOMAINS = 64;
const LONGEST_MESSAGE = 1024;
const LONGEST_RECORD = 320;

/** A domain with its entry in the status. */
export interface DomainView {
  readonly state: DomainState;
  readonly entry: DnsEntry & { readonly reason: Reason };
  /** What was said before this process has asked anybody. */
  readonly remembered: boolean;
}

/** The domains of the spec, as the status shows them. */
export function domainViews(input: StatusInput): readonly DomainView[] {
  const before = new Map((oldStatus(input).dns ?? []).map((entry) => [entry.domain, entry]));
  return input.conclusions.publication.domains
    .slice(0, MOST_DOMAINS)
    .map((state) => domainView(input, state, before.get(state.domain)));
}

function domainView(input: StatusInput, state: DomainState, before: DnsEntry | undefined): DomainView {
  if (state.judgement.kind === 'NotVerified' && isStillTrue(input, state, before)) {
    const reason = before.reason as Reason;
    return { state, entry: { ...before, reason }, remembered: true };
  }
  const reason = reasonOf(input, state);
  const published = publishedNow(state, before);
  const entry = defined({
    domain: state.domain,
    record: state.record,
    desired: state.desired.length,
    observed: state.judgement.observed,
    reason,
    message: messageOf(state, reason),
    verifiedAt: verifiedAt(input, state, before),
    published: published.length === 0 ? undefined : published,
    foreign: foreignNow(state, before),
  });
  return { state, entry, remembered: false };
}

/** States that came from asking name servers. */
const ASKED: ReadonlySet<string> = new Set<Reason>([
  'Published',
  'ForeignHostFound',
  'Propagating',
  'NameServerUnreachable',
  'RecordsDiffer',
  'PublisherTooOld',
  'PublisherIgnoresSrv',
]);

/** Those that need no publisher of ours. */
const SHOWN: ReadonlySet<string> = new Set<Reason>(['Published', 'ForeignHostFound']);

/** After a start of the operator nobody has been asked yet: what was found before holds as long as the same is wanted. */
function isStillTrue(
  input: StatusInput,
  { claim, desired }: DomainState,
  before: DnsEntry | undefined,
): before is DnsEntry {
  if (before?.reason === undefined || claim !== 'Ours' || isDeleting(input)) return false;
  const words = input.conclusions.publication.mode === 'On' ? ASKED : SHOWN;
  if (!words.has(before.reason)) return false;
  return before.verifiedAt === undefined ? before.desired === desired.length : sameTexts(before.published, desired);
}

function reasonOf(input: StatusInput, state: DomainState): Reason {
  const { mode } = input.conclusions.publication;
  const { judgement, claim, desired } = state;
  if (isDeleting(input)) return 'Deleting';
  if (claim !== 'Ours' && mode !== 'Off') return claim;
  const shown = judgement.kind === 'Agreed' && desired.length > 0;
  if (shown) return judgement.foreign.length > 0 ? 'ForeignHostFound' : 'Published';
  // Records that somebody else has made are as good; there are none.
  return mode === 'On' ? unshownReason(input, state) : 'NoPublisher';
}

function unshownReason({ world }: StatusInput, { judgement, desired }: DomainState): Reason {
  if (judgement.kind === 'Unreachable') return 'NameServerUnreachable';
  if (desired.length === 0 && judgement.stale.length === 0)
    return world.pool.spec.replicas === 0 ? 'NoHosts' : 'HostsNotReady';
  if (judgement.kind === 'Propagating') return 'Propagating';
  if (judgement.kind !== 'Differs') return 'NotVerified';
  const [finding] = world.externalDns;
  return finding !== undefined && judgement.missing.length > 0 ? finding.reason : 'RecordsDiffer';
}

/** Reasons that say all there is to say. */
const WORDLESS: ReadonlySet<Reason> = new Set<Reason>(['Published', 'ForeignHostFound', 'NoHosts', 'HostsNotReady']);

function messageOf({ claim, claimMessage, judgement, desired }: DomainState, reason: Reason): string | undefined {
  const words = claim === 'Ours' || reason === 'NoPublisher' ? judgement.message : claimMessage;
  // Several TTLs in one set are no reason of their own, but somebody should know.
  const needless = WORDLESS.has(reason) ? !judgement.mixedTtl : desired.length === 0 && reason === 'NoPublisher';
  return needless || words === '' ? undefined : clipped(words, LONGEST_MESSAGE);
}

/** When a domain that is on its way turns into one that is wrong, milliseconds since 1970; undefined: none is on its way. */
export function propagatingUntilMs({ conclusions }: StatusInput): number | undefined {
  const times = conclusions.publication.domains.flatMap(({ judgement }) =>
    judgement.kind === 'Propagating' ? (judgement.untilMs ?? []) : [],
  );
  return times.length === 0 ? undefined : Math.min(...times);
}

/** The records in agreement, else those that were so last. */
function publishedNow({ judgement, desired, claim }: DomainState, before: DnsEntry | undefined): string[] {
  const agreed = judgement.kind === 'Agreed' && claim === 'Ours';
  const lines = agreed ? desired : (before?.published ?? []);
  return lines.slice(0, DNS_STATUS_BOUNDS.published).map((line) => clipped(line, LONGEST_RECORD));
}

/** Since when they agree on this set. A name server that is silent for a while, or has not been asked yet, has not taken it back. */
function verifiedAt(
  { world, nowMs }: StatusInput,
  state: DomainState,
  before: DnsEntry | undefined,
): string | undefined {
  const { kind } = state.judgement;
  if (state.desired.length === 0 || kind === 'Propagating' || kind === 'Differs') return undefined;
  const lines = state.desired.slice(0, DNS_STATUS_BOUNDS.published);
  const known = sameTexts(before?.published, lines) ? before?.verifiedAt : undefined;
  if (known !== undefined || kind !== 'Agreed') return known;
  return instant(world.observed.get(state.domain)?.askedAtMs ?? nowMs);
}

/** Hosts that are not ours, as target:port, sorted. A server that was not asked has not taken them back. */
function foreignNow({ judgement }: DomainState, before: DnsEntry | undefined): string[] | undefined {
  const seen = judgement.foreign.map(({ target, port }) => clipped(`${target}:${port}`, LONGEST_RECORD));
  const partly = judgement.kind === 'NotVerified' || judgement.kind === 'Unreachable';
  const all = [...new Set([...seen, ...(partly ? (before?.foreign ?? []) : [])])].sort();
  return all.length === 0 ? undefined : all.slice(0, DNS_STATUS_BOUNDS.foreign);
}
