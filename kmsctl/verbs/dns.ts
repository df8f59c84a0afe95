// SPDX-License-Identifier: Apache-2.0
//
// `kmsctl dns`: what stands in DNS of a pool, for servers that the operator does not write to, and what Windows KMS hosts publish, as
// a pool's domains. `export` is dns-export.ts; here are the group and `import`.

import { UserError } from '@kmspool/crds';
import { Command } from 'commander';
import { stringify } from 'yaml';
import { readInput } from '../cli/input.ts';
import { EXIT, type Io } from '../cli/io.ts';
import { type OutputFormat, outputOption } from '../cli/options.ts';
import type { VerbContext } from '../cli/program.ts';
import { type DomainSpec, domainsOf } from '../dns-formats/domains.ts';
import { type Parsed, type PublishList, parsePublishText } from '../dns-formats/publish-list.ts';
import { decodeText, isRegText, parseReg } from '../dns-formats/registry.ts';
import { codeOf } from '../pool/pool-file.ts';
import { printable } from '../text/style.ts';
import { dnsExportCommand } from './dns-export.ts';

const HELP = `
Examples:
  kmsctl dns export -f pool.yaml --format bind      zone file lines
  kmsctl dns import kms1.reg                        spec.dns.domains as YAML

Exit codes: 0 printed, 2 bad input; then one line says what to change.`;

const IMPORT_HELP = `
FILE is a .reg file (regedit: export the subkey SoftwareProtectionPlatform, on
Vista and Server 2008 SL) or a text with the lines of DnsDomainPublishList:
"domain", or "domain, priority, weight". Several files are several hosts, in the
order of the pool's ordinals; where their ranks differ, the pool gets tiers.
DisableDnsPublishing=1 becomes publisher: None. Of a .reg file only these two
values are read. - reads standard input.

Domains that are listed replace the host's own domain, as on Windows: add that
one, too, if clients shall find the pool there.

Examples:
  kmsctl dns import kms1.reg
  kmsctl dns import kms1.reg kms2.reg kms3.reg
  kmsctl dns import domains.txt -o json

Exit codes: 0 printed, 2 bad input; then one line says what to change.`;

export function dnsCommand(context: VerbContext): Command {
  return new Command('dns')
    .summary("a pool's records for other DNS servers; lists of Windows hosts")
    .description(
      "Print a pool's DNS records for servers that the operator does not write to, or turn what Windows KMS hosts publish into spec.dns.",
    )
    .addCommand(dnsExportCommand(context))
    .addCommand(dnsImportCommand(context))
    .addHelpText('after', HELP);
}

function dnsImportCommand({ io, exit }: VerbContext): Command {
  return new Command('import')
    .summary('DnsDomainPublishList of Windows hosts as spec.dns')
    .description(
      'Turn DnsDomainPublishList and DisableDnsPublishing of Windows KMS hosts into spec.dns of a KmsHostPool.',
    )
    .argument('<file...>', 'one file for each host')
    .addOption(outputOption())
    .addHelpText('after', IMPORT_HELP)
    .action((files: string[], { output }: { output: OutputFormat }) => {
      importDns(files, output, io);
      exit(EXIT.ok);
    });
}

interface ReadFile {
  readonly lists: readonly PublishList[];
  readonly publish: boolean;
  readonly notes: readonly string[];
}

function importDns(files: readonly string[], output: OutputFormat, io: Io): void {
  const read = files.map((file) => ({ file, ...readOne(file, io) }));
  const notes = read.flatMap((each) => each.notes.map((note) => `${each.file}: ${note}`));
  const dns = domainsOf(read.flatMap(({ lists }) => lists));
  if (!dns.ok) throw new UserError(dns.reason);
  const silent = read.filter(({ publish }) => !publish).map(({ file }) => file);
  if (silent.length > 0 && silent.length < read.length) {
    throw new UserError(
      `${silent.join(', ')}: DisableDnsPublishing is 1 here and not in the other files; a pool publishes all its hosts or none`,
    );
  }
  const testZone = /(^|\.)(test|example)$/;
  const real = dns.value.domains.map(({ name }) => name).filter((name) => !testZone.test(name));
  const zoneNote =
    real.length === 0
      ? []
      : [`${real.join(', ')}: an emulated pool may not publish there (ZoneNotAllowed); use test zones instead`];
  for (const note of [...notes, ...dns.value.notes, ...zoneNote]) io.err(`kmsctl: note: ${printable(note)}\n`);
  const spec = specOf(dns.value.domains, silent.length === 0);
  io.out(output === 'json' ? `${JSON.stringify(spec, null, 2)}\n` : stringify(spec));
}

function specOf(domains: readonly DomainSpec[], publish: boolean): Record<string, unknown> {
  return { spec: { dns: { ...(!publish && { publisher: 'None' }), domains } } };
}

function readOne(file: string, io: Io): ReadFile {
  const text = decodeText(bytesOf(file, io));
  if (!isRegText(text)) return { lists: parsedOf(file, parsePublishText(text)), publish: true, notes: [] };
  const { place, list, publish, notes } = parsedOf(file, parseReg(text));
  const old = place === 'SL' ? ['it is of Vista or Server 2008 (key SL), which has no priority and weight'] : [];
  const none = list === undefined ? ['it has no DnsDomainPublishList: that host publishes in its own domain only'] : [];
  return { lists: list === undefined ? [] : [list], publish, notes: [...notes, ...old, ...none] };
}

function bytesOf(file: string, io: Io): Buffer {
  try {
    return readInput(file === '-' ? file : io.path(file));
  } catch (error) {
    throw new UserError(`${file} cannot be read (${codeOf(error)}); name a file that is there`);
  }
}

function parsedOf<T>(file: string, parsed: Parsed<T>): T {
  if (parsed.ok) return parsed.value;
  throw new UserError(`${file}: ${printable(parsed.reason)}`);
}
