// SPDX-License-Identifier: Apache-2.0

// Asks DNS again and again what it shows of each pool, and tells when that has changed. What should be there, and what follows from the difference, it does
// not know: that is the pool's plan.
//
//   new, or another wish       asks within half a second, then after 0.5, 1, 2, 4, 8 s, then every 15 s
//   settled                    about every minute
//
// One timer for all, one round for each key at a time, every delay ±20 %, and a bound for the questions under way.
import { Heap } from '../runtime/heap.ts';
import { type Clock, type Logger, linkAbort, type Random, silentLogger, systemClock } from '../runtime/index.ts';
import { AuthorityFinder, type AuthorityOptions } from './authority.ts';
import { absentSince, domainText, hostNameText, wishText } from './change.ts';
import { boundedExchange, PatientExchange } from './gate.ts';
import type { DnsMetrics } from './metrics.ts';
import { srvText } from './names.ts';
import type { DomainObservation, HostNameObservation, ObservationWish } from './observation.ts';
import { type DnsExchange, networkExchange } from './query.ts';
import { type Agreement, type Asker, agreementOf, askDomain, askHostName } from './round.ts';

/** A changed wish is asked about within half a second, with the jitter. */
const SOON_MS = 400;
const UNSETTLED_MS = { first: 500, longest: 15_000 };
const SETTLED_MS = 60_000;
const JITTER = 0.2;
/** Questions under way at once. */
const CONCURRENCY = 32;

export interface ObserverOptions extends Partial<Pick<AuthorityOptions, 'resolvers' | 'families' | 'port'>> {
  readonly metrics: DnsMetrics;
  readonly exchange?: DnsExchange;
  readonly clock?: Clock;
  readonly random?: Random;
  /** Questions under way at once. Default 32. */
  readonly concurrency?: number;
  readonly log?: Logger;
}

/** What is known of one pool; a name that was not asked about yet is absent. */
export interface Observation {
  readonly domains: ReadonlyMap<string, DomainObservation>;
  readonly hosts: ReadonlyMap<string, HostNameObservation>;
}

interface Watched {
  readonly key: string;
  wish: ObservationWish;
  text: string;
  readonly domains: Map<string, DomainObservation>;
  readonly hosts: Map<string, HostNameObservation>;
  /** Rounds since the wish changed. */
  rounds: number;
  /** Monotonic; undefined before the first round. */
  lastEndMs: number | undefined;
  /** Monotonic; undefined while a round is under way. */
  dueMs: number | undefined;
  round: { readonly abort: () => void } | undefined;
}

interface Due {
  readonly atMs: number;
  readonly watched: Watched;
}

/** Watches pools by key. */
export class DnsObserver {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #log: Logger;
  readonly #metrics: DnsMetrics;
  readonly #exchange: DnsExchange;
  readonly #authorities: AuthorityFinder;
  readonly #watched = new Map<string, Watched>();
  readonly #due = new Heap<Due>((a, b) => a.atMs < b.atMs);
  readonly #handlers: ((key: string) => void)[] = [];
  readonly #underWay = new Set<Promise<void>>();
  #signal: AbortSignal | undefined;
  #timer: { readonly atMs: number; readonly cancel: () => void } | undefined;

