// SPDX-License-Identifier: Apache-2.0
/** The flags of a host process and the files that they name, read and checked. Every mistake is a {@link UserError} of one line. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type HostConfig, parseHostConfig, UserError } from '@kmspool/crds';

export const HELP = `kms-node: one emulated KMS host of a kmspool pool.

Usage: kms-node --config FILE --key-file FILE --admin-token-file FILE [flags]

  --config FILE             HostConfig, JSON; written by the operator or kmsctl up, re-read when it changes
  --key-file FILE           the pool's Secret as raw bytes, at least 32
  --admin-token-file FILE   bearer token for /clients, /events, /duplicates, /table and POST /import
  --listen ADDRESS          address of the KMS port (default ::, both families)
  --http ADDRESS:PORT       health, status and metrics (default [::]:8080)
  --credentials-dir DIR     Redis: files "username" and "password"
  --tls-dir DIR             Redis: files "ca.crt", and "tls.crt" with "tls.key" for a client certificate
  --log-level LEVEL         fatal, error, warn, info, debug, trace, silent (default info); debug logs each contact
  --help, --version

It runs until SIGTERM or SIGINT, then drains. A second signal ends it at once.
Exit codes: 0 stopped, 1 failed, 2 bad flags, files or store: the message says what to change.
`;

export interface Cli {
  readonly config: HostConfig;
  readonly configFile: string;
  readonly secret: Buffer;
  readonly adminToken: string;
  readonly listenAddress: string;
  readonly http: { readonly address: string; readonly port: number };
  readonly credentialsDir?: string;
  readonly tlsDir?: string;
  readonly logLevel: string;
}

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];

const OPTIONS = {
  config: { type: 'string' },
  'key-file': { type: 'string' },
  'admin-token-file': { type: 'string' },
  listen: { type: 'string', default: '::' },
  http: { type: 'string', default: '[::]:8080' },
  'credentials-dir': { type: 'string' },
  'tls-dir': { type: 'string' },
  'log-level': { type: 'string', default: 'info' },
  help: { type: 'boolean', default: false },
  version: { type: 'boolean', default: false },
} as const;

/** `help` or `version` when that is what was asked. */
export function readCli(args: readonly string[]): Cli | 'help' | 'version' {
  const flags = parseFlags(args);
  if (flags.help) return 'help';
  if (flags.version) return 'version';
  const configFile = required(flags.config, '--config');
  if (!LOG_LEVELS.includes(flags['log-level'])) {
    throw new UserError(`--log-level: ${flags['log-level']} is not a level; use one of ${LOG_LEVELS.join(', ')}`);
  }
  const adminToken = readText(required(flags['admin-token-file'], '--admin-token-file'), '--admin-token-file').trim();
  if (adminToken.length < 16)
    throw new UserError('--admin-token-file: the token has fewer than 16 characters; use a longer random one');
  return {
    configFile,
    config: readConfig(configFile),
    secret: readBytes(required(flags['key-file'], '--key-file'), '--key-file'),
    adminToken,
    listenAddress: flags.listen,
    http: parseAddress(flags.http),
    logLevel: flags['log-level'],
    ...(flags['credentials-dir'] !== undefined && { credentialsDir: flags['credentials-dir'] }),
    ...(flags['tls-dir'] !== undefined && { tlsDir: flags['tls-dir'] }),
  };
}

function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, strict: true, allowPositionals: false }).values;
  } catch (error) {
    throw new UserError(`${(error as Error).message.split('. ')[0]}; see kms-node --help`);
  }
}

/** Reads and checks a HostConfig file; the first error is the message. */
export function readConfig(file: string): HostConfig {
  const parsed = parseHostConfig(readText(file, '--config'));
  if (!parsed.ok) throw new UserError(`${file}: ${parsed.errors.join('; ')}`);
  return parsed.config;
}

function required(value: string | undefined, flag: string): string {
  if (value === undefined) throw new UserError(`${flag} is missing; see kms-node --help`);
  return value;
}

function readBytes(file: string, flag: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UserError(
      `${flag}: ${file} cannot be read (${(error as NodeJS.ErrnoException).code}); name a file that is there`,
    );
  }
}

function readText(file: string, flag: string): string {
  return readBytes(file, flag).toString('utf8');
}

/** `127.0.0.1:8080`, `[::]:8080` or `:8080`. */
function parseAddress(text: string): { address: string; port: number } {
  const found = /^(?:\[([^\]]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  const port = Number(found?.[3]);
  if (!found || port > 65_535)
    throw new UserError(`--http: ${text} is not ADDRESS:PORT; write e.g. 127.0.0.1:8080 or [::]:8080`);
  return { address: found[1] ?? (found[2] || '::'), port };
}
