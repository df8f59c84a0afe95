// SPDX-License-Identifier: Apache-2.0
//
// Records as BIND, nsupdate, dnsmasq and Unbound read them. Names are checked in records.ts; nothing here needs a quote.

import { isIPv6 } from 'node:net';
import { byZone, type ExportRecord, recordData, relativeTo } from './records.ts';

/** The name server of a zone, by its full name; in the zone itself it needs its address. */
export interface ZoneServer {
  readonly name: string;
  readonly address?: string | undefined;
}

export interface ZoneFileOptions {
  /** Then whole zones are written, with SOA and NS. */
  readonly nameserver?: ZoneServer | undefined;
  /** SOA serial, 0 … 2^32 − 1. */
  readonly serial: number;
}

/** RFC 1035 master file: for `$INCLUDE`, or with a name server whole. Several zones stand one below the other, each with its `$ORIGIN` (S2-22, S3-71). */
export function bindZone(records: readonly ExportRecord[], { nameserver, serial }: ZoneFileOptions): string {
  const parts = byZone(records).map(([zone, own]) => {
    const width = Math.max(...own.map(({ name }) => relativeTo(zone, name).length));
    const lines = own.map((record) => {
      const name = relativeTo(zone, record.name).padEnd(width);
      return `${name} ${record.ttlSeconds} IN ${record.type.padEnd(4)} ${recordData(record)}`;
    });
    return [`; zone ${zone}`, `$ORIGIN ${zone}.`, ...apex(own, nameserver, serial), ...lines, ''].join('\n');
  });
  return [...parts, updatePolicy(records)].join('\n');
}

function apex(own: readonly ExportRecord[], server: ZoneServer | undefined, serial: number): string[] {
  const zone = own[0]?.zone;
  if (server === undefined || zone === undefined) return [];
  const ttl = Math.min(...own.map(({ ttlSeconds }) => ttlSeconds));
  const glue = server.address !== undefined && server.name.endsWith(`.${zone}`);
  return [
    `$TTL ${ttl}`,
    `@ IN SOA ${server.name}. hostmaster.${zone}. ${serial} 3600 600 86400 ${ttl}`,
    `@ IN NS ${server.name}.`,
    ...(glue ? [`${server.name}. IN ${isIPv6(server.address) ? 'AAAA' : 'A'} ${server.address}`] : []),
  ];
}

// Microsoft's text says `allow-update { any; };`: then anybody on the network says who the KMS host is (S2-24).
function updatePolicy(records: readonly ExportRecord[]): string {
  const names = [...new Set(records.map(({ name }) => name))];
  const grants = names.map((name) => {
    const types = [...new Set(records.filter((record) => record.name === name).map(({ type }) => type))];
    return `;     grant kmspool name ${name}. ${types.join(' ')};`;
  });
  return `; If the zone is to be updated by a program, let one key do it (tsig-keygen kmspool), and
; for these names only. Do not write allow-update { any; }: with it every machine
; that reaches the server can say who the KMS host is.
;   update-policy {
${grants.join('\n')}
;   };
`;
}

export interface NsupdateOptions {
  /** `address` or `address port` of the primary; without it nsupdate asks the zone's SOA. */
  readonly server?: string | undefined;
  /** Take these very records out; others of the same name stay. */
  readonly remove?: boolean | undefined;
}

/** RFC 2136 updates, one message for each zone; TSIG by `nsupdate -k`. Adding what is there already changes nothing. */
export function nsupdateScript(records: readonly ExportRecord[], { server, remove = false }: NsupdateOptions): string {
  const verb = remove ? 'delete' : 'add';
  const parts = byZone(records).map(([zone, own]) => {
    const lines = own.map((record) => {
      const place = remove ? `${record.name}.` : `${record.name}. ${record.ttlSeconds}`;
      return `update ${verb} ${place} IN ${record.type} ${recordData(record)}`;
    });
    return [`zone ${zone}.`, ...lines, 'send', ''].join('\n');
  });
  const head = `; nsupdate -k kmspool.key THIS-FILE
; The key: tsig-keygen kmspool > kmspool.key. The zone allows it by update-policy, not
; allow-update { any; }: with that every machine could say who the KMS host is.
`;
  return [head, ...(server === undefined ? [] : [`server ${server}\n`]), ...parts].join('');
}

/** dnsmasq: `srv-host` has port, priority, weight in this order, and no TTL of its own. */
export function dnsmasqConf(records: readonly ExportRecord[]): string {
  const services = records.flatMap((record) =>
    record.type === 'SRV'
      ? [`srv-host=${record.name},${record.target},${record.port},${record.priority},${record.weight}`]
      : [],
  );
  const ttl = Math.min(...records.map(({ ttlSeconds }) => ttlSeconds));
  const hosts = records.flatMap((record) =>
    record.type === 'SRV' ? [] : [`host-record=${record.name},${record.address},${record.ttlSeconds}`],
  );
  return [
    '# For dnsmasq, such as /etc/dnsmasq.d/kmspool.conf; then: systemctl restart dnsmasq',
    // A setting of the whole server: not ours to change.
    `# dnsmasq gives SRV records the time to live of its own names: local-ttl=${ttl} would fit.`,
    ...services,
    ...hosts,
    '',
  ].join('\n');
}

/** Unbound: local data in front of what the zone's own servers say; other names of the zone are resolved as before. */
export function unboundConf(records: readonly ExportRecord[]): string {
  // Only the names themselves are made local: a local zone of the whole domain would be too much.
  const names = [...new Set(records.map(({ name }) => name))];
  return [
    '# For Unbound, such as /etc/unbound/unbound.conf.d/kmspool.conf; then: unbound-control reload',
    'server:',
    ...names.map((name) => `    local-zone: "${name}." typetransparent`),
    ...records.map(
      (record) => `    local-data: "${record.name}. ${record.ttlSeconds} IN ${record.type} ${recordData(record)}"`,
    ),
    '',
  ].join('\n');
}
