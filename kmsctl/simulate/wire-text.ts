// SPDX-License-Identifier: Apache-2.0
//
// The summary of a fleet that asked a pool over the network.

import { formatHresult, hresult as hresultInfo } from '@kmspool/kms/catalog';
import type { Io } from '../cli/io.ts';
import { printable, styleFor } from '../text/style.ts';
import { tableLines } from '../text/table.ts';
import type { WireReport } from './run-wire.ts';

export function wireText(report: WireReport, io: Io): string {
  const style = styleFor(io.color);
  const { machines, tries, licensed, seconds, latencyMs, counts, hosts, results, interrupted } = report;
  const width = io.columns();
  const most = Math.max(1, ...hosts.map(({ answered }) => answered));
  const speed = seconds > 0 ? `, ${Math.round(tries / seconds)} a second` : '';
  const latency =
    latencyMs === undefined
      ? []
      : [`round trip: median ${latencyMs.p50} ms, 99 % within ${latencyMs.p99} ms, longest ${latencyMs.highest} ms`];
  const told = Object.entries(counts).map(([name, count]) => `${name} ${count}`);
  const all = licensed === machines;
  return [
    `${machines} machines, ${tries} tries in ${seconds} s${speed}${interrupted ? ', interrupted' : ''}`,
    ...latency,
    ...(told.length === 0 ? [] : [`count at the last answer: ${told.join(', ')}`]),
    '',
    ...tableLines(
      hosts.map(({ host, answered }) => [
        printable(host),
        String(answered),
        style.cyan('▇'.repeat(Math.round((answered / most) * 30))),
      ]),
      { style, width, columns: [{ title: 'HOST', minWidth: 8 }, { title: 'ANSWERED', align: 'right' }, { title: '' }] },
    ),
    '',
    ...tableLines(
      results.map(({ hresult, times }) => [
        formatHresult(hresult),
        String(times),
        hresult === 0 ? 'Licensed.' : (hresultInfo(hresult)?.texts.en.meaning ?? ''),
      ]),
      {
        style,
        width,
        columns: [{ title: 'RESULT' }, { title: 'TIMES', align: 'right' }, { title: 'MEANING', minWidth: 20 }],
      },
    ),
    '',
    `${all ? style.green('✔') : style.red('✘')} ${licensed} of ${machines} Licensed`,
    '',
  ].join('\n');
}
