// SPDX-License-Identifier: Apache-2.0
/** Load on stores, without sockets or keys: so many requests of so many clients over all hosts, a number of them at a time. */
import type { CmidStore } from '../../kms-node/store/store.ts';
import { ask } from './contacts.ts';

export interface StoreLoad {
  readonly requests: number;
  readonly clients: number;
  readonly parallel: number;
  /** Called before each request, with its number; may wait. */
  readonly before?: (request: number) => void | Promise<void>;
}

export interface StoreAnswers {
  /** One for each request that got a count. */
  readonly counts: readonly number[];
  readonly refused: number;
}

/** Each of `parallel` callers asks, waits for the answer and asks again; hosts take turns. */
export async function runLoad(stores: readonly CmidStore[], load: StoreLoad): Promise<StoreAnswers> {
  const counts: number[] = [];
  let refused = 0;
  let next = 0;
  const caller = async (): Promise<void> => {
    while (next < load.requests) {
      const request = next;
      next += 1;
      await load.before?.(request);
      const store = stores[request % stores.length];
      if (store === undefined) throw new RangeError('no store to load');
      const count = await ask(store, { client: 1 + (request % load.clients) });
      if (count === undefined) refused += 1;
      else counts.push(count);
    }
  };
  await Promise.all(Array.from({ length: load.parallel }, caller));
  return { counts, refused };
}
