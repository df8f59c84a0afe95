// SPDX-License-Identifier: Apache-2.0
/**
 * May this Redis be used? Decided from what INFO and ROLE say, never CONFIG, which managed services forbid. Pure: texts in, a verdict out.
 */

/** fit; not now (loading, a replica that a failover has yet to promote); or never, with the remedy in one line. */
export type Verdict =
  | { readonly kind: 'fit'; readonly server: string }
  | { readonly kind: 'notNow'; readonly reason: string }
  | { readonly kind: 'unusable'; readonly reason: string };

export interface ServerFacts {
  /** The reply to INFO. */
  readonly info: string;
  /** The first element of the reply to ROLE. */
  readonly role: string;
  /** A replica under a plain URL is a mistake; behind Sentinel or in a cluster it is a failover that goes on. */
  readonly replicaIsFinal: boolean;
}

const MIN_VERSION = { redis: [6, 2], valkey: [7, 2] } as const;

export function judgeServer(facts: ServerFacts): Verdict {
  const info = parseInfo(facts.info);
  const { product, version } = serverVersion(info);
  const server = `${product} ${version}`;
  if (!isAtLeast(version, MIN_VERSION[product])) {
    return unusable(`${server} is too old: use Redis 6.2 or later, or Valkey 7.2 or later`);
  }
  if (facts.role !== 'master') {
    const reason = `the server is a ${facts.role === 'slave' ? 'replica' : facts.role}, which cannot count`;
    if (facts.replicaIsFinal) return unusable(`${reason}: give the master's address, or its Sentinels`);
    return { kind: 'notNow', reason: `${reason}: waiting for a master` };
  }
  const policy = info.get('maxmemory_policy') ?? 'noeviction';
  if (policy.startsWith('allkeys-')) {
    return unusable(`maxmemory-policy ${policy} may evict client machine IDs: set it to noeviction (or volatile-*)`);
  }
  if (info.get('loading') === '1') return { kind: 'notNow', reason: 'the server is loading its data' };
  return { kind: 'fit', server };
}

/** Errors that trying again does not cure, as one line with the remedy; undefined for all others. */
export function finalError(message: string): string | undefined {
  const code = message.split(' ', 1)[0] ?? '';
  if (code === 'WRONGPASS' || message.startsWith('ERR invalid password')) {
    return 'Redis refuses the password: check username and password in the credentials';
  }
  if (code === 'NOAUTH') return 'Redis asks for a password: give one in the credentials';
  if (code === 'NOPERM' || /can't run this command|No permissions|can't access/.test(message)) {
    return `Redis denies the user a command or key (${oneLine(message)}): grant the rule of docs/redis.md`;
  }
  if (code === 'WRONGTYPE' || message.includes('WRONGTYPE')) {
    return "keys under the pool's name hold something else: give the pool a Redis or database of its own, or remove them";
  }
  if (code === 'KMSPOOLSCHEMA') {
    return `${message.slice(code.length + 1)}, which this version cannot read: use the version that wrote them, or purge the pool`;
  }
  return undefined;
}

/** An error's message without line breaks, for reasons and logs. */
export function oneLine(message: string): string {
  return message.replaceAll(/\s+/g, ' ').trim();
}

function unusable(reason: string): Verdict {
  return { kind: 'unusable', reason };
}

function parseInfo(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  return fields;
}

/** Valkey tells the version of Redis it is compatible with, too. */
function serverVersion(info: ReadonlyMap<string, string>): { product: 'redis' | 'valkey'; version: string } {
  const valkey = info.get('valkey_version');
  if (valkey !== undefined) return { product: 'valkey', version: valkey };
  const product = info.get('server_name') === 'valkey' ? 'valkey' : 'redis';
  return { product, version: info.get('redis_version') ?? '0' };
}

function isAtLeast(version: string, [wantedMajor, wantedMinor]: readonly [number, number]): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}
