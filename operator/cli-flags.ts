// SPDX-License-Identifier: Apache-2.0

// The flags of the operator as data, and commander made from them. What values mean and what is wrong with them is in cli.ts.
import { Command, Option } from 'commander';
import { VERSION } from './version.ts';

/** Name of the program, as users know it. */
export const PROGRAM = 'kmspool-operator';

/** Begins the name of every environment variable that stands for a flag. */
const PREFIX = 'KMSPOOL_OPERATOR_';

/** One flag. Without `value` it is switched on by `--name` and off by `--no-name`. */
export interface Flag {
  readonly name: string;
  readonly group: string;
  /** What stands in its place in the help. */
  readonly value?: string;
  /** May be given several times, or with commas. */
  readonly repeatable?: boolean;
  readonly help: string;
  /** As it would be written. */
  readonly byDefault?: string;
  /** What the default is, where it is found out at start. */
  readonly defaultText?: string;
  /** Another variable that stands for it, after its own. */
  readonly variable?: string;
}

const API = 'Kubernetes:';
const HOSTS = 'Hosts:';
const DNS = 'DNS:';
const LEADER = 'Leader election:';
const PROCESS = 'Process:';

/** All flags, in the order of the help. */
export const FLAGS = [
  {
    name: 'kubeconfig',
    group: API,
    value: 'FILE',
    help: 'how to reach the API server',
    defaultText: "KUBECONFIG, else the pod's service account, else ~/.kube/config",
  },
  { name: 'context', group: API, value: 'NAME', help: 'context of the kubeconfig', defaultText: 'its current one' },
  {
    name: 'watch-namespace',
    group: API,
    value: 'NAMESPACE',
    repeatable: true,
    help: 'look after pools in these namespaces only',
    defaultText: 'all',
  },
  { name: 'api-qps', group: API, value: 'N', help: 'requests a second to the API server', byDefault: '200' },
  { name: 'api-burst', group: API, value: 'N', help: 'requests at once after a quiet time', byDefault: '400' },
  { name: 'workers', group: API, value: 'N', help: 'pools worked on at once', byDefault: '4' },
  {
    name: 'resync-minutes',
    group: API,
    value: 'MINUTES',
    help: 'look at every pool at least this often',
    byDefault: '10',
  },
  {
    name: 'watch-silence-seconds',
    group: API,
    value: 'SECONDS',
    help: 'begin a watch anew after this silence; the API server says something once a minute',
    byDefault: '150',
  },
  {
    name: 'host-image',
    group: HOSTS,
    value: 'IMAGE',
    help: 'container image of a host',
    byDefault: `kmspool/kms-node:${VERSION}`,
    variable: 'KMSPOOL_HOST_IMAGE',
  },
  {
    name: 'host-image-pull-policy',
    group: HOSTS,
    value: 'POLICY',
    help: 'Always, IfNotPresent or Never',
    byDefault: 'IfNotPresent',
  },
  {
    name: 'host-access',
    group: HOSTS,
    value: 'WAY',
    help: "how hosts are asked for their status: Direct (the pod's address) or Proxy (through the API server)",
    defaultText: 'Direct in a cluster, Proxy with a kubeconfig',
  },
  {
    name: 'emulated-dns-zone',
    group: DNS,
    value: 'ZONE',
    repeatable: true,
    help: 'zones in which emulated pools may publish; never one that real clients search',
    byDefault: 'test,example',
  },
  {
    name: 'resolver',
    group: DNS,
    value: 'ADDRESS[:PORT]',
    repeatable: true,
    help: "DNS servers to find the zones' own servers with",
    defaultText: "the system's",
  },
  {
    name: 'withdraw-bound-minutes',
    group: DNS,
    value: 'MINUTES',
    help: 'stop a host after this long, although its records are still there',
    byDefault: '10',
  },
  {
    name: 'external-dns-interval-minutes',
    group: DNS,
    value: 'MINUTES',
    help: 'how often external-dns looks (its --interval): records are missed after that and their TTL, a publisher after twice that',
    byDefault: '1',
  },
  {
    name: 'leader-elect',
    group: LEADER,
    help: 'act only while holding the Lease; without it, run one replica',
    byDefault: 'true',
  },
  {
    name: 'lease-namespace',
    group: LEADER,
    value: 'NAMESPACE',
    help: 'namespace of the Lease',
    defaultText: 'the own one, else "default"',
  },
  { name: 'lease-name', group: LEADER, value: 'NAME', help: 'name of the Lease', byDefault: PROGRAM },
  {
    name: 'lease-duration-seconds',
    group: LEADER,
    value: 'SECONDS',
    help: 'how long others wait for a leader that is silent',
    byDefault: '15',
  },
  {
    name: 'lease-renew-deadline-seconds',
    group: LEADER,
    value: 'SECONDS',
    help: 'how long a leader acts without a renewal',
    byDefault: '10',
  },
  {
    name: 'lease-retry-period-seconds',
    group: LEADER,
    value: 'SECONDS',
    help: 'time between attempts',
    byDefault: '2',
  },
  {
    name: 'http',
    group: PROCESS,
    value: 'ADDRESS:PORT',
    help: '/metrics, /livez and /readyz; off for none',
    byDefault: '[::]:8081',
  },
  {
    name: 'log-level',
    group: PROCESS,
    value: 'LEVEL',
    help: 'fatal, error, warn, info, debug, trace or silent',
    byDefault: 'info',
  },
  {
    name: 'instance',
    group: PROCESS,
    value: 'NAME',
    help: 'who this is, in the Lease and in events: the name of the pod',
    defaultText: 'the host name',
  },
] as const satisfies readonly Flag[];

