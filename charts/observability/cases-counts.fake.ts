// SPDX-License-Identifier: Apache-2.0

// Cases of the alerts about hosts and counts: what makes each fire, and what looks alike and does not.
import type { RuleCase } from './promtool.fake.ts';
import {
  asked,
  CLIENT,
  cap,
  condition,
  duplicates,
  first,
  host,
  hosts,
  met,
  POOL,
  ready,
  required,
  total,
} from './series.fake.ts';

/** By alert. */
export const HOST_CASES: Record<string, readonly RuleCase[]> = {
  KmsHostDown: [
    {
      it: 'fires for a host that says that it is not ready',
      series: { [ready(0)]: '1x20', [ready(1)]: '0x20' },
      at: '10m',
      fires: [host(1)],
    },
    {
      it: 'fires for a host that is gone while the operator misses one',
      series: {
        [ready(0)]: '1x60',
        [ready(1)]: '1x5 _x55',
        [hosts('wanted')]: '2x60',
        [hosts('ready')]: '2x5 1x55',
      },
      at: '30m',
      fires: [host(1)],
    },
    {
      it: 'is silent about a host that was scaled away',
      series: {
        [ready(0)]: '1x60',
        [ready(1)]: '1x5 _x55',
        [hosts('wanted')]: '2x4 1x56',
        [hosts('ready')]: '2x4 1x56',
      },
      at: '30m',
      fires: [],
    },
    {
      it: 'is silent while a Pod of the same host is being replaced',
      series: {
        [`kmspool_host_ready{${host(0)},pod="a"}`]: '1x5 0x15',
        [`kmspool_host_ready{${host(0)},pod="b"}`]: '_x3 1x17',
      },
      at: '15m',
      fires: [],
    },
  ],
  KmsPoolDown: [
    {
      it: 'fires when no host is ready',
      series: { [hosts('wanted')]: '3x20', [hosts('ready')]: '0x20', [ready(0)]: '0x20' },
      at: '10m',
      fires: [POOL],
    },
    {
      it: 'is silent while a host serves whose Pod the operator is replacing',
      series: { [hosts('wanted')]: '1x20', [hosts('ready')]: '0x20', [ready(0)]: '1x20' },
      at: '10m',
      fires: [],
    },
    {
      it: 'is silent about a pool of no replicas',
      series: { [hosts('wanted')]: '0x20', [hosts('ready')]: '0x20' },
      at: '10m',
      fires: [],
    },
    {
      it: 'is silent while some hosts are ready, whether they are scraped or not',
      series: { [hosts('wanted')]: '3x20', [hosts('ready')]: '2x20' },
      at: '10m',
      fires: [],
    },
  ],
  KmsPoolNotReady: [
    {
      it: 'fires when Ready is not True for a quarter of an hour',
      series: { [condition('Ready', 'True')]: '0x30', [hosts('wanted')]: '3x30' },
      at: '20m',
      fires: [POOL],
    },
    {
      it: 'is silent while Ready',
      series: {
        [condition('Ready', 'True')]: '1x30',
        [condition('Ready', 'False')]: '0x30',
        [hosts('wanted')]: '3x30',
      },
      at: '20m',
      fires: [],
    },
    {
      it: 'is silent about a pool of no replicas',
      series: { [condition('Ready', 'True')]: '0x30', [hosts('wanted')]: '0x30' },
      at: '20m',
      fires: [],
    },
  ],
  KmsHostsNotScraped: [
    { it: 'fires when ready hosts have no metrics', series: { [hosts('ready')]: '2x30' }, at: '20m', fires: [POOL] },
    {
      it: 'is silent when one host has',
      series: { [hosts('ready')]: '2x30', [ready(0)]: '1x30' },
      at: '20m',
      fires: [],
    },
    { it: 'is silent when no host is ready', series: { [hosts('ready')]: '0x30' }, at: '20m', fires: [] },
  ],
};

