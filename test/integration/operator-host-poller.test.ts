// SPDX-License-Identifier: Apache-2.0
/** The operator asks real hosts: what they say of their configuration, their identity and the pool's counts arrives, and that they are gone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostConfigHash } from '@kmspool/crds';
import { poolIdText } from '@kmspool/kms/wire';
import { Registry } from 'prom-client';
import { createOperatorMetrics } from '../../operator/metrics.ts';
import { directAsk } from '../../operator/pool/host-ask.ts';
import { HostPoller, type PollTarget } from '../../operator/pool/host-poller.ts';
import type { HostReport } from '../../operator/pool/world.ts';
import { activate } from '../harness/expect.ts';
import { hostConfig, secretOf, startTestHost, type TestHost } from '../harness/host.ts';
import { waitFor } from '../harness/wait.ts';

const POOL = 'test/campus';

function targetOf(host: TestHost, changes: Partial<PollTarget> = {}): PollTarget {
  return {
    name: 'campus-0',
    podUid: 'u',
    podName: 'campus-0-x',
    namespace: 'test',
    address: '127.0.0.1',
    wantedConfigHash: host.host.status().configHash,
    ready: true,
    ...changes,
  };
}

async function polling(
  host: TestHost,
  use: (poller: HostPoller, report: () => HostReport | undefined) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const { hostPolls } = createOperatorMetrics(new Registry());
  const poller = new HostPoller({ ask: directAsk(Number(new URL(host.httpUrl).port)), polls: hostPolls });
  const running = poller.run(stop.signal);
  try {
    await use(poller, () => poller.reports(POOL).get('campus-0'));
  } finally {
    stop.abort();
    await running;
    await host.stop();
  }
}

test('a host tells its configuration, its identity and what the pool counts', async () => {
  const host = await startTestHost();
  await polling(host, async (poller, report) => {
    await activate(host);
    // Another wanted configuration keeps the questions coming.
    poller.watch(POOL, [targetOf(host, { wantedConfigHash: 'another' })], poolIdText(host.keys.poolId));
    await waitFor('the count of the pool', () => report()?.answer?.counts[0]?.current === 1);
    const answer = report()?.answer;
    assert.equal(answer?.configHash, hostConfigHash(hostConfig()));
    assert.deepEqual([answer?.poolId, answer?.ready, answer?.reasons], [poolIdText(host.keys.poolId), true, []]);
    assert.deepEqual([answer?.storeKind, answer?.storeState, answer?.storeError], ['memory', 'Available', undefined]);
    assert.deepEqual(
      answer?.counts.map(({ application }) => application),
      ['Windows', 'Office2010', 'Office2013'],
    );
  });
});

test('a host with another key is told from one of the pool, and one that has ended is missed', async () => {
  const host = await startTestHost({ secret: secretOf('two') });
  await polling(host, async (poller, report) => {
    poller.watch(POOL, [targetOf(host)], '6f1c2d3e-0000-4000-8000-000000000000');
    await waitFor('a report', () => report() !== undefined);
    assert.match(report()?.error ?? '', /^another host answers at 127\.0\.0\.1: its pool has the identity /);
    await host.stop();
    await waitFor('the host to be missed', () => report()?.error === '127.0.0.1 cannot be asked: ECONNREFUSED');
  });
});
