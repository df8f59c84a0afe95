// SPDX-License-Identifier: Apache-2.0

// Cases of the alerts about DNS, store, requests and operator: what makes each fire, and what looks alike and does not.
import type { RuleCase } from './promtool.fake.ts';
import { answered, at, condition, dns, host, info, leader, POOL, refused, store, total } from './series.fake.ts';

const notPublished = {
  [condition('DnsPublished', 'False')]: '1x30',
  [dns('desired')]: '3x30',
  [dns('observed')]: '0x30',
};
const rounds = 'kmspool_dns_rounds_total{job="operator",instance="a"';
/** By alert. */
export const DNS_CASES: Record<string, readonly RuleCase[]> = {
  KmsDnsNotPublished: [
    {
      it: 'fires when no record of a domain is there',
      series: notPublished,
      at: '20m',
      fires: [`${POOL},domain="lab.example"`],
    },
    {
      it: 'is silent when some are there',
      series: { ...notPublished, [dns('observed')]: '2x30' },
      at: '20m',
      fires: [],
    },
    {
      it: 'is silent where nobody publishes and that is meant so',
      series: {
        ...notPublished,
        [condition('DnsPublished', 'False')]: '0x30',
        [condition('DnsPublished', 'Unknown')]: '1x30',
      },
      at: '20m',
      fires: [],
    },
    {
      it: 'is silent about a domain where nothing is wanted, for that is no outage',
      series: { ...notPublished, [dns('desired')]: '0x30' },
      at: '20m',
      fires: [],
    },
  ],
  KmsDnsPublicationFailed: [
    {
      it: 'fires when records differ',
      series: { ...notPublished, [dns('observed')]: '2x30' },
      at: '20m',
      fires: [POOL],
    },
    { it: 'leaves it to the graver alert when none is there', series: notPublished, at: '20m', fires: [] },
    {
      it: 'is silent when all is published',
      series: { [condition('DnsPublished', 'False')]: '0x30', [dns('desired')]: '3x30', [dns('observed')]: '3x30' },
      at: '20m',
      fires: [],
    },
    {
      it: 'fires for a domain in which the pool may not publish',
      series: { ...notPublished, [dns('desired')]: '0x30' },
      at: '20m',
      fires: [POOL],
    },
  ],
  KmsDnsNotVerified: [
    {
      it: 'fires when rounds go on failing',
      series: { [`${rounds},result="failed"}`]: '0+1x40', [`${rounds},result="agreed"}`]: '0+1x40' },
      at: '30m',
      fires: ['instance="a",job="operator"'],
    },
    {
      it: 'is silent about a single failure',
      series: { [`${rounds},result="failed"}`]: '0x10 1x30', [`${rounds},result="agreed"}`]: '0+1x40' },
      at: '30m',
      fires: [],
    },
  ],
  KmsForeignHostInDns: [
    { it: 'fires', series: { [dns('foreign')]: '1x20' }, at: '10m', fires: [`${POOL},domain="lab.example"`] },
    { it: 'is silent when there is none', series: { [dns('foreign')]: '0x20' }, at: '10m', fires: [] },
  ],
};

const lastKnown = (n: number): Record<string, string> => ({
  [store(n, 'Available')]: '0x20',
  [store(n, 'LastKnown')]: '1x20',
  [store(n, 'Refusing')]: '0x20',
});
const available = (n: number): Record<string, string> => ({
  [store(n, 'Available')]: '1x20',
  [store(n, 'LastKnown')]: '0x20',
  [store(n, 'Refusing')]: '0x20',
});
/** By alert. */
export const STORE_CASES: Record<string, readonly RuleCase[]> = {
  KmsStoreLost: [
    { it: 'fires when no host reaches it', series: { ...lastKnown(0), ...lastKnown(1) }, at: '10m', fires: [POOL] },
    { it: 'is silent when one does', series: { ...lastKnown(0), ...available(1) }, at: '10m', fires: [] },
  ],
  KmsHostStoreLost: [
    {
      it: 'fires for the host that answers from the last known table',
      series: { ...lastKnown(0), ...available(1) },
      at: '10m',
      fires: [`${host(0)},state="LastKnown"`],
    },
    {
      it: 'leaves it to the graver alert when none reaches it',
      series: { ...lastKnown(0), ...lastKnown(1) },
      at: '10m',
      fires: [],
    },
    { it: 'is silent when all reach it', series: { ...available(0), ...available(1) }, at: '10m', fires: [] },
  ],
  KmsClientsTurnedAway: [
    { it: 'fires', series: { [`kmspool_store_refused_total{${host(0)}}`]: '0+1x20' }, at: '10m', fires: [POOL] },
    {
      it: 'is silent when none is',
      series: { [`kmspool_store_refused_total{${host(0)}}`]: '7x20' },
      at: '10m',
      fires: [],
    },
  ],
  KmsContactsLost: [
    {
      it: 'fires',
      series: { [`kmspool_store_contacts_lost_total{${host(0)}}`]: '0x5 4x20' },
      at: '20m',
      fires: [POOL],
    },
    {
      it: 'is silent about contacts that were sent again',
      series: {
        [`kmspool_store_contacts_lost_total{${host(0)}}`]: '0x20',
        [`kmspool_store_contacts_resent_total{${host(0)}}`]: '0+9x20',
      },
      at: '20m',
      fires: [],
    },
  ],
};

