// SPDX-License-Identifier: Apache-2.0
//
// What is put into every page as it is: the chart library, our script and style. A file of its own because the bundle holds
// the texts in place of this (images/bundle-kmsctl.ts).

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const script = createRequire(import.meta.url).resolve('uplot/dist/uPlot.iife.min.js');
const library = (name: string): string => readFileSync(join(dirname(script), name), 'utf8');

export const PAGE_ASSETS = {
  chartScript: library('uPlot.iife.min.js'),
  chartStyle: library('uPlot.min.css'),
  /** Goes wherever the library goes. */
  chartLicence: library('../LICENSE'),
  pageScript: readFileSync(new URL('./browser.js', import.meta.url), 'utf8'),
  pageStyle: readFileSync(new URL('./page.css', import.meta.url), 'utf8'),
} as const;
