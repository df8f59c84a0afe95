// SPDX-License-Identifier: Apache-2.0
//
// `kmsctl doctor`: the documents' troubleshooting ladder over a pool or a domain, from name servers to the count.

import { isIP } from 'node:net';
import { UserError } from '@kmspool/crds';
import { Command, InvalidArgumentError } from 'commander';
import { printData } from '../cli/data.ts';
import { EXIT, type Io } from '../cli/io.ts';
import { type DataFormat, dataOption, nameServer } from '../cli/options.ts';
import type { VerbContext } from '../cli/program.ts';
import type { ClientView } from '../doctor/facts.ts';
import { gather } from '../doctor/gather.ts';
import { climb } from '../doctor/ladder.ts';
import { reportLines } from '../doctor/report.ts';
import { type Step, worst } from '../doctor/step.ts';
import type { NameServer } from '../net/index.ts';
import { runningPools } from '../pool/endpoints.ts';
import { addSourceOptions, choosePool, POOL_HELP, type SourceFlags } from '../source/choose.ts';
import type { PoolSource } from '../source/source.ts';

const HELP = `${POOL_HELP}
A name with a dot is a DOMAIN: then only DNS and the hosts found there are
looked at, unless a pool that runs here publishes in it. Without --dns the
pool's own name server is asked, else this machine's and the zone's own ones.
Ports are tried with an RPC bind, which no KMS host counts.
--from is a client's point of view: its search list, primary suffix first, as
lab.example,corp.example; domain=corp.example for a member of an AD domain,
workgroup=lab.example for one that has its suffix from DHCP (option 15).

Examples:
  kmsctl doctor
  kmsctl doctor campus -n kms -v
  kmsctl doctor lab.example --dns 10.0.0.53
  kmsctl doctor campus --from workgroup=branch.example --client 10.1.2.3
  kmsctl doctor campus -o json                   for CI

Exit codes: 0 nothing failed (there may be warnings), 1 a step failed, 2 bad
input, or the pool was not found.`;

interface DoctorFlags extends SourceFlags {
  readonly output: DataFormat;
  readonly dns?: readonly NameServer[];
  readonly from?: ClientView;
  readonly client?: string;
  readonly verbose?: boolean;
}

export function doctorCommand({ io, exit }: VerbContext): Command {
  return addSourceOptions(new Command('doctor').argument('[pool]', 'pool, or a DNS domain'))
    .summary('look for what keeps clients from activating')
    .description(
      'Walk the troubleshooting ladder over a pool or a DNS domain: each step with what was seen and what mends it.',
    )
    .option('--dns <address>', 'name server to ask, ADDRESS or ADDRESS:PORT; may be given again', servers)
    .option('--from <view>', "a client's domains: list, domain=NAME or workgroup=NAME", clientView)
    .option('--client <address>', 'address of a client, to hold against allowed sources', clientAddress)
    .option('-v, --verbose', 'also what is well, whole, and what was skipped')
    .addOption(dataOption())
    .addHelpText('after', HELP)
    .action(async (pool: string | undefined, flags: DoctorFlags) => exit(await doctor(pool, flags, io)));
}

async function doctor(pool: string | undefined, flags: DoctorFlags, io: Io): Promise<number> {
  const { source, domains } = await whom(pool, flags, io);
  try {
    const facts = await gather({
      source,
      domains,
      servers: flags.dns ?? [],
      client: flags.from,
      clientAddress: flags.client,
      timeoutMs: flags.timeout,
    });
    const steps = climb(facts);
    print(steps, { pool: source?.pool ?? pool ?? '', where: source?.where ?? 'DNS only' }, flags, io);
    return worst(steps.map(({ verdict }) => verdict)) === 'fail' ? EXIT.no : EXIT.ok;
  } finally {
    source?.close();
  }
}

interface Whom {
  readonly source: PoolSource | undefined;
  readonly domains: readonly string[];
}

async function whom(name: string | undefined, flags: DoctorFlags, io: Io): Promise<Whom> {
  if (name === undefined || !name.includes('.') || name.includes('://'))
    return { source: (await choosePool(name, flags, io)).source, domains: [] };
  const domain = name.toLowerCase().replace(/\.$/, '');
  if (!/^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(domain)) throw new UserError(`${name} is no DNS domain`);
  const running = runningPools(io).find(({ domains }) => domains.includes(domain));
  if (running === undefined || flags.dns !== undefined) return { source: undefined, domains: [domain] };
  return { source: (await choosePool(running.pool, { ...flags, state: running.dir }, io)).source, domains: [domain] };
}

function print(
  steps: readonly Step[],
  about: { readonly pool: string; readonly where: string },
  { output, verbose = false }: DoctorFlags,
  io: Io,
): void {
  if (output !== 'text') {
    printData({ ...about, verdict: worst(steps.map(({ verdict }) => verdict)), steps }, output, io);
    return;
  }
  io.out(`${[`${about.pool}: ${about.where}`, '', ...reportLines(steps, { verbose }, io)].join('\n')}\n`);
}

function servers(text: string, given: readonly NameServer[] | undefined): readonly NameServer[] {
  return [...(given ?? []), nameServer(text)];
}

function clientAddress(text: string): string {
  if (isIP(text) === 0) throw new InvalidArgumentError('Write an IPv4 or IPv6 address.');
  return text;
}

function clientView(text: string): ClientView {
  const [, word, names = ''] = /^(?:(domain|workgroup)=)?(.*)$/.exec(text) ?? [];
  const suffixes = names
    .split(',')
    .map((name) => name.trim().toLowerCase().replace(/\.$/, ''))
    .filter((name) => name !== '');
  if (suffixes.length === 0 || !suffixes.every((name) => /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(name)))
    throw new InvalidArgumentError('Write domains such as lab.example,corp.example, or domain=NAME or workgroup=NAME.');
  return { kind: word === 'domain' || word === 'workgroup' ? word : 'list', suffixes };
}
