// SPDX-License-Identifier: Apache-2.0

// The answer to a list, object by object while it comes in: a page of Pods is 5 MB, and would else be in memory as bytes, as text and as objects at once.
// What is not written as API servers write it is read as a whole at its end: slower, and as right.
import { StringDecoder } from 'node:string_decoder';
import { TransportError } from './errors.ts';
import { type ApiRequest, type RequestContext, requestStream } from './request.ts';

/** Where the objects begin: neither a string nor the metadata of a list can hold this. */
const ITEMS = '"items":[';
/** As much of an object as all of a list begin with: `{"metadata":{"name":` or the apiVersion. */
const BEGINNING = 20;
/** An object in which so many places look like the beginning of the next is not worth more attempts. */
const MOST_ATTEMPTS = 8;

/** What surrounds the objects of a list, and those that were not told before. */
export interface ListRest<T> {
  readonly items: readonly T[] | null;
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
}

/** How the parts of a list are taken. */
export interface ItemReader<T> {
  /** What is done to JSON text before it is parsed; it must not make whole what was cut off. */
  readonly lighten: (json: string) => string;
  /** Called with each object, in order. */
  readonly onItem: (item: T) => void;
}

/**
 * Asks for a page of a list and tells its objects as they come.
 *
 * @throws as requestText, the time limit is for the whole answer as well; as {@link readItems}.
 */
export async function requestItems<T>(
  context: RequestContext,
  request: ApiRequest,
  onItem: (item: T) => void,
): Promise<ListRest<T>> {
  const timeoutMs = request.timeoutMs ?? context.timeoutMs;
  const answer = await requestStream(context, request);
  const stop = context.clock.after(timeoutMs, () =>
    answer.close(new TransportError(`${request.method} ${request.path}: no end within ${timeoutMs} ms`, 'TIMEOUT')),
  );
  try {
    return await readItems(answer.body, { lighten: context.lighten, onItem });
  } finally {
    stop();
    answer.close();
  }
}

/**
 * Reads a list, telling its objects as they come.
 *
 * @throws SyntaxError when it is no JSON, also after objects were told; what the stream throws.
 */
export async function readItems<T>(chunks: AsyncIterable<Uint8Array>, reader: ItemReader<T>): Promise<ListRest<T>> {
  const decoder = new StringDecoder('utf8');
  const split = new Splitter(reader);
  for await (const chunk of chunks) split.take(decoder.write(chunk));
  split.take(decoder.end());
  const rest = JSON.parse(reader.lighten(split.rest())) as ListRest<T>;
  for (const item of rest.items ?? []) reader.onItem(item);
  return rest;
}

/** Text in, objects out. */
class Splitter<T> {
  readonly #reader: ItemReader<T>;
  /** Everything up to the first object. */
  #head: string | undefined;
  /** Between two objects: a comma and what objects begin with. */
  #separator = '';
  /** What has come and was not told. */
  #text = '';
  #searched = 0;
  #attempts = 0;

  constructor(reader: ItemReader<T>) {
    this.#reader = reader;
  }

  take(text: string): void {
    this.#text += text;
    if (this.#head === undefined && !this.#begin()) return;
    while (this.#attempts < MOST_ATTEMPTS) {
      const end = this.#text.indexOf(this.#separator, this.#searched);
      if (end < 0) break;
      this.#try(end);
    }
    if (this.#attempts < MOST_ATTEMPTS)
      this.#searched = Math.max(this.#searched, this.#text.length - this.#separator.length + 1);
  }

  /** The list with the objects that were not told. */
  rest(): string {
    return (this.#head ?? '') + this.#text;
  }

  #begin(): boolean {
    const at = this.#text.indexOf(ITEMS);
    const from = at + ITEMS.length;
    if (at < 0 || this.#text.length < from + BEGINNING) return false;
    this.#head = this.#text.slice(0, from);
    this.#separator = `,${this.#text.slice(from, from + BEGINNING)}`;
    this.#text = this.#text.slice(from);
    return true;
  }

  /** What ends where the next object seems to begin is one object if it is JSON: an object that is cut off anywhere is none. */
  #try(end: number): void {
    const item = this.#parsed(this.#text.slice(0, end));
    if (item === undefined) {
      this.#attempts++;
      this.#searched = end + 1;
      return;
    }
    this.#attempts = 0;
    this.#text = this.#text.slice(end + 1);
    this.#searched = 0;
    this.#reader.onItem(item);
  }

  #parsed(json: string): T | undefined {
    try {
      return JSON.parse(this.#reader.lighten(json)) as T;
    } catch (error) {
      if (error instanceof SyntaxError) return undefined;
      throw error;
    }
  }
}
