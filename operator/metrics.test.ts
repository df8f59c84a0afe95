// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KmsHostPoolStatus } from '@kmspool/crds';
import { Registry } from 'prom-client';
import { createOperatorMetrics, type OperatorMetrics } from './metrics.ts';
import { VERSION } from './version.ts';

const CAMPUS = { namespace: 'kms', name: 'campus' };
const BRANCH = { namespace: 'kms', name: 'branch' };

function rig(): { metrics: OperatorMetrics; lines: (beginning: string) => Promise<string[]> } {
  const registry = new Registry();
  const metrics = createOperatorMetrics(registry);
  return {
    metrics,
    lines: async (beginning) =>
      (await registry.metrics())
        .split('\n')
        .filter((line) => line.startsWith(beginning))
        .sort(),
  };
}

const condition = (type: string, status: 'True' | 'False' | 'Unknown') => ({
  type,
  status,
  reason: 'R',
  message: '',
  lastTransitionTime: '2026-01-01T00:00:00Z',
});

const status = (ready: 'True' | 'False' | 'Unknown', more: Partial<KmsHostPoolStatus> = {}): KmsHostPoolStatus => ({
  readyReplicas: 2,
  conditions: [condition('Ready', ready)],
  ...more,
});

const dns = (domain: string, desired: number, observed: number) => ({
  domain,
  record: `_vlmcs._tcp.${domain}`,
  desired,
  observed,
});

test('a pool shows its hosts, its records and one 1 for each condition', async () => {
  const { metrics, lines } = rig();
  metrics.observePool(CAMPUS, {
    wantedHosts: 3,
    status: status('True', {
      conditions: [condition('Ready', 'True'), condition('DnsPublished', 'Unknown')],
      dns: [dns('lab.example', 3, 2)],
    }),
    foreignRecords: new Map([['lab.example', 1]]),
  });
  const pool = 'namespace="kms",pool="campus"';
  assert.deepEqual(await lines('kmspool_pool_condition{'), [
    `kmspool_pool_condition{${pool},type="DnsPublished",status="False"} 0`,
    `kmspool_pool_condition{${pool},type="DnsPublished",status="True"} 0`,
    `kmspool_pool_condition{${pool},type="DnsPublished",status="Unknown"} 1`,
    `kmspool_pool_condition{${pool},type="Ready",status="False"} 0`,
    `kmspool_pool_condition{${pool},type="Ready",status="True"} 1`,
    `kmspool_pool_condition{${pool},type="Ready",status="Unknown"} 0`,
  ]);
  assert.deepEqual(await lines('kmspool_pool_hosts{'), [
    `kmspool_pool_hosts{${pool},state="ready"} 2`,
    `kmspool_pool_hosts{${pool},state="wanted"} 3`,
  ]);
  assert.deepEqual(await lines('kmspool_pool_dns_records{'), [
    `kmspool_pool_dns_records{${pool},domain="lab.example",state="desired"} 3`,
    `kmspool_pool_dns_records{${pool},domain="lab.example",state="foreign"} 1`,
    `kmspool_pool_dns_records{${pool},domain="lab.example",state="observed"} 2`,
  ]);
});

test('pools are counted by their Ready condition, through changes and deletion', async () => {
  const { metrics, lines } = rig();
  const seen = async (): Promise<string> =>
    (await lines('kmspool_pools{')).map((line) => line.replace(/^kmspool_pools\{ready="(.*)"\}/, '$1')).join(', ');
  assert.equal(await seen(), 'False 0, True 0, Unknown 0');
  metrics.observePool(CAMPUS, { wantedHosts: 2, status: status('False') });
  metrics.observePool(BRANCH, { wantedHosts: 2, status: {} });
  assert.equal(await seen(), 'False 1, True 0, Unknown 1');
  for (let again = 0; again < 3; again += 1) metrics.observePool(CAMPUS, { wantedHosts: 2, status: status('True') });
  assert.equal(await seen(), 'False 0, True 1, Unknown 1');
  metrics.forgetPool(CAMPUS);
  metrics.forgetPool(CAMPUS);
  assert.equal(await seen(), 'False 0, True 0, Unknown 1');
});

test('what a pool no longer has is not shown: a domain that left, a condition that is gone', async () => {
  const { metrics, lines } = rig();
  const both = [dns('lab.example', 3, 3), dns('branch.example', 3, 3)];
  metrics.observePool(CAMPUS, { wantedHosts: 3, status: status('True', { dns: both }) });
  assert.equal((await lines('kmspool_pool_dns_records{')).length, 6);
  metrics.observePool(CAMPUS, { wantedHosts: 3, status: { dns: both.slice(1), conditions: [] } });
  assert.deepEqual(
    (await lines('kmspool_pool_dns_records{')).map((line) => line.includes('branch.example')),
    [true, true, true],
  );
  assert.deepEqual(await lines('kmspool_pool_condition{'), []);
});

test('a pool that was deleted leaves no series, another of its namespace stays whole', async () => {
  const { metrics, lines } = rig();
  const full = { wantedHosts: 3, status: status('True', { dns: [dns('lab.example', 3, 3)] }) };
  metrics.observePool(BRANCH, full);
  const before = await lines('kmspool_pool_');
  metrics.observePool(CAMPUS, full);
  metrics.countDnsChange(CAMPUS);
  assert.ok((await lines('kmspool_pool_')).length > before.length);
  metrics.forgetPool(CAMPUS);
  assert.deepEqual(await lines('kmspool_pool_'), before);
});

test('changes of records are counted for each pool, from 0', async () => {
  const { metrics, lines } = rig();
  metrics.observePool(CAMPUS, { wantedHosts: 3, status: {} });
  const line = async (): Promise<string> => (await lines('kmspool_pool_dns_changes_total{')).join();
  assert.match(await line(), / 0$/);
  metrics.countDnsChange(CAMPUS);
  assert.equal(await line(), 'kmspool_pool_dns_changes_total{namespace="kms",pool="campus"} 1');
});

test('polls and steps are shown from 0 on, by result and kind', async () => {
  const { metrics, lines } = rig();
  metrics.hostPolls.inc({ result: 'timeout' });
  metrics.planSteps.inc({ kind: 'apply' });
  assert.deepEqual(await lines('kmspool_host_polls_total{'), [
    'kmspool_host_polls_total{result="answered"} 0',
    'kmspool_host_polls_total{result="foreign"} 0',
    'kmspool_host_polls_total{result="invalid"} 0',
    'kmspool_host_polls_total{result="timeout"} 1',
    'kmspool_host_polls_total{result="unreachable"} 0',
  ]);
  assert.equal((await lines('kmspool_pool_plan_steps_total{')).length, 6);
  assert.deepEqual(await lines('kmspool_pool_plan_steps_total{kind="apply"}'), [
    'kmspool_pool_plan_steps_total{kind="apply"} 1',
  ]);
});

test('the process says what it is and what it uses', async () => {
  const { lines } = rig();
  assert.deepEqual(await lines('kmspool_build_info'), [`kmspool_build_info{version="${VERSION}"} 1`]);
  for (const name of ['process_resident_memory_bytes', 'process_cpu_seconds_total', 'nodejs_heap_size_used_bytes'])
    assert.ok(Number((await lines(`${name} `))[0]?.split(' ')[1]) > 0, name);
  const cpu = async (): Promise<number> => Number((await lines('process_cpu_seconds_total '))[0]?.split(' ')[1]);
  const first = await cpu();
  assert.ok((await cpu()) - first < first, 'read, not added up, at each scrape');
});
