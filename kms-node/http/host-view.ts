// SPDX-License-Identifier: Apache-2.0
/** What HTTP may see of a running host. Read-only: nothing that is served over HTTP changes a host. */
import type { ApplicationCount, HostConfig } from '@kmspool/crds';
import type { Emulator } from '../emulate/emulator.ts';
import type { KmsListener } from '../server/listener.ts';
import type { CmidStore } from '../store/store.ts';

export interface HostView {
  readonly version: string;
  readonly poolId: string;
  readonly hostPid: string;
  readonly incarnation: string;
  readonly startedAt: Date;
  readonly emulator: Emulator;
  readonly listener: KmsListener;
  readonly store: CmidStore;
  readonly reloads: { readonly applied: number; readonly refused: number };
  config(): HostConfig;
  configHash(): string;
  /** By application index, decayed to now. */
  counts(): readonly ApplicationCount[];
  /** Empty when the host is ready; one short line each otherwise. */
  notReadyReasons(): readonly string[];
  /** The same after a fresh bind on the own port. */
  probe(): Promise<readonly string[]>;
}
