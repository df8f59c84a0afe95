// SPDX-License-Identifier: Apache-2.0
//
// PoolSource: one pool as every verb that reads sees it, wherever it runs. Implementations: local.ts (kmsctl up), cluster.ts (a KmsHostPool), url-source.ts (one
// host by its URL); choose.ts says which one a user meant. Not here: what is done with what is read.

import type { HostStatus, KmsHostPool } from '@kmspool/crds';
import type { Page } from '@kmspool/kms-node';
import type { NameServer } from '../net/index.ts';
import type { KubeApi } from './kube-api.ts';

/** A host of the pool, as far as it is known without asking it. */
export interface HostRef {
  readonly name: string;
  /** Its name in DNS, where it is published. */
  readonly fqdn?: string;
  /** Where clients reach it, if that is known. */
  readonly address?: string;
  readonly port?: number;
  /** What its keeper says; undefined where nobody does. */
  readonly ready?: boolean;
}

/** What one host said of itself, or why it said nothing. */
export type Asked =
  | {
      readonly ok: true;
      readonly status: HostStatus;
      /** The host's clock, to the second, if it told it. */
      readonly dateMs: number | undefined;
    }
  | { readonly ok: false; readonly reason: string };

/** A place in a listing, and how much of it. */
export interface PageQuery {
  /** 1…1000 */
  readonly limit: number;
  readonly after?: string | undefined;
  /** Only of events: the `newest` of an earlier page. */
  readonly since?: string | undefined;
}

export interface ListedPage<T> extends Page<T> {
  readonly newest?: string;
}

/** Listings of a host that need the admin token. */
export type Listing = 'clients' | 'events' | 'duplicates';

export interface PoolSource {
  readonly kind: 'local' | 'cluster' | 'url';
  /** The pool's name. */
  readonly pool: string;
  /** For texts: where it runs. */
  readonly where: string;
  readonly hosts: readonly HostRef[];
  /** Where it is published; undefined where only a host is known, which does not know. */
  readonly domains: readonly string[] | undefined;
  /** The name server that shows the pool's records; without one the machine's own ones are asked. */
  readonly nameServer?: NameServer;
  /** The object in the cluster, as it was when this was opened, and the cluster itself. */
  readonly object?: KmsHostPool;
  readonly cluster?: KubeApi;
  /** Of one host, or of the first that answers. @throws UserError when none does. */
  status(host?: string): Promise<HostStatus>;
  /** Of every host, in their order. Never rejects. */
  statuses(): Promise<readonly { readonly host: string; readonly asked: Asked }[]>;
  /** One page of a listing. @throws UserError in one line when no host gives it. */
  page<T>(listing: Listing, query: PageQuery): Promise<ListedPage<T>>;
  /** GET of another path with the admin token, as JSON. @throws UserError. */
  read(path: string): Promise<unknown>;
  /** POST of JSON with the admin token. @throws UserError, with the host's own words where it refused. */
  send(path: string, body: unknown): Promise<unknown>;
  /** GET of a path that needs no token, as text, of one host. Undefined when it does not answer with 200. */
  text(host: string, path: string): Promise<string | undefined>;
  /** Lets go of connections. */
  close(): void;
}

/** All items of a listing, page after page; no more than one page is held. */
export async function* itemsOf<T>(source: PoolSource, listing: Listing, pageSize = 1000): AsyncGenerator<T> {
  let after: string | undefined;
  do {
    const page: ListedPage<T> = await source.page<T>(listing, { limit: pageSize, after });
    yield* page.items;
    after = page.next;
  } while (after !== undefined);
}
