// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { startFakeApiServer } from '../runtime/api-server.fake.ts';
import { hostStatus, statusReply } from './host-ask.fake.ts';
import {
  type Ask,
  directAsk,
  type Expected,
  MAX_STATUS_BYTES,
  type Outcome,
  proxyAsk,
  readFailure,
  readReply,
} from './host-ask.ts';
import type { PollTarget } from './host-schedule.ts';

const TARGET: PollTarget = {
  name: 'campus-0',
  podUid: 'u',
  podName: 'campus-0-abc',
  namespace: 'kms',
  address: '127.0.0.1',
  wantedConfigHash: 'new',
  ready: true,
};
const EXPECTED: Expected = { target: TARGET, pool: 'campus', poolId: hostStatus().poolId };
const never = new AbortController().signal;

function errorOf(outcome: Outcome): string {
  assert.ok(outcome.result !== 'answered');
  return `${outcome.result}: ${outcome.error}`;
}

/** What happens when a host is asked: its answer as it is read, or why there is none. */
async function ask(way: Ask, target: PollTarget = TARGET, signal: AbortSignal = never): Promise<Outcome> {
  const expected = { ...EXPECTED, target };
  return way(target, signal).then(
    (reply) => readReply(reply, expected),
    (error: unknown) => readFailure(error, target),
  );
}

describe('readReply', () => {
  test('keeps what the operator uses of a status', () => {
    const reply = statusReply({ storeState: 'LastKnown', lastError: 'gone', ready: false, current: 26 });
    assert.deepEqual(readReply(reply, EXPECTED), {
      result: 'answered',
      answer: {
        configHash: 'new',
        poolId: hostStatus().poolId,
        version: '0.1.0',
        ready: false,
        reasons: ['the store has not answered yet'],
        storeKind: 'redis',
        storeState: 'LastKnown',
        storeError: 'gone',
        counts: [
          { application: 'Windows', current: 26, cap: 50, thresholds: [{ name: 'Client', required: 25, met: true }] },
        ],
      },
    });
  });

  test('a host that is newer or older is understood as long as what is used is there', () => {
    const { totals, hostPid, startedAt, ...rest } = hostStatus();
    const other = { ...rest, apiVersion: 'kmspool.io/v2', mode: 'Relay', newField: 1 };
    assert.equal(readReply({ status: 200, body: JSON.stringify(other) }, EXPECTED).result, 'answered');
  });

  test('another pool, another host and another identity are another host', () => {
    const said = (changes: Parameters<typeof statusReply>[0]): string =>
      errorOf(readReply(statusReply(changes), EXPECTED));
    const at = 'foreign: another host answers at 127.0.0.1:';
    assert.equal(said({ pool: 'branch' }), `${at} it is of pool kms/branch`);
    assert.equal(said({ namespace: 'other' }), `${at} it is of pool other/campus`);
    assert.equal(said({ host: 'campus-1' }), `${at} it is campus-1, not campus-0`);
    assert.equal(said({ poolId: 'x' }), `${at} its pool has the identity x, not ${EXPECTED.poolId}`);
    const unknown = { ...EXPECTED, poolId: undefined };
    assert.equal(readReply(statusReply({ poolId: 'x' }), unknown).result, 'answered');
  });

  test('what is no status is told', () => {
    const said = (status: number, body: string): string => errorOf(readReply({ status, body }, EXPECTED));
    assert.equal(said(503, ''), 'invalid: 127.0.0.1 answers /status with HTTP 503');
    assert.equal(said(200, '<html>'), 'invalid: 127.0.0.1 answers /status with something else: no HostStatus');
    const broken = JSON.stringify({ ...hostStatus(), configHash: 7 });
    assert.match(said(200, broken), /configHash is missing or not as known$/);
  });

  test('whatever a body holds, there is an outcome of one line', () => {
    const status = fc.constantFrom(200, 200, 404);
    const body = fc.oneof(
      fc.string(),
      fc.json(),
      fc
        .record({ kind: fc.constant('HostStatus'), pool: fc.anything(), host: fc.anything(), store: fc.anything() })
        .map((one) => JSON.stringify(one) ?? ''),
    );
    fc.assert(
      fc.property(status, body, (code, text) => {
        assert.doesNotMatch(errorOf(readReply({ status: code, body: text }, EXPECTED)), /\n/);
      }),
    );
  });
});

