// SPDX-License-Identifier: Apache-2.0

// Every PromQL expression of the dashboards and rules, with the place where it stands, as a Prometheus can run it: the variables of Grafana replaced.
import type { Dashboard, Panel, RowPanel } from '@grafana/grafana-foundation-sdk/dashboard';
import { fleetDashboard } from './fleet-dashboard.ts';
import { poolDashboard } from './pool-dashboard.ts';
import { RULE_GROUPS } from './rules.ts';

/** One expression. */
export interface Expression {
  /** `KMS pool / Latency / A`, or `alert KmsHostDown`. */
  readonly where: string;
  readonly expr: string;
}

/** What Grafana puts in place of its variables. */
export interface Substitutes {
  readonly namespace: string;
  readonly pool: string;
  /** `$__rate_interval`, such as `1m`. */
  readonly rateInterval: string;
  /** `$__range`. */
  readonly range: string;
}

/** Both dashboards. */
export function dashboards(): readonly Dashboard[] {
  return [poolDashboard(), fleetDashboard()];
}

/** The panels of a dashboard, without rows. */
export function panelsOf({ panels = [] }: Dashboard): readonly Panel[] {
  return panels.filter((each: Panel | RowPanel): each is Panel => each.type !== 'row');
}

/** A query of a panel, as JSON has it. */
export interface Target {
  readonly refId: string;
  readonly expr: string;
  readonly datasource?: unknown;
}

/** The queries of a panel. */
export function targetsOf({ targets = [] }: Panel): readonly Target[] {
  return targets as unknown as readonly Target[];
}

/** Every query of the dashboards. */
export function dashboardExpressions(): readonly Expression[] {
  return dashboards().flatMap((dashboard) =>
    panelsOf(dashboard).flatMap((panel) =>
      targetsOf(panel).map(({ refId, expr }) => ({ where: `${dashboard.title} / ${panel.title} / ${refId}`, expr })),
    ),
  );
}

/** Every alert's condition. */
export function ruleExpressions(): readonly Expression[] {
  return RULE_GROUPS.flatMap(({ rules }) => rules.map(({ alert, expr }) => ({ where: `alert ${alert}`, expr })));
}

/** The expression as Prometheus takes it. */
export function substitute(expr: string, { namespace, pool, rateInterval, range }: Substitutes): string {
  return expr
    .replaceAll('$__rate_interval', rateInterval)
    .replaceAll('$__range', range)
    .replaceAll('$namespace', namespace)
    .replaceAll('$pool', pool);
}
