// SPDX-License-Identifier: Apache-2.0

// One question put to all servers that have to know: the SRV records of a domain, or the addresses of a host. It remembers nothing and judges nothing.
import { srvName } from '@kmspool/kms/dns';
import type { Authority, AuthorityFinder, NameServer } from './authority.ts';
import type { DnsReply } from './message.ts';
import { parentOf, srvText } from './names.ts';
import type { ObservedSrv, ServerAnswer } from './observation.ts';
import type { DnsExchange } from './query.ts';

/** What asking needs. */
export interface Asker {
  readonly exchange: DnsExchange;
  readonly authorities: AuthorityFinder;
  /** `spec.dns.verifyNameservers`. */
  readonly nameservers: readonly string[];
  /** Ends this round. */
  readonly signal: AbortSignal;
  /** Ends the lookups that rounds share. */
  readonly sharedSignal: AbortSignal;
}

/** What all servers said. */
export interface Answers<R> {
  readonly servers: readonly ServerAnswer<R>[];
  readonly error: string | undefined;
}

/** How the answers of one question go together. */
export type Agreement = 'agreed' | 'disagreed' | 'failed';

/** The SRV records of `_vlmcs._tcp.<domain>`, in the order of their text. Never rejects. */
export async function askDomain(asker: Asker, domain: string): Promise<Answers<ObservedSrv>> {
  const name = srvName(domain);
  const authority = await asker.authorities.find(name, asker.nameservers, asker.sharedSignal);
  return askAll(authority, async (server) => {
    const { recursionDesired } = server;
    const reply = await asker.exchange.ask(server, { name, type: 'SRV', recursionDesired }, asker.signal);
    return reply.ok ? { ...reply, records: sortedBy(reply.records, srvText) } : reply;
  });
}

/** The A and AAAA records of a host, as sorted addresses. Never rejects. */
export async function askHostName(asker: Asker, fqdn: string): Promise<Answers<string>> {
  // The zone of the name above: all hosts of a pool share it, and so the search for it.
  const zoneName = parentOf(fqdn) ?? fqdn;
  const authority = await asker.authorities.find(zoneName, asker.nameservers, asker.sharedSignal);
  return askAll(authority, async (server) => {
    const { recursionDesired } = server;
    const [four, six] = await Promise.all([
      asker.exchange.ask(server, { name: fqdn, type: 'A', recursionDesired }, asker.signal),
      asker.exchange.ask(server, { name: fqdn, type: 'AAAA', recursionDesired }, asker.signal),
    ]);
    if (!four.ok) return four;
    if (!six.ok) return six;
    const addresses = new Set([...four.records, ...six.records].map(({ address }) => address));
    const empty = four.empty === 'NxDomain' && six.empty === 'NxDomain' ? 'NxDomain' : 'NoData';
    return { ok: true, records: [...addresses].sort(), ...(addresses.size === 0 ? { empty } : {}) };
  });
}

/** Whether all servers answered, and the same. */
export function agreementOf<R>({ servers, error }: Answers<R>, textOf: (record: R) => string): Agreement {
  if (error !== undefined || servers.some(({ ok }) => !ok)) return 'failed';
  const texts = new Set(servers.map((answer) => (answer.ok ? answer.records.map(textOf).join('\n') : '')));
  return texts.size > 1 ? 'disagreed' : 'agreed';
}

type Asked<R> =
  | { readonly ok: true; readonly records: readonly R[]; readonly empty?: 'NxDomain' | 'NoData' }
  | (DnsReply & { ok: false });

async function askAll<R>(authority: Authority, ask: (server: NameServer) => Promise<Asked<R>>): Promise<Answers<R>> {
  if (!authority.ok) return { servers: [], error: authority.error };
  const asked = authority.servers.map(async (nameServer): Promise<ServerAnswer<R>> => {
    const { server } = nameServer;
    const reply = await ask(nameServer);
    if (!reply.ok) return { server, ok: false, error: reply.error };
    return { server, ok: true, records: reply.records, ...(reply.empty === undefined ? {} : { empty: reply.empty }) };
  });
  const unresolved = authority.unresolved.map(({ server, error }): ServerAnswer<R> => ({ server, ok: false, error }));
  return {
    servers: sortedBy([...(await Promise.all(asked)), ...unresolved], ({ server }) => server),
    error: undefined,
  };
}

function sortedBy<V>(values: readonly V[], textOf: (value: V) => string): V[] {
  const keyed = values.map((value) => ({ value, text: textOf(value) }));
  return keyed.sort((a, b) => (a.text < b.text ? -1 : Number(a.text > b.text))).map(({ value }) => value);
}
