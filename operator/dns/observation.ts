// SPDX-License-Identifier: Apache-2.0

// What name servers were asked and what they said. Types only: authority.ts and query.ts find out, observer.ts remembers, the pool's plan judges.

/** One SRV record as a server gave it (RFC 2782); the target in lower case, without the trailing dot. */
export interface ObservedSrv {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly target: string;
  readonly ttlSeconds: number;
}

/** The answer of one server to one question. `records` is empty when the name or the type is not there; `empty` says which of the two, where it is known. */
export type ServerAnswer<R> =
  | {
      readonly server: string;
      readonly ok: true;
      readonly records: readonly R[];
      readonly empty?: 'NxDomain' | 'NoData' | undefined;
    }
  | { readonly server: string; readonly ok: false; readonly error: string };

/** The SRV records of one domain, as all servers asked showed them. */
export interface DomainObservation {
  readonly domain: string;
  /** When the last round was complete, ms since 1970. */
  readonly askedAtMs: number;
  /** One for each server; empty when the zone's servers could not be found: `error` says why. */
  readonly servers: readonly ServerAnswer<ObservedSrv>[];
  readonly error: string | undefined;
  /**
   * By target that was asked about and that no server shows: since when, ms since 1970. A target is taken out when any server shows it; a round in which
   * a server did not answer adds nothing.
   */
  readonly absentSinceMs: ReadonlyMap<string, number>;
  /** Targets that the wish named when this was asked. Who has left since was no foreigner then. */
  readonly asked?: readonly string[];
}

/** The addresses of one host name. */
export interface HostNameObservation {
  readonly fqdn: string;
  readonly askedAtMs: number;
  /** IPv4 and IPv6 addresses together, in RFC 5952 text. */
  readonly servers: readonly ServerAnswer<string>[];
  /** Why no server could be asked; then `servers` is empty. */
  readonly error?: string | undefined;
}

/** What the observer is asked to watch for one pool. The same wish again changes nothing. */
export interface ObservationWish {
  /** Changes when what should be there changes: the observer then asks soon and often again, until a round agrees. */
  readonly revision: string;
  readonly domains: readonly {
    readonly domain: string;
    /** Targets whose absence matters, and those of pools with the same key; without trailing dot. */
    readonly targets: readonly string[];
  }[];
  /** Host names whose addresses are to be asked for, all in the first domain. */
  readonly hostNames: readonly string[];
  /** `spec.dns.verifyNameservers`; empty: the authoritative servers of each zone. */
  readonly nameservers: readonly string[];
  /** Not settled: ask again soon (from half a second on, doubling to 15 s); settled: about every minute. */
  readonly settled: boolean;
}