  constructor(options: ObserverOptions) {
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#log = options.log ?? silentLogger;
    this.#metrics = options.metrics;
    const patient = new PatientExchange(options.exchange ?? networkExchange({ clock: this.#clock }));
    this.#exchange = counted(boundedExchange(patient, options.concurrency ?? CONCURRENCY), this.#metrics);
    this.#authorities = new AuthorityFinder({ ...options, exchange: this.#exchange, clock: this.#clock });
  }

  /** Calls `handler` with the key when something material has changed: not for a new time or a TTL that counts down. */
  onChange(handler: (key: string) => void): void {
    this.#handlers.push(handler);
  }

  /** Watches what the wish says from now on. The same wish again changes nothing. */
  watch(key: string, wish: ObservationWish): void {
    const text = wishText(wish);
    const known = this.#watched.get(key);
    if (known === undefined) {
      const fresh = { key, wish, text, domains: new Map(), hosts: new Map(), rounds: 0 };
      const watched: Watched = { ...fresh, lastEndMs: undefined, dueMs: undefined, round: undefined };
      this.#watched.set(key, watched);
      this.#schedule(watched, SOON_MS);
      return;
    }
    const before = known.wish;
    known.wish = wish;
    if (text !== known.text) {
      known.text = text;
      prune(known, before);
      this.#startOver(known);
    } else if (!wish.settled && before.settled) this.#startOver(known);
    else if (wish.settled && !before.settled) this.#settle(known);
  }

  /** Watches no longer; what is under way for it is given up. */
  forget(key: string): void {
    this.#watched.get(key)?.round?.abort();
    this.#watched.delete(key);
  }

  /** What is known; nothing of a key that is not watched. */
  observation(key: string): Observation {
    const watched = this.#watched.get(key);
    return { domains: new Map(watched?.domains), hosts: new Map(watched?.hosts) };
  }

  /** Asks until the signal is aborted; resolves when nothing is under way any more. */
  async run(signal: AbortSignal): Promise<void> {
    if (this.#signal !== undefined) throw new Error('the observer runs already');
    this.#signal = signal;
    this.#arm();
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    this.#timer?.cancel();
    this.#timer = undefined;
    await Promise.all(this.#underWay);
    this.#signal = undefined;
  }

  #startOver(watched: Watched): void {
    watched.round?.abort();
    watched.round = undefined;
    watched.rounds = 0;
    this.#schedule(watched, SOON_MS);
  }

  #settle(watched: Watched): void {
    if (watched.round !== undefined || watched.lastEndMs === undefined) return;
    this.#schedule(watched, Math.max(0, watched.lastEndMs + SETTLED_MS - this.#clock.monotonic()));
  }

  #schedule(watched: Watched, delayMs: number): void {
    const atMs = this.#clock.monotonic() + delayMs * (1 - JITTER + 2 * JITTER * this.#random());
    watched.dueMs = atMs;
    this.#due.push({ atMs, watched });
    if (this.#timer === undefined || atMs < this.#timer.atMs) this.#arm();
  }

  /** Sets the one timer to whatever is due first. */
  #arm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#signal === undefined || this.#signal.aborted) return;
    for (let first = this.#due.peek(); first !== undefined; first = this.#due.peek()) {
      if (this.#isStale(first)) {
        this.#due.pop();
        continue;
      }
      const cancel = this.#clock.after(first.atMs - this.#clock.monotonic(), () => this.#fire());
      this.#timer = { atMs: first.atMs, cancel };
      return;
    }
  }

  /** Rescheduled or forgotten since it was put into the heap. */
  #isStale({ atMs, watched }: Due): boolean {
    return watched.dueMs !== atMs || this.#watched.get(watched.key) !== watched;
  }

  #fire(): void {
    const nowMs = this.#clock.monotonic();
    for (let first = this.#due.peek(); first !== undefined && first.atMs <= nowMs; first = this.#due.peek()) {
      this.#due.pop();
      if (!this.#isStale(first)) this.#begin(first.watched);
    }
    this.#arm();
  }

  #begin(watched: Watched): void {
    const shared = this.#signal;
    if (shared === undefined) return;
    const linked = linkAbort(shared);
    const round = { abort: () => linked.abort(new Error('superseded')) };
    watched.round = round;
    watched.dueMs = undefined;
    const { nameservers } = watched.wish;
    const { signal } = linked;
    const asker = {
      exchange: this.#exchange,
      authorities: this.#authorities,
      nameservers,
      signal,
      sharedSignal: shared,
    };
    const work = this.#ask(watched, asker)
      .catch((error: unknown): Agreement => {
        this.#log.error({ key: watched.key, err: error }, 'a round of DNS questions broke off');
        return 'failed';
      })
      .then((agreement) => {
        linked.release();
        this.#underWay.delete(work);
        if (watched.round === round) this.#end(watched, signal.aborted ? undefined : agreement);
      });
    this.#underWay.add(work);
  }

