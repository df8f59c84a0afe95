// SPDX-License-Identifier: Apache-2.0

// The dashboards, as far as they can be judged without Grafana: their JSON holds together, their expressions parse, and every metric in them exists.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { formatHresult, HRESULTS } from '@kmspool/kms/catalog';
import { stringify } from 'yaml';
import { dashboardExpressions, dashboards, panelsOf, ruleExpressions, substitute, targetsOf } from './expressions.ts';
import { missingPromtool, promtool } from './promtool.fake.ts';

const DOCS = join(import.meta.dirname, '../../docs');
const VALUES = { namespace: 'kms', pool: 'campus', rateInterval: '1m', range: '1h' };
/** Variables that Grafana itself has. */
const BUILT_IN = ['__rate_interval', '__range', '__data'];
const COLUMNS = 24;

const ALL = dashboards();
const metricsInDocs = (): ReadonlySet<string> => {
  const text = readFileSync(join(DOCS, 'metrics.md'), 'utf8');
  const rows = text.matchAll(/^\| `(\w+)` \| (\w+) \|/gm);
  return new Set(
    [...rows].flatMap(([, name = '', type]) =>
      type === 'histogram' ? ['bucket', 'sum', 'count'].map((suffix) => `${name}_${suffix}`) : [name],
    ),
  );
};

describe('dashboards', () => {
  it('have uids of their own, and none that names a data source of one site', () => {
    const uids = ALL.map(({ uid }) => uid);
    assert.deepEqual([...new Set(uids)], uids);
    for (const dashboard of ALL)
      for (const panel of panelsOf(dashboard)) {
        assert.equal(panel.datasource?.uid, '$' + '{datasource}', panel.title ?? '');
        for (const { datasource } of targetsOf(panel))
          assert.deepEqual(datasource, panel.datasource, panel.title ?? '');
      }
  });

  it('number their panels and queries without repeats', () => {
    for (const { title, panels = [] } of ALL) {
      const ids = panels.map(({ id }) => id);
      assert.deepEqual([...new Set(ids)], ids, title ?? '');
      assert.ok(!ids.includes(undefined) && !ids.includes(0), title ?? '');
    }
    for (const panel of ALL.flatMap(panelsOf)) {
      const refIds = targetsOf(panel).map(({ refId }) => refId);
      assert.ok(refIds.length > 0, panel.title ?? '');
      assert.deepEqual([...new Set(refIds)], refIds, panel.title ?? '');
    }
  });

  it('lay panels out side by side, none over another and none beyond the edge', () => {
    for (const { title, panels = [] } of ALL) {
      const taken = new Set<string>();
      for (const { gridPos, title: name } of panels) {
        assert.ok(gridPos !== undefined, name ?? '');
        const { x, y, w, h } = gridPos;
        assert.ok(w > 0 && h > 0 && x + w <= COLUMNS, `${title}: ${name}`);
        for (let column = x; column < x + w; column++)
          for (let line = y; line < y + h; line++) {
            const cell = `${column}/${line}`;
            assert.ok(!taken.has(cell), `${title}: ${name} covers another panel at ${cell}`);
            taken.add(cell);
          }
      }
    }
  });

  it('say of every panel what it shows, and in which unit', () => {
    for (const panel of ALL.flatMap(panelsOf)) {
      assert.match(panel.description ?? '', /^\S.{9,}$/s, panel.title ?? '');
      const worded = (panel.fieldConfig?.defaults?.mappings ?? []).length > 0;
      assert.ok(worded || panel.fieldConfig?.defaults?.unit !== undefined, panel.title ?? '');
    }
  });

  it('use no variable that they do not have, and have none that they do not use', () => {
    for (const { templating, ...dashboard } of ALL) {
      const defined = (templating?.list ?? []).map(({ name }) => name);
      const text = JSON.stringify([dashboard, templating]);
      const used = new Set([...text.matchAll(/\$\{?(\w+)/g)].map(([, name = '']) => name));
      const unknown = [...used].filter((name) => !defined.includes(name) && !BUILT_IN.includes(name));
      assert.deepEqual(unknown, [], dashboard.title ?? '');
      assert.deepEqual(
        defined.filter((name) => !used.has(name)),
        [],
        dashboard.title ?? '',
      );
    }
  });

  it('link to each other by uids that are there', () => {
    const uids = ALL.map(({ uid }) => uid);
    const linked = [...JSON.stringify(ALL).matchAll(/\/d\/([\w-]+)/g)].map(([, uid]) => uid);
    assert.ok(linked.length >= 2);
    for (const uid of linked) assert.ok(uids.includes(uid), uid ?? '');
  });

  it('tell every code that a host answers by what it means', () => {
    const text = JSON.stringify(ALL.flatMap(panelsOf).find(({ title }) => title === 'What the codes mean'));
    for (const { code, decidedBy, texts } of HRESULTS)
      if (decidedBy === 'host' && code !== 0)
        assert.ok(text.includes(formatHresult(code)) && text.includes(texts.en.meaning), formatHresult(code));
  });
});

describe('expressions of dashboards and rules', () => {
  const all = [...dashboardExpressions(), ...ruleExpressions()].map(({ where, expr }) => ({
    where,
    expr: substitute(expr, VALUES),
  }));

  it('parse', { skip: missingPromtool() }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'kmspool-expressions-'));
    try {
      const file = join(folder, 'all.yaml');
      const rules = all.map(({ where, expr }) => ({ record: 'x', expr, labels: { where } }));
      writeFileSync(file, stringify({ groups: [{ name: 'all', rules }] }));
      assert.match(promtool(['check', 'rules', '--lint=none', file]), new RegExp(`${all.length} rules found`));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('leave no variable in place and name only metrics that docs/metrics.md has', () => {
    const known = metricsInDocs();
    for (const { where, expr } of all) {
      assert.ok(!expr.includes('$'), where);
      const names = expr
        .replaceAll(/"[^"]*"/g, '')
        .match(/\b(?:kmspool|controller_runtime|workqueue|rest_client|reflector|leader_election|process|nodejs)_\w+/g);
      for (const name of names ?? []) assert.ok(known.has(name), `${where}: ${name}`);
    }
  });
});
