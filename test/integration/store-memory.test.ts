// SPDX-License-Identifier: Apache-2.0
/** The store contract on the store in memory. */
import { createMemoryStore } from '../../kms-node/store/memory.ts';
import { ask } from '../harness/contacts.ts';
import { DEFAULT_SETTINGS, type PoolUnderTest, storeContract } from './store-contract.ts';

function newPool(): PoolUnderTest {
  let agoMs = 0;
  const store = createMemoryStore({ settings: DEFAULT_SETTINGS, nowMs: () => Date.now() - agoMs });
  return {
    async host(settings) {
      if (settings !== undefined) store.configure({ ...DEFAULT_SETTINGS, ...settings });
      await store.ready();
      return store;
    },
    async recordAgo(fields, ago) {
      agoMs = ago;
      await ask(store, fields);
      agoMs = 0;
    },
    close: () => store.close(0),
  };
}

storeContract({
  name: 'memory',
  skip: false,
  persistent: false,
  start: async () => ({ newPool, stop: async () => {} }),
});
