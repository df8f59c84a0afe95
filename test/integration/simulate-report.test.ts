// SPDX-License-Identifier: Apache-2.0
//
// The HTML report of kmsctl simulate in a real browser, on a wide and a narrow screen, light and dark: nothing on the
// console, nothing asked of the network, charts with data in them, tables for who does not see charts.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { waitFor } from '../harness/wait.ts';

const CHROMIUM = '/usr/bin/chromium';
const ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const repository = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const CHARTS = ['count', 'states', 'hosts', 'retries', 'renewals'];
const skip = existsSync(CHROMIUM) ? false : `no ${CHROMIUM}: install the Debian package chromium`;

interface Opened {
  readonly page: Page;
  /** What the console said, and every address that was asked for. */
  readonly console: string[];
  readonly requests: string[];
}

/** Points of a chart's canvas in the colour of each series that is large enough to be seen: the label and how many. */
const INK = `(id) => {
  const chart = JSON.parse(document.getElementById('data').textContent).charts.find((each) => each.id === id);
  const canvas = document.querySelector('#' + id + ' canvas');
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  const most = Math.max(...chart.series.flatMap(({ values }) => values));
  return chart.series
    .filter(({ values }) => values.some((value) => value > 0 && value >= most / 10))
    .map(({ label, color }) => {
      const hex = getComputedStyle(document.documentElement).getPropertyValue('--' + color).trim();
      const [red, green, blue] = [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
      let points = 0;
      for (let at = 0; at < data.length; at += 4) {
        if (data[at] === red && data[at + 1] === green && data[at + 2] === blue && data[at + 3] === 255) points += 1;
      }
      return { label, points };
    });
}`;

describe('the HTML report in a browser', { skip }, () => {
  let browser: Browser;
  let dir: string;
  let address: string;

  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'kmspool-report-'));
    const file = join(dir, 'report.html');
    const fleet = repository('examples/fleets/host-lost.yaml');
    execFileSync(process.execPath, [repository('kmsctl/main.ts'), 'simulate', fleet, '--html', file], {
      stdio: 'ignore',
    });
    address = pathToFileURL(file).href;
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });
  });

  after(async () => {
    await browser?.close();
    rmSync(dir, { recursive: true, force: true });
  });

  async function open(width: number, colorScheme: 'light' | 'dark'): Promise<Opened> {
    const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
    const opened: Opened = { page, console: [], requests: [] };
    page.on('console', (message) => opened.console.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => opened.console.push(error.message));
    page.on('request', (request) => opened.requests.push(request.url()));
    await page.goto(address);
    return opened;
  }

  for (const width of [1280, 390]) {
    for (const scheme of ['light', 'dark'] as const) {
      test(`at ${width} px, ${scheme}: every chart has data, nothing overflows, the console is silent`, async () => {
        const { page, console, requests } = await open(width, scheme);
        for (const id of CHARTS) {
          const ink = (await page.evaluate(`(${INK})(${JSON.stringify(id)})`)) as { label: string; points: number }[];
          assert.ok(ink.length > 0, `${id} has no values`);
          for (const { label, points } of ink) assert.ok(points >= 10, `${id}: ${points} points of "${label}"`);
        }
        const wide = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
        assert.equal(wide, 0, 'the page is wider than the screen');
        assert.deepEqual(console, []);
        assert.deepEqual(
          requests.filter((url) => url !== address && !url.startsWith('data:')),
          [],
        );
        await page.close();
      });
    }
  }

  test('text stands out from what is behind it, light and dark (WCAG 2.2, 1.4.3: 4.5 to 1)', async () => {
    for (const scheme of ['light', 'dark'] as const) {
      const { page } = await open(1280, scheme);
      for (const selector of ['h1', '.about', '.hint', '.ok', 'table.data th', 'summary', 'footer']) {
        const colours = (await page.evaluate(
          `[getComputedStyle(document.querySelector(${JSON.stringify(selector)})).color, getComputedStyle(document.body).backgroundColor]`,
        )) as [string, string];
        const ratio = contrast(...colours);
        assert.ok(ratio >= 4.5, `${scheme} ${selector}: ${ratio.toFixed(1)}`);
      }
      await page.close();
    }
  });

  test('follows the colour scheme while it is open, and draws its charts anew', async () => {
    const { page, console } = await open(1280, 'light');
    const background = (): Promise<unknown> => page.evaluate('getComputedStyle(document.body).backgroundColor');
    const picture = (): Promise<unknown> => page.evaluate(`document.querySelector('#states canvas').toDataURL()`);
    const light = [await background(), await picture()];
    await page.emulateMedia({ colorScheme: 'dark' });
    await waitFor('the charts to be drawn anew', async () => (await picture()) !== light[1]);
    assert.notEqual(await background(), light[0]);
    assert.equal(await page.evaluate('document.querySelectorAll("canvas").length'), CHARTS.length);
    assert.deepEqual(console, []);
    await page.close();
  });

  test('every chart has a title, a legend, both axes named, and its numbers as a table', async () => {
    const { page } = await open(1280, 'light');
    for (const id of CHARTS) {
      assert.notEqual(await page.textContent(`#${id}-title`), '');
      const legend = await page.locator(`#${id} .u-legend .u-series`).count();
      assert.ok(legend >= 3, `${id}: ${legend} entries in the legend`);
      const rows = await page.locator(`figure:has(#${id}) table.data tbody tr`).count();
      assert.equal(rows, 24, id);
    }
    const data = JSON.parse((await page.textContent('#data')) ?? '') as { charts: { id: string; axis: string }[] };
    assert.deepEqual(
      data.charts.map(({ id, axis }) => [id, axis]),
      [
        ['count', 'clients counted'],
        ['states', 'machines'],
        ['hosts', 'share of answers'],
        ['retries', 'tries in 6 hours'],
        ['renewals', 'tries in 6 hours'],
      ],
    );
    await page.close();
  });
});

/** Contrast of two colours, `rgb(r, g, b)`: 1 … 21 (WCAG 2.2). */
function contrast(a: string, b: string): number {
  const [light = 0, dark = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [...colour.matchAll(/\d+/g)].map(([value]) => {
    const part = Number(value) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
