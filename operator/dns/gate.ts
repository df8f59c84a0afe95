// SPDX-License-Identifier: Apache-2.0

// How many questions are under way at once, and patience with servers that keep silent. Both wrap an exchange and are one themselves; what is asked and
// answered they leave as it is.
import type { AskedType, DnsQuestion, DnsReply } from './message.ts';
import type { DnsExchange } from './query.ts';
import type { ServerAddress } from './transport.ts';

/** Lets at most `limit` questions through at once; the others wait in the order in which they came. */
export function boundedExchange(exchange: DnsExchange, limit: number): DnsExchange {
  const waiting: (() => void)[] = [];
  let free = limit;
  const enter = (): Promise<void> => {
    if (free > 0) {
      free -= 1;
      return Promise.resolve();
    }
    return new Promise((resolve) => waiting.push(resolve));
  };
  const leave = (): void => {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  };
  return {
    ask: async (server, question, signal) => {
      await enter();
      try {
        return await exchange.ask(server, question, signal);
      } finally {
        leave();
      }
    },
  };
}

/** So many questions in a row without any answer, and a server counts as silent. */
const SILENT_AFTER = 3;
/** Servers remembered; only silent ones are, so more than a few is trouble of another kind. */
const REMEMBERED_MAX = 1000;

interface Silence {
  failures: number;
  error: string;
  probing: boolean;
}

/**
 * Asks a silent server one question at a time; the others have its last error at once. Else one dead name server, at six seconds a question, would
 * hold every place there is and keep the operator from asking those that live.
 */
export class PatientExchange implements DnsExchange {
  readonly #exchange: DnsExchange;
  readonly #silent = new Map<string, Silence>();

  constructor(exchange: DnsExchange) {
    this.#exchange = exchange;
  }

  async ask<T extends AskedType>(
    server: ServerAddress,
    question: DnsQuestion<T>,
    signal: AbortSignal,
  ): Promise<DnsReply<T>> {
    const key = `${server.address} ${server.port}`;
    const silence = this.#silent.get(key);
    const isSilent = silence !== undefined && silence.failures >= SILENT_AFTER;
    if (isSilent && silence.probing) return { ok: false, silent: true, error: silence.error };
    if (isSilent) silence.probing = true;
    const reply = await this.#exchange.ask(server, question, signal);
    if (isSilent) silence.probing = false;
    if (!signal.aborted) this.#note(key, reply);
    return reply;
  }

  #note(key: string, reply: DnsReply): void {
    if (reply.ok || reply.silent !== true) {
      this.#silent.delete(key);
      return;
    }
    const silence = this.#silent.get(key);
    if (silence === undefined && this.#silent.size >= REMEMBERED_MAX) this.#silent.clear();
    if (silence === undefined) this.#silent.set(key, { failures: 1, error: reply.error, probing: false });
    else Object.assign(silence, { failures: silence.failures + 1, error: reply.error });
  }
}