  /** @param agreement undefined for a round that was given up. */
  #end(watched: Watched, agreement: Agreement | undefined): void {
    watched.round = undefined;
    watched.rounds += 1;
    watched.lastEndMs = this.#clock.monotonic();
    if (agreement !== undefined) this.#metrics.rounds.inc({ result: agreement });
    const unsettledMs = Math.min(UNSETTLED_MS.longest, UNSETTLED_MS.first * 2 ** Math.min(watched.rounds - 1, 10));
    this.#schedule(watched, watched.wish.settled ? SETTLED_MS : unsettledMs);
  }

  async #ask(watched: Watched, asker: Asker): Promise<Agreement> {
    const { domains, hostNames } = watched.wish;
    const agreements = await Promise.all([
      ...domains.map(({ domain, targets }) => this.#askDomain(watched, asker, { domain, targets })),
      ...hostNames.map((fqdn) => this.#askHostName(watched, asker, fqdn)),
    ]);
    if (agreements.includes('failed')) return 'failed';
    return agreements.includes('disagreed') ? 'disagreed' : 'agreed';
  }

  async #askDomain(
    watched: Watched,
    asker: Asker,
    { domain, targets }: ObservationWish['domains'][number],
  ): Promise<Agreement> {
    const answers = await askDomain(asker, domain);
    if (asker.signal.aborted) return 'failed';
    const askedAtMs = this.#clock.now();
    const before = watched.domains.get(domain);
    const absentSinceMs = absentSince(before?.absentSinceMs ?? new Map(), targets, answers, askedAtMs);
    const after = { domain, askedAtMs, ...answers, absentSinceMs, asked: targets };
    watched.domains.set(domain, after);
    if (before === undefined || domainText(before) !== domainText(after)) this.#tell(watched.key);
    return agreementOf(answers, srvText);
  }

  async #askHostName(watched: Watched, asker: Asker, fqdn: string): Promise<Agreement> {
    const answers = await askHostName(asker, fqdn);
    if (asker.signal.aborted) return 'failed';
    const before = watched.hosts.get(fqdn);
    const after = { fqdn, askedAtMs: this.#clock.now(), ...answers };
    watched.hosts.set(fqdn, after);
    if (before === undefined || hostNameText(before) !== hostNameText(after)) this.#tell(watched.key);
    return agreementOf(answers, (address) => address);
  }

  #tell(key: string): void {
    for (const handler of this.#handlers) handler(key);
  }
}

/** Drops what the new wish no longer asks about; of other servers nothing is known. */
function prune({ wish, domains, hosts }: Watched, before: ObservationWish): void {
  const sameServers = before.nameservers.join() === wish.nameservers.join();
  const targetsOf = new Map(wish.domains.map(({ domain, targets }) => [domain, new Set(targets)]));
  for (const [domain, seen] of domains) {
    const targets = targetsOf.get(domain);
    const kept = [...seen.absentSinceMs].filter(([target]) => targets?.has(target));
    if (!sameServers || targets === undefined) domains.delete(domain);
    else domains.set(domain, { ...seen, absentSinceMs: new Map(kept) });
  }
  const hostNames = new Set(wish.hostNames);
  for (const fqdn of hosts.keys()) if (!sameServers || !hostNames.has(fqdn)) hosts.delete(fqdn);
}

function counted(exchange: DnsExchange, { questions }: DnsMetrics): DnsExchange {
  return {
    ask: async (server, question, signal) => {
      const reply = await exchange.ask(server, question, signal);
      if (reply.ok || !signal.aborted) questions.inc({ result: reply.ok ? 'answered' : 'failed' });
      return reply;
    },
  };
}