const DAY = 24;
/** By alert. */
export const COUNT_CASES: Record<string, readonly RuleCase[]> = {
  KmsCountBelowThreshold: [
    {
      it: 'fires when clients have asked that need more',
      step: '30m',
      series: asked(10, '19x10', 0),
      at: '3h',
      fires: [CLIENT],
    },
    {
      it: 'is silent about a kind of client that has never asked',
      step: '30m',
      series: { ...asked(10, '7x10', 0), [cap]: '10x10', [required('Server')]: '5x10', [met('Server')]: '1x10' },
      at: '3h',
      fires: [],
    },
    { it: 'is silent when the count suffices', step: '30m', series: asked(10, '25x10', 1), at: '3h', fires: [] },
  ],
  KmsCountForecastBelowThreshold: [
    {
      it: 'fires by the trend when a steady fall would cross the threshold within a week',
      step: '1h',
      // Ten days at 48, then one fewer every 12 hours.
      series: { ...asked(20 * DAY, `48x${10 * DAY} 48-0.08333x${7 * DAY}`, 1), [total]: `0+9x${20 * DAY}` },
      at: `${17 * DAY}h`,
      fires: [`forecast="trend",${CLIENT}`],
    },
    {
      it: 'is silent when the fall is too slow to matter within a week',
      step: '1h',
      series: { ...asked(20 * DAY, `48x${10 * DAY} 48-0.01x${7 * DAY}`, 1), [total]: `0+9x${20 * DAY}` },
      at: `${17 * DAY}h`,
      fires: [],
    },
    {
      it: 'fires by the silence when fewer requests came in 14 days than machines are needed',
      step: '1h',
      series: { ...asked(20 * DAY, `30x${20 * DAY}`, 1), [total]: `0+1x${4 * DAY} 96x${2 * DAY} 96+0.05x${14 * DAY}` },
      at: `${20 * DAY}h`,
      fires: [`forecast="silence",${CLIENT}`],
    },
    {
      it: 'is silent in the first 14 days, for nothing is known of the time before',
      step: '1h',
      series: { ...asked(10 * DAY, `30x${10 * DAY}`, 1), [total]: `7x${10 * DAY}` },
      at: `${10 * DAY}h`,
      fires: [],
    },
    {
      it: 'is silent when every machine renews once a week',
      step: '1h',
      series: { ...asked(20 * DAY, `30x${20 * DAY}`, 1), [total]: `0+0.17x${20 * DAY}` },
      at: `${20 * DAY}h`,
      fires: [],
    },
    {
      it: 'is silent once the count is below, for that is another alert',
      step: '1h',
      series: { ...asked(20 * DAY, `20x${20 * DAY}`, 0), [total]: `7x${20 * DAY}` },
      at: `${20 * DAY}h`,
      fires: [],
    },
    {
      it: 'is silent once a falling count is below',
      step: '1h',
      series: { ...asked(20 * DAY, `40x${10 * DAY} 24-0.08333x${7 * DAY}`, 0), [total]: `0+9x${20 * DAY}` },
      at: `${17 * DAY}h`,
      fires: [],
    },
  ],
  KmsCountStuck: [
    {
      it: 'fires when one counted machine asks more often than any interval explains',
      step: '10m',
      series: { ...asked(80, '1x80', 0), [first]: '0+2x80' },
      at: '10h',
      fires: [CLIENT],
    },
    {
      it: 'fires when names give duplicates away and enough have asked',
      step: '10m',
      series: { ...asked(80, '12x80', 0), [first]: '0+1x80', [duplicates]: '4x80' },
      at: '10h',
      fires: [CLIENT],
    },
    {
      it: 'is silent when the machines there are ask as often as they are told to',
      step: '10m',
      series: { ...asked(80, '12x80', 0), [first]: '0+1x80', [duplicates]: '0x80' },
      at: '10h',
      fires: [],
    },
    {
      it: 'is silent while the count grows',
      step: '10m',
      series: { ...asked(80, '1x40 2x40', 0), [first]: '0+2x80', [duplicates]: '1x80' },
      at: '10h',
      fires: [],
    },
    {
      it: 'is silent when the count suffices',
      step: '10m',
      series: { ...asked(80, '25x80', 1), [first]: '0+200x80', [duplicates]: '4x80' },
      at: '10h',
      fires: [],
    },
    {
      it: 'is silent when duplicates are known and too few have asked',
      step: '10m',
      series: { ...asked(80, '12x80', 0), [first]: '0+0.5x80', [duplicates]: '4x80' },
      at: '10h',
      fires: [],
    },
  ],
};
