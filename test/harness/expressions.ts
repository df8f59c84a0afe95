// SPDX-License-Identifier: Apache-2.0

// The expressions of dashboards and alert rules, run by a real Prometheus: which of them return nothing, but for those that may.
import { setTimeout as delay } from 'node:timers/promises';
import {
  dashboardExpressions,
  ruleExpressions,
  type Substitutes,
  substitute,
} from '../../charts/observability/expressions.ts';
import type { Prometheus } from './prometheus.ts';
import { waitFor } from './wait.ts';

/** An expression, and where it stands. */
export interface Query {
  readonly where: string;
  readonly expr: string;
}

/** Expressions, or selectors of rules, that return nothing in a test by nature; everything else has to return data. */
const MAY_BE_EMPTY: Readonly<Record<string, string>> = {
  'KMS pool / Count in 7 days, by the trend of the last 7 / A': 'a trend needs two values that lie an hour apart',
  'KMS pool / Requests of the last 14 days / A': 'needs 14 days of metrics',
  'KMS fleet / Alerts that fire / A': 'nothing is wrong for long enough',
};

/** The queries of all panels, with their variables replaced. */
export function panelQueries(values: Substitutes): Query[] {
  return dashboardExpressions().map(({ where, expr }) => ({ where, expr: substitute(expr, values) }));
}

/** The series of ours that alerts look at. */
export function alertSelectors(): Query[] {
  return ruleExpressions().flatMap(({ where, expr }) =>
    (expr.match(/\b(?:[a-z]+_)+[a-z]+(?:\{[^}]*\})?/g) ?? [])
      .filter((name) => /^(?:kmspool|controller_runtime|workqueue|leader_election)_/.test(name))
      .map((name) => ({ where: `${where}: ${name}`, expr: name })),
  );
}

/** What still returns nothing after `timeoutMs`, but for what may. */
export async function empties(
  prometheus: Pick<Prometheus, 'query'>,
  all: readonly Query[],
  timeoutMs: number,
): Promise<string[]> {
  let left = all;
  const look = async (): Promise<boolean> => {
    const still: Query[] = [];
    for (const each of left) if ((await prometheus.query(each.expr)).length === 0) still.push(each);
    left = still;
    await delay(500);
    return left.every(({ where }) => where in MAY_BE_EMPTY);
  };
  await waitFor('data', look, timeoutMs).catch((error: unknown) => {
    if (!String(error).includes('in vain')) throw error;
  });
  return left.filter(({ where }) => !(where in MAY_BE_EMPTY)).map(({ where, expr }) => `${where}: ${expr}`);
}
