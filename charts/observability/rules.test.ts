// SPDX-License-Identifier: Apache-2.0

// The alert rules: promtool accepts them, each fires and does not fire in its cases, each has a runbook and says what to do next.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { formatHresult, HRESULTS } from '@kmspool/kms/catalog';
import { COUNT_CASES, HOST_CASES } from './cases-counts.fake.ts';
import { DNS_CASES, OPERATOR_CASES, REQUEST_CASES, STORE_CASES } from './cases-rest.fake.ts';
import { generatedFiles, staleFiles } from './generate.ts';
import { checkCase, missingPromtool, promtool, type RuleCase } from './promtool.fake.ts';
import { RUNBOOK_BASE_URL } from './rule.ts';
import { RULE_GROUPS } from './rules.ts';

const ROOT = join(import.meta.dirname, '../..');
const FILE = join(ROOT, 'charts/kmspool/rules/kmspool.yaml');
const RUNBOOKS = join(ROOT, 'docs/runbooks');
const RULES = RULE_GROUPS.flatMap(({ rules }) => rules);
const ALERTS = [...new Set(RULES.map(({ alert }) => alert))];
const RULE_CASES: Readonly<Record<string, readonly RuleCase[]>> = {
  ...HOST_CASES,
  ...COUNT_CASES,
  ...DNS_CASES,
  ...STORE_CASES,
  ...REQUEST_CASES,
  ...OPERATOR_CASES,
};
const skip = missingPromtool();

describe('alert rules', () => {
  it('pass promtool check rules', { skip }, () => {
    assert.match(promtool(['check', 'rules', FILE]), new RegExp(`SUCCESS: ${RULES.length} rules found`));
  });

  it('have cases in which they fire and cases in which they do not', () => {
    assert.deepEqual(Object.keys(RULE_CASES).sort(), [...ALERTS].sort());
    for (const alert of ALERTS) {
      const cases = RULE_CASES[alert] ?? [];
      assert.ok(cases.some(({ fires }) => fires.length > 0) && cases.some(({ fires }) => fires.length === 0), alert);
    }
  });

  it('tell apart rules of one name by their labels', () => {
    const keys = RULES.map(({ alert, labels }) => `${alert} ${JSON.stringify(labels ?? {})}`);
    assert.deepEqual([...new Set(keys)], keys);
  });

  it('end their description with the next step', () => {
    for (const { alert, description, summary } of RULES) {
      assert.match(description, /Next: \S/, alert);
      assert.ok(summary.length < 200 && !summary.includes('\n'), alert);
    }
  });

  it('have a runbook each, which says what it means, the first look, causes and what to do', () => {
    const text = generatedFiles().get('charts/kmspool/rules/kmspool.yaml') ?? '';
    const urls = [...text.matchAll(/runbook_url: (\S+)/g)].map(([, url]) => url ?? '');
    assert.equal(urls.length, RULES.length);
    for (const url of urls) {
      assert.ok(url.startsWith(`${RUNBOOK_BASE_URL}/`), url);
      const runbook = readFileSync(join(RUNBOOKS, url.slice(RUNBOOK_BASE_URL.length + 1)), 'utf8');
      const headings = [...runbook.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
      assert.deepEqual(headings, ['What it means', 'First look', 'Causes and what to do'], url);
    }
  });

  it('name every code that a host answers, in the words of the catalogue', () => {
    const runbook = readFileSync(join(RUNBOOKS, 'KmsRequestsRefused.md'), 'utf8');
    const description = RULES.find(({ alert }) => alert === 'KmsRequestsRefused')?.description ?? '';
    for (const { code, decidedBy, texts } of HRESULTS) {
      if (decidedBy !== 'host' || code === 0) continue;
      assert.ok(
        runbook.includes(`| ${formatHresult(code)} | ${texts.en.meaning} | ${texts.en.remedy} |`),
        texts.en.meaning,
      );
      assert.ok(description.includes(`"${formatHresult(code)}" }}${texts.en.meaning}`), formatHresult(code));
    }
  });

  it('have no runbook for an alert that is not there', () => {
    const names = readdirSync(RUNBOOKS).filter((name) => name !== 'README.md');
    assert.deepEqual(names.sort(), ALERTS.map((alert) => `${alert}.md`).sort());
    const index = readFileSync(join(RUNBOOKS, 'README.md'), 'utf8');
    for (const alert of ALERTS) assert.ok(index.includes(`[${alert}](${alert}.md)`), `${alert} in README.md`);
  });

  it('are up to date in the chart, as the dashboards are', () => {
    assert.deepEqual(staleFiles(), []);
  });
});

for (const alert of ALERTS) {
  describe(alert, { skip }, () => {
    const severity = RULES.find((rule) => rule.alert === alert)?.severity ?? '';
    for (const each of RULE_CASES[alert] ?? []) it(each.it, () => checkCase(FILE, alert, severity, each));
  });
}
