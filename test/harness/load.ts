// SPDX-License-Identifier: Apache-2.0
/**
 * Load with an oracle: many simulated clients ask several hosts for a fixed number of requests; each goes to the next host when one fails it, as a client does with the
 * SRV list. What every client was told is kept, so that a test can say whether all of it was right. Not a benchmark: each answer is verified in full.
 */
import { APPLICATIONS, productBySlug } from '@kmspool/kms/catalog';
import { derivePoolKeys, type KmsRequestFields, type PoolKeys } from '@kmspool/kms/wire';
import { connectKms, type KmsConnection } from '@kmspool/kmsctl/net';

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

export interface LoadPlan {
  readonly hosts: readonly Endpoint[];
  /** The pool's Secret. */
  readonly secret: Buffer;
  /** Clients at work at once. */
  readonly connections: number;
  /** GUID texts; requests take them in turn. */
  readonly cmids: readonly string[];
  /** How many requests in all; or until `until` says so. */
  readonly requests: number;
  readonly until?: () => boolean;
  /** Requests on one connection before the client closes it and connects anew. */
  readonly requestsPerConnection?: number;
  /** Rounds through all hosts before a client gives a request up. */
  readonly rounds?: number;
  readonly timeoutMs?: number;
}

export interface Told {
  readonly atMs: number;
  readonly count: number;
}

export interface LoadOutcome {
  /** Verified answers with a count, in the order in which they came. */
  readonly told: Told[];
  /** Tries that a host failed (refused connection, fault, silence); the client went on to the next host. */
  readonly failedTries: Map<string, number>;
  /** Requests that were sent and never answered: they may or may not have been counted. */
  unknownFate: number;
  /** Requests that every host failed, in every round. */
  unserved: number;
}

/** Plays the plan; resolves when all requests are done. */
export async function playLoad(plan: LoadPlan): Promise<LoadOutcome> {
  const outcome: LoadOutcome = { told: [], failedTries: new Map(), unknownFate: 0, unserved: 0 };
  const keys = derivePoolKeys(plan.secret);
  let next = 0;
  const take = (): number | undefined => (next < plan.requests && !plan.until?.() ? next++ : undefined);
  const workers = Array.from({ length: plan.connections }, async (_, worker) => {
    const client = new LoadClient(plan, keys, outcome, worker);
    for (let request = take(); request !== undefined; request = take()) await client.ask(request);
    client.close();
  });
  await Promise.all(workers);
  return outcome;
}

/** One client: a connection to one of the hosts, renewed now and then. */
class LoadClient {
  readonly #plan: LoadPlan;
  readonly #keys: PoolKeys;
  readonly #outcome: LoadOutcome;
  #host: number;
  #connection: KmsConnection | undefined;
  #asked = 0;

  constructor(plan: LoadPlan, keys: PoolKeys, outcome: LoadOutcome, worker: number) {
    this.#plan = plan;
    this.#keys = keys;
    this.#outcome = outcome;
    this.#host = worker;
  }

  async ask(request: number): Promise<void> {
    const { cmids, hosts, rounds = 2 } = this.#plan;
    const cmid = cmids[request % cmids.length] ?? '';
    for (let attempt = 0; attempt < rounds * hosts.length; attempt++) {
      if (await this.#tryOnce(cmid)) return;
      this.close();
      this.#host++;
      // A whole round failed: the world needs a moment, as a real client's next interval would give it.
      if ((attempt + 1) % hosts.length === 0) await new Promise((resolve) => setTimeout(resolve, 250));
    }
    this.#outcome.unserved++;
  }

  close(): void {
    this.#connection?.close();
    this.#connection = undefined;
    this.#asked = 0;
  }

  async #tryOnce(cmid: string): Promise<boolean> {
    const { hosts, timeoutMs = 5_000, requestsPerConnection = 20 } = this.#plan;
    const host = hosts[this.#host % hosts.length];
    if (host === undefined) return false;
    if (this.#connection === undefined) {
      const connected = await connectKms({ ...host, timeoutMs }, 'NDR32');
      if (!connected.ok) return this.#failed(connected.failure.reason);
      this.#connection = connected.connection;
    }
    const answer = await this.#connection.request(this.#keys, windows11(cmid));
    if (answer.kind === 'counted') {
      this.#outcome.told.push({ atMs: Date.now(), count: answer.response.currentCount });
      if (++this.#asked >= requestsPerConnection) {
        this.close();
        this.#host++;
      }
      return true;
    }
    if (answer.kind === 'refused') return this.#failed(`HRESULT 0x${answer.hresult.toString(16)}`);
    // A fault is an answer: the request was not counted. Anything else leaves it open.
    if (!answer.failure.reason.startsWith('RPC fault')) this.#outcome.unknownFate++;
    return this.#failed(answer.failure.reason);
  }

  #failed(reason: string): false {
    const { failedTries } = this.#outcome;
    failedTries.set(reason, (failedTries.get(reason) ?? 0) + 1);
    return false;
  }
}

/** A Windows 11 client, N = 25. */
export function windows11(cmid: string): KmsRequestFields {
  const product = productBySlug('windows-11');
  const edition = product?.editions[0];
  if (product === undefined || edition === undefined) throw new Error('the catalogue has no windows-11');
  return {
    protocol: product.protocolVersion,
    applicationId: APPLICATIONS[0]?.id ?? '',
    activationId: edition.skuId,
    countedId: product.countedId,
    cmid,
    requiredClientCount: product.threshold,
    clientTimeMs: Date.now(),
    workstationName: `node-${cmid.slice(0, 8)}.lab.test`,
    licenseStatus: 2,
  };
}