describe('at the address of the Pod', () => {
  async function withHost(
    listener: RequestListener,
    use: (port: number) => Promise<void>,
    address = '127.0.0.1',
  ): Promise<void> {
    const server: Server = createServer(listener);
    server.listen(0, address);
    await once(server, 'listening');
    try {
      await use((server.address() as AddressInfo).port);
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  test('a host answers; the connection does not stay open', async () => {
    const seen: (string | undefined)[] = [];
    await withHost(
      (request, response) => {
        seen.push(request.method, request.url, request.headers.connection);
        response.end(statusReply().body);
      },
      async (port) => {
        assert.equal((await ask(directAsk(port))).result, 'answered');
        assert.deepEqual(seen, ['GET', '/status', 'close']);
      },
    );
  });

  const noIpv6 =
    !Object.values(networkInterfaces())
      .flat()
      .some((one) => one?.address === '::1') && 'no ::1 here';
  test('by IPv6', { skip: noIpv6 }, async () => {
    const answer: RequestListener = (_request, response) => response.end(statusReply().body);
    await withHost(
      answer,
      async (port) => {
        assert.equal((await ask(directAsk(port), { ...TARGET, address: '::1' })).result, 'answered');
      },
      '::1',
    );
  });

  test('one that sends without end is cut off', async () => {
    let sent = 0;
    await withHost(
      (_request, response) => {
        const chunk = 'x'.repeat(16_384);
        const more = (): void => {
          while (!response.destroyed && response.write(chunk)) sent += chunk.length;
        };
        response.on('drain', more);
        more();
      },
      async (port) => {
        const outcome = await ask(directAsk(port));
        assert.equal(
          errorOf(outcome),
          'unreachable: 127.0.0.1 cannot be asked: it answers with more than 256 KiB, which no host does',
        );
        assert.ok(sent < 100 * MAX_STATUS_BYTES);
      },
    );
  });

  test('nobody there, and one who hangs up in the middle', async () => {
    let free = 0;
    await withHost(
      (_request, response) => {
        response.writeHead(200, { 'content-length': 1000 });
        response.write('{');
        setImmediate(() => response.destroy());
      },
      async (port) => {
        free = port;
        assert.equal(errorOf(await ask(directAsk(port))), 'unreachable: 127.0.0.1 cannot be asked: ECONNRESET');
      },
    );
    assert.equal(errorOf(await ask(directAsk(free))), 'unreachable: 127.0.0.1 cannot be asked: ECONNREFUSED');
  });

  test('the signal ends it', async () => {
    const stop = new AbortController();
    await withHost(
      () => stop.abort(),
      async (port) => {
        assert.equal((await ask(directAsk(port), TARGET, stop.signal)).result, 'unreachable');
      },
    );
  });
});

describe('through the API server', () => {
  test('a host answers', async () => {
    await using server = await startFakeApiServer();
    server.handle((_, reply) => reply.json(hostStatus()));
    assert.equal((await ask(proxyAsk(server.client()))).result, 'answered');
    assert.deepEqual(
      server.asked('GET').map(({ path }) => path),
      ['/api/v1/namespaces/kms/pods/campus-0-abc:8080/proxy/status'],
    );
  });

  test('what the API server says is told, without what changes each time', async () => {
    await using server = await startFakeApiServer();
    const message = 'error trying to reach service: read tcp 10.0.0.2:41234->10.0.0.9:8080: connection reset by peer';
    server.handle((_, reply) => reply.json({ kind: 'Status', code: 503, reason: 'ServiceUnavailable', message }, 503));
    const said = errorOf(await ask(proxyAsk(server.client())));
    assert.match(
      said,
      /^unreachable: 127\.0\.0\.1 cannot be asked: the API server says: .*503 ServiceUnavailable: error trying/,
    );
    assert.match(said, /read tcp 10\.0\.0\.9:8080: connection reset by peer$/);
  });

  test('an error of the host itself and an answer that is no JSON are no status', async () => {
    await using server = await startFakeApiServer();
    const client = server.client();
    server.handle((_, { response }) => response.writeHead(500).end('{"error":"x"}'));
    assert.equal(errorOf(await ask(proxyAsk(client))), 'invalid: 127.0.0.1 answers /status with HTTP 500');
    server.handle((_, { response }) => response.end('<html>'));
    assert.match(errorOf(await ask(proxyAsk(client))), /^invalid: .*no HostStatus$/);
    server.handle((_, { response }) => response.end());
    assert.match(errorOf(await ask(proxyAsk(client))), /^invalid: .*no HostStatus$/);
  });
});
