// SPDX-License-Identifier: Apache-2.0
//
// Options that several verbs share, and the parsers of their values. A parser refuses with one line.

import { isIP } from 'node:net';
import { InvalidArgumentError, Option } from 'commander';
import type { NameServer } from '../net/index.ts';

export type OutputFormat = 'text' | 'json';

/** `-o, --output text|json`. */
export function outputOption(): Option {
  return new Option('-o, --output <format>', 'how to print').choices(['text', 'json']).default('text');
}

export type DataFormat = 'text' | 'json' | 'yaml';

/** `-o, --output text|json|yaml`. */
export function dataOption(): Option {
  return new Option('-o, --output <format>', 'how to print').choices(['text', 'json', 'yaml']).default('text');
}

/** `--state DIR` of a verb that reads what a running pool wrote. */
export function stateOption(): Option {
  return new Option('--state <dir>', 'folder of a running `kmsctl up` (default: of the one that runs)');
}

/** A whole number of `min` … `max`. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`Use a whole number from ${min} to ${max}.`);
    }
    return value;
  };
}

/** A host with an optional port. */
export interface HostPort {
  readonly host: string;
  readonly port: number | undefined;
}

/** `name`, `name:port`, `192.0.2.1:1688`, `[::1]:1688` or a bare IPv6 address. */
export function hostPort(text: string): HostPort {
  if (isIP(text) === 6) return { host: text, port: undefined };
  const found = /^(?:\[([^\]]+)\]|([A-Za-z0-9._-]+))(?::(\d{1,5}))?$/.exec(text);
  const host = found?.[1] ?? found?.[2];
  const port = found?.[3] === undefined ? undefined : Number(found[3]);
  const badBracket = found?.[1] !== undefined && isIP(found[1]) !== 6;
  if (host === undefined || badBracket || (port !== undefined && (port < 1 || port > 65_535))) {
    throw new InvalidArgumentError('Write HOST, HOST:PORT or [IPv6]:PORT with a port from 1 to 65535.');
  }
  return { host, port };
}

/** The address of a name server; port 53 if none is given. */
export function nameServer(text: string): NameServer {
  const { host, port } = hostPort(text);
  if (isIP(host) === 0) throw new InvalidArgumentError('Write ADDRESS or ADDRESS:PORT of a name server.');
  return { address: host, port: port ?? 53 };
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90s`, `-5h`, `1.5d`, `250ms` in milliseconds; a bare number is seconds. */
export function duration(text: string): number {
  const found = /^([+-]?\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)?$/.exec(text);
  const unit = UNITS[found?.[2] ?? 's'];
  if (found === null || unit === undefined) {
    throw new InvalidArgumentError('Write a time such as 500ms, 30s, -5h or 2d.');
  }
  return Number(found[1]) * unit;
}

/** A time in the past, or an age: longer than zero. */
export function age(text: string): number {
  const ms = duration(text);
  if (ms <= 0) throw new InvalidArgumentError('Write an age such as 90s, 12h or 20d.');
  return ms;
}

/** A time longer than zero and no longer than an hour. */
export function timeout(text: string): number {
  const ms = duration(text);
  if (ms < 1 || ms > 3_600_000) throw new InvalidArgumentError('Use a time from 1ms to 1h.');
  return Math.round(ms);
}

/** A result code: `0xC004F042`, `C004F042`, or a decimal number, signed or not. Unsigned 32 bits out. */
export function hresultCode(text: string): number {
  const hex = /^(?:0x)?([0-9a-f]{8})$/i.exec(text)?.[1];
  if (hex !== undefined) return Number.parseInt(hex, 16);
  const value = Number(text);
  if (!/^-?\d+$/.test(text) || value < -0x8000_0000 || value > 0xffff_ffff)
    throw new InvalidArgumentError('Write a code such as 0xC004F042.');
  return value >>> 0;
}
