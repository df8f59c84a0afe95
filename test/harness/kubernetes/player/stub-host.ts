// SPDX-License-Identifier: Apache-2.0

// What a stub says as a host: the HostStatus that follows from its files and from what the test set. No sockets.
import {
  API_VERSION,
  type ApplicationCount,
  HOST_STATUS_KIND,
  type HostConfig,
  type HostStatus,
  type HostStoreState,
  hostConfigHash,
  LICENSE_STATUS_KEYS,
  parseHostConfig,
  restartNeeded,
} from '@kmspool/crds';
import { APPLICATIONS, type ApplicationName } from '@kmspool/kms/catalog';
import { derivePoolKeys, emulatedHostPid, MIN_SECRET_BYTES, poolIdText } from '@kmspool/kms/wire';
import type { FullPod } from './kinds.ts';
import { flagValue, type VolumeFiles } from './volumes.ts';

/** What a stub says, as a test sets it. */
export interface StubState {
  readonly ready: boolean;
  /** Why not, in /status and /readyz. */
  readonly reasons: readonly string[];
  readonly version: string;
  readonly storeState: HostStoreState;
  readonly storeError: string | undefined;
  readonly counts: readonly ApplicationCount[];
  /** Identity that it says to have; undefined: what the key in its volume gives. */
  readonly poolId: string | undefined;
  /** Whether it takes over a changed ConfigMap. */
  readonly followsConfig: boolean;
  /** `silent`: it accepts connections and answers nothing; `refused`: nobody listens. Neither changes `ready`. */
  readonly http: 'answering' | 'silent' | 'refused';
  /** How long it takes from SIGTERM to its end. */
  readonly drainMs: number;
}

export const DEFAULT_STATE: StubState = {
  ready: true,
  reasons: [],
  version: '0.1.0',
  storeState: 'Available',
  storeError: undefined,
  counts: [],
  poolId: undefined,
  followsConfig: true,
  http: 'answering',
  drainMs: 0,
};

/** Counts as a host reports them, of a pool whose clients have asked for the largest threshold of each application. */
export function countsOf(current: Readonly<Partial<Record<ApplicationName, number>>>): ApplicationCount[] {
  return APPLICATIONS.flatMap(({ name, thresholds }) => {
    const now = current[name];
    if (now === undefined) return [];
    const highWaterRequired = Math.max(...thresholds.map(({ required }) => required));
    const met = thresholds.map((threshold) => ({ ...threshold, met: now >= threshold.required }));
    return [{ application: name, current: now, cap: 2 * highWaterRequired, highWaterRequired, thresholds: met }];
  });
}

/** The configuration of a stub in force, taken over as a host would. */
export class StubHost {
  readonly #pod: FullPod;
  readonly #poolId: Buffer;
  readonly #startedAt = new Date().toISOString();
  #text: string;
  #config: HostConfig;
  #hash: string;
  #generation = 1;

  /** @throws Error when a host would refuse to start: no usable key, no HostConfig, a key of another pool. */
  constructor(pod: FullPod, files: VolumeFiles) {
    this.#pod = pod;
    const key = this.#file(files, '--key-file');
    if (key.length < MIN_SECRET_BYTES) throw new Error(`the pool key has ${key.length} bytes`);
    this.#poolId = derivePoolKeys(key).poolId;
    this.#text = this.#file(files, '--config').toString('utf8');
    const parsed = parseHostConfig(this.#text);
    if (!parsed.ok) throw new Error(parsed.errors.join('; '));
    this.#config = parsed.config;
    this.#hash = hostConfigHash(parsed.config);
    const wanted = parsed.config.poolId;
    const found = poolIdText(this.#poolId);
    if (wanted !== undefined && wanted !== found) throw new Error(`this key belongs to pool ${found}, not ${wanted}`);
  }

  /** Takes over what the files say now, unless that needs a restart or cannot be read. */
  refresh(files: VolumeFiles): void {
    const text = this.#file(files, '--config').toString('utf8');
    if (text === this.#text) return;
    this.#text = text;
    const parsed = parseHostConfig(text);
    if (!parsed.ok || restartNeeded(this.#config, parsed.config).length > 0) return;
    this.#config = parsed.config;
    this.#hash = hostConfigHash(parsed.config);
    this.#generation++;
  }

  status(state: StubState): HostStatus {
    const { pool, host, hostKeys, port, activationIntervalMinutes, renewalIntervalMinutes, store } = this.#config;
    return {
      apiVersion: API_VERSION,
      kind: HOST_STATUS_KIND,
      version: state.version,
      mode: 'Emulated',
      pool,
      host,
      poolId: state.poolId ?? poolIdText(this.#poolId),
      hostPid: emulatedHostPid(this.#poolId),
      startedAt: this.#startedAt,
      incarnation: this.#pod.metadata.uid ?? '',
      configHash: this.#hash,
      generation: this.#generation,
      ready: state.ready,
      reasons: [...state.reasons],
      hostKeys: hostKeys.map(({ product, hostOs = 'unknown', state: keyState }) => ({
        product,
        hostOs,
        state: keyState,
      })),
      port,
      activationIntervalMinutes,
      renewalIntervalMinutes,
      store: {
        kind: store.kind,
        state: state.storeState,
        journal: { contacts: 0, bytes: 0, capacityBytes: 1 },
        ...(state.storeError !== undefined && { lastError: state.storeError }),
      },
      counts: [...state.counts],
      totals: { total: 0, failed: 0, byLicenseStatus: NOTHING },
      clients: 0,
      duplicates: 0,
      connections: { open: 0, accepted: 0, refused: 0 },
    };
  }

  #file(files: VolumeFiles, flag: string): Buffer {
    const path = flagValue(this.#pod.spec.containers[0]?.args ?? [], flag) ?? '';
    return files.get(path) ?? Buffer.alloc(0);
  }
}

const NOTHING = Object.fromEntries(
  LICENSE_STATUS_KEYS.map((key) => [key, 0]),
) as HostStatus['totals']['byLicenseStatus'];
