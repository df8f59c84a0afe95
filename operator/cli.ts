// SPDX-License-Identifier: Apache-2.0

// The command line and the environment, read and checked; every mistake becomes one line that names the flag and the remedy. It connects to nothing.
import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { UserError } from '@kmspool/crds';
import { CommanderError } from 'commander';
import { buildProgram, FLAGS, type Flag, type FlagName, PROGRAM, variableOf } from './cli-flags.ts';
import * as values from './cli-values.ts';
import { parseZones } from './dns/zones.ts';

/** What the operator was told. */
export interface CliOptions {
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  /** Empty: all namespaces. */
  readonly watchNamespaces: readonly string[];
  readonly hostImage: string;
  readonly hostImagePullPolicy: 'Always' | 'IfNotPresent' | 'Never';
  readonly hostAccess: 'Direct' | 'Proxy';
  /** Zones in which emulated pools may publish. */
  readonly emulatedDnsZones: readonly string[];
  /** DNS servers to find authoritative servers with; empty: the system's. */
  readonly resolvers: readonly values.Endpoint[];
  readonly withdrawBoundSeconds: number;
  readonly externalDnsIntervalSeconds: number;
  /** Undefined: leader election is off. */
  readonly lease: LeaseOptions | undefined;
  readonly workers: number;
  readonly resyncMs: number;
  /** A watch in which nothing comes for so long counts as dead. */
  readonly watchSilenceMs: number;
  readonly apiQps: number;
  readonly apiBurst: number;
  /** Undefined: no HTTP interface. */
  readonly http: values.Endpoint | undefined;
  readonly logLevel: string;
  /** Name of this process among its replicas. */
  readonly instance: string;
}

/** Leader election, in the terms of the runtime's elector. */
export interface LeaseOptions {
  readonly namespace: string;
  readonly name: string;
  readonly durationSeconds: number;
  readonly renewDeadlineMs: number;
  readonly retryPeriodMs: number;
}

/** The process is to end at once: `--help` and `--version` with 0 and a text for stdout, a mistake with 2 and a line for stderr. */
export interface CliExit {
  readonly exitCode: 0 | 2;
  readonly output: string;
}

/** The environment variables. */
export type Environment = Readonly<Record<string, string | undefined>>;

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * Reads flags and environment. Files are looked at only to find out where it runs.
 *
 * @param argv without the program's own name.
 * @param root of the file system that holds the service account, `''` outside tests.
 */
export function readCli(argv: readonly string[], env: Environment, root = ''): CliOptions | CliExit {
  let output = '';
  const program = buildProgram((text) => {
    output += text;
  });
  try {
    const given = program.parse([...argv], { from: 'user' }).opts<Record<string, unknown>>();
    return optionsOf(new Settings(given, env), { env, root });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return { exitCode: 0, output };
    if (error instanceof CommanderError) return mistake(`${withoutPrefix(error.message)}; see ${PROGRAM} --help`);
    if (error instanceof UserError) return mistake(error.message);
    throw error;
  }
}

function optionsOf(settings: Settings, place: Place): CliOptions {
  const minutes = (name: FlagName): number =>
    settings.one(name, values.numberIn({ min: 0.01, max: 1440, unit: 'minutes' }));
  const wholes = (name: FlagName, max: number): number => settings.one(name, values.wholeIn({ min: 1, max }));
  return {
    kubeconfig: settings.optional('kubeconfig', values.readableFile),
    context: settings.optional('context', values.text),
    watchNamespaces: [...new Set(settings.all('watch-namespace', values.namespaceName))],
    hostImage: settings.one('host-image', values.image),
    hostImagePullPolicy: settings.one('host-image-pull-policy', values.oneOf(['Always', 'IfNotPresent', 'Never'])),
    hostAccess: settings.optional('host-access', values.oneOf(['Direct', 'Proxy'])) ?? accessFrom(settings, place),
    emulatedDnsZones: zonesOf(settings),
    resolvers: settings.all('resolver', values.dnsServer),
    withdrawBoundSeconds: minutes('withdraw-bound-minutes') * 60,
    externalDnsIntervalSeconds: minutes('external-dns-interval-minutes') * 60,
    lease: settings.isOn('leader-elect') ? leaseOf(settings, place) : undefined,
    workers: wholes('workers', 64),
    resyncMs: minutes('resync-minutes') * 60_000,
    watchSilenceMs:
      settings.one('watch-silence-seconds', values.numberIn({ min: 1, max: 3600, unit: 'seconds' })) * 1000,
    apiQps: wholes('api-qps', 100_000),
    apiBurst: wholes('api-burst', 100_000),
    http: settings.one('http', values.listenAddress),
    logLevel: settings.one('log-level', values.oneOf(LOG_LEVELS)),
    instance: settings.optional('instance', values.text) ?? hostname(),
  };
}

/** Where the process runs. */
interface Place {
  readonly env: Environment;
  readonly root: string;
}

