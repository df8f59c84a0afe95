// SPDX-License-Identifier: Apache-2.0
//
// The DNS server on real sockets, asked by node:dns (c-ares) and by hand-made packets.

import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { decode, encode, type Packet, RECURSION_DESIRED } from 'dns-packet';
import { type DnsServer, startDnsServer } from './dns-server.ts';
import { buildZones, type Zone } from './zone.ts';

const DEADLINE_MS = 5_000;

const zonesOf = (hostCount: number): Zone[] =>
  buildZones({
    pool: 'campus',
    namespace: 'kms',
    domains: [
      {
        name: 'lab.example',
        ttlSeconds: 60,
        tiers: [
          { hosts: 2, priority: 0, weight: 60 },
          { priority: 10, weight: 0 },
        ],
      },
      { name: 'branch.example', ttlSeconds: 30, priority: 10, weight: 5 },
    ],
    hosts: Array.from({ length: hostCount }, (_, ordinal) => ({
      ordinal,
      port: 1688,
      addresses: [`127.0.16.${ordinal + 1}`, `fd00::${ordinal + 1}`],
    })),
    nameserverAddress: '127.0.0.1',
    serial: 7,
  });

describe('the DNS server', () => {
  let server: DnsServer;
  let resolver: Resolver;

  before(async () => {
    server = await startDnsServer({ address: '127.0.0.1', port: 0, zones: zonesOf(3) });
    resolver = new Resolver({ timeout: 1_000, tries: 3 });
    resolver.setServers([`127.0.0.1:${server.port}`]);
  });
  after(() => server.close());

  test('S3-21 S3-62 S2-23 answers SRV with priority and weight by ordinal', async () => {
    const records = (await resolver.resolveSrv('_vlmcs._tcp.lab.example')).sort((a, b) => a.name.localeCompare(b.name));
    assert.deepEqual(
      records.map(({ name, port, priority, weight }) => [name, port, priority, weight]),
      [
        ['campus-0.kms.lab.example', 1688, 0, 60],
        ['campus-1.kms.lab.example', 1688, 0, 60],
        ['campus-2.kms.lab.example', 1688, 10, 0],
      ],
    );
  });

  test('S2-33 answers each domain with its own ranks and the same hosts', async () => {
    const records = await resolver.resolveSrv('_vlmcs._tcp.branch.example');
    assert.equal(records.length, 3);
    assert.ok(
      records.every(
        ({ priority, weight, name }) => priority === 10 && weight === 5 && name.endsWith('.kms.lab.example'),
      ),
    );
  });

  test('S2-36 answers A and AAAA of the hosts', async () => {
    assert.deepEqual(await resolver.resolve4('campus-1.kms.lab.example'), ['127.0.16.2']);
    assert.deepEqual(await resolver.resolve6('campus-1.kms.lab.example'), ['fd00::2']);
  });

  test('answers SOA and NS of a zone, and the address of its name server', async () => {
    assert.deepEqual(await resolver.resolveNs('lab.example'), ['ns.lab.example']);
    const soa = await resolver.resolveSoa('branch.example');
    assert.deepEqual(
      [soa.nsname, soa.hostmaster, soa.serial, soa.minttl],
      ['ns.branch.example', 'hostmaster.branch.example', 7, 30],
    );
    assert.deepEqual(await resolver.resolve4('ns.lab.example'), ['127.0.0.1']);
  });

  test('S2-16 answers type ANY with every record of the name', async () => {
    const answer = await ask(server, question('_vlmcs._tcp.lab.example', 'ANY'));
    assert.equal(answer.answers?.length, 3);
  });

  test('does not care about case, and gives the name back as it was asked', async () => {
    const answer = await ask(server, question('_VLMCS._Tcp.LAB.example', 'SRV'));
    assert.equal(answer.questions?.[0]?.name, '_VLMCS._Tcp.LAB.example');
    assert.ok(answer.answers?.every(({ name }) => name === '_VLMCS._Tcp.LAB.example'));
  });

  test('puts the addresses of SRV targets into the additional section', async () => {
    const edns = {
      name: '.',
      type: 'OPT' as const,
      udpPayloadSize: 1232,
      extendedRcode: 0,
      ednsVersion: 0,
      flags: 0,
      flag_do: false,
      options: [],
    };
    const answer = await ask(server, { ...question('_vlmcs._tcp.lab.example', 'SRV'), additionals: [edns] });
    const addresses = answer.additionals
      ?.filter(({ type }) => type !== 'OPT')
      .map((record) => 'data' in record && record.data);
    assert.deepEqual(addresses, ['127.0.16.1', 'fd00::1', '127.0.16.2', 'fd00::2', '127.0.16.3', 'fd00::3']);
  });

  test('S4-07 says NXDOMAIN for a name that is not there, with SOA for the negative cache', async () => {
    const answer = await ask(server, question('nobody.lab.example', 'A'));
    assert.deepEqual([rcode(answer), answer.authorities?.[0]?.type, answer.answers?.length], [3, 'SOA', 0]);
    await assert.rejects(resolver.resolveSrv('_vlmcs._tcp.nobody.lab.example'), { code: 'ENOTFOUND' });
  });

  test('S4-08 says NODATA for a name without records of that type, also where only longer names have records', async () => {
    for (const name of ['campus-0.kms.lab.example', '_tcp.lab.example', 'kms.lab.example', 'lab.example']) {
      const answer = await ask(server, question(name, 'SRV'));
      assert.deepEqual([name, rcode(answer), answer.authorities?.[0]?.type], [name, 0, 'SOA']);
    }
    await assert.rejects(resolver.resolveSrv('campus-0.kms.lab.example'), { code: 'ENODATA' });
  });

  test('refuses names outside its zones, transfers and other classes', async () => {
    assert.equal(rcode(await ask(server, question('example.org', 'A'))), 5);
    assert.equal(rcode(await ask(server, question('lab.example', 'AXFR'))), 5);
    assert.equal(
      rcode(
        await ask(server, {
          ...question('lab.example', 'SOA'),
          questions: [{ name: 'lab.example', type: 'SOA', class: 'CH' }],
        }),
      ),
      5,
    );
  });

  test('answers over TCP, several questions on one connection', async () => {
    const answers = await askTcp(server.port, [
      question('lab.example', 'SOA'),
      question('campus-2.kms.lab.example', 'A'),
    ]);
    assert.deepEqual(
      answers.map((answer) => answer.answers?.[0]?.type),
      ['SOA', 'A'],
    );
  });

  test('truncates what does not fit a datagram, and the resolver gets it over TCP', async () => {
    server.update(zonesOf(40));
    try {
      const truncated = await ask(server, question('_vlmcs._tcp.lab.example', 'SRV'));
      assert.deepEqual([truncated.flag_tc, truncated.answers?.length], [true, 0]);
      assert.equal((await resolver.resolveSrv('_vlmcs._tcp.lab.example')).length, 40);
    } finally {
      server.update(zonesOf(3));
    }
  });

  test('leaves out additional records that do not fit, without calling it truncation', async () => {
    server.update(zonesOf(5));
    try {
      const answer = await ask(server, question('_vlmcs._tcp.lab.example', 'SRV'));
      assert.deepEqual([answer.flag_tc, answer.answers?.length, answer.additionals?.length], [false, 5, 0]);
    } finally {
      server.update(zonesOf(3));
    }
  });

  test('survives malformed packets and says FORMERR or NOTIMP where a header is there', async () => {
    const good = encode(question('lab.example', 'SOA'));
    const pointerLoop = Buffer.concat([good.subarray(0, 12), Buffer.from([0xc0, 0x0c, 0, 6, 0, 1])]);
    const manyQuestions = Buffer.from(good);
    manyQuestions.writeUInt16BE(65_535, 4);
    const dottedLabel = Buffer.concat([good.subarray(0, 12), Buffer.from('\x0blab.example\0\0\x06\0\x01', 'latin1')]);
    const notAscii = Buffer.concat([good.subarray(0, 12), Buffer.from('\x03\xff\xfe\xfd\0\0\x06\0\x01', 'latin1')]);
    for (const bad of [pointerLoop, manyQuestions, good.subarray(0, 20), good.subarray(0, 12), dottedLabel, notAscii]) {
      assert.equal((await askBytes(server.port, bad)).readUInt8(3) & 0x0f, 1, bad.toString('hex'));
    }
    const update = Buffer.from(good);
    update.writeUInt8(5 << 3, 2);
    assert.equal((await askBytes(server.port, update)).readUInt8(3) & 0x0f, 4);
    assert.equal(rcode(await ask(server, question('lab.example', 'SOA'))), 0);
  });

  test('never answers an answer or a packet without a header', async () => {
    const socket = createSocket('udp4');
    const seen: Buffer[] = [];
    socket.on('message', (message) => seen.push(message));
    const answer = encode({ ...question('lab.example', 'SOA'), type: 'response', id: 1 });
    socket.send(answer, server.port, '127.0.0.1');
    socket.send(Buffer.from('short'), server.port, '127.0.0.1');
    // The server answers in order of arrival: once this reply is here, the two before it would be as well.
    socket.send(encode({ ...question('lab.example', 'SOA'), id: 2 }), server.port, '127.0.0.1');
    await once(socket, 'message', { signal: AbortSignal.timeout(DEADLINE_MS) });
    socket.close();
    assert.deepEqual(
      seen.map((message) => message.readUInt16BE(0)),
      [2],
    );
  });

  test('answers BADVERS to a newer EDNS', async () => {
    const edns = {
      name: '.',
      type: 'OPT' as const,
      udpPayloadSize: 1232,
      extendedRcode: 0,
      ednsVersion: 1,
      flags: 0,
      flag_do: false,
      options: [],
    };
    const answer = await ask(server, { ...question('lab.example', 'SOA'), additionals: [edns] });
    const opt = answer.additionals?.find(({ type }) => type === 'OPT');
    assert.equal(opt?.type === 'OPT' && opt.extendedRcode, 1);
  });
});

