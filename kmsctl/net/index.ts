// SPDX-License-Identifier: Apache-2.0
//
// Simulated KMS clients on real sockets: for kmsctl's verbs, tests and load. They speak with a pool's own keys only.

export { type Discovered, type Discovery, discoveryBy, type NameServer, textOf } from './discovery.ts';
export {
  type Answer,
  type Association,
  askHost,
  type Connected,
  connectKms,
  type Exchanged,
  type Failure,
  type KmsConnection,
  type NdrChoice,
} from './kms-client.ts';
export {
  type Contact,
  firstChances,
  type Machine,
  requestFields,
  type Surroundings,
  type Try,
  tryActivation,
} from './machine.ts';
export { type ConnectOptions, ConversationError, openChannel, PduChannel, type Stage } from './pdu-channel.ts';
