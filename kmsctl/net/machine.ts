// SPDX-License-Identifier: Apache-2.0
//
// A simulated machine: what it is (product, edition, CMID, name) and one try to activate it, from the question to DNS to
// what it makes of the answer. What an answer or a failure does to a client is @kmspool/kms/client; here the steps are
// taken on real sockets.

import { application, type Edition, type Product, type ProtocolVersion } from '@kmspool/kms/catalog';
import {
  type AttemptTarget,
  afterDiscovery,
  afterReply,
  beginTry,
  type Client,
  type ClientEvent,
  type HostReply,
  minutesToExpiry,
} from '@kmspool/kms/client';
import type { SrvRecord } from '@kmspool/kms/dns';
import type { KmsRequestFields, PoolKeys } from '@kmspool/kms/wire';
import type { Discovered, Discovery } from './discovery.ts';
import { type Answer, type Association, askHost, type NdrChoice } from './kms-client.ts';

export interface Machine {
  readonly name: string;
  /** GUID text. */
  readonly cmid: string;
  readonly product: Product;
  readonly edition: Edition;
  readonly protocol: ProtocolVersion;
  readonly isClientVm: boolean;
}

/** What a try needs from the world. */
export interface Surroundings {
  readonly keys: PoolKeys;
  readonly discovery: Discovery;
  /** The DNS domain that the machine searches; without one it can only ask a configured host. */
  readonly domain?: string | undefined;
  /** The machine's clock, UTC, milliseconds since 1970. */
  readonly clockMs: () => number;
  /** Numbers in [0, 1). */
  readonly random: () => number;
  readonly timeoutMs: number;
  readonly ndr?: NdrChoice | undefined;
}

/** One host of the plan that was asked. */
export interface Contact {
  readonly target: AttemptTarget;
  /** The address asked; empty when the name has none. */
  readonly address: string;
  readonly association?: Association;
  readonly answer: Answer;
}

export interface Try {
  readonly client: Client;
  /** What the client came to: 0 licensed, 0xC004F038 too few, or why not. */
  readonly hresult: number;
  readonly events: readonly ClientEvent[];
  /** Absent when DNS was not asked. */
  readonly discovered?: Discovered;
  readonly plan: readonly AttemptTarget[];
  readonly contacts: readonly Contact[];
}

/** One try: find hosts, ask them in order until one answers, and draw the conclusion. Never rejects for what a host or DNS does. */
export async function tryActivation(client: Client, machine: Machine, world: Surroundings): Promise<Try> {
  let walk = beginTry(client, world.clockMs());
  let discovered: Discovered | undefined;
  const contacts: Contact[] = [];
  for (let { next } = walk; next !== 'over'; next = walk.next) {
    if (next === 'discover') {
      const noDomain = world.domain === undefined;
      const found = noDomain ? NOTHING : await world.discovery.srv(world.domain ?? '');
      if (!noDomain) discovered = found;
      walk = afterDiscovery(walk, { records: found.records, noDomain }, world.random, world.clockMs());
    } else {
      const contact = await ask(next, { client: walk.client, machine, world });
      contacts.push(contact);
      walk = afterReply(walk, replyOf(contact), world.clockMs());
    }
  }
  const { client: after, hresult, events, plan } = walk;
  return { client: after, hresult, events, plan, contacts, ...(discovered && { discovered }) };
}

const NOTHING: Discovered = { records: [], reason: '' };

interface Asking {
  readonly client: Client;
  readonly machine: Machine;
  readonly world: Surroundings;
}

/** Asks one host, on each of its addresses until one connects. */
async function ask(target: AttemptTarget, { client, machine, world }: Asking): Promise<Contact> {
  const { keys, discovery, timeoutMs, ndr } = world;
  const reason = `the name ${target.host} has no address`;
  let contact: Contact = {
    target,
    address: '',
    answer: { kind: 'failed', failure: { stage: 'connect', reason, hresult: 0x800706ba } },
  };
  for (const address of await discovery.addresses(target.host)) {
    const fields = requestFields(machine, client, world.clockMs());
    contact = { target, address, ...(await askHost({ address, port: target.port, timeoutMs, ndr }, keys, fields)) };
    if (contact.answer.kind !== 'failed' || contact.answer.failure.stage !== 'connect') break;
  }
  return contact;
}

/** The fields of a request by this machine in this state at `clockMs`. */
export function requestFields(machine: Machine, client: Client, clockMs: number): KmsRequestFields {
  const { product, edition, protocol, cmid, name, isClientVm } = machine;
  return {
    protocol,
    applicationId: application(product.application).id,
    activationId: edition.skuId,
    countedId: product.countedId,
    cmid,
    requiredClientCount: client.profile.requiredCount,
    clientTimeMs: clockMs,
    workstationName: name,
    isClientVm,
    licenseStatus: client.licenseStatus,
    minutesToExpiry: minutesToExpiry(client, clockMs),
  };
}

function replyOf({ target, association, answer }: Contact): HostReply {
  if (answer.kind === 'failed') {
    return { kind: 'silent', how: answer.failure.stage === 'connect' ? 'ConnectFailed' : 'NoAnswer' };
  }
  if (answer.kind === 'refused') return answer;
  const { currentCount: count, activationIntervalMinutes, renewalIntervalMinutes } = answer.response;
  const port = handedPort(association, target.port);
  return { kind: 'counted', answer: { count, activationIntervalMinutes, renewalIntervalMinutes, port } };
}

/** The port that the host hands over in bind_ack's secondary address (S1-21). */
function handedPort(association: Association | undefined, contacted: number): number {
  const port = Number(association?.secondaryAddress);
  return Number.isInteger(port) && port >= 1 && port <= 65_535 ? port : contacted;
}

/**
 * The chance of each record to be asked first by such a client, in the order of `records`: its share of weight in the
 * lowest priority (RFC 2782), or the same for all where priority and weight are ignored (S3-21).
 */
export function firstChances(records: readonly SrvRecord[], honourPriority: boolean): number[] {
  if (!honourPriority) return records.map(() => 1 / records.length);
  const lowest = Math.min(...records.map(({ priority }) => priority));
  const group = records.filter(({ priority }) => priority === lowest);
  const total = group.reduce((sum, { weight }) => sum + weight, 0);
  return records.map(({ priority, weight }) => {
    if (priority !== lowest) return 0;
    return total === 0 ? 1 / group.length : weight / total;
  });
}
