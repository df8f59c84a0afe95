// SPDX-License-Identifier: Apache-2.0
/**
 * external-dns and an authoritative name server in one, inside the test's own process: what stands in the DNSEndpoints of an API server is what it answers,
 * at once, over real UDP and TCP on loopback. It can be paused, made to lie, to keep what should go, and to show hosts of others. It is not external-dns:
 * what that one makes of a DNSEndpoint, dns-peers.ts shows.
 *
 *     const mirror = await startDnsMirror({ client: plane.client() });
 *     spec.dns.verifyNameservers = [mirror.nameserver];
 *     mirror.lines('_vlmcs._tcp.lab.test', 'SRV');       // ['0 100 1688 campus-0.ns.lab.test.']
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Registry } from 'prom-client';
import {
  type Behaviour,
  type FakeNameServer,
  type FakeRecord,
  startNameServer,
} from '../../../operator/dns/name-server.fake.ts';
import { DNS_ENDPOINTS, type DnsEndpoint } from '../../../operator/pool/kinds.ts';
import {
  type Client,
  createMetrics,
  Informer,
  isNotFound,
  keyOf,
  refOfObject,
} from '../../../operator/runtime/index.ts';

/** Types of records that a DNSEndpoint of the operator's holds. */
export type MirroredType = 'SRV' | 'A' | 'AAAA';

/** What came to be shown of a name. */
export interface MirrorChange {
  /** `performance.now()`. */
  readonly atMs: number;
  readonly name: string;
  readonly type: MirroredType;
  readonly lines: readonly string[];
}

export interface DnsMirrorOptions {
  /** As administrator. */
  readonly client: Client;
  /** Zones that it answers for, without trailing dot; each has `ns1` in it, with this server's address. Default `test` and `example`. */
  readonly zones?: readonly string[];
  /** Whose DNSEndpoints it follows; all if absent. */
  readonly namespaces?: readonly string[];
  /** Loopback address; default 127.0.0.1. */
  readonly address?: string;
  /** Default: a free one. */
  readonly port?: number;
  /** Whether it says in the status of a DNSEndpoint that it has read it, as external-dns does; default true. A further name server for the same zones should not. */
  readonly writesStatus?: boolean;
}

/** Starts a mirror; what was there already is shown when this resolves. The kind DNSEndpoint may come later. */
export async function startDnsMirror(options: DnsMirrorOptions): Promise<DnsMirror> {
  const { zones = ['test', 'example'], address = '127.0.0.1', port = 0 } = options;
  const server = await startNameServer({ address, port });
  const mirror = new DnsMirror(server, zones, options);
  await mirror.start();
  return mirror;
}

/** Name and type of a record set. */
type SetId = `${string} ${MirroredType}`;
type Shown = { readonly ttl: number; readonly lines: readonly string[] };
type MutableZone = Record<string, readonly FakeRecord[]>;

const NOTHING: Shown = { ttl: 60, lines: [] };
const RETRY_MS = 100;

export class DnsMirror {
  /** As `spec.dns.verifyNameservers` takes it. */
  readonly nameserver: string;
  /** Every change of what is shown, oldest first; lies are changes too. */
  readonly changes: MirrorChange[] = [];
  readonly #server: FakeNameServer;
  readonly #client: Client;
  readonly #endpoints: Informer<DnsEndpoint>;
  readonly #writesStatus: boolean;
  readonly #zones: ReadonlyMap<string, MutableZone>;
  /** What is taken from DNSEndpoints, by their key. */
  readonly #taken = new Map<string, DnsEndpoint>();
  readonly #users = new Map<SetId, Set<string>>();
  readonly #shown = new Map<SetId, Shown>();
  readonly #lies = new Map<SetId, readonly string[]>();
  readonly #foreign = new Map<SetId, readonly string[]>();
  /** What is no longer wanted and stays. */
  readonly #kept = new Map<SetId, Set<string>>();
  readonly #telling = new Map<string, Promise<void>>();
  readonly #end = new AbortController();
  #running: Promise<void> | undefined;
  #paused = false;
  #keeps = false;

