// SPDX-License-Identifier: Apache-2.0
//
// `kmsctl dlv`: what `slmgr.vbs /dlv` shows on a KMS host, of a running host. Reading needs no token; the layout is dlv-text.ts.

import { type HostStatus, hostStatusSchema, UserError } from '@kmspool/crds';
import { Command } from 'commander';
import { EXIT, type Io } from '../cli/io.ts';
import { type OutputFormat, outputOption, stateOption, timeout } from '../cli/options.ts';
import type { VerbContext } from '../cli/program.ts';
import { type Endpoints, findEndpoints } from '../pool/endpoints.ts';
import { printable } from '../text/style.ts';
import { dlvText } from './dlv-text.ts';

const HELP = `
HOST is a host's HTTP address (http://127.0.16.1:8080) or, for a pool that
kmsctl up runs, a host's name (campus-1). Without it the first host that answers
is asked: all of them tell the same count.
The cumulative requests are the pool's, since it exists. They are usually not
needed: look at them when the count does not rise, and look at the host keys
when failed requests grow.

Examples:
  kmsctl dlv
  kmsctl dlv campus-1 --state /tmp/campus
  kmsctl dlv http://127.0.16.1:8080 -o json      the whole HostStatus

Exit codes: 0 printed, 2 no host answered, or that is no host of kmspool.`;

interface DlvFlags {
  readonly state?: string;
  readonly timeout: number;
  readonly output: OutputFormat;
}

export function dlvCommand({ io, exit }: VerbContext): Command {
  return new Command('dlv')
    .summary('what slmgr.vbs /dlv shows on a KMS host')
    .description('Show a KMS host as slmgr.vbs /dlv does: current count, port, requests by licence status.')
    .argument('[host]', 'URL or name of a host')
    .addOption(stateOption())
    .option('--timeout <time>', 'how long to wait for a host, such as 500ms or 5s', timeout, 3_000)
    .addOption(outputOption())
    .addHelpText('after', HELP)
    .action(async (host: string | undefined, flags: DlvFlags) => exit(await dlv(host, flags, io)));
}

async function dlv(host: string | undefined, flags: DlvFlags, io: Io): Promise<number> {
  const { urls, domains } = whom(host, flags, io);
  const status = await firstStatus(urls, flags.timeout);
  io.out(
    flags.output === 'json'
      ? `${JSON.stringify(status, null, 2)}\n`
      : `${dlvText(status, domains).map(printable).join('\n')}\n`,
  );
  return EXIT.ok;
}

interface Whom {
  readonly urls: readonly string[];
  /** Undefined where only the host is known. */
  readonly domains?: readonly string[];
}

function whom(host: string | undefined, { state }: DlvFlags, io: Io): Whom {
  if (host?.includes('://') === true) return { urls: [httpUrl(host)] };
  const { hosts, domains }: Endpoints = findEndpoints(io, state);
  const wanted = hosts.filter(({ name }) => host === undefined || name === host);
  if (wanted.length > 0) return { urls: wanted.map(({ http }) => http), domains };
  const names = hosts.map(({ name }) => name).join(', ');
  throw new UserError(
    `the pool has no host ${host ?? ''}; use one of ${names}, or a URL such as http://127.0.16.1:8080`,
  );
}

function httpUrl(text: string): string {
  const url = URL.parse(text);
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return text.replace(/\/(status\/?)?$/, '');
  throw new UserError(`${text} is not a URL of a host; write http://ADDRESS:PORT`);
}

async function firstStatus(urls: readonly string[], timeoutMs: number): Promise<HostStatus> {
  let problem = 'the pool has no hosts';
  for (const url of urls) {
    const asked = await statusOf(url, timeoutMs);
    if (asked.ok) return asked.status;
    problem = asked.reason;
  }
  throw new UserError(problem);
}

type Asked = { ok: true; status: HostStatus } | { ok: false; reason: string };

/** GET /status of one host. */
export async function statusOf(url: string, timeoutMs: number): Promise<Asked> {
  let body: unknown;
  try {
    const answer = await fetch(`${url}/status`, {
      signal: AbortSignal.timeout(timeoutMs),
      headers: { connection: 'close' },
    });
    body = await answer.json();
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const why =
      cause instanceof SyntaxError
        ? 'what answers is no host of kmspool'
        : cause instanceof Error
          ? cause.message
          : String(cause);
    return {
      ok: false,
      reason: `${url}/status does not answer as a host should (${why}); check the address and that the host runs`,
    };
  }
  const parsed = hostStatusSchema.safeParse(body);
  if (parsed.success) return { ok: true, status: parsed.data };
  return { ok: false, reason: `${url}/status answers, but is no host of kmspool; check the address` };
}
