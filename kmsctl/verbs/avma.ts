// SPDX-License-Identifier: Apache-2.0
//
// `kmsctl avma`: plays a scenario of automatic virtual machine activation. What happens is @kmspool/kms/avma's, the file avma/scenario.ts's.

import { redacted, UserError } from '@kmspool/crds';
import { Command, Option } from 'commander';
import { type Played, playScenario } from '../avma/play.ts';
import { playedLines, reportLines } from '../avma/play-text.ts';
import { csvText, jsonRows, REPORTS, type ReportName, reportOf, timeText } from '../avma/report.ts';
import { loadScenario, type Scenario } from '../avma/scenario.ts';
import { readInput } from '../cli/input.ts';
import { EXIT, type Io } from '../cli/io.ts';
import type { VerbContext } from '../cli/program.ts';
import { codeOf } from '../pool/pool-file.ts';
import { styleFor } from '../text/style.ts';

interface AvmaFlags {
  readonly report?: ReportName;
  readonly tenant?: string;
  readonly output: 'text' | 'json' | 'csv';
}

const HELP = `
A scenario is YAML: hosts, guests, steps, and what is expected after a step.

  name: a guest moves
  hosts:
    - {name: hv1, os: WindowsServer2022}      Datacenter, Hyper-V, activated
    - {name: hv2, os: WindowsServer2022, activation: NotActivated}
  guests:
    - {name: web, host: hv1, os: WindowsServer2019, edition: Standard}
  steps:
    - start: web
      expect: [{guest: web, license: Licensed, boundTo: hv1}]
    - migrate: {guest: web, to: hv2}
      expect: [{guest: web, notification: InvalidHost, license: Licensed}]
    - wait: 7d
      expect: [{guest: web, license: Notification}]

Steps: start, stop, retry GUEST; migrate {guest, to}; setKey {guest, key};
tamper {guest, data}; setGuest {guest, dataExchange, damaged, connected};
setHost {host, activation, answers, connected}; lose HOST (its guests start on
the others of its cluster); wait TIME.
Expectations: license, host, boundTo, notification, reason, hostLog, data, fqdn.
Keys are Avma, Retail, Oem or Volume: no product key is ever needed.

Reports: host (guests now), history (12310 records), compliance (all guests that
hosts have activated), tenant (its own guests, without names of hosts).

Examples:
  kmsctl avma examples/avma/basic.yaml
  kmsctl avma examples/avma/tenants.yaml --report compliance -o csv
  kmsctl avma examples/avma/tenants.yaml --report tenant --tenant contoso

Exit codes: 0 everything expected came to be, 1 something did not, 2 bad input;
then one line says what to change.`;

export function avmaCommand({ io, exit }: VerbContext): Command {
  return new Command('avma')
    .summary('rehearse automatic virtual machine activation')
    .description(
      'Play a scenario of automatic virtual machine activation: guests that start, move and renew on virtualisation hosts, their event records and reports.',
    )
    .argument('<scenario>', 'YAML or JSON file; - reads standard input')
    .addOption(new Option('--report <which>', 'print a report of the end instead of the steps').choices(REPORTS))
    .option('--tenant <name>', 'whose report')
    .addOption(
      new Option('-o, --output <format>', 'how to print; csv for reports')
        .choices(['text', 'json', 'csv'])
        .default('text'),
    )
    .addHelpText('after', HELP)
    .action((file: string, flags: AvmaFlags) => exit(avma(file, flags, io)));
}

function avma(file: string, flags: AvmaFlags, io: Io): number {
  const { report, tenant, output } = flags;
  const scenario = load(file, io);
  refuseFlags(flags, scenario);
  const played = playScenario(scenario);
  const options = { style: styleFor(io.color), ...(io.tty && { width: io.columns() }) };
  if (report === undefined) {
    if (output === 'json') io.out(`${JSON.stringify(playedJson(scenario, played), null, 2)}\n`);
    else io.out(`${playedLines(scenario, played, options).join('\n')}\n`);
  } else {
    const made = reportOf(played, report, tenant);
    if (output === 'csv') io.out(redacted(csvText(made)));
    else if (output === 'json') io.out(`${redacted(JSON.stringify(jsonRows(made), null, 2))}\n`);
    else io.out(`${reportLines(made, options).join('\n')}\n`);
  }
  return played.failed === 0 ? EXIT.ok : EXIT.no;
}

function load(file: string, io: Io): Scenario {
  const loaded = loadScenario(textOf(file, io), file);
  if (loaded.ok) return loaded.scenario;
  const [first = `${file}: this is no scenario`, ...others] = loaded.errors;
  throw new UserError(others.length === 0 ? first : `${first} (and ${others.length} more)`);
}

function textOf(file: string, io: Io): string {
  try {
    return readInput(file === '-' ? file : io.path(file)).toString('utf8');
  } catch (error) {
    throw new UserError(`${file} cannot be read (${codeOf(error)}); name a scenario that is there`);
  }
}

function refuseFlags({ report, tenant, output }: AvmaFlags, { guests }: Scenario): void {
  const tenants = [...new Set(guests.map((guest) => guest.tenant))];
  if (output === 'csv' && report === undefined) throw new UserError('-o csv prints a report; choose one with --report');
  if (report === 'tenant' && tenant === undefined) {
    throw new UserError(`--report tenant: say whose with --tenant; there are ${tenants.join(', ')}`);
  }
  if (tenant !== undefined && report !== 'tenant') throw new UserError('--tenant goes with --report tenant');
  if (tenant !== undefined && !tenants.includes(tenant)) {
    throw new UserError(`--tenant: there is no ${tenant}; use one of ${tenants.join(', ')}`);
  }
}

function playedJson({ name }: Scenario, played: Played): unknown {
  const { steps, failed, expected } = played;
  const shown = steps.map(({ title, note, atMs, records, verdicts }) => ({
    ...{ time: timeText(atMs), step: title, note, verdicts },
    records: records.map(({ atMs: at, ...record }) => ({ time: timeText(at), ...record })),
  }));
  return JSON.parse(
    redacted(
      JSON.stringify({
        ...{ scenario: name, expected, failed, steps: shown },
        usage: jsonRows(reportOf(played, 'host', undefined)),
        compliance: jsonRows(reportOf(played, 'compliance', undefined)),
      }),
    ),
  );
}
