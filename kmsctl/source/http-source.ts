// SPDX-License-Identifier: Apache-2.0
//
// What all sources share: hosts that are asked over HTTP, one after the other until one answers, and errors as one line. How a host is reached (TCP, a tunnel
// through the API server) and where the token comes from is given.

import { hostStatusSchema, type KmsHostPool, UserError } from '@kmspool/crds';
import type { NameServer } from '../net/index.ts';
import { printable } from '../text/style.ts';
import { causeOf, type HttpAnswer } from './http-call.ts';
import type { KubeApi } from './kube-api.ts';
import type { Asked, HostRef, ListedPage, Listing, PageQuery, PoolSource } from './source.ts';

export interface HostRequest {
  readonly path: string;
  readonly method?: 'GET' | 'POST';
  readonly token?: string;
  readonly body?: string;
}

/** A host that can be asked. */
export interface HostChannel extends HostRef {
  /** For texts: its URL, or its Pod. */
  readonly shown: string;
  /** One exchange. @throws Error in few words when nothing came; UserError when no host of the pool can be asked so. */
  call(request: HostRequest): Promise<HttpAnswer>;
}

export interface HttpSourceParts {
  readonly kind: PoolSource['kind'];
  readonly pool: string;
  readonly where: string;
  readonly channels: readonly HostChannel[];
  /** Said when there is no host to ask. */
  readonly noHosts: string;
  readonly domains: readonly string[] | undefined;
  readonly nameServer?: NameServer;
  readonly object?: KmsHostPool;
  readonly cluster?: KubeApi;
  /** The admin token. @throws UserError */
  readonly token: () => Promise<string>;
  readonly close?: () => void;
}

/** A pool whose hosts answer over HTTP. */
export function httpSource(parts: HttpSourceParts): PoolSource {
  return new HttpSource(parts);
}

class HttpSource implements PoolSource {
  readonly #parts: HttpSourceParts;
  /** Those that answered last come first. */
  #order: readonly HostChannel[];
  #token: Promise<string> | undefined;

  constructor(parts: HttpSourceParts) {
    this.#parts = parts;
    this.#order = parts.channels;
  }

  get kind(): PoolSource['kind'] {
    return this.#parts.kind;
  }

  get pool(): string {
    return this.#parts.pool;
  }

  get where(): string {
    return this.#parts.where;
  }

  get hosts(): readonly HostRef[] {
    return this.#parts.channels;
  }

  get domains(): readonly string[] | undefined {
    return this.#parts.domains;
  }

  get nameServer(): NameServer | undefined {
    return this.#parts.nameServer;
  }

  get object(): KmsHostPool | undefined {
    return this.#parts.object;
  }

  get cluster(): KubeApi | undefined {
    return this.#parts.cluster;
  }

  async status(host?: string): Promise<Awaited<ReturnType<PoolSource['status']>>> {
    let problem = this.#parts.noHosts;
    for (const channel of this.#order.filter(({ name }) => host === undefined || name === host)) {
      const asked = await statusOf(channel);
      if (asked.ok) return asked.status;
      problem = asked.reason;
    }
    throw new UserError(problem);
  }

  statuses(): ReturnType<PoolSource['statuses']> {
    return Promise.all(
      this.#parts.channels.map(async (channel) => ({ host: channel.name, asked: await statusOf(channel) })),
    );
  }

  async page<T>(listing: Listing, query: PageQuery): Promise<ListedPage<T>> {
    const parameters = Object.entries(query).filter(([, value]) => value !== undefined);
    const search = new URLSearchParams(parameters.map(([name, value]) => [name, String(value)]));
    const page = await this.read(`/${listing}?${search}`);
    if (isPage<T>(page)) return page;
    throw new UserError(`/${listing}: what answers is no host of kmspool; check the address`);
  }

  read(path: string): Promise<unknown> {
    return this.#withToken({ path });
  }

  send(path: string, body: unknown): Promise<unknown> {
    return this.#withToken({ path, method: 'POST', body: JSON.stringify(body) });
  }

  async text(host: string, path: string): Promise<string | undefined> {
    const channel = this.#parts.channels.find(({ name }) => name === host);
    const answer = await channel?.call({ path }).catch(() => undefined);
    return answer?.status === 200 ? answer.text : undefined;
  }

  close(): void {
    this.#parts.close?.();
  }

  async #withToken(request: HostRequest): Promise<unknown> {
    this.#token ??= this.#parts.token();
    const token = await this.#token;
    let problem = this.#parts.noHosts;
    for (const channel of this.#order) {
      const answer = await called(channel, { ...request, token });
      if (answer.status === 200) {
        this.#order = [channel, ...this.#order.filter((each) => each !== channel)];
        return parsed(answer.text, channel.shown);
      }
      problem = refusal(channel, request, answer);
      // Another host would say the same; only one that is away or has lost its store leaves the question open.
      if (answer.status !== 0 && answer.status !== 503) break;
    }
    throw new UserError(problem);
  }
}

/** GET /status. */
async function statusOf(channel: HostChannel): Promise<Asked> {
  const answer = await called(channel, { path: '/status' });
  if (answer.status === 0) {
    return {
      ok: false,
      reason: `${channel.shown}/status does not answer as a host should (${answer.text}); check the address and that the host runs`,
    };
  }
  const body = hostStatusSchema.safeParse(jsonOf(answer.text));
  if (answer.status === 200 && body.success) return { ok: true, status: body.data, dateMs: answer.dateMs };
  return { ok: false, reason: `${channel.shown}/status answers, but is no host of kmspool; check the address` };
}

/** Status 0 and the reason when nothing came. */
async function called(channel: HostChannel, request: HostRequest): Promise<HttpAnswer> {
  try {
    return await channel.call(request);
  } catch (error) {
    if (error instanceof UserError) throw error;
    return { status: 0, text: causeOf(error) };
  }
}

function refusal({ shown }: HostChannel, { path }: HostRequest, { status, text }: HttpAnswer): string {
  const [page] = path.split('?', 1);
  const said = errorOf(text);
  if (status === 0) return `${shown}${page} does not answer (${text}); check the address and that the host runs`;
  if (status === 401) return `${shown} does not take this admin token; was the host restarted, or the Secret changed?`;
  if (status === 404) return `${shown} has no ${page}: it is older than this kmsctl; upgrade the hosts`;
  return `${shown}${page} refuses (${status}): ${said}`;
}

/** What a host says when it refuses: `{"error": "…"}`. */
function errorOf(text: string): string {
  const body = jsonOf(text);
  const said = typeof body === 'object' && body !== null && 'error' in body ? body.error : undefined;
  return printable((typeof said === 'string' ? said : text).split('\n', 1)[0] ?? '');
}

function parsed(text: string, shown: string): unknown {
  const value = jsonOf(text);
  if (value !== undefined) return value;
  throw new UserError(`${shown}: what answers is no host of kmspool; check the address`);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isPage<T>(value: unknown): value is ListedPage<T> {
  return typeof value === 'object' && value !== null && 'items' in value && Array.isArray(value.items);
}
