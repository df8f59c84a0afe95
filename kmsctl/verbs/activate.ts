// SPDX-License-Identifier: Apache-2.0
//
// `kmsctl activate`: one simulated client tries once, as `slmgr.vbs /ato` would on a machine (S3-81). The try is net/machine.ts,
// what is printed activate-text.ts; here are flags and what they mean together.

import { randomUUID } from 'node:crypto';
import { UserError } from '@kmspool/crds';
import { type Edition, PRODUCTS, type Product, type ProtocolVersion } from '@kmspool/kms/catalog';
import { clientProfile, DEFAULT_KMS_PORT, newClient } from '@kmspool/kms/client';
import { derivePoolKeys, isGuid, type TransferSyntax } from '@kmspool/kms/wire';
import { Command, InvalidArgumentError, Option } from 'commander';
import { EXIT, type Io } from '../cli/io.ts';
import {
  duration,
  type HostPort,
  hostPort,
  nameServer,
  type OutputFormat,
  outputOption,
  stateOption,
  timeout,
} from '../cli/options.ts';
import type { VerbContext } from '../cli/program.ts';
import { discoveryBy, type Machine, type NameServer, tryActivation } from '../net/index.ts';
import { type Endpoints, findEndpoints } from '../pool/endpoints.ts';
import { readKeyFile } from '../pool/key-file.ts';
import { tryJson, tryText } from './activate-text.ts';
import { known } from './catalog.ts';

interface ActivateFlags {
  readonly domain?: string;
  readonly dns?: NameServer;
  readonly product: string;
  readonly edition?: string;
  readonly protocol?: string;
  readonly cmid?: string;
  readonly name?: string;
  readonly vm: boolean;
  readonly keyFile?: string;
  readonly state?: string;
  readonly ndr?: string;
  readonly clockOffset: number;
  readonly timeout: number;
  readonly output: OutputFormat;
}

const HELP = `
The client asks HOST, or looks for one in DNS: _vlmcs._tcp.DOMAIN. A pool that
kmsctl up runs on this machine is found by itself: its key, its DNS server and
its first domain. Each run is a new machine with a CMID of its own, so the count
grows; give --cmid to be the same machine again.

Examples:
  kmsctl activate                       a Windows 11, in the pool that runs here
  kmsctl activate --domain lab.example --product windows-server-2022
  kmsctl activate 127.0.16.2 --key-file pool.key --protocol 4
  kmsctl activate --clock-offset -5h    0xC004F06C: the clock is too far off
  kmsctl activate --product office-2024 --vm -o json

Exit codes: 0 licensed, 1 not licensed (the text says why), 2 bad input; then
one line says what to change.`;

export function activateCommand({ io, exit }: VerbContext): Command {
  return new Command('activate')
    .summary('one simulated client tries to activate')
    .description(
      'Try to activate one simulated client, and show what it sees: SRV records, hosts tried, bind, answer, its event log.',
    )
    .argument('[host]', 'HOST or HOST:PORT to ask instead of looking in DNS, as after slmgr /skms', hostPort)
    .option('--domain <name>', 'DNS domain that the client searches')
    .option('--dns <address>', 'name server, ADDRESS or ADDRESS:PORT', nameServer)
    .option('--product <slug>', 'what it is; kmsctl catalog lists them', 'windows-11')
    .option('--edition <slug>', 'edition of the product (default: its Enterprise or Standard one)')
    .addOption(
      new Option('--protocol <version>', "KMS protocol version (default: the product's)").choices(['4', '5', '6']),
    )
    .option('--cmid <guid>', 'client machine ID (default: a new one)', cmid)
    .option('--name <text>', 'machine name (default: made from the CMID)')
    .option('--vm', 'it is a virtual machine', false)
    .option('--key-file <file>', "the pool's Secret as raw bytes")
    .addOption(stateOption())
    .addOption(new Option('--ndr <bits>', 'transfer syntax (default: both, as Windows does)').choices(['32', '64']))
    .option('--clock-offset <time>', "set the client's clock wrong, such as -5h", duration, 0)
    .option('--timeout <time>', 'how long to wait for DNS and each host, such as 500ms or 5s', timeout, 5_000)
    .addOption(outputOption())
    .addHelpText('after', HELP)
    .action(async (host: HostPort | undefined, flags: ActivateFlags) => exit(await activate(host, flags, io)));
}

