// SPDX-License-Identifier: Apache-2.0
/** Reads the Prometheus text format as strictly as its description has it, so that a test sees what a scraper would refuse. */
import assert from 'node:assert/strict';

export interface MetricSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface MetricFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly MetricSample[];
}

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? ([^ ]+)$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/gy;

function labelsOf(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  let end = 0;
  for (let found = LABEL.exec(text); found; found = LABEL.exec(text)) {
    const [, name = '', value = ''] = found;
    assert.ok(!(name in labels), `label ${name} twice`);
    labels[name] = value;
    end = LABEL.lastIndex;
  }
  assert.equal(end, text.length, `labels ${text}`);
  return labels;
}

/** The families in order; fails on anything that is not the text format, and on a sample that stands twice. */
export function parseExposition(text: string): readonly MetricFamily[] {
  assert.ok(text.endsWith('\n'), 'ends with a newline');
  const families: { name: string; type: string; help: string; samples: MetricSample[] }[] = [];
  const seen = new Set<string>();
  for (const line of text.split('\n').filter((one) => one !== '')) {
    const [, keyword, name = '', rest = ''] = /^# (HELP|TYPE) ([^ ]+) (.*)$/.exec(line) ?? [];
    if (keyword === 'HELP') families.push({ name, type: '', help: rest, samples: [] });
    const family = families.at(-1);
    assert.ok(family, 'a sample before any HELP');
    if (keyword === 'TYPE') {
      assert.equal(name, family.name);
      family.type = rest;
    }
    if (keyword !== undefined) continue;
    const [, sampleName = '', labels = '', value = ''] = SAMPLE.exec(line) ?? [];
    assert.notEqual(sampleName, '', `not a sample: ${line}`);
    assert.ok(sampleName.startsWith(family.name), `${sampleName} below ${family.name}`);
    const key = line.slice(0, line.lastIndexOf(' '));
    assert.ok(!seen.has(key), `${key} stands twice`);
    seen.add(key);
    family.samples.push({
      name: sampleName,
      labels: labelsOf(labels),
      value: value === '+Inf' ? Infinity : Number(value),
    });
  }
  return families;
}
