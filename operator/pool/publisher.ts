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
  /** When the DNSEndpoint was last read, ms since 1970; undefined: never, or nobody knows. */
  readonly readAtMs: number | undefined;
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
  const readAtMs = Date.parse(live?.readAt ?? '') || undefined;
  const known = { waitsUntilMs: undefined, readAtMs, publishingSeconds: intervalSeconds };
  if (mode !== undefined) return { ...known, mode };
  if (live === undefined || live.status?.observedGeneration !== undefined) return { ...known, mode: 'On' };
  // By the age of the object: its records change, and nobody reads it all the same.
  const createdMs = Date.parse(live.metadata.creationTimestamp ?? '');
  const waitsUntilMs = createdMs + LOOKS * intervalSeconds * 1000;
  if (Number.isNaN(waitsUntilMs)) return { ...known, mode: 'On' };
  if (world.nowMs >= waitsUntilMs) return { ...known, mode: 'NoPublisher' };
  // Until it is known whether there is a publisher, none has failed.
  return { mode: 'On', waitsUntilMs, readAtMs, publishingSeconds: LOOKS * intervalSeconds };
}

/** What the spec and the cluster say before anybody could have published. */
function modeWithout({ pool, dnsEndpointServed }: World): Publication['mode'] | undefined {
  const { publisher, domains } = pool.spec.dns;
  if (domains.length === 0) return 'NoDomains';
  if (publisher === 'None') return 'Off';
  return dnsEndpointServed ? undefined : 'NoPublisher';
}
