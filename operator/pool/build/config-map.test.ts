// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ANNOTATIONS, type HostConfig, hostConfigHash, RESTART_FIELDS, restartNeeded } from '@kmspool/crds';
import { buildConfigMap, hostConfigOf, keepRestartFields } from './config-map.ts';
import { EVERYTHING, sourceOf } from './sources.fake.ts';

test('a HostConfig comes back from its ConfigMap, whose annotation is the hash that the host reports', () => {
  for (const source of [sourceOf(), sourceOf(EVERYTHING, 2)]) {
    const map = buildConfigMap(source);
    assert.deepEqual(hostConfigOf(map), source.config);
    assert.equal(map.metadata.annotations?.[ANNOTATIONS.configHash], hostConfigHash(source.config));
    assert.equal(map.metadata.name, source.config.host.name);
    assert.deepEqual(Object.keys(map.data ?? {}), ['host.json']);
  }
});

test('the file is text for people: indented, one line each, ended by a line break', () => {
  assert.match(
    buildConfigMap(sourceOf()).data?.['host.json'] ?? '',
    /^\{\n {2}"activationIntervalMinutes": 120,\n[\s\S]*\n\}\n$/,
  );
});

test('equal configurations give equal objects, whatever the order of their members', () => {
  const source = sourceOf(EVERYTHING);
  const reversed = Object.fromEntries(Object.entries(source.config).reverse()) as HostConfig;
  assert.deepEqual(buildConfigMap({ ...source, config: reversed }), buildConfigMap(source));
});

test('a ConfigMap that is absent, empty, no JSON or of a newer version gives no configuration', () => {
  const holding = (text: string) => ({ metadata: { name: 'campus-0' }, data: { 'host.json': text } });
  const newer = JSON.stringify({ ...sourceOf().config, inventedLater: true });
  for (const map of [undefined, { metadata: { name: 'campus-0' } }, holding(''), holding('{'), holding(newer)])
    assert.equal(hostConfigOf(map), undefined);
});

test('a host whose turn has not come gets everything that needs no restart, and nothing that does', () => {
  const live = sourceOf().config;
  const wanted: HostConfig = { ...sourceOf(EVERYTHING).config, activationIntervalMinutes: 15, advertisedPort: 30_688 };
  assert.ok(restartNeeded(live, wanted).length > 0);
  const kept = keepRestartFields(live, wanted);
  assert.deepEqual(restartNeeded(live, kept), []);
  for (const field of RESTART_FIELDS) assert.deepEqual(kept[field], live[field], field);
  assert.deepEqual([kept.activationIntervalMinutes, kept.advertisedPort], [15, 30_688]);
  assert.deepEqual([kept.allowedSources, kept.limits], [wanted.allowedSources, wanted.limits]);
});

test('a live configuration without an identity stays without one until its turn', () => {
  const { poolId: _, ...live } = sourceOf().config;
  const kept = keepRestartFields(live, sourceOf().config);
  assert.ok(!('poolId' in kept));
  assert.deepEqual(restartNeeded(live, kept), []);
});
