// SPDX-License-Identifier: Apache-2.0

// `spec.hostKeys`: what the emulated host key of a pool covers, and in which state it is. The names come from the
// catalogue; no product key is ever written here, only the name of what the key is for.
import { HOST_KEY_PRODUCTS, HOST_KEY_STATES, HOST_KEYS, HOST_OS_NAMES } from '@kmspool/kms/catalog';
import * as z from 'zod';
import { noRepeatedField, type Rule, withRules } from './rules.ts';

const hostKeyFields = z.strictObject({
  product: z
    .enum(HOST_KEY_PRODUCTS)
    .describe(
      'The product that the host key is for. It covers that product, what its key group includes, and the generations before it. `kmsctl catalog` lists which host keys cover which product.',
    ),
  hostOs: z
    .enum(HOST_OS_NAMES)
    .optional()
    .describe(
      'The operating system of the host that the pool stands for. A host on a client system activates clients only. Default: the newest system that may hold this key.',
    ),
  state: z
    .enum(HOST_KEY_STATES)
    .default('Activated')
    .describe(
      'Activated: clients get an answer. In every other state they get 0xC004F041 for the products of this key: NotActivated (never activated), Blocked (0xC004F051), LimitReached (the key was used on too many hosts, 0xC004C008).',
    ),
});

type HostKeyFields = z.output<typeof hostKeyFields>;

const hostOsRunsKey: Rule<HostKeyFields> = {
  id: 'host-os-holds-key',
  rule: hostOsRule(),
  message:
    'this host key cannot be installed on that operating system; remove hostOs to take the newest one that can, or see `kmsctl catalog`',
  check: ({ product, hostOs }) =>
    hostOs === undefined || HOST_KEYS.some((key) => key.product === product && key.hostOs.includes(hostOs)),
  field: 'hostOs',
};

// CEL: `!has(self.hostOs) || (self.product in [keys] && self.hostOs in [systems]) || …`, one term for each set of systems.
function hostOsRule(): string {
  const productsBySystems = Map.groupBy(HOST_KEYS, ({ hostOs }) => celList(hostOs));
  const terms = [...productsBySystems].map(
    ([systems, keys]) =>
      `(self.product in ${celList(keys.map(({ product }) => product))} && self.hostOs in ${systems})`,
  );
  return ['!has(self.hostOs)', ...terms].join(' || ');
}

function celList(texts: readonly string[]): string {
  return `[${texts.map((text) => `'${text}'`).join(', ')}]`;
}

/** One entry of `spec.hostKeys`. */
export const hostKeySchema = withRules(hostKeyFields, [hostOsRunsKey]);

/** `spec.hostKeys`. */
export const hostKeysSchema = withRules(z.array(hostKeySchema).min(1).max(HOST_KEY_PRODUCTS.length), [
  noRepeatedField('host-keys-once', 'product', 'a product stands twice; keep one entry for each product'),
]).meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['product'] });
