// SPDX-License-Identifier: Apache-2.0

// One DNS question to one server: by UDP, again when nothing comes back, by TCP when the answer is too long or UDP stays silent. The outcome is a value,
// whatever happens. It follows no alias and no referral to another server; whom to ask is authority.ts.
import { randomInt } from 'node:crypto';
import { type Clock, systemClock } from '../runtime/index.ts';
import { type AskedType, type DnsQuestion, type DnsReply, encodeQuestion, type Reading, readReply } from './message.ts';
import { isAskable } from './names.ts';
import { type Attempt, type Sent, type ServerAddress, sendTcp, sendUdp } from './transport.ts';

/** Whoever can ask name servers; tests put another one in its place. */
export interface DnsExchange {
  /** Never rejects: a signal that is aborted is an error text like any other. */
  ask<T extends AskedType>(server: ServerAddress, question: DnsQuestion<T>, signal: AbortSignal): Promise<DnsReply<T>>;
}

export interface ExchangeOptions {
  /** UDP attempts, at least 1. Default 2. */
  readonly tries?: number;
  /** For each attempt, milliseconds. Default 2000. */
  readonly timeoutMs?: number;
  readonly clock?: Clock;
  /** 0 … 65535, not to be guessed: with the port it is what a forger has to hit. */
  readonly randomId?: () => number;
}

/** Asks over the network. */
export function networkExchange(options: ExchangeOptions = {}): DnsExchange {
  const settings = {
    tries: options.tries ?? 2,
    timeoutMs: options.timeoutMs ?? 2000,
    clock: options.clock ?? systemClock,
    randomId: options.randomId ?? (() => randomInt(0x1_0000)),
  };
  return {
    ask: async (server, question, signal) => {
      if (!isAskable(question.name)) return { ok: false, error: 'not a DNS name' };
      return new Asking(settings, { server, question, signal }).run();
    },
  };
}

interface Task<T extends AskedType> {
  readonly server: ServerAddress;
  readonly question: DnsQuestion<T>;
  readonly signal: AbortSignal;
}

type Settings = Required<ExchangeOptions>;
type Heard<T extends AskedType> = Exclude<Reading<T>, { kind: 'notOurs' }>;

const ABORTED = { ok: false, error: 'given up' } as const;
const MALFORMED = { ok: false, error: 'malformed answer' } as const;

/** One question on its way. */
class Asking<T extends AskedType> {
  readonly #settings: Settings;
  readonly #task: Task<T>;
  #edns = true;

  constructor(settings: Settings, task: Task<T>) {
    this.#settings = settings;
    this.#task = task;
  }

  async run(): Promise<DnsReply<T>> {
    let last: Sent<Heard<T>> = { kind: 'timeout' };
    for (let tries = 0; tries < this.#settings.tries; tries++) {
      last = await this.#udp();
      const reply = replyOf(last);
      if (reply !== undefined) return reply;
      if (last.kind === 'answer' && last.answer.kind === 'truncated') return this.#tcp(undefined);
    }
    return last.kind === 'timeout' ? this.#tcp('timed out') : MALFORMED;
  }

  /** One attempt; a server that does not know EDNS is at once asked again without, which does not count as another. */
  async #udp(): Promise<Sent<Heard<T>>> {
    const sent = await sendUdp(this.#attempt());
    if (sent.kind !== 'answer' || sent.answer.kind !== 'plainOnly' || !this.#edns) return sent;
    this.#edns = false;
    return sendUdp(this.#attempt());
  }

  /** @param udpError how UDP failed; undefined when its answer was only too long. */
  async #tcp(udpError: string | undefined): Promise<DnsReply<T>> {
    const sent = await sendTcp(this.#attempt());
    if (sent.kind === 'answer' || sent.kind === 'aborted') return replyOf(sent) ?? MALFORMED;
    const tcpError = sent.kind === 'timeout' ? 'timed out' : sent.error;
    if (udpError === undefined) return { ok: false, error: `${tcpError} over TCP, and the answer is too long for UDP` };
    const error = tcpError === udpError ? udpError : `${udpError} over UDP, ${tcpError} over TCP`;
    return { ok: false, silent: true, error };
  }

  #attempt(): Attempt<Heard<T>> {
    const { server, question, signal } = this.#task;
    const { randomId, timeoutMs, clock } = this.#settings;
    const id = randomId();
    const read = (bytes: Buffer): Heard<T> | undefined => {
      const reading = readReply(bytes, question, id);
      return reading.kind === 'notOurs' ? undefined : reading;
    };
    return { server, message: encodeQuestion(question, id, this.#edns), read, timeoutMs, clock, signal };
  }
}

/** Undefined where another attempt may help: a silence, a damaged or a truncated answer. */
function replyOf<T extends AskedType>(sent: Sent<Heard<T>>): DnsReply<T> | undefined {
  if (sent.kind === 'aborted') return ABORTED;
  if (sent.kind === 'error') return { ok: false, error: sent.error };
  if (sent.kind === 'timeout') return undefined;
  if (sent.answer.kind === 'reply') return sent.answer.reply;
  return sent.answer.kind === 'plainOnly' ? { ok: false, error: sent.answer.error } : undefined;
}
