// SPDX-License-Identifier: Apache-2.0
//
// `kmsctl dns export`: a pool's records for other name servers and for Windows. Which pool and where to write are here; the texts are
// dns-formats/'s.

import { writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { UserError } from '@kmspool/crds';
import { Command, InvalidArgumentError, Option } from 'commander';
import { EXIT, type Io } from '../cli/io.ts';
import { type HostPort, hostPort, type OutputFormat, outputOption, stateOption, wholeNumber } from '../cli/options.ts';
import type { VerbContext } from '../cli/program.ts';
import { distinctLists, listsOfHosts } from '../dns-formats/domains.ts';
import { DNS_FORMAT_NAMES, DNS_FORMATS, type DnsFormat } from '../dns-formats/formats.ts';
import { type PublishList, publishText } from '../dns-formats/publish-list.ts';
import {
  type ExportRecord,
  type ExportSource,
  exportRecords,
  isPlainName,
  recordData,
} from '../dns-formats/records.ts';
import { encodeReg, regText } from '../dns-formats/registry.ts';
import { dnscmdBatch, powershellScript, skmsLines } from '../dns-formats/windows.ts';
import { bindZone, dnsmasqConf, nsupdateScript, unboundConf, type ZoneServer } from '../dns-formats/zone-files.ts';
import { codeOf } from '../pool/pool-file.ts';
import { type DnsPool, type HostAddress, poolToExport } from '../pool/pool-records.ts';
import { styleFor } from '../text/style.ts';
import { tableLines } from '../text/table.ts';

interface ExportFlags {
  readonly file?: string;
  readonly state?: string;
  readonly format?: DnsFormat;
  readonly domain?: string;
  readonly zone?: readonly string[];
  readonly address?: readonly HostAddress[];
  readonly ttl?: number;
  readonly nameserver?: ZoneServer;
  readonly serial?: number;
  readonly server?: HostPort;
  readonly remove: boolean;
  readonly host?: string;
  readonly legacy: boolean;
  readonly out?: string;
  readonly output: OutputFormat;
}

const HELP = `
Formats:
${DNS_FORMAT_NAMES.map((name) => `  ${name.padEnd(14)}${DNS_FORMATS[name]}`).join('\n')}
Without --format the records are listed.

The pool is that of a manifest (-f; what kubectl get -o yaml prints also has the
hosts' addresses) or one that kmsctl up runs here. Ranks are the same that the
operator publishes. Where a zone is updated by key, allow that key by
update-policy; allow-update { any; } lets every machine name the KMS host.
--remove prints commands that take exactly these records out again, so that none
stays behind.

Examples:
  kmsctl dns export -f examples/campus.yaml
  kmsctl dns export -f pool.yaml --format powershell --out records.ps1
  kmsctl dns export -f pool.yaml --format bind --domain lab.example \\
      --nameserver ns1.lab.example=192.0.2.53 --address campus-0=192.0.2.10
  kmsctl dns export --format nsupdate | nsupdate -k kmspool.key
  kmsctl dns export -f pool.yaml --format reg --host campus-2 --out kms2.reg
  kubectl get khp campus -o yaml | kmsctl dns export -f - --format unbound

Exit codes: 0 printed, 2 bad input; then one line says what to change.`;

export function dnsExportCommand({ io, exit }: VerbContext): Command {
  return new Command('export')
    .summary("a pool's records for other name servers, and for Windows")
    .description(
      "Print a pool's SRV and address records for Microsoft DNS, BIND, nsupdate, dnsmasq, Unbound, or as Windows' own lists.",
    )
    .argument('[pool]', 'name of the pool, where there are several')
    .option('-f, --file <manifest>', 'YAML or JSON with a KmsHostPool; - reads standard input')
    .addOption(stateOption())
    .addOption(new Option('--format <format>', 'for whom').choices(DNS_FORMAT_NAMES))
    .option('--domain <name>', 'only this one of the domains', dnsName)
    .option('--zone <name>', 'zone that holds a domain which is no zone itself; may be repeated', each(dnsName))
    .option('--address <host=ip>', 'address of a host, such as campus-0=192.0.2.10; may be repeated', each(hostAddress))
    .option('--ttl <seconds>', "time to live instead of the domain's", wholeNumber(1, 604_800))
    .option(
      '--nameserver <server>',
      'bind: whole zones, with SOA and this name server, NAME or NAME=ADDRESS',
      zoneServer,
    )
    .option('--serial <n>', "bind: the zone's serial (default: seconds since 1970)", wholeNumber(0, 2 ** 32 - 1))
    .option('--server <address>', 'nsupdate: primary to send to (default: as the zone says)', hostPort)
    .option('--remove', 'powershell, dnscmd, nsupdate: take these records out', false)
    .option('--host <name>', 'publish-list, reg: the list of this host')
    .option('--legacy', 'publish-list, reg: for Vista and Server 2008 (key SL, no ranks)', false)
    .option('--out <file>', 'write a file, encoded as its readers expect')
    .addOption(outputOption())
    .addHelpText('after', HELP)
    .action(async (pool: string | undefined, flags: ExportFlags) => exit(await exportDns(pool, flags, io)));
}

async function exportDns(poolName: string | undefined, flags: ExportFlags, io: Io): Promise<number> {
  refuseIdleFlags(flags);
  const pool = await poolToExport(io, { poolName, ...flags });
  const source = chosen(pool, flags);
  const exported = exportRecords(source);
  if (!exported.ok) throw new UserError(exported.reason);
  const { records } = exported;
  refuseNamelessServer(records, flags.nameserver);
  if (records.length === 0) throw new UserError('the pool has no host and domain to print; add spec.dns.domains');
  const { format } = flags;
  const text =
    format === undefined
      ? listing(records, flags, io)
      : rendered({ format, records, source, flags, publish: pool.publisher !== 'None' });
  for (const note of notes(pool, format)) io.err(`kmsctl: ${note}\n`);
  if (flags.out === undefined) io.out(text);
  else write(io.path(flags.out), flags.out, fileContent(text, format));
  return EXIT.ok;
}

// A flag that would do nothing is a mistake: somebody expects it to do something.
const FLAGS_OF: Readonly<Record<string, readonly DnsFormat[]>> = {
  nameserver: ['bind'],
  serial: ['bind'],
  server: ['nsupdate'],
  remove: ['powershell', 'dnscmd', 'nsupdate'],
  host: ['publish-list', 'reg'],
  legacy: ['publish-list', 'reg'],
};

function refuseIdleFlags(flags: ExportFlags): void {
  const { format, output, file, state } = flags;
  for (const [name, formats] of Object.entries(FLAGS_OF)) {
    const given = { ...flags }[name as keyof ExportFlags];
    if (given === undefined || given === false || (format !== undefined && formats.includes(format))) continue;
    throw new UserError(`--${name} means nothing here; it goes with --format ${formats.join(' or ')}`);
  }
  if (format !== undefined && output === 'json') throw new UserError('-o json lists the records; leave out --format');
  if (file !== undefined && state !== undefined) throw new UserError('choose one of --file and --state');
}

// A zone whose own name server has no address is no zone: BIND refuses to load it.
function refuseNamelessServer(records: readonly ExportRecord[], server: ZoneServer | undefined): void {
  if (server === undefined || server.address !== undefined) return;
  const zone = records.map((record) => record.zone).find((each) => server.name.endsWith(`.${each}`));
  if (zone === undefined) return;
  throw new UserError(
    `--nameserver: ${server.name} is in ${zone} itself, so its address must stand there; write ${server.name}=ADDRESS`,
  );
}

function chosen({ source }: DnsPool, { domain, zone, ttl }: ExportFlags): ExportSource {
  const domains = source.domains
    .filter(({ name }) => domain === undefined || name === domain)
    .map((each) => (ttl === undefined ? each : { ...each, ttlSeconds: ttl }));
  if (domains.length > 0 || source.domains.length === 0)
    return { ...source, domains, ...(zone !== undefined && { zones: zone }) };
  const names = source.domains.map(({ name }) => name).join(', ');
  throw new UserError(`--domain: the pool has no domain ${domain ?? ''}; use one of ${names}`);
}

interface Rendering {
  readonly format: DnsFormat;
  readonly records: readonly ExportRecord[];
  readonly source: ExportSource;
  readonly flags: ExportFlags;
  /** What a Windows host is told: publish, or not (slmgr /cdns). */
  readonly publish: boolean;
}

function rendered({ format, records, source, flags, publish }: Rendering): string {
  const { nameserver, serial = Math.floor(Date.now() / 1000), remove, legacy } = flags;
  switch (format) {
    case 'powershell':
      return powershellScript(records, { remove });
    case 'dnscmd':
      return dnscmdBatch(records, { remove });
    case 'bind':
      return bindZone(records, { nameserver, serial });
    case 'nsupdate':
      return nsupdateScript(records, { remove, server: serverText(flags.server) });
    case 'dnsmasq':
      return dnsmasqConf(records);
    case 'unbound':
      return unboundConf(records);
    case 'skms':
      return skmsLines(records);
    case 'publish-list':
      return publishText(listsFor(source, flags), legacy);
    case 'reg':
      return regOf(listsFor(source, flags), { legacy, publish });
  }
}

function serverText(server: HostPort | undefined): string | undefined {
  return server === undefined
    ? undefined
    : [server.host, ...(server.port === undefined ? [] : [server.port])].join(' ');
}

function listsFor({ domains, hosts }: ExportSource, { host, legacy }: ExportFlags): readonly PublishList[] {
  const names = hosts.map(({ name }) => name);
  const lists = listsOfHosts(domains, names);
  if (host === undefined) return legacy ? lists.slice(0, 1) : distinctLists(lists);
  const list = lists.find((each) => each.host === host);
  if (list === undefined) throw new UserError(`--host: the pool has no host ${host}; use one of ${names.join(', ')}`);
  return [list];
}

function regOf(lists: readonly PublishList[], { legacy, publish }: { legacy: boolean; publish: boolean }): string {
  const [list, another] = lists;
  if (list !== undefined && another === undefined) {
    return regText(list, { place: legacy ? 'SL' : 'SoftwareProtectionPlatform', publish });
  }
  const names = lists.map(({ host }) => host ?? '').join(', ');
  throw new UserError(
    `the hosts have different ranks, so each needs a file of its own; choose one with --host: ${names}`,
  );
}

function listing(records: readonly ExportRecord[], { output }: ExportFlags, io: Io): string {
  if (output === 'json') return `${JSON.stringify({ records }, null, 2)}\n`;
  const rows = records.map((record) => [record.name, String(record.ttlSeconds), record.type, recordData(record)]);
  const columns = [{ title: 'NAME' }, { title: 'TTL', align: 'right' as const }, { title: 'TYPE' }, { title: 'DATA' }];
  return `${tableLines(rows, { style: styleFor(io.color && io.tty), columns }).join('\n')}\n`;
}

function notes({ source, ownTargets, publisher }: DnsPool, format: DnsFormat | undefined): string[] {
  if (format === undefined || format === 'skms' || format === 'publish-list' || format === 'reg') return [];
  const unknown = source.hosts.filter(({ addresses, target }) => addresses.length === 0 && ownTargets.has(target));
  const names = unknown.map(({ target }) => target).join(', ');
  return [
    ...(unknown.length === 0 ? [] : [`note: no address is known of ${names}; give them with --address HOST=ADDRESS`]),
    ...(publisher === 'ExternalDNS'
      ? [
          'note: spec.dns.publisher is ExternalDNS; set it to None, or use these records in other domains only: one writer a record',
        ]
      : []),
  ];
}

const WINDOWS_TEXTS: readonly (DnsFormat | undefined)[] = ['powershell', 'dnscmd', 'skms', 'publish-list'];

function fileContent(text: string, format: DnsFormat | undefined): string | Buffer {
  if (format === 'reg') return encodeReg(text);
  return WINDOWS_TEXTS.includes(format) ? text.replaceAll('\n', '\r\n') : text;
}

function write(path: string, shownAs: string, content: string | Buffer): void {
  try {
    writeFileSync(path, content);
  } catch (error) {
    throw new UserError(`--out: ${shownAs} cannot be written (${codeOf(error)}); choose a file in a folder of yours`);
  }
}

function dnsName(text: string): string {
  const name = text.toLowerCase().replace(/\.$/, '');
  if (!isPlainName(name)) throw new InvalidArgumentError('Write a DNS name such as lab.example.');
  return name;
}

function zoneServer(text: string): ZoneServer {
  const [name = '', address, rest] = text.split('=');
  if (rest !== undefined || (address !== undefined && isIP(address) === 0)) {
    throw new InvalidArgumentError('Write NAME or NAME=ADDRESS, such as ns1.lab.example=192.0.2.53.');
  }
  return { name: dnsName(name), address };
}

function hostAddress(text: string): HostAddress {
  const [host = '', address, rest] = text.split('=');
  if (address === undefined || rest !== undefined || host === '') {
    throw new InvalidArgumentError('Write HOST=ADDRESS, such as campus-0=192.0.2.10.');
  }
  return { host, address };
}

/** A parser of an option that may stand several times. */
function each<T>(parse: (text: string) => T): (text: string, before?: readonly T[]) => readonly T[] {
  return (text, before = []) => [...before, parse(text)];
}