/** By alert. */
export const REQUEST_CASES: Record<string, readonly RuleCase[]> = {
  KmsRequestsRefused: [
    {
      it: 'fires with the code that is refused',
      series: { [answered]: '0+10x60', [refused]: '0+1x60' },
      at: '50m',
      fires: [`${POOL},hresult="0xC004F06C"`],
    },
    {
      it: 'is silent below one in twenty',
      series: { [answered]: '0+100x60', [refused]: '0+1x60' },
      at: '50m',
      fires: [],
    },
    {
      it: 'is silent about a few refusals where few ask',
      series: { [answered]: '0x60', [refused]: '0x30 3x30' },
      at: '50m',
      fires: [],
    },
  ],
  KmsPoolIdle: [
    {
      it: 'fires after three days without a request',
      step: '1h',
      series: { [total]: '41x80' },
      at: '77h',
      fires: [POOL],
    },
    {
      it: 'is silent when anybody asked',
      step: '1h',
      series: { [total]: '41x40 42x40' },
      at: '77h',
      fires: [],
    },
    { it: 'is silent about a pool younger than that', step: '1h', series: { [total]: '0x40' }, at: '40h', fires: [] },
  ],
};

const reconciles = (n: number): string =>
  `controller_runtime_reconcile_total{${at(n)},controller="kmshostpool",result="success"}`;
const failures = (n: number): string => `controller_runtime_reconcile_errors_total{${at(n)},controller="kmshostpool"}`;
const depth = (n: number): string => `workqueue_depth{${at(n)},name="kmshostpool"}`;
/** By alert. */
export const OPERATOR_CASES: Record<string, readonly RuleCase[]> = {
  KmsOperatorDown: [
    { it: 'fires when nothing is scraped of it', series: { [info(1)]: '1x5' }, at: '30m', fires: [''] },
    { it: 'is silent when one replica is there', series: { [info(1)]: '1x40' }, at: '30m', fires: [] },
  ],
  KmsOperatorNotLeading: [
    {
      it: 'fires when nobody leads',
      series: { [info(1)]: '1x20', [leader(1)]: '0x20', [info(2)]: '1x20', [leader(2)]: '0x20' },
      at: '10m',
      fires: ['namespace="ops",name="kmspool-operator"'],
    },
    {
      it: 'is silent when one of two leads',
      series: { [info(1)]: '1x20', [leader(1)]: '1x20', [info(2)]: '1x20', [leader(2)]: '0x20' },
      at: '10m',
      fires: [],
    },
    { it: 'is silent about controllers of others', series: { [leader(1)]: '0x20' }, at: '10m', fires: [] },
  ],
  KmsOperatorErrors: [
    {
      it: 'fires when one reconcile in ten fails',
      series: { [info(1)]: '1x60', [reconciles(1)]: '0+10x60', [failures(1)]: '0+2x60' },
      at: '40m',
      fires: ['controller="kmshostpool"'],
    },
    {
      it: 'is silent about few',
      series: { [info(1)]: '1x60', [reconciles(1)]: '0+100x60', [failures(1)]: '0+1x60' },
      at: '40m',
      fires: [],
    },
    {
      it: 'is silent about controllers of others',
      series: { [reconciles(1)]: '0+10x60', [failures(1)]: '0+9x60' },
      at: '40m',
      fires: [],
    },
  ],
  KmsOperatorBehind: [
    {
      it: 'fires when the queue stays long',
      series: { [info(1)]: '1x60', [depth(1)]: '40x60' },
      at: '30m',
      fires: ['name="kmshostpool"'],
    },
    { it: 'is silent when it empties', series: { [info(1)]: '1x60', [depth(1)]: '40x20 0x40' }, at: '30m', fires: [] },
  ],
};
