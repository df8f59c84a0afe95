// SPDX-License-Identifier: Apache-2.0
//
// A million machines in columns. The life of each is @kmspool/kms/client's: `load` makes the client of it that the life's
// functions take, `save` puts what they gave back into the columns. Nothing here decides anything.

import { type Client, type ClientLicenseStatus, type ClientProfile, clientProfile } from '../client/index.ts';
import type { GroupPlan, KeyKind } from './plan.ts';

/** Where a machine stands besides its client's state. */
export const PHASE = { absent: 0, client: 1, mak: 2, retail: 3 } as const;

const PHASE_OF_KEY: Readonly<Record<KeyKind, number>> = { KMS: PHASE.client, MAK: PHASE.mak, Retail: PHASE.retail };
const MOST = 0xffff;

export class Machines {
  readonly count: number;
  readonly groups: readonly GroupPlan[];
  /** First machine of each group. */
  readonly firstOf: readonly number[];
  readonly #profiles: readonly ClientProfile[];
  readonly #group: Uint16Array;
  readonly #phase: Uint8Array;
  readonly #status: Uint8Array;
  readonly #graceEndsAtMs: Float64Array;
  readonly #validUntilMs: Float64Array;
  readonly #nextAttemptAtMs: Float64Array;
  readonly #activationMinutes: Uint16Array;
  readonly #renewalMinutes: Uint16Array;
  readonly #cachedHost: Uint16Array;
  readonly #port: Uint16Array;
  readonly #lastHresult: Uint32Array;
  readonly #rearmsLeft: Uint8Array;
  readonly #failedTries: Uint16Array;
  readonly #cmids: readonly string[];
  /** Names of cached hosts by number; 0 is none. */
  readonly #hostNames: string[] = [''];
  readonly #hostNumbers = new Map<string, number>([['', 0]]);

  /** `cmidOf(n)`: 32 hex digits, the CMID that machine n makes for itself. */
  constructor(groups: readonly GroupPlan[], cmidOf: (machine: number) => string) {
    const count = groups.reduce((sum, group) => sum + group.count, 0);
    this.count = count;
    this.groups = groups;
    this.firstOf = groups.map((_group, at) => groups.slice(0, at).reduce((sum, { count: n }) => sum + n, 0));
    this.#profiles = groups.map(({ product, hostCaching, configuredHost, configuredPort }) =>
      clientProfile(product, { hostCaching, configuredHost, port: configuredPort }),
    );
    this.#group = new Uint16Array(count);
    this.#phase = new Uint8Array(count);
    this.#status = new Uint8Array(count);
    this.#graceEndsAtMs = new Float64Array(count);
    this.#validUntilMs = new Float64Array(count);
    this.#nextAttemptAtMs = new Float64Array(count);
    this.#activationMinutes = new Uint16Array(count);
    this.#renewalMinutes = new Uint16Array(count);
    this.#cachedHost = new Uint16Array(count);
    this.#port = new Uint16Array(count);
    this.#lastHresult = new Uint32Array(count);
    this.#rearmsLeft = new Uint8Array(count);
    this.#failedTries = new Uint16Array(count);
    const cmids: string[] = [];
    for (const [at, group] of groups.entries()) {
      const first = cmids.length;
      this.#group.fill(at, first, first + group.count);
      this.#rearmsLeft.fill(group.rearms, first, first + group.count);
      const shared = group.image.generalized ? undefined : cmidOf(first);
      for (let machine = first; machine < first + group.count; machine++) cmids.push(shared ?? cmidOf(machine));
    }
    this.#cmids = cmids;
  }

  groupOf(machine: number): number {
    return this.#group[machine] ?? 0;
  }

  planOf(machine: number): GroupPlan {
    const plan = this.groups[this.groupOf(machine)];
    if (plan === undefined) throw new RangeError(`no machine ${machine}`);
    return plan;
  }

  profileOf(machine: number): ClientProfile {
    const profile = this.#profiles[this.groupOf(machine)];
    if (profile === undefined) throw new RangeError(`no machine ${machine}`);
    return profile;
  }

  cmid(machine: number): string {
    return this.#cmids[machine] ?? '';
  }

  phase(machine: number): number {
    return this.#phase[machine] ?? 0;
  }

  setPhase(machine: number, phase: number): void {
    this.#phase[machine] = phase;
  }

  /** The phase that the machine's key gives it when it arrives. */
  firstPhase(machine: number): number {
    return PHASE_OF_KEY[this.planOf(machine).key];
  }

  rearmsLeft(machine: number): number {
    return this.#rearmsLeft[machine] ?? 0;
  }

  useRearm(machine: number): void {
    this.#rearmsLeft[machine] = Math.max(0, this.rearmsLeft(machine) - 1);
  }

  /** Tries that did not end with an activation, at most 65535. */
  failedTries(machine: number): number {
    return this.#failedTries[machine] ?? 0;
  }

  addFailedTry(machine: number): void {
    this.#failedTries[machine] = Math.min(MOST, this.failedTries(machine) + 1);
  }

  load(machine: number): Client {
    return {
      profile: this.profileOf(machine),
      licenseStatus: (this.#status[machine] ?? 0) as ClientLicenseStatus,
      graceEndsAtMs: this.#graceEndsAtMs[machine] ?? 0,
      validUntilMs: this.#validUntilMs[machine] ?? 0,
      nextAttemptAtMs: this.#nextAttemptAtMs[machine] ?? 0,
      activationIntervalMinutes: this.#activationMinutes[machine] ?? 0,
      renewalIntervalMinutes: this.#renewalMinutes[machine] ?? 0,
      cachedHost: this.#hostNames[this.#cachedHost[machine] ?? 0] ?? '',
      port: this.#port[machine] ?? 0,
      lastHresult: this.#lastHresult[machine] ?? 0,
    };
  }

  save(machine: number, client: Client): void {
    this.#status[machine] = client.licenseStatus;
    this.#graceEndsAtMs[machine] = client.graceEndsAtMs;
    this.#validUntilMs[machine] = client.validUntilMs;
    this.#nextAttemptAtMs[machine] = client.nextAttemptAtMs;
    this.#activationMinutes[machine] = client.activationIntervalMinutes;
    this.#renewalMinutes[machine] = client.renewalIntervalMinutes;
    this.#cachedHost[machine] = this.#numberOf(client.cachedHost);
    this.#port[machine] = client.port;
    this.#lastHresult[machine] = client.lastHresult;
  }

  status(machine: number): number {
    return this.#status[machine] ?? 0;
  }

  #numberOf(host: string): number {
    const known = this.#hostNumbers.get(host);
    if (known !== undefined) return known;
    const number = this.#hostNames.push(host) - 1;
    this.#hostNumbers.set(host, number);
    return number;
  }
}
