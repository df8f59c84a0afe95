// SPDX-License-Identifier: Apache-2.0
//
// For tests: kmsctl in this process, with what it wrote; and simulated clients that ask a pool over the wire. Not part of the command line.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { productBySlug } from '@kmspool/kms/catalog';
import { clientProfile, newClient } from '@kmspool/kms/client';
import { derivePoolKeys } from '@kmspool/kms/wire';
import type { Io } from '../cli/io.ts';
import { run } from '../cli/program.ts';
import { connectKms, requestFields } from '../net/index.ts';

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface HereOptions {
  /** Relative names and state are below it. */
  readonly dir: string;
  readonly columns?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a verb to its end. */
export async function kmsctl(args: readonly string[], { dir, columns = 100, env = {} }: HereOptions): Promise<Outcome> {
  let stdout = '';
  let stderr = '';
  const io: Io = {
    out: (text) => {
      stdout += text;
    },
    err: (text) => {
      stderr += text;
    },
    tty: false,
    color: false,
    columns: () => columns,
    env: { HOME: dir, XDG_STATE_HOME: dir, ...env },
    path: (name) => resolve(dir, name),
    program: 'kmsctl',
  };
  return { code: await run(args, io), stdout, stderr };
}

export interface AskingMachine {
  readonly name: string;
  /** Machines with the same seed have the same CMID. */
  readonly seed?: string;
  readonly product?: string;
  /** How far its clock is off. */
  readonly clockOffsetMs?: number;
}

/** Each asks once, on one connection. */
export async function askAs(
  at: { readonly address: string; readonly port: number; readonly secret: Buffer },
  machines: readonly AskingMachine[],
): Promise<void> {
  const keys = derivePoolKeys(at.secret);
  const connected = await connectKms({ address: at.address, port: at.port, timeoutMs: 5_000 });
  assert.ok(connected.ok, JSON.stringify(connected));
  for (const { name, seed = name, product: slug = 'windows-11', clockOffsetMs = 0 } of machines) {
    const product = productBySlug(slug);
    const edition = product?.editions[0];
    assert.ok(product && edition, slug);
    const clockMs = Date.now() + clockOffsetMs;
    const machine = {
      name,
      cmid: cmidOf(seed),
      product,
      edition,
      protocol: product.protocolVersion,
      isClientVm: false,
    };
    await connected.connection.request(
      keys,
      requestFields(machine, newClient(clientProfile(product), clockMs), clockMs),
    );
  }
  connected.connection.close();
}

/** The CMID of a seed, as GUID text. */
export function cmidOf(seed: string): string {
  const hex = createHash('sha256').update(seed).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}