/** In a cluster the pods' network is at hand; from outside the API server is the only way in. */
function accessFrom(settings: Settings, { env, root }: Place): 'Direct' | 'Proxy' {
  const outside = settings.texts('kubeconfig').length > 0 || Boolean(env['KUBECONFIG']);
  const inPod = env['KUBERNETES_SERVICE_HOST'] !== undefined && existsSync(`${root}${SERVICE_ACCOUNT}/token`);
  return inPod && !outside ? 'Direct' : 'Proxy';
}

function leaseOf(settings: Settings, { root }: Place): LeaseOptions {
  const seconds = (name: FlagName): number =>
    settings.one(name, values.numberIn({ min: 0.1, max: 3600, unit: 'seconds' }));
  const durationSeconds = settings.one('lease-duration-seconds', values.wholeIn({ min: 1, max: 3600 }));
  const renewDeadlineMs = seconds('lease-renew-deadline-seconds') * 1000;
  const retryPeriodMs = seconds('lease-retry-period-seconds') * 1000;
  // client-go's rule: who waits must outwait who acts, and who acts must have more than one attempt.
  if (renewDeadlineMs >= durationSeconds * 1000)
    throw new UserError(
      `--lease-renew-deadline-seconds: must be less than --lease-duration-seconds (${durationSeconds}), else two may lead; lower it`,
    );
  if (retryPeriodMs * 1.2 >= renewDeadlineMs)
    throw new UserError(
      `--lease-retry-period-seconds: 1.2 times it must be less than --lease-renew-deadline-seconds (${renewDeadlineMs / 1000}); lower it`,
    );
  const namespace = settings.optional('lease-namespace', values.namespaceName) ?? ownNamespace(root);
  const name = settings.one('lease-name', values.objectName);
  return { namespace, name, durationSeconds, renewDeadlineMs, retryPeriodMs };
}

function ownNamespace(root: string): string {
  const file = `${root}${SERVICE_ACCOUNT}/namespace`;
  return (existsSync(file) ? readFileSync(file, 'utf8').trim() : '') || 'default';
}

function zonesOf(settings: Settings): readonly string[] {
  const parsed = parseZones(settings.texts('emulated-dns-zone'));
  if (!parsed.ok) throw new UserError(`${settings.sourceOf('emulated-dns-zone')}: ${parsed.error}`);
  return parsed.zones;
}

/** Texts of the flags: from the command line, else from the environment, else the default. */
class Settings {
  readonly #given: Readonly<Record<string, unknown>>;
  readonly #env: Environment;

  constructor(given: Readonly<Record<string, unknown>>, env: Environment) {
    this.#given = given;
    this.#env = env;
  }

  /** Of a flag with a value; of one that may be repeated each part between commas. Empty when nothing was given and there is no default. */
  texts(name: FlagName): string[] {
    const { repeatable, byDefault } = flagOf(name);
    const given = this.#fromCommandLine(name) ?? this.#fromEnvironment(name)?.text ?? byDefault ?? [];
    const texts = Array.isArray(given) ? given.map(String) : [String(given)];
    return repeatable === true ? texts.flatMap((text) => text.split(',').map((part) => part.trim())) : texts;
  }

  /** What to name in a message: the flag, or the variable that spoke for it. */
  sourceOf(name: FlagName): string {
    return this.#fromCommandLine(name) === undefined
      ? (this.#fromEnvironment(name)?.variable ?? `--${name}`)
      : `--${name}`;
  }

  /** The value of a flag that always has one. */
  one<T>(name: FlagName, read: values.Reader<T>): T {
    return this.#read(name, this.texts(name).at(-1) ?? '', read);
  }

  /** The value of a flag, undefined when it was not given. */
  optional<T>(name: FlagName, read: values.Reader<T>): T | undefined {
    const text = this.texts(name).at(-1);
    return text === undefined ? undefined : this.#read(name, text, read);
  }

  /** All values of a flag that may be repeated. */
  all<T>(name: FlagName, read: values.Reader<T>): T[] {
    return this.texts(name).map((text) => this.#read(name, text, read));
  }

  /** Whether a switch is on. */
  isOn(name: FlagName): boolean {
    return this.one(name, values.oneOf(['true', 'false'])) === 'true';
  }

  #read<T>(name: FlagName, text: string, read: values.Reader<T>): T {
    const result = read(text);
    if (result.ok) return result.value;
    throw new UserError(`${this.sourceOf(name)}: ${result.problem}`);
  }

  #fromCommandLine(name: FlagName): unknown {
    return this.#given[name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())];
  }

  #fromEnvironment(name: FlagName): { readonly variable: string; readonly text: string } | undefined {
    const { variable: other } = flagOf(name);
    for (const variable of [variableOf(name), ...(other === undefined ? [] : [other])]) {
      const text = this.#env[variable];
      if (text !== undefined && text !== '') return { variable, text };
    }
    return undefined;
  }
}

function flagOf(name: FlagName): Flag {
  const flag: Flag | undefined = FLAGS.find((one) => one.name === name);
  if (flag === undefined) throw new TypeError(`there is no flag ${name}`);
  return flag;
}

function mistake(message: string): CliExit {
  return { exitCode: 2, output: `${PROGRAM}: ${message.replaceAll(/\s+/g, ' ').trim()}\n` };
}

function withoutPrefix(message: string): string {
  return message.replace(/^error: /, '').replace(/\.?\s*$/, '');
}
