// SPDX-License-Identifier: Apache-2.0

// One line of a watch, parsed. Pure.
import { ApiError, type StatusBody } from './errors.ts';
import type { KubernetesObject } from './resource.ts';

/** A change of an object, or a bookmark: nothing changed, but the cache has reached this resource version. */
export type WatchEvent<T> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string };

/**
 * Parses one line of a watch.
 *
 * @throws ApiError for an `ERROR` event, with the status it carries; SyntaxError for what is no event.
 */
export function parseWatchEvent<T extends KubernetesObject>(line: string, path: string): WatchEvent<T> {
  const { type, object } = JSON.parse(line) as { type?: string; object?: unknown };
  if (typeof object !== 'object' || object === null)
    throw new SyntaxError(`watch of ${path}: an event without an object`);
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      return { type, object: object as T };
    case 'BOOKMARK':
      return { type, resourceVersion: (object as T).metadata.resourceVersion ?? '' };
    case 'ERROR':
      throw errorOf(object as StatusBody, path);
    default:
      throw new SyntaxError(`watch of ${path}: an event of unknown type ${JSON.stringify(type)}`);
  }
}

function errorOf(status: StatusBody, path: string): ApiError {
  return new ApiError({
    statusCode: status.code ?? 500,
    reason: status.reason ?? '',
    message: status.message ?? 'no message',
    retryAfterSeconds: status.details?.retryAfterSeconds,
    causes: status.details?.causes,
    request: `WATCH ${path}`,
  });
}