/** The name of a flag, without its dashes. */
export type FlagName = (typeof FLAGS)[number]['name'];

const ABOUT = `Turns every KmsHostPool into a fleet of emulated KMS hosts, and keeps their records, counts and conditions true.`;

const AFTER = `
Every flag but --help and --version can be given as an environment variable: ${PREFIX} and the flag in upper case, with _ for -
(--watch-namespace as ${variableOf('watch-namespace')}). The command line comes first, then the variable, then the default; an empty
variable counts as not set. KMSPOOL_HOST_IMAGE stands for --host-image as well.

Examples:
  ${PROGRAM} --kubeconfig ~/.kube/config --watch-namespace kms    from a workstation
  ${PROGRAM} --emulated-dns-zone lab.corp.internal                pools may publish below that zone, and nowhere else
  ${PROGRAM} --no-leader-elect --log-level debug                  one process, many words

It runs until SIGTERM or SIGINT. Exit codes: 0 stopped, 1 failed, 2 bad flags: one line says what to change.`;

/** The environment variable that stands for a flag. */
export function variableOf(name: FlagName): string {
  return `${PREFIX}${name.toUpperCase().replaceAll('-', '_')}`;
}

/** A program that reads these flags as text; a flag that may be repeated becomes a list. It ends nothing and writes nothing but by `write`. */
export function buildProgram(write: (text: string) => void): Command {
  const program = new Command(PROGRAM)
    .description(ABOUT)
    .usage('[flags]')
    .version(`${PROGRAM} ${VERSION}`, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .addHelpText('after', AFTER)
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ writeOut: write, writeErr: write, outputError: () => {}, getOutHelpWidth: () => 140 });
  for (const flag of FLAGS) for (const option of optionsOf(flag)) program.addOption(option.helpGroup(flag.group));
  return program;
}

function optionsOf(flag: Flag): Option[] {
  const help = `${flag.help} (default: ${flag.byDefault ?? flag.defaultText})`;
  if (flag.value === undefined)
    return [new Option(`--${flag.name}`, help), new Option(`--no-${flag.name}`, `the opposite`)];
  const option = new Option(
    `--${flag.name} <${flag.value}>`,
    flag.repeatable === true ? `${help}; may be repeated` : help,
  );
  return [flag.repeatable === true ? option.argParser(collect) : option];
}

function collect(value: string, earlier: readonly string[] | undefined): string[] {
  return [...(earlier ?? []), value];
}