  /** Use {@link startDnsMirror}. */
  constructor(server: FakeNameServer, zones: readonly string[], options: DnsMirrorOptions) {
    const { client, namespaces, writesStatus = true } = options;
    this.#server = server;
    this.nameserver = `${server.address}:${server.port}`;
    this.#client = client.withThrottle({ qps: 10_000, burst: 10_000 });
    this.#writesStatus = writesStatus;
    this.#zones = new Map(zones.map((zone) => [zone, zoneWithServer(zone, server.address)]));
    server.serve(Object.fromEntries(this.#zones));
    const metrics = createMetrics(new Registry());
    this.#endpoints = new Informer({
      client: this.#client,
      metrics,
      namespaces,
      resource: DNS_ENDPOINTS,
      optional: true,
    });
  }

  /** Called by {@link startDnsMirror}. */
  async start(): Promise<void> {
    this.#endpoints.onChange(({ type, object }) => this.#changed(object, type === 'deleted'));
    this.#running = this.#endpoints.run(this.#end.signal);
    await this.#endpoints.synced(this.#end.signal);
  }

  /** The name server itself: its address, its port, what it was asked. */
  get server(): FakeNameServer {
    return this.#server;
  }

  /** What it shows of a name now, sorted: `priority weight port target.` for SRV, else addresses. */
  lines(name: string, type: MirroredType): readonly string[] {
    return this.#shown.get(`${name} ${type}`)?.lines ?? [];
  }

  /** Reads no DNSEndpoint any more and writes no status, as when external-dns is stopped; what is shown stays. */
  pause(): void {
    this.#paused = true;
  }

