// SPDX-License-Identifier: Apache-2.0
//
// One question to one name server, by UDP or TCP, and what it says: records with their TTL, which node's own resolver does not tell for SRV. It follows no alias.

import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import { decode, encode, type Packet } from 'dns-packet';
import type { NameServer } from '../net/index.ts';

export interface SrvSeen {
  readonly target: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
  readonly ttlSeconds: number;
}

/** `problem`: there is no answer at all. */
export type ServerAnswer =
  | { readonly kind: 'records'; readonly records: readonly SrvSeen[]; readonly authoritative: boolean }
  | { readonly kind: 'none'; readonly rcode: string }
  | { readonly kind: 'problem'; readonly reason: string };

export interface Asking {
  readonly server: NameServer;
  readonly name: string;
  readonly type: 'SRV' | 'A' | 'AAAA' | 'NS' | 'SOA' | 'CNAME';
  readonly timeoutMs: number;
  readonly transport?: 'udp' | 'tcp';
  /** 0…65535, not to be guessed. */
  readonly id: number;
}

/** Flag AA (RFC 1035 4.1.1). */
const AUTHORITATIVE = 0x0400;

/** The decoded message. @throws Error in few words */
export async function query(asking: Asking): Promise<Packet> {
  const { name, type, id, transport = 'udp' } = asking;
  const message = encode({ type: 'query', id, flags: 0x0100, questions: [{ type, name, class: 'IN' }] });
  const answer = transport === 'udp' ? await byUdp(asking, message) : await byTcp(asking, message);
  // Too long for a datagram.
  return answer.flag_tc && transport === 'udp' ? byTcp(asking, message) : answer;
}

/** SRV records, or why there are none. Never rejects. */
export async function askSrv(asking: Omit<Asking, 'type'>): Promise<ServerAnswer> {
  try {
    const packet = await query({ ...asking, type: 'SRV' });
    const records = (packet.answers ?? []).flatMap((answer): SrvSeen[] => {
      if (answer.type !== 'SRV') return [];
      const { target, port, priority = 0, weight = 0 } = answer.data;
      return [{ target: plain(target), port, priority, weight, ttlSeconds: answer.ttl ?? 0 }];
    });
    const rcode = rcodeOf(packet);
    if (records.length > 0)
      return { kind: 'records', records, authoritative: ((packet.flags ?? 0) & AUTHORITATIVE) !== 0 };
    return { kind: 'none', rcode: rcode === 'NOERROR' ? 'NODATA' : rcode };
  } catch (error) {
    return { kind: 'problem', reason: error instanceof Error ? error.message : String(error) };
  }
}

/** Texts of the records of a type, such as addresses or names of servers; empty when there are none or no answer. */
export async function askTexts(asking: Asking): Promise<readonly string[]> {
  const packet = await query(asking).catch(() => undefined);
  return (packet?.answers ?? []).flatMap((answer) =>
    answer.type === asking.type && 'data' in answer && typeof answer.data === 'string' ? [plain(answer.data)] : [],
  );
}

function rcodeOf(packet: Packet): string {
  return 'rcode' in packet && typeof packet.rcode === 'string' ? packet.rcode : 'NOERROR';
}

function plain(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}

function byUdp({ server, timeoutMs, id }: Asking, message: Buffer): Promise<ReturnType<typeof decode>> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(isIPv6(server.address) ? 'udp6' : 'udp4');
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      socket.close();
      settle();
    };
    const timer = setTimeout(() => end(() => reject(new Error(`no answer within ${timeoutMs} ms`))), timeoutMs);
    socket.once('error', (error) => end(() => reject(wordsOf(error))));
    socket.on('message', (bytes) => {
      const answer = read(bytes, id);
      if (answer !== undefined) end(() => resolve(answer));
    });
    socket.once('connect', () => socket.send(message));
    socket.connect(server.port, server.address);
  });
}

function byTcp({ server, timeoutMs, id }: Asking, message: Buffer): Promise<ReturnType<typeof decode>> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: server.address, port: server.port });
    let received = Buffer.alloc(0);
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      socket.destroy();
      settle();
    };
    const timer = setTimeout(() => end(() => reject(new Error(`no answer within ${timeoutMs} ms`))), timeoutMs);
    socket.on('error', (error) => end(() => reject(wordsOf(error))));
    socket.once('close', () => end(() => reject(new Error('the connection was closed without an answer'))));
    socket.on('data', (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      const answer = read(received.subarray(2, 2 + received.readUInt16BE(0)), id);
      end(() => (answer === undefined ? reject(new Error('what came back is no DNS answer')) : resolve(answer)));
    });
    const length = Buffer.alloc(2);
    length.writeUInt16BE(message.length);
    socket.write(Buffer.concat([length, message]));
  });
}

function read(bytes: Buffer, id: number): ReturnType<typeof decode> | undefined {
  try {
    const packet = decode(bytes);
    return packet.id === id && packet.type === 'response' ? packet : undefined;
  } catch {
    return undefined;
  }
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'no route to the network',
  ECONNRESET: 'the connection was reset',
};

function wordsOf(error: Error): Error {
  const code = 'code' in error ? String(error.code) : '';
  return new Error(WORDS[code] ?? error.message);
}