function cmid(text: string): string {
  if (!isGuid(text)) throw new InvalidArgumentError('Write a GUID as 8-4-4-4-12 hex digits.');
  return text.toLowerCase();
}

async function activate(host: HostPort | undefined, flags: ActivateFlags, io: Io): Promise<number> {
  const machine = machineOf(flags);
  const pool = poolOf(host, flags, io);
  const configured = host === undefined ? {} : { configuredHost: host.host, port: host.port ?? DEFAULT_KMS_PORT };
  const domain = host === undefined ? (flags.domain ?? pool.endpoints?.domains[0]) : undefined;
  if (host === undefined && domain === undefined) {
    throw new UserError('this pool has no domain to look in; name a host (kmsctl activate HOST), or a --domain');
  }
  const clockMs = (): number => Date.now() + flags.clockOffset;
  const nameserver = flags.dns ?? pool.endpoints?.dns;
  const discovery = discoveryBy(nameserver, flags.timeout);
  const client = newClient(clientProfile(machine.product, configured), clockMs());
  const surroundings = { keys: derivePoolKeys(pool.secret), discovery, domain, clockMs, random: Math.random };
  const result = await tryActivation(client, machine, {
    ...surroundings,
    timeoutMs: flags.timeout,
    ndr: ndrOf(flags.ndr),
  });
  const shown = { machine, result, domain, dnsServer: discovery.server, finishedMs: clockMs() };
  io.out(flags.output === 'json' ? `${JSON.stringify(tryJson(shown), null, 2)}\n` : tryText(shown, io));
  return result.client.licenseStatus === 1 ? EXIT.ok : EXIT.no;
}

function ndrOf(bits: string | undefined): TransferSyntax | undefined {
  if (bits === undefined) return undefined;
  return bits === '64' ? 'NDR64' : 'NDR32';
}

function machineOf({ product: slug, edition, protocol, cmid: given, name, vm }: ActivateFlags): Machine {
  const product = known(slug);
  const id = given ?? randomUUID();
  return {
    name: name ?? `client-${id.slice(0, 8)}`,
    cmid: id,
    product,
    edition: editionOf(product, edition),
    protocol: protocol === undefined ? product.protocolVersion : (Number(protocol) as ProtocolVersion),
    isClientVm: vm,
  };
}

/** The edition of that slug, whole or without the product's, or the usual one. */
export function editionOf({ slug: productSlug, editions }: Product, wanted: string | undefined): Edition {
  const usual = ['enterprise', 'standard', 'professional-plus'].map((suffix) => `${productSlug}-${suffix}`);
  const slugs = wanted === undefined ? usual : [wanted, `${productSlug}-${wanted}`];
  const [first] = editions;
  const found = slugs
    .map((slug) => editions.find((edition) => edition.slug === slug))
    .find((edition) => edition !== undefined);
  const edition = found ?? (wanted === undefined ? first : undefined);
  if (edition !== undefined) return edition;
  const elsewhere = PRODUCTS.find((product) => product.editions.some(({ slug }) => slug === wanted));
  const hint = elsewhere === undefined ? '' : ` (it belongs to --product ${elsewhere.slug})`;
  throw new UserError(
    `--edition: ${productSlug} has no edition ${JSON.stringify(wanted ?? '')}${hint}; use one of ${editions.map(({ slug }) => slug).join(', ')}`,
  );
}

interface Pool {
  readonly secret: Buffer;
  /** Of the pool that runs here, where one is needed or named. */
  readonly endpoints?: Endpoints;
}

function poolOf(host: HostPort | undefined, { keyFile, state, domain }: ActivateFlags, io: Io): Pool {
  const enough = keyFile !== undefined && (host !== undefined || domain !== undefined);
  const endpoints = enough && state === undefined ? undefined : running(io, state);
  const secret =
    keyFile === undefined ? readKeyFile(endpoints?.keyFile ?? '', '--state') : readKeyFile(io.path(keyFile));
  return { secret, ...(endpoints && { endpoints }) };
}

function running(io: Io, state: string | undefined): Endpoints {
  try {
    return findEndpoints(io, state);
  } catch (error) {
    if (state !== undefined || !(error instanceof UserError) || !error.message.startsWith('no pool runs')) throw error;
    throw new UserError(
      "no pool runs on this machine, and a client needs a pool's key; start one with kmsctl up, or give --key-file with HOST or --domain",
    );
  }
}