  /** Goes on, with what the DNSEndpoints hold by now. */
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    const present = new Map(this.#endpoints.cache.list().map((object) => [keyOf(refOfObject(object)), object]));
    for (const [key, taken] of [...this.#taken]) if (!present.has(key)) this.#changed(taken, true);
    for (const object of present.values()) this.#changed(object, false);
  }

  /** Whether records that are no longer wanted stay beside the new ones, as with external-dns's rfc2136 provider. Switched off, they go. */
  keepOld(keeps: boolean): void {
    this.#keeps = keeps;
    if (keeps) return;
    const kept = [...this.#kept.keys()];
    this.#kept.clear();
    for (const id of kept) this.#show(id);
  }

  /** Shows these lines of a name, whatever is true; undefined: the truth again. */
  lie(name: string, type: MirroredType, lines: readonly string[] | undefined): void {
    if (lines === undefined) this.#lies.delete(`${name} ${type}`);
    else this.#lies.set(`${name} ${type}`, lines);
    this.#show(`${name} ${type}`);
  }

  /** Shows these records of somebody else's beside ours; none: no longer. */
  addForeign(name: string, type: MirroredType, lines: readonly string[]): void {
    this.#foreign.set(`${name} ${type}`, lines);
    this.#show(`${name} ${type}`);
  }

  /** How the server answers: `silent`, `servfail`, … and `answer` again. */
  behave(behaviour: Behaviour): void {
    this.#server.behave(behaviour);
  }

  /** Ends it and frees the port. */
  async stop(): Promise<void> {
    this.#end.abort();
    await this.#running;
    await Promise.all(this.#telling.values());
    await this.#server.close();
  }

  #changed(object: DnsEndpoint, deleted: boolean): void {
    if (this.#paused) return;
    const key = keyOf(refOfObject(object));
    const before = idsOf(this.#taken.get(key));
    const after = deleted ? [] : idsOf(object);
    if (deleted) this.#taken.delete(key);
    else this.#taken.set(key, object);
    for (const id of before) this.#users.get(id)?.delete(key);
    for (const id of after) this.#users.set(id, (this.#users.get(id) ?? new Set()).add(key));
    for (const id of new Set([...before, ...after])) this.#show(id);
    if (!deleted && this.#writesStatus) this.#tellRead(key);
  }

  #show(id: SetId): void {
    const [name, type] = id.split(' ') as [string, MirroredType];
    const before = this.#shown.get(id) ?? NOTHING;
    const now = this.#shownNow(id, before);
    this.#shown.set(id, now);
    const zone = this.#zoneOf(name);
    if (zone === undefined) return;
    const others = (zone[name] ?? []).filter((record) => record.type !== type);
    zone[name] = [...others, ...now.lines.map((line) => recordOf(type, line, now.ttl))];
    if (zone[name].length === 0) delete zone[name];
    if (before.lines.join('\n') !== now.lines.join('\n'))
      this.changes.push({ atMs: performance.now(), name, type, lines: now.lines });
  }

  #shownNow(id: SetId, before: Shown): Shown {
    const wanted = this.#wanted(id);
    const lie = this.#lies.get(id);
    if (lie !== undefined) return { ttl: wanted.ttl, lines: [...lie].sort() };
    const foreign = this.#foreign.get(id) ?? [];
    if (this.#keeps) {
      const kept = this.#kept.get(id) ?? new Set();
      for (const line of before.lines) if (!foreign.includes(line)) kept.add(line);
      this.#kept.set(id, kept);
    }
    return { ttl: wanted.ttl, lines: sorted([...wanted.lines, ...(this.#kept.get(id) ?? []), ...foreign]) };
  }

  /** What the DNSEndpoints want, the oldest one first: of sets with different TTLs external-dns drops one in silence. */
  #wanted(id: SetId): Shown {
    const endpoints = [...(this.#users.get(id) ?? [])].flatMap((key) => this.#taken.get(key) ?? []);
    const sets = endpoints
      .sort((a, b) => (ageOf(a) < ageOf(b) ? -1 : 1))
      .flatMap(({ spec }) => spec?.endpoints ?? [])
      .filter((set) => idOf(set) === id);
    const ttl = sets[0]?.recordTTL ?? NOTHING.ttl;
    return { ttl, lines: sets.filter(({ recordTTL }) => recordTTL === ttl).flatMap(({ targets }) => targets) };
  }

  #zoneOf(name: string): MutableZone | undefined {
    const [zone] = [...this.#zones.keys()]
      .filter((each) => name === each || name.endsWith(`.${each}`))
      .sort((a, b) => b.length - a.length);
    return zone === undefined ? undefined : this.#zones.get(zone);
  }

  #tellRead(key: string): void {
    if (this.#telling.has(key)) return;
    const work = this.#tellUntilKnown(key).finally(() => this.#telling.delete(key));
    this.#telling.set(key, work);
  }

  async #tellUntilKnown(key: string): Promise<void> {
    let told: number | undefined;
    for (;;) {
      const object = this.#taken.get(key);
      const generation = object?.metadata.generation;
      if (object === undefined || this.#paused || this.#end.signal.aborted) return;
      if (generation === object.status?.observedGeneration || generation === told) return;
      try {
        const patch = { status: { observedGeneration: generation } };
        await this.#client.patch(DNS_ENDPOINTS, refOfObject(object), { patch, subresource: 'status' });
        told = generation;
      } catch (error) {
        if (isNotFound(error)) return;
        // The API server is away, or busy: it has to come back before anybody could notice.
        await delay(RETRY_MS);
      }
    }
  }
}

function zoneWithServer(zone: string, address: string): MutableZone {
  const name = `ns1.${zone}`;
  const type = address.includes(':') ? 'AAAA' : 'A';
  return { [zone]: [{ type: 'NS', data: name }], [name]: [{ type, data: address }] };
}

function idOf({ dnsName, recordType }: { readonly dnsName: string; readonly recordType: MirroredType }): SetId {
  return `${dnsName.toLowerCase()} ${recordType}`;
}

function idsOf(object: DnsEndpoint | undefined): SetId[] {
  return [...new Set((object?.spec?.endpoints ?? []).map(idOf))];
}

function ageOf({ metadata }: DnsEndpoint): string {
  return `${metadata.creationTimestamp ?? ''}/${metadata.namespace}/${metadata.name}`;
}

function sorted(lines: readonly string[]): string[] {
  return [...new Set(lines)].sort();
}

function recordOf(type: MirroredType, line: string, ttl: number): FakeRecord {
  if (type !== 'SRV') return { type, ttl, data: line };
  const [priority = '', weight = '', port = '', target = ''] = line.split(' ');
  const data = { priority: Number(priority), weight: Number(weight), port: Number(port) };
  return { type, ttl, data: { ...data, target: target.replace(/\.$/, '') } };
}
