// SPDX-License-Identifier: Apache-2.0

// Machines as a site has them: each finds a KMS host by SRV, keeps to the one that answered, asks the next one of its list when that is silent, and remembers
// what it was told. Real DNS, real sockets; the tries follow one another without the hours between them.
import { randomUUID } from 'node:crypto';
import { productBySlug } from '@kmspool/kms/catalog';
import { type Client, clientProfile, newClient } from '@kmspool/kms/client';
import { derivePoolKeys } from '@kmspool/kms/wire';
import {
  discoveryBy,
  type Machine,
  type NameServer,
  type Surroundings,
  type Try,
  tryActivation,
} from '@kmspool/kmsctl/net';

export interface MachinesOptions {
  /** The pool's Secret. */
  readonly secret: Buffer;
  readonly nameServer: NameServer;
  readonly domain: string;
  /** For DNS and for each step with a host; default 5 s. */
  readonly timeoutMs?: number;
}

/** What became of one machine's try. */
export interface MachineTry {
  /** The count that it was told; undefined when no host of its list answered with one. */
  readonly count: number | undefined;
  readonly activationIntervalMinutes: number;
  /** What each host that it asked said, the last one last: `counted`, or why not. */
  readonly contacts: readonly string[];
}

interface Owned {
  readonly machine: Machine;
  client: Client;
}

/** Windows 11 machines, each with a client machine ID of its own. Half of them keep to the host that answered (S1-39), the others look into DNS at every try. */
export class Machines {
  readonly #world: Surroundings;
  readonly #all: Owned[] = [];
  #answered = 0;

  constructor({ secret, nameServer, domain, timeoutMs = 5_000 }: MachinesOptions) {
    const discovery = discoveryBy(nameServer, timeoutMs);
    const common = { clockMs: Date.now, random: Math.random, timeoutMs };
    this.#world = { keys: derivePoolKeys(secret), discovery, domain, ...common };
  }

  /** How many there are. */
  get size(): number {
    return this.#all.length;
  }

  /** How many of their tries were answered with a count. */
  get answered(): number {
    return this.#answered;
  }

  /** Adds machines that have never asked. */
  add(count: number): void {
    const product = productBySlug('windows-11');
    const edition = product?.editions[0];
    if (product === undefined || edition === undefined) throw new Error('the catalogue has no windows-11');
    for (let n = 0; n < count; n++) {
      const cmid = randomUUID();
      const kind = { product, edition, protocol: product.protocolVersion, isClientVm: false };
      const machine = { name: `node-${cmid.slice(0, 8)}.lab.test`, cmid, ...kind };
      const profile = clientProfile(product, { hostCaching: this.#all.length % 2 === 0 });
      this.#all.push({ machine, client: newClient(profile, Date.now()) });
    }
  }

  /** Every machine asks once, one after another. */
  async askAll(): Promise<MachineTry[]> {
    const tries: MachineTry[] = [];
    for (const owned of this.#all) tries.push(await this.#ask(owned));
    return tries;
  }

  /** They ask in turn, `atOnce` of them at a time, until the signal is aborted. Answers all tries. */
  async askUntil(stop: AbortSignal, atOnce = 2): Promise<MachineTry[]> {
    const tries: MachineTry[] = [];
    let next = 0;
    const worker = async (): Promise<void> => {
      while (!stop.aborted) {
        const owned = this.#all[next++ % this.#all.length];
        if (owned === undefined) throw new RangeError('there are no machines');
        tries.push(await this.#ask(owned));
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    await Promise.all(Array.from({ length: Math.min(atOnce, this.#all.length) }, worker));
    return tries;
  }

  async #ask(owned: Owned): Promise<MachineTry> {
    const tried = await tryActivation(owned.client, owned.machine, this.#world);
    owned.client = tried.client;
    const answer = answerOf(tried);
    if (answer.count !== undefined) this.#answered += 1;
    return { ...answer, activationIntervalMinutes: tried.client.activationIntervalMinutes };
  }
}

function answerOf({ contacts, discovered }: Try): Pick<MachineTry, 'count' | 'contacts'> {
  const last = contacts.at(-1)?.answer;
  const words = contacts.map(({ target, address, answer }) => {
    const where = `${target.host} ${address}:${target.port}`;
    if (answer.kind === 'counted') return 'counted';
    return answer.kind === 'failed'
      ? `${where}: ${answer.failure.reason}`
      : `${where}: 0x${answer.hresult.toString(16)}`;
  });
  const none = contacts.length === 0 ? [discovered?.reason ?? 'no host is known'] : [];
  return {
    count: last?.kind === 'counted' ? last.response.currentCount : undefined,
    contacts: [...words, ...none],
  };
}
