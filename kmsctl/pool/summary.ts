// SPDX-License-Identifier: Apache-2.0
//
// What `kmsctl up` and `demo --keep` print of a running pool: where it is, and what to try. Text only.

import { rankHosts } from '@kmspool/kms/dns';
import type { Io } from '../cli/io.ts';
import { styleFor } from '../text/style.ts';
import { tableLines } from '../text/table.ts';
import type { RunningPool } from './run-pool.ts';

export interface SummaryOptions {
  readonly io: Io;
  readonly redis: boolean;
  /** The state folder is where other verbs look by themselves. */
  readonly defaultState: boolean;
}

/** Hosts, DNS and folder of a pool, and commands to go on with; ends with a line end. */
export function poolSummary(running: RunningPool, { io, redis, defaultState }: SummaryOptions): string {
  const { endpoints, pool, stateDir } = running;
  const style = styleFor(io.color);
  const count = endpoints.hosts.length;
  const table = redis ? 'in Redis, each host a process of its own' : 'in memory; it ends with this process';
  const domains = pool.spec.dns.domains;
  const ranks = domains.map((domain) => rankHosts(domain, count));
  const rows = endpoints.hosts.map(({ name, address, port, http }, at) => [
    name,
    `${address}:${port}`,
    http,
    ...ranks.map((ofDomain) => `${ofDomain[at]?.priority ?? 0} ${ofDomain[at]?.weight ?? 0}`),
  ]);
  const columns = ['HOST', 'KMS', 'HTTP', ...domains.map(({ name }) => name)].map((title) => ({ title }));
  return [
    `${style.bold(`Pool ${endpoints.pool}`)} is up: ${count} host${count === 1 ? '' : 's'}, one count ${table}.`,
    'Emulated: it answers clients that hold its key; no genuine Windows or Office accepts its answers.',
    '',
    ...tableLines(rows, { style, columns, indent: '  ', width: io.columns() }),
    ...(domains.length === 0 ? [] : [style.dim('  (under a domain: SRV priority and weight)')]),
    '',
    `  DNS    ${endpoints.dns.address}:${endpoints.dns.port}, UDP and TCP${domains.length === 0 ? ', without a domain' : ''}`,
    `  State  ${stateDir}`,
    '',
    'Try in another terminal:',
    ...commands(running, io, defaultState).map((line) => `  ${style.cyan(line)}`),
    '',
    'Ctrl-C drains and ends it.',
    '',
  ].join('\n');
}

function commands({ endpoints, stateDir, pool }: RunningPool, io: Io, defaultState: boolean): string[] {
  const state = defaultState ? '' : ` --state ${stateDir}`;
  const [host] = endpoints.hosts;
  const [domain] = pool.spec.dns.domains;
  const { dns } = endpoints;
  return [
    `${io.program} activate${state} --product windows-11`,
    `${io.program} dlv${state}`,
    ...(domain === undefined ? [] : [`dig @${dns.address} -p ${dns.port} SRV _vlmcs._tcp.${domain.name}`]),
    ...(host === undefined ? [] : [`curl -s ${host.http}/metrics`]),
  ];
}
