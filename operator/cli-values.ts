// SPDX-License-Identifier: Apache-2.0

// The values that flags take, each read from its text. A problem says what is wrong and what to write instead; whoever reads puts the flag's name before it.
import { accessSync, constants } from 'node:fs';
import { isIP, isIPv6 } from 'node:net';
import { DNS_NAME } from '@kmspool/crds';

/** A value, or what is wrong with its text. */
export type Read<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string };
export type Reader<T> = (text: string) => Read<T>;

/** An IP address and a port. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
/** `[server[:port]/]path[:tag][@digest]`, the path in lower case (the reference grammar of container registries). */
const IMAGE =
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d{1,5})?\/)?[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*(?::\w[\w.-]{0,127})?(?:@[a-z0-9]+:[0-9a-f]{32,})?$/;

const good = <T>(value: T): Read<T> => ({ ok: true, value });
const bad = (problem: string): { readonly ok: false; readonly problem: string } => ({ ok: false, problem });

/** Any text that is not blank. */
export function text(given: string): Read<string> {
  return given.trim() === '' ? bad('is empty; write a name or leave it out') : good(given);
}

/** A file that this process may read. */
export function readableFile(file: string): Read<string> {
  try {
    accessSync(file, constants.R_OK);
    return good(file);
  } catch (error) {
    return bad(`${quoted(file)} cannot be read (${(error as NodeJS.ErrnoException).code}); name a file that is there`);
  }
}

/** A namespace (RFC 1123 label). */
export function namespaceName(name: string): Read<string> {
  return LABEL.test(name)
    ? good(name)
    : bad(`${quoted(name)} is no namespace; write at most 63 of a-z, 0-9 and '-', such as kms`);
}

/** The name of an object (RFC 1123 subdomain). */
export function objectName(name: string): Read<string> {
  return name.length <= 253 && DNS_NAME.test(name)
    ? good(name)
    : bad(`${quoted(name)} cannot name an object; write a-z, 0-9, '-' and '.', such as kmspool-operator`);
}

/** A container image. */
export function image(reference: string): Read<string> {
  return IMAGE.test(reference)
    ? good(reference)
    : bad(
        `${quoted(reference)} is no image; write NAME:TAG or NAME@sha256:DIGEST, names in lower case and without https://`,
      );
}

/** One of a few words, spelled as they are. */
export function oneOf<const T extends string>(words: readonly T[]): Reader<T> {
  return (given) => {
    const found = words.find((word) => word === given);
    return found === undefined ? bad(`${quoted(given)} is not known; use one of ${words.join(', ')}`) : good(found);
  };
}

/** A whole number within bounds. */
export function wholeIn({ min, max }: { readonly min: number; readonly max: number }): Reader<number> {
  return (given) => {
    const number = /^\d{1,9}$/.test(given) ? Number(given) : Number.NaN;
    return number >= min && number <= max
      ? good(number)
      : bad(`${quoted(given)} is not a whole number from ${min} to ${max}; write one`);
  };
}

/** A number of minutes or seconds within bounds; fractions are allowed. */
export function numberIn({
  min,
  max,
  unit,
}: {
  readonly min: number;
  readonly max: number;
  readonly unit: string;
}): Reader<number> {
  return (given) => {
    const number = /^\d{1,9}(\.\d{1,9})?$/.test(given) ? Number(given) : Number.NaN;
    return number >= min && number <= max
      ? good(number)
      : bad(`${quoted(given)} is not from ${min} to ${max} ${unit}; write a number without a unit`);
  };
}

/** `10.0.0.10`, `10.0.0.10:5353`, `fd00::10` or `[fd00::10]:5353`; port 53 unless said. Names are not: who would resolve them? */
export function dnsServer(given: string): Read<Endpoint> {
  if (isIPv6(given)) return good({ address: given, port: 53 });
  const found = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(given);
  const address = found?.[1] ?? found?.[2] ?? '';
  const port = Number(found?.[3] ?? 53);
  if (isIP(address) === 0 || port < 1 || port > 65_535)
    return bad(`${quoted(given)} is no address of a DNS server; write e.g. 10.0.0.10, 10.0.0.10:5353 or [fd00::10]:53`);
  return good({ address, port });
}

/** `127.0.0.1:8081`, `[::]:8081` or `:8081`, which is every address; undefined for `off`. Port 0 takes a free one. */
export function listenAddress(given: string): Read<Endpoint | undefined> {
  if (given === 'off') return good(undefined);
  const found = /^(?:\[([^\]]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(given);
  const address = found?.[1] ?? (found?.[2] || '::');
  const port = Number(found?.[3]);
  if (found === null || port > 65_535 || isIP(address) === 0)
    return bad(`${quoted(given)} is not ADDRESS:PORT; write e.g. 127.0.0.1:8081 or [::]:8081, or off`);
  return good({ address, port });
}

function quoted(given: string): string {
  return JSON.stringify(given);
}
