// SPDX-License-Identifier: Apache-2.0

// One pool: who serves, what is counted, what is asked and refused, the store, DNS.
import {
  type Dashboard,
  DashboardLinkBuilder,
  DashboardLinkType,
  QueryVariableBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DATASOURCE, emptyDashboard, fill } from './panels.ts';
import { CLIENTS, COUNTS, HOSTS, OVERVIEW } from './pool-panels.ts';
import { DNS, FAILURES, REQUESTS, STORE } from './pool-panels-more.ts';

/** Also in the address of the dashboard; links of the fleet overview name it. */
export const POOL_DASHBOARD_UID = 'kmspool-pool';
export const FLEET_DASHBOARD_UID = 'kmspool-fleet';

/** Either a host or the operator knows the pool: a pool without hosts can be chosen, and one without an operator, too. */
const KNOWN = '__name__=~"kmspool_host_info|kmspool_pool_hosts"';

function variable(name: string, label: string, query: string): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label)
    .datasource(DATASOURCE)
    .query(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc);
}

/** The dashboard of one pool. */
export function poolDashboard(): Dashboard {
  const dashboard = emptyDashboard(POOL_DASHBOARD_UID, 'KMS pool', 'One pool of emulated KMS hosts.')
    .withVariable(variable('namespace', 'Namespace', `label_values({${KNOWN}}, namespace)`))
    .withVariable(variable('pool', 'Pool', `label_values({${KNOWN},namespace="$namespace"}, pool)`))
    .link(
      new DashboardLinkBuilder('All pools')
        .type(DashboardLinkType.Link)
        .url(`/d/${FLEET_DASHBOARD_UID}?var-datasource=\${datasource}`)
        .keepTime(true),
    );
  const built = fill(dashboard, [OVERVIEW, COUNTS, REQUESTS, FAILURES, HOSTS, CLIENTS, STORE, DNS]).build();
  // The builder's default hides links in a menu.
  return { ...built, links: (built.links ?? []).map(({ placement: _menu, ...link }) => link) };
}
