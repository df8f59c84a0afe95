// SPDX-License-Identifier: Apache-2.0

// Whether anybody publishes what the DNSEndpoint holds, and how long that may take. Pure. What the name servers show is judged elsewhere.
import { ownOf } from './hosts.ts';
import type { Publication } from './state.ts';
import type { World } from './world.ts';

/** The publisher, as far as the cluster shows it. */
export interface Publisher {
  readonly mode: Publication['mode'];
  /** When a DNSEndpoint that nobody has read will have waited in vain, ms since 1970; undefined: it was read, or is not waited for. */
  readonly waitsUntilMs: number | undefined;
  /** The DNSEndpoint has come to be read, after the status said that nobody does: from now on its records are waited for. */
  readonly isFresh: boolean;
  /** How long records may take to appear, beside their TTL. */
  readonly publishingSeconds: number;
}

/** A DNSEndpoint that nobody has read while external-dns should have looked so often has none that would publish it. */
const LOOKS = 2;

/** Judges the publisher by who has read the DNSEndpoint. */
export function judgePublisher(world: World): Publisher {
  const { externalDnsIntervalSeconds: intervalSeconds } = world.settings;
  const mode = modeWithout(world);
  const live = ownOf(world, world.dnsEndpoint);
  const known = { waitsUntilMs: undefined, isFresh: false, publishingSeconds: intervalSeconds };
  if (mode !== undefined) return { ...known, mode };
  if (live === undefined) return { ...known, mode: 'On' };
  if (live.status?.observedGeneration !== undefined) return { ...known, mode: 'On', isFresh: wasUnread(world) };
  // By the age of the object: its records change, and nobody reads it all the same.
  const createdMs = Date.parse(live.metadata.creationTimestamp ?? '');
  const waitsUntilMs = createdMs + LOOKS * intervalSeconds * 1000;
  if (Number.isNaN(waitsUntilMs)) return { ...known, mode: 'On' };
  if (world.nowMs >= waitsUntilMs) return { ...known, mode: 'NoPublisher' };
  // Until it is known whether there is a publisher, none has failed.
  return { mode: 'On', waitsUntilMs, isFresh: false, publishingSeconds: LOOKS * intervalSeconds };
}

function wasUnread({ object }: World): boolean {
  return (object.status?.dns ?? []).some(({ reason }) => reason === 'NoPublisher');
}

/** What the spec and the cluster say before anybody could have published. */
function modeWithout({ pool, dnsEndpointServed }: World): Publication['mode'] | undefined {
  const { publisher, domains } = pool.spec.dns;
  if (domains.length === 0) return 'NoDomains';
  if (publisher === 'None') return 'Off';
  return dnsEndpointServed ? undefined : 'NoPublisher';
}