test('the DNS server listens on loopback only', async () => {
  await assert.rejects(startDnsServer({ address: '0.0.0.0', port: 0, zones: [] }), RangeError);
});

test('a zone below another zone answers for itself', () => {
  const zones = buildZones({
    pool: 'p',
    namespace: 'n',
    domains: [
      { name: 'lab.example', ttlSeconds: 1 },
      { name: 'sub.lab.example', ttlSeconds: 1 },
    ],
    hosts: [{ ordinal: 0, port: 1688, addresses: ['127.0.0.1'] }],
    nameserverAddress: '127.0.0.1',
    serial: 1,
  });
  const inParent = zones[0]?.names.has('_vlmcs._tcp.sub.lab.example');
  const inChild = zones[1]?.names.has('_vlmcs._tcp.sub.lab.example');
  assert.deepEqual([inParent, inChild], [false, true]);
});

type QuestionType = 'A' | 'SRV' | 'SOA' | 'ANY' | 'AXFR';

function question(name: string, type: QuestionType): Packet {
  // @types/dns-packet leaves out ANY, which the codec knows.
  return { type: 'query', id: 4711, flags: RECURSION_DESIRED, questions: [{ name, type: type as 'A' }] };
}

type Answered = ReturnType<typeof decode>;

const rcode = (answer: Answered): number => (answer.flags ?? 0) & 0x0f;

