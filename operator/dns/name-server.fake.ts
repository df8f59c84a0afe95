// SPDX-License-Identifier: Apache-2.0

// For tests: a name server over real UDP and TCP on loopback, for zones given as data, that can be told to misbehave. With recursion asked for it
// answers just the same, so it also stands in for a resolver. It knows no delegation: whoever needs a referral tells it to refer.
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import {
  type Answer,
  AUTHORITATIVE_ANSWER,
  type DecodedPacket,
  decode,
  encode,
  type Packet,
  TRUNCATED_RESPONSE,
} from 'dns-packet';

/** One record; its name is the key under which it stands. TTL 60 unless it says another. */
export type FakeRecord =
  | {
      readonly type: 'SRV';
      readonly ttl?: number;
      readonly data: { priority: number; weight: number; port: number; target: string };
    }
  | { readonly type: 'A' | 'AAAA' | 'NS' | 'CNAME'; readonly ttl?: number; readonly data: string };

/** Records by full name, lower case, without the root's dot; by apex, the root's being `.`. Every zone has a SOA record by itself. */
export type FakeZones = Readonly<Record<string, Readonly<Record<string, readonly FakeRecord[]>>>>;

/** How the server behaves; a function answers by itself (undefined: not at all). */
export type Behaviour =
  | 'answer'
  | 'silent'
  | 'silentByUdp'
  | 'refuse'
  | 'servfail'
  | 'truncate'
  | 'referUpwards'
  | 'withoutEdns'
  | 'notAuthoritative'
  | 'garbage'
  | 'wrongId'
  | 'otherQuestion'
  | ((query: DecodedPacket, transport: 'udp' | 'tcp') => Buffer | undefined);

/** A question that came in. */
export interface SeenQuestion {
  readonly name: string;
  readonly type: string;
  readonly transport: 'udp' | 'tcp';
  readonly recursionDesired: boolean;
  readonly edns: boolean;
}

/** A running name server. */
export interface FakeNameServer {
  readonly address: string;
  readonly port: number;
  /** Oldest first. */
  readonly seen: SeenQuestion[];
  /** Answers from these zones from now on. */
  serve(zones: FakeZones): void;
  behave(behaviour: Behaviour): void;
  close(): Promise<void>;
}

/** Starts a server. @param options address 127.0.0.1 and a free port unless given. */
export async function startNameServer(
  options: { readonly zones?: FakeZones; readonly address?: string; readonly port?: number } = {},
): Promise<FakeNameServer> {
  const address = options.address ?? '127.0.0.1';
  const state = { zones: options.zones ?? {}, behaviour: 'answer' as Behaviour, seen: [] as SeenQuestion[] };
  const answer = (bytes: Buffer, transport: 'udp' | 'tcp'): Buffer | undefined => {
    const query = decode(bytes);
    const question = query.questions?.[0];
    const edns = query.additionals?.some(({ type }) => type === 'OPT') === true;
    state.seen.push({
      name: question?.name ?? '',
      type: question?.type ?? '',
      transport,
      recursionDesired: query.flag_rd,
      edns,
    });
    return behaved(state.behaviour, { query, zones: state.zones, transport, edns });
  };
  const connections = new Set<Socket>();
  const tcp = streamServer((bytes) => answer(bytes, 'tcp'), connections);
  const udp = await listen(tcp, { address, port: options.port ?? 0 });
  udp.on('message', (bytes, peer) => {
    const reply = answer(bytes, 'udp');
    if (reply !== undefined) udp.send(reply, peer.port, peer.address, () => undefined);
  });
  return {
    address,
    port: udp.address().port,
    seen: state.seen,
    serve: (zones) => {
      state.zones = zones;
    },
    behave: (behaviour) => {
      state.behaviour = behaviour;
    },
    close: async () => {
      for (const connection of connections) connection.destroy();
      await Promise.all([
        new Promise<void>((resolve) => udp.close(() => resolve())),
        new Promise<void>((resolve) => tcp.close(() => resolve())),
      ]);
    },
  };
}

interface Asked {
  readonly query: DecodedPacket;
  readonly zones: FakeZones;
  readonly transport: 'udp' | 'tcp';
  readonly edns: boolean;
}

