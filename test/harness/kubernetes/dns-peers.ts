// SPDX-License-Identifier: Apache-2.0

// The other end of publication as real processes: PowerDNS as the authoritative name server of test zones, and external-dns, which carries DNSEndpoints from
// an API server into it. Everything on loopback, without caches, gone with the test.
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { waitFor } from '../wait.ts';
import { fixedPort, makeTestFolder, type ServerProcess, startServer } from './server-process.ts';
import { missingTool, toolPath } from './tools.ts';

/** Debian's file that makes the tables of PowerDNS's SQLite backend. */
const SCHEMA = '/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql';

/** Why tests with PowerDNS and external-dns cannot run here, for node:test's `skip`; false if they can. */
export function missingDnsPeers(): string | false {
  return missingTool('external-dns') || missingPowerDns();
}

/** Why tests with PowerDNS cannot run here. */
export function missingPowerDns(): string | false {
  const backend = existsSync(SCHEMA) ? false : 'not installed (Debian: apt-get install pdns-backend-sqlite3)';
  return missingTool('pdns_server', 'dig') || backend;
}

export interface PowerDnsOptions {
  /** Zones, without trailing dot. Each has `ns1` in it, with this server's address. */
  readonly zones: readonly string[];
  /** Loopback address; default 127.0.0.1. */
  readonly address?: string;
  /** Default: a free one. 53 needs root, and an address of its own. */
  readonly port?: number;
  /** Further name servers of the zones, by address: `ns2`, `ns3` …. */
  readonly otherServers?: readonly string[];
  /** Serve the zones of another one, as its secondary would that has just been told; `zones` must be the same. */
  readonly dataOf?: PowerDns;
  /** Seconds for which answers are kept; default 0. With more it is a secondary that lags. */
  readonly cacheSeconds?: number;
  /** Further lines of its configuration. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface PowerDns {
  readonly address: string;
  readonly port: number;
  readonly zones: readonly string[];
  /** Of the HTTP API, for external-dns. */
  readonly apiUrl: string;
  readonly apiKey: string;
  /** Path of its database. */
  readonly database: string;
  /** What a name server client (dig) is told of a name and a type, without recursion: sorted lines as in a zone file. @throws Error when it does not answer. */
  dig(name: string, type: string): Promise<string[]>;
  /** Waits until {@link dig} shows exactly these records, in any order. @throws Error with what it shows instead. */
  shows(name: string, type: string, wanted: readonly string[], timeoutMs?: number): Promise<void>;
  /** Puts a record set in place of what is there, as somebody else's hand; no contents: removes it. Names are absolute, without trailing dot. */
  write(set: {
    readonly name: string;
    readonly type: string;
    readonly ttl?: number;
    readonly contents: readonly string[];
  }): Promise<void>;
  /** SIGSTOP: questions are not answered. */
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

/** Starts PowerDNS; it answers for its zones when this resolves. */
export async function startPowerDns(options: PowerDnsOptions): Promise<PowerDns> {
  const { zones, address = '127.0.0.1', dataOf, cacheSeconds = 0 } = options;
  const folder = makeTestFolder('pdns');
  const [port, apiPort] = [options.port ?? (await fixedPort()), await fixedPort()];
  const database = dataOf?.database ?? (await makeDatabase(join(folder.path, 'zones.sqlite3')));
  const apiKey = randomBytes(16).toString('hex');
  const settings = {
    ...{ launch: 'gsqlite3', 'gsqlite3-database': database, 'gsqlite3-pragma-synchronous': 0 },
    ...{ 'local-address': address, 'local-port': port, 'socket-dir': folder.path },
    ...{ api: 'yes', 'api-key': apiKey, 'webserver-address': '127.0.0.1', 'webserver-port': apiPort },
    ...{ 'cache-ttl': cacheSeconds, 'query-cache-ttl': cacheSeconds, 'negquery-cache-ttl': cacheSeconds },
    ...{
      'zone-cache-refresh-interval': 0,
      'security-poll-suffix': '',
      'receiver-threads': 1,
      'distributor-threads': 1,
    },
    ...options.settings,
  };
  const lines = Object.entries(settings).map(([key, value]) => `${key}=${value}`);
  writeFileSync(join(folder.path, 'pdns.conf'), `${lines.join('\n')}\n`);
  const server = startServer({
    command: toolPath('pdns_server'),
    args: [`--config-dir=${folder.path}`, '--daemon=no', '--guardian=no', '--write-pid=no', '--disable-syslog'],
    logFile: join(folder.path, 'pdns.log'),
  });
  const stop = async (): Promise<void> => {
    await server.kill();
    folder.remove();
  };
  const apiUrl = `http://127.0.0.1:${apiPort}`;
  const powerDns = powerDnsOf({ address, port, zones, apiUrl, apiKey, database, server, stop });
  try {
    await waitFor('PowerDNS', () => answersHttp(server, `${apiUrl}/api/v1/servers/localhost`, apiKey), 20_000);
    if (dataOf === undefined) for (const zone of zones) await makeZone(powerDns, zone, options.otherServers ?? []);
    for (const zone of zones)
      await waitFor(`the zone ${zone}`, async () => (await powerDns.dig(zone, 'SOA')).length > 0, 20_000);
    return powerDns;
  } catch (error) {
    const log = server.log();
    await stop();
    throw new Error(`${(error as Error).message}\n${log}`, { cause: error });
  }
}

async function makeDatabase(path: string): Promise<string> {
  const database = new DatabaseSync(path);
  database.exec('PRAGMA journal_mode = WAL');
  database.exec(await readFile(SCHEMA, 'utf8'));
  database.close();
  return path;
}

type Running = Omit<PowerDns, 'dig' | 'shows' | 'write' | 'freeze' | 'thaw'> & { readonly server: ServerProcess };

function powerDnsOf({ server, ...known }: Running): PowerDns {
  const { address, port, zones } = known;
  return {
    ...known,
    dig: (name, type) => dig({ address, port }, name, type),
    shows: (name, type, wanted, timeoutMs = 20_000) => shows({ address, port }, { name, type, wanted }, timeoutMs),
    write: async ({ name, type, ttl = 60, contents }) => {
      const zone = zones.find((each) => name === each || name.endsWith(`.${each}`));
      if (zone === undefined) throw new Error(`${name} is in no zone of this server`);
      const records = contents.map((content) => ({ content, disabled: false }));
      const changetype = contents.length === 0 ? 'DELETE' : 'REPLACE';
      await callApi(known, 'PATCH', `/zones/${zone}.`, {
        rrsets: [{ name: `${name}.`, type, ttl, changetype, records }],
      });
    },
    freeze: () => server.signal('SIGSTOP'),
    thaw: () => server.signal('SIGCONT'),
  };
}

async function makeZone(at: PowerDns, zone: string, otherServers: readonly string[]): Promise<void> {
  const addresses = [at.address, ...otherServers];
  const names = addresses.map((_, index) => `ns${index + 1}.${zone}.`);
  const record = (content: string) => ({ content, disabled: false });
  const soa = `${names[0]} hostmaster.${zone}. 1 10800 3600 604800 5`;
  const rrsets = [
    { name: `${zone}.`, type: 'SOA', ttl: 60, records: [record(soa)] },
    { name: `${zone}.`, type: 'NS', ttl: 60, records: names.map(record) },
    ...addresses.map((address, index) => ({ name: names[index], type: 'A', ttl: 60, records: [record(address)] })),
  ];
  await callApi(at, 'POST', '/zones', { name: `${zone}.`, kind: 'Native', rrsets });
}

async function callApi(
  { apiUrl, apiKey }: Pick<PowerDns, 'apiUrl' | 'apiKey'>,
  method: string,
  path: string,
  body: object,
): Promise<void> {
  const headers = { 'x-api-key': apiKey, 'content-type': 'application/json' };
  const url = `${apiUrl}/api/v1/servers/localhost${path}`;
  const answer = await fetch(url, { method, headers, body: JSON.stringify(body), signal: AbortSignal.timeout(10_000) });
  if (!answer.ok) throw new Error(`PowerDNS, ${method} ${path}: ${answer.status} ${await answer.text()}`);
  await answer.arrayBuffer();
}

async function answersHttp(server: ServerProcess, url: string, apiKey?: string): Promise<boolean> {
  if (server.exitCode() !== undefined) throw new Error(`it ended with ${server.exitCode()}`);
  const headers: Record<string, string> = apiKey === undefined ? {} : { 'x-api-key': apiKey };
  const answer = await fetch(url, { headers, signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
  await answer?.arrayBuffer();
  return answer?.ok === true;
}

/** Asks one name server, by UDP. The records of the answer, without name and TTL; empty if there are none. */
export function dig(
  server: { readonly address: string; readonly port: number },
  name: string,
  type: string,
): Promise<string[]> {
  const args = [
    `@${server.address}`,
    '-p',
    String(server.port),
    '+short',
    '+norecurse',
    '+tries=1',
    '+time=2',
    name,
    type,
  ];
  return new Promise((resolve, reject) => {
    execFile(toolPath('dig'), args, { timeout: 10_000 }, (error, stdout) => {
      // It says on standard output what went wrong.
      if (error !== null) reject(new Error(`dig ${name} ${type}: ${stdout.trim() || error.message}`, { cause: error }));
      else
        resolve(
          stdout
            .split('\n')
            .filter((line) => line !== '' && !line.startsWith(';'))
            .sort(),
        );
    });
  });
}

async function shows(
  server: { readonly address: string; readonly port: number },
  { name, type, wanted }: { readonly name: string; readonly type: string; readonly wanted: readonly string[] },
  timeoutMs: number,
): Promise<void> {
  const sorted = [...wanted].sort().join('\n');
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const seen = await dig(server, name, type).catch((error: unknown) => [String(error)]);
    if (seen.join('\n') === sorted) return;
    const said = `${name} ${type} is\n  ${seen.join('\n  ')}\nand not, after ${timeoutMs} ms,\n  ${wanted.join('\n  ')}`;
    if (performance.now() > deadline) throw new Error(said);
    // A process for each question: not too often.
    await delay(100);
  }
}

export interface ExternalDnsOptions {
  /** Path of the kubeconfig. */
  readonly kubeconfig: string;
  readonly powerDns: PowerDns;
  /** Whose DNSEndpoints it reads; all namespaces if absent. */
  readonly namespace?: string;
  /** In its TXT records; default `test`. */
  readonly owner?: string;
  /** Further flags; of those that may stand once, give none that is set here. */
  readonly args?: readonly string[];
  /** Default A, AAAA and SRV. */
  readonly recordTypes?: readonly string[];
  /** Default `sync`. */
  readonly policy?: 'sync' | 'upsert-only';
}

export interface ExternalDns {
  /** The end of its log. */
  log(characters?: number): string;
  /** SIGSTOP. */
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

/** Starts external-dns on the PowerDNS provider; its first pass may still be under way when this resolves. It looks every second. */
export async function startExternalDns(options: ExternalDnsOptions): Promise<ExternalDns> {
  const { kubeconfig, powerDns, namespace = '', owner = 'test', policy = 'sync', args = [] } = options;
  const { recordTypes = ['A', 'AAAA', 'SRV'] } = options;
  const folder = makeTestFolder('external-dns');
  const metrics = `127.0.0.1:${await fixedPort()}`;
  const server = startServer({
    command: toolPath('external-dns'),
    args: [
      ...[`--kubeconfig=${kubeconfig}`, '--source=crd', `--namespace=${namespace}`],
      ...['--provider=pdns', `--pdns-server=${powerDns.apiUrl}`, `--pdns-api-key=${powerDns.apiKey}`],
      ...powerDns.zones.map((zone) => `--domain-filter=${zone}`),
      ...['--registry=txt', `--txt-owner-id=${owner}`, `--policy=${policy}`],
      ...recordTypes.map((type) => `--managed-record-types=${type}`),
      ...['--interval=1s', '--events', '--min-event-sync-interval=200ms', `--metrics-address=${metrics}`],
      ...args,
    ],
    logFile: join(folder.path, 'external-dns.log'),
    env: { PATH: process.env['PATH'], HOME: folder.path },
  });
  const stop = async (): Promise<void> => {
    await server.kill();
    folder.remove();
  };
  try {
    await waitFor('external-dns', () => answersHttp(server, `http://${metrics}/healthz`), 20_000);
  } catch (error) {
    const log = server.log();
    await stop();
    throw new Error(`${(error as Error).message}\n${log}`, { cause: error });
  }
  return {
    log: (characters) => server.log(characters),
    freeze: () => server.signal('SIGSTOP'),
    thaw: () => server.signal('SIGCONT'),
    stop,
  };
}
