// SPDX-License-Identifier: Apache-2.0
//
// The few reads of the API server that kmsctl needs, and what it answers as one line for a user: 403 with the right that is missing and how to grant it (S4-02).

import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent, type RequestOptions } from 'node:https';
import { UserError } from '@kmspool/crds';
import { printable } from '../text/style.ts';
import { causeOf, type HttpAnswer, httpCall } from './http-call.ts';
import type { ClusterAccess } from './kubeconfig.ts';

/** Something of the API that is read: `GET /apis/<group>/…/namespaces/<namespace>/<plural>/<name>`. */
export interface Readable {
  /** `/api/v1` or `/apis/GROUP/VERSION`. */
  readonly base: string;
  readonly plural: string;
  /** All namespaces without it. */
  readonly namespace?: string;
  /** A list without it. */
  readonly name?: string;
  /** Selects by label. */
  readonly labels?: Readonly<Record<string, string>>;
}

export type KubeAnswer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly status: number; readonly reason: string };

/** An object as the API server gives it; what is read of it is looked at with care. */
export interface KubeObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

export class KubeApi {
  readonly access: ClusterAccess;
  readonly #timeoutMs: number;
  #agent: HttpAgent | HttpsAgent | undefined;

  constructor(access: ClusterAccess, timeoutMs: number) {
    this.access = access;
    this.#timeoutMs = timeoutMs;
  }

  /** One object, or `{items}` of a list. @throws UserError when there is no answer, or none but 200 and what `get` callers may expect. */
  async ask<T>(what: Readable): Promise<KubeAnswer<T>> {
    const { status, text } = await this.#call(pathOf(what));
    if (status === 200) return { ok: true, value: jsonOf(text, this.access) as T };
    return { ok: false, status, reason: refusal(what, { status, text }) };
  }

  /** Undefined when there is no such object. @throws UserError for any other refusal. */
  async find<T>(what: Readable): Promise<T | undefined> {
    const answer = await this.ask<T>(what);
    if (answer.ok) return answer.value;
    if (answer.status === 404) return undefined;
    throw new UserError(answer.reason);
  }

  /** @throws UserError for any refusal; a kind that is not installed is an empty list. */
  async list<T = KubeObject>(what: Readable): Promise<readonly T[]> {
    const found = await this.find<{ readonly items?: readonly T[] }>(what);
    return found?.items ?? [];
  }

  /** Text, such as a log. Undefined when it is refused. */
  async text(path: string): Promise<string | undefined> {
    const { status, text } = await this.#call(path);
    return status === 200 ? text : undefined;
  }

  close(): void {
    this.#agent?.destroy();
  }

  async #call(path: string): Promise<HttpAnswer> {
    const { config, server } = this.access;
    const options: RequestOptions = {};
    try {
      await config.applyToHTTPSOptions(options);
      const { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername } = options;
      const tls = { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername };
      const given = Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined));
      this.#agent ??=
        server.protocol === 'https:'
          ? new HttpsAgent({ keepAlive: true, ...given })
          : new HttpAgent({ keepAlive: true });
      const url = new URL(`${server.href.replace(/\/$/, '')}${path}`);
      return await httpCall({ url, timeoutMs: this.#timeoutMs, agent: this.#agent, headers: headersOf(options) });
    } catch (error) {
      throw new UserError(
        `the API server ${server.href} (context ${this.access.context}) does not answer: ${causeOf(error)}`,
      );
    }
  }
}

function jsonOf(text: string, { server }: ClusterAccess): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new UserError(`what answers at ${server.href} is no API server; look at the kubeconfig`);
  }
}

function headersOf({ headers, auth }: RequestOptions): Record<string, string> {
  const basic = typeof auth === 'string' ? { authorization: `Basic ${Buffer.from(auth).toString('base64')}` } : {};
  const given = Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value).trim()]);
  return { accept: 'application/json', ...basic, ...Object.fromEntries(given) };
}

function pathOf({ base, plural, namespace, name, labels }: Readable): string {
  const parts = [
    base,
    ...(namespace === undefined ? [] : ['namespaces', encodeURIComponent(namespace)]),
    plural,
    ...(name === undefined ? [] : [encodeURIComponent(name)]),
  ];
  const selector = Object.entries(labels ?? {}).map(([label, value]) => `${label}=${value}`);
  return parts.join('/') + (selector.length === 0 ? '' : `?labelSelector=${encodeURIComponent(selector.join(','))}`);
}

function refusal(what: Readable, { status, text }: HttpAnswer): string {
  if (status === 401)
    return 'the API server does not know who you are (401); log in again, or choose a user with --context';
  if (status === 403) return forbidden({ verb: what.name === undefined ? 'list' : 'get', what, said: messageOf(text) });
  return `the API server refuses ${pathOf(what)} (${status}): ${messageOf(text)}`;
}

/** Which right is missing, and the commands that grant it (S4-02: the cluster's "access denied"). */
export function forbidden(denied: { readonly verb: string; readonly what: Readable; readonly said: string }): string {
  const { verb, what, said } = denied;
  const group = /^\/apis\/([^/]+)\//.exec(what.base)?.[1];
  const resource = group === undefined ? what.plural : `${what.plural}.${group}`;
  const role = `kmsctl-${what.plural.replace('/', '-')}`;
  const user = /User "([^"]+)"/.exec(said)?.[1] ?? 'YOU';
  const named = what.name === undefined || verb === 'create' ? '' : ` --resource-name=${what.name}`;
  const scope = what.namespace === undefined ? '' : ` -n ${what.namespace}`;
  const kind = what.namespace === undefined ? 'clusterrole' : 'role';
  const shown = what.name === undefined ? resource : `${resource} "${what.name}"`;
  const where = what.namespace === undefined ? '' : ` in namespace ${what.namespace}`;
  const verbs = verb.split(',').join(' and ');
  return [
    `you may not ${verbs} ${shown}${where} (403, the cluster's 0x80070005);`,
    `an administrator grants it with: kubectl create ${kind} ${role}${scope} --verb=${verb} --resource=${resource}${named}`,
    `&& kubectl create ${kind}binding ${role}${scope} --${kind}=${role} --user=${user}`,
  ].join(' ');
}

/** What the API server says, safe to print. */
function messageOf(text: string): string {
  return printable(rawMessageOf(text));
}

function rawMessageOf(text: string): string {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === 'object' && body !== null && 'message' in body && typeof body.message === 'string')
      return body.message;
  } catch {
    // Not a Status object.
  }
  return text.split('\n', 1)[0] ?? '';
}