function behaved(behaviour: Behaviour, asked: Asked): Buffer | undefined {
  const { query, zones, transport, edns } = asked;
  if (typeof behaviour === 'function') return behaviour(query, transport);
  switch (behaviour) {
    case 'silent':
      return undefined;
    case 'silentByUdp':
      return transport === 'udp' ? undefined : encode(lookup(query, zones));
    case 'refuse':
      return encode(response(query, { rcode: 5 }));
    case 'servfail':
      return encode(response(query, { rcode: 2 }));
    case 'truncate':
      return transport === 'tcp'
        ? encode(lookup(query, zones))
        : encode(response(query, { flags: TRUNCATED_RESPONSE }));
    case 'referUpwards':
      return encode(response(query, { authorities: [{ name: '.', type: 'NS', ttl: 60, data: 'a.root.example' }] }));
    case 'withoutEdns':
      return encode(edns ? { type: 'response', id: query.id, flags: 1 } : lookup(query, zones));
    case 'notAuthoritative': {
      const whole = lookup(query, zones);
      return encode({ ...whole, flags: (whole.flags ?? 0) & ~AUTHORITATIVE_ANSWER });
    }
    case 'garbage':
      return Buffer.concat([encode(lookup(query, zones)).subarray(0, 14), Buffer.alloc(40, 0xc0)]);
    case 'wrongId':
      return encode({ ...lookup(query, zones), id: ((query.id ?? 0) + 1) & 0xffff });
    case 'otherQuestion':
      return encode({ ...lookup(query, zones), questions: [{ name: 'other.example', type: 'SRV' }] });
    default:
      return encode(lookup(query, zones));
  }
}

/** An answer to `query`: made by hand by tests that lie. */
export function response(
  query: DecodedPacket,
  parts: {
    readonly rcode?: number;
    readonly flags?: number;
    readonly answers?: Answer[];
    readonly authorities?: Answer[];
  },
): Packet {
  return {
    type: 'response',
    ...(query.id === undefined ? {} : { id: query.id }),
    flags: (parts.flags ?? 0) | (parts.rcode ?? 0),
    questions: query.questions ?? [],
    answers: parts.answers ?? [],
    authorities: parts.authorities ?? [],
  };
}

function lookup(query: DecodedPacket, zones: FakeZones): Packet {
  const question = query.questions?.[0];
  const name = question?.name.toLowerCase() ?? '';
  const apex = Object.keys(zones)
    .filter((zone) => zone === '.' || name === zone || name.endsWith(`.${zone}`))
    .sort((a, b) => b.length - a.length)[0];
  if (question === undefined || apex === undefined) return response(query, { rcode: 5 });
  const zone = zones[apex] ?? {};
  const answers = name === apex && question.type === 'SOA' ? [soaOf(apex)] : recordsOf(zone, name, question.type);
  const exists = name === apex || Object.keys(zone).some((other) => other === name || other.endsWith(`.${name}`));
  const rcode = exists || answers.length > 0 ? 0 : 3;
  const authorities = answers.length === 0 ? [soaOf(apex)] : [];
  return response(query, { rcode, flags: AUTHORITATIVE_ANSWER, answers, authorities });
}

/** Records of the type, with the aliases that lead to them. */
function recordsOf(zone: FakeZones[string], name: string, type: string): Answer[] {
  const here = zone[name] ?? [];
  const alias = here.find((record) => record.type === 'CNAME');
  const found = here.filter((record) => record.type === type).map((record) => ({ name, ttl: 60, ...record }) as Answer);
  if (alias === undefined || type === 'CNAME') return found;
  return [{ name, ttl: 60, ...alias } as Answer, ...recordsOf(zone, String(alias.data).toLowerCase(), type)];
}

function soaOf(apex: string): Answer {
  const data = {
    mname: `ns.${apex}`,
    rname: `hostmaster.${apex}`,
    serial: 1,
    refresh: 900,
    retry: 60,
    expire: 86_400,
    minimum: 30,
  };
  return { name: apex, type: 'SOA', ttl: 60, data };
}

function streamServer(answer: (bytes: Buffer) => Buffer | undefined, connections: Set<Socket>): Server {
  return createServer((socket) => {
    connections.add(socket);
    socket.on('close', () => connections.delete(socket));
    socket.on('error', () => undefined);
    let pending: Buffer = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk]);
      while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
        const end = 2 + pending.readUInt16BE(0);
        const reply = answer(pending.subarray(2, end));
        pending = pending.subarray(end);
        if (reply === undefined) continue;
        const length = Buffer.alloc(2);
        length.writeUInt16BE(reply.length);
        socket.write(Buffer.concat([length, reply]));
      }
    });
  });
}

/** Binds both to one port; a free one for UDP may be taken for TCP, then another is tried. */
async function listen(tcp: Server, { address, port }: { address: string; port: number }): Promise<UdpSocket> {
  for (let tries = 1; ; tries++) {
    const udp = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    udp.bind({ address, port, exclusive: true });
    await once(udp, 'listening');
    try {
      tcp.listen({ host: address, port: udp.address().port, exclusive: true });
      await once(tcp, 'listening');
      return udp;
    } catch (error) {
      udp.close();
      if (port !== 0 || tries >= 20) throw error;
    }
  }
}
