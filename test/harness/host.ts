// SPDX-License-Identifier: Apache-2.0
/**
 * Hosts for tests: one in this process on a free port with a store in memory, and one as a process of its own from a HostConfig file. Both let go of everything
 * in `stop`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type HostConfig, parseHostConfig } from '@kmspool/crds';
import { hostKeysForEverything } from '@kmspool/kms/catalog';
import { derivePoolKeys, type PoolKeys } from '@kmspool/kms/wire';
import { type CmidStore, createMemoryStore, HOST_NODE_FLAGS, type RunningHost, startHost } from '@kmspool/kms-node';

export const ADMIN_TOKEN = 'test-admin-token-0123456789';
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const LOOPBACK = ['127.0.0.0/8', '::1/128'];

/** A pool's Secret that anybody can compute. */
export function secretOf(name: string): Buffer {
  return createHash('sha256').update(`kmspool test pool ${name}`).digest();
}

/** The fields of a HostConfig as they stand in the file; missing ones get their defaults there. */
export type ConfigChanges = Record<string, unknown>;

/** A HostConfig that serves every product on a free port to everybody on this machine. */
export function hostConfig(changes: ConfigChanges = {}): HostConfig {
  const parsed = parseHostConfig(
    JSON.stringify({
      apiVersion: 'kmspool.io/v1alpha1',
      kind: 'HostConfig',
      pool: { name: 'campus', namespace: 'test' },
      host: { name: 'campus-0', ordinal: 0 },
      port: 0,
      hostKeys: hostKeysForEverything(),
      store: { kind: 'memory' },
      allowedSources: LOOPBACK,
      limits: { drainSeconds: 0, connectionsPerSource: 0 },
      ...changes,
    }),
  );
  if (!parsed.ok) throw new Error(parsed.errors.join('; '));
  return parsed.config;
}

/** Loggers for hosts under test are the caller's matter; this one is silent and has what a host calls. */
export type TestLogger = Parameters<typeof startHost>[0]['logger'];

/** A log line as a test sees it. */
export interface LogLine {
  readonly level: string;
  readonly fields: Record<string, unknown>;
  readonly message: string;
}

/** A logger that keeps its lines; `debug` says whether the host may log every contact. */
export function keepingLogger(debug: boolean): { logger: TestLogger; lines: LogLine[] } {
  const lines: LogLine[] = [];
  const at =
    (level: string) =>
    (fields: unknown, message?: unknown): void => {
      const isFields = typeof fields === 'object' && fields !== null;
      lines.push({
        level,
        fields: isFields ? (fields as Record<string, unknown>) : {},
        message: String(isFields ? message : fields),
      });
    };
  const logger = {
    level: debug ? 'debug' : 'info',
    isLevelEnabled: (level: string) => debug || level !== 'debug',
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
  };
  // A host calls nothing else of pino's logger.
  return { logger: logger as unknown as TestLogger, lines };
}

export interface TestHostOptions {
  readonly config?: ConfigChanges;
  readonly secret?: Buffer;
  readonly store?: CmidStore;
  readonly listenAddress?: string;
  readonly logger?: TestLogger;
  /** The store's clock, milliseconds since 1970. */
  readonly nowMs?: () => number;
}

export interface TestHost {
  readonly host: RunningHost;
  readonly store: CmidStore;
  readonly keys: PoolKeys;
  readonly port: number;
  readonly httpUrl: string;
  stop(): Promise<void>;
}

/** A host in this process, with its HTTP interface on a free port of 127.0.0.1. */
export async function startTestHost(options: TestHostOptions = {}): Promise<TestHost> {
  const { secret = secretOf('one'), listenAddress = '127.0.0.1' } = options;
  const config = hostConfig(options.config);
  const { limits, retention } = config;
  const store =
    options.store ??
    createMemoryStore({
      settings: { maxRequiredCount: limits.maxRequiredCount, retention },
      ...(options.nowMs && { nowMs: options.nowMs }),
    });
  const host = await startHost({
    config,
    secret,
    adminToken: ADMIN_TOKEN,
    listenAddress,
    http: { address: '127.0.0.1', port: 0 },
    store,
    logger: options.logger ?? keepingLogger(false).logger,
  });
  return { host, store, keys: derivePoolKeys(secret), port: host.port, httpUrl: host.httpUrl, stop: () => host.stop() };
}

export interface HostFiles {
  readonly folder: string;
  readonly config: string;
  readonly key: string;
  readonly token: string;
  writeConfig(changes?: ConfigChanges): void;
  remove(): void;
}

/** The three files that a host process reads, in a folder of their own. */
export function hostFiles(changes: ConfigChanges = {}, secret = secretOf('one')): HostFiles {
  const folder = mkdtempSync(join(tmpdir(), 'kmspool-test-'));
  const [config, key, token] = ['host.json', 'key', 'token'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const writeConfig = (next: ConfigChanges = {}): void => writeFileSync(config, JSON.stringify(hostConfig(next)));
  writeConfig(changes);
  writeFileSync(key, secret);
  writeFileSync(token, ADMIN_TOKEN);
  return { folder, config, key, token, writeConfig, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

export interface HostProcess {
  readonly child: ChildProcess;
  readonly port: number;
  readonly httpUrl: string;
  readonly keys: PoolKeys;
  /** All that it wrote so far. */
  output(): { stdout: string; stderr: string };
  /** Waits for the exit code; sends the signal first if one is given. */
  exit(signal?: NodeJS.Signals): Promise<number | null>;
}

/** The command line of a host process: node with the flags of the `kms-node` script, then `args`. */
export function spawnHost(args: readonly string[]): {
  child: ChildProcess;
  output(): { stdout: string; stderr: string };
} {
  const main = join(ROOT, 'kms-node/main.ts');
  const child = spawn(process.execPath, [...HOST_NODE_FLAGS, main, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const written = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      written[name] += text;
    });
  }
  return { child, output: () => ({ ...written }) };
}

const exitOf = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve(child.exitCode);
    else child.once('close', (code) => resolve(code));
  });

/** The exit code and all output of a host process that is expected to end by itself. */
export async function runHost(
  args: readonly string[],
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const { child, output } = spawnHost(args);
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
  const code = await exitOf(child);
  clearTimeout(timer);
  return { code, ...output() };
}

/** A host as a process of its own, once it says that it listens. */
export async function startHostProcess(files: HostFiles, ...more: string[]): Promise<HostProcess> {
  const named = ['--config', files.config, '--key-file', files.key, '--admin-token-file', files.token];
  const { child, output } = spawnHost([...named, '--listen', '127.0.0.1', '--http', '127.0.0.1:0', ...more]);
  const listening = await new Promise<{ port: number; http: string }>((resolve, reject) => {
    const look = (): void => {
      const line = output()
        .stdout.split('\n')
        .slice(0, -1)
        .find((text) => text.includes('"msg":"listening"'));
      if (line) resolve(JSON.parse(line));
    };
    child.stdout?.on('data', look);
    child.once('close', () => reject(new Error(`the host ended: ${output().stderr}`)));
    setTimeout(() => reject(new Error('the host did not listen within 20 s')), 20_000).unref();
  });
  const exit = (signal?: NodeJS.Signals): Promise<number | null> => {
    if (signal) child.kill(signal);
    return exitOf(child);
  };
  return { child, port: listening.port, httpUrl: listening.http, keys: derivePoolKeys(secretOf('one')), output, exit };
}