async function ask(server: DnsServer, packet: Packet): Promise<Answered> {
  return decode(await askBytes(server.port, encode(packet)));
}

async function askBytes(port: number, bytes: Buffer): Promise<Buffer> {
  const socket = createSocket('udp4');
  try {
    socket.send(bytes, port, '127.0.0.1');
    const [message] = await once(socket, 'message', { signal: AbortSignal.timeout(DEADLINE_MS) });
    return message as Buffer;
  } finally {
    socket.close();
  }
}

async function askTcp(port: number, packets: readonly Packet[]): Promise<Answered[]> {
  const socket = connect({ host: '127.0.0.1', port });
  const messages = packets.map((packet) => encode(packet));
  for (const message of messages) {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(message.length);
    socket.write(length); // apart from the message, so that the server has to put them together
    socket.write(message);
  }
  let bytes = Buffer.alloc(0);
  const answers: Answered[] = [];
  for await (const chunk of socket) {
    bytes = Buffer.concat([bytes, chunk]);
    while (bytes.length >= 2 && bytes.length >= 2 + bytes.readUInt16BE(0)) {
      answers.push(decode(bytes.subarray(2, 2 + bytes.readUInt16BE(0))));
      bytes = bytes.subarray(2 + bytes.readUInt16BE(0));
    }
    if (answers.length === packets.length) break;
  }
  socket.destroy();
  return answers;
}
