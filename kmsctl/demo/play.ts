// SPDX-License-Identifier: Apache-2.0
//
// The play: every machine appears once and asks, machines that were told too small a count ask again when it is enough, and
// every answer is compared with what S3-09 and the counting rules demand. What a machine does is passed in; nothing is printed.

import type { Product } from '@kmspool/kms/catalog';
import { type Client, clientProfile, newClient } from '@kmspool/kms/client';
import { firstChances, type Try } from '../net/index.ts';
import type { CastMember } from './cast.ts';

/** One answer, as the table shows it. */
export interface Scene {
  /** 1 … 25: which machine. */
  readonly position: number;
  readonly member: CastMember;
  /** False when it appears, true when it tries again. */
  readonly again: boolean;
  /** The host that answered, first label of its name; empty if none did. */
  readonly host: string;
  /** What it was told; undefined without a usable answer. */
  readonly count: number | undefined;
  readonly wantedCount: number;
  readonly licensed: boolean;
  readonly wantedLicensed: boolean;
  readonly hresult: number;
  readonly right: boolean;
}

/** How many of the first contacts a host got, and how many its SRV records promise it. */
export interface HostShare {
  readonly host: string;
  readonly first: number;
  readonly expected: number;
  readonly again: number;
}

export interface Played {
  readonly scenes: readonly Scene[];
  readonly shares: readonly HostShare[];
}

export interface PlayOptions {
  readonly cast: readonly CastMember[];
  readonly tryActivation: (client: Client, member: CastMember) => Promise<Try>;
  readonly clockMs: () => number;
  /** Called after each answer. */
  readonly onScene: (scene: Scene, shares: readonly HostShare[]) => Promise<void> | void;
  /** Ends the play early. */
  readonly aborted: () => boolean;
}

interface Actor {
  readonly member: CastMember;
  readonly position: number;
  readonly client: Client;
}

/** Plays all of it, unless aborted. */
export async function play(options: PlayOptions): Promise<Played> {
  const stage = new Stage(options);
  for (const [index, member] of options.cast.entries()) {
    if (options.aborted()) break;
    const { product } = member.machine;
    const client = newClient(clientProfile(product), options.clockMs());
    await stage.enter({ member, position: index + 1, client });
    await stage.retry(index + 1);
  }
  return stage.played();
}

class Stage {
  readonly #options: PlayOptions;
  readonly #scenes: Scene[] = [];
  #waiting: Actor[] = [];
  #shares = new Map<string, HostShare>();

  constructor(options: PlayOptions) {
    this.#options = options;
  }

  played(): Played {
    return { scenes: this.#scenes, shares: this.#sharesInOrder() };
  }

  async enter(actor: Actor): Promise<void> {
    await this.#act(actor, { again: false, wantedCount: actor.position });
  }

  /**
   * Those who wait and for whom the count is enough now try again. In life they would after the activation interval (S3-10);
   * here as soon as it makes a difference. Their CMIDs are known, so the count must not change.
   */
  async retry(count: number): Promise<void> {
    const ready = this.#waiting.filter(({ client }) => client.profile.requiredCount <= count);
    this.#waiting = this.#waiting.filter((actor) => !ready.includes(actor));
    for (const actor of ready) {
      if (this.#options.aborted()) return;
      await this.#act(actor, { again: true, wantedCount: count });
    }
  }

  async #act(actor: Actor, wanted: { again: boolean; wantedCount: number }): Promise<void> {
    const { member, position, client } = actor;
    const result = await this.#options.tryActivation(client, member);
    const scene = sceneOf({ actor, result, ...wanted });
    this.#scenes.push(scene);
    this.#share(scene, result, member.machine.product);
    if (!scene.licensed && !wanted.again) this.#waiting.push({ member, position, client: result.client });
    await this.#options.onScene(scene, this.#sharesInOrder());
  }

  /** Discovery shares the machines out by SRV; who tries again goes to the host that answered before (S1-39). */
  #share({ host, again }: Scene, { discovered }: Try, product: Product): void {
    const records = discovered?.records ?? [];
    const chances = firstChances(records, product.honoursSrvPriority);
    records.forEach(({ target }, index) => {
      const promised = this.#shareOf(label(target));
      if (!again) this.#set({ ...promised, expected: promised.expected + (chances[index] ?? 0) });
    });
    if (host === '') return;
    const got = this.#shareOf(host);
    this.#set({ ...got, first: got.first + (again ? 0 : 1), again: got.again + (again ? 1 : 0) });
  }

  #shareOf(host: string): HostShare {
    return this.#shares.get(host) ?? { host, first: 0, expected: 0, again: 0 };
  }

  #set(share: HostShare): void {
    this.#shares.set(share.host, share);
  }

  #sharesInOrder(): HostShare[] {
    return [...this.#shares.values()].sort((a, b) => (a.host < b.host ? -1 : 1));
  }
}

interface Taken {
  readonly actor: Actor;
  readonly result: Try;
  readonly again: boolean;
  readonly wantedCount: number;
}

function sceneOf({ actor, result, again, wantedCount }: Taken): Scene {
  const { member, position } = actor;
  const last = result.contacts.at(-1);
  const answer = last?.answer;
  const count = answer?.kind === 'counted' ? answer.response.currentCount : undefined;
  const licensed = result.client.licenseStatus === 1;
  const wantedLicensed = wantedCount >= member.machine.product.threshold;
  return {
    position,
    member,
    again,
    host: count === undefined ? '' : label(last?.target.host ?? ''),
    count,
    wantedCount,
    licensed,
    wantedLicensed,
    hresult: result.hresult,
    right: count === wantedCount && licensed === wantedLicensed,
  };
}

function label(fqdn: string): string {
  return fqdn.split('.')[0] ?? fqdn;
}
