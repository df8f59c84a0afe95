// SPDX-License-Identifier: Apache-2.0
/**
 * One running KMS host: puts listener, emulator, store and HTTP together, says whether it is ready, takes over a changed configuration, and drains. `main.ts` runs one
 * in a process of its own; `kmsctl up` runs several in one.
 */
import { randomBytes, randomInt } from 'node:crypto';
import {
  type ApplicationCount,
  type HostConfig,
  type HostStatus,
  hostConfigHash,
  restartNeeded,
  UserError,
} from '@kmspool/crds';
import { servedProducts } from '@kmspool/kms/host';
import { derivePoolKeys, HostEnvelope, MIN_SECRET_BYTES, poolIdText } from '@kmspool/kms/wire';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { contactFields } from './emulate/contact-log.ts';
import { Emulator, type EmulatorSettings } from './emulate/emulator.ts';
import { RandomPool } from './emulate/random-pool.ts';
import type { HostView } from './http/host-view.ts';
import { buildHttpServer } from './http/server.ts';
import { applicationCounts, hostStatus } from './http/status.ts';
import { listenError } from './listen-error.ts';
import { KmsListener, type ListenerSettings } from './server/listener.ts';
import { answersBind, probeAddress } from './server/probe.ts';
import type { CmidStore, StoreHealth } from './store/store.ts';
import { VERSION } from './version.ts';

export interface HostOptions {
  readonly config: HostConfig;
  /** The pool's Secret, at least 32 bytes. */
  readonly secret: Buffer;
  readonly adminToken: string;
  /** `::` listens on both families. */
  readonly listenAddress: string;
  readonly http: { readonly address: string; readonly port: number };
  /** Opened for this host; {@link RunningHost.stop} closes it unless `storeIsShared`. */
  readonly store: CmidStore;
  readonly storeIsShared?: boolean;
  readonly incarnation?: string;
  readonly logger: Logger;
}

export interface RunningHost {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** Base URL of the HTTP interface, without a trailing slash. */
  readonly httpUrl: string;
  status(): HostStatus;
  /** Empty when ready; also probes the own port. */
  probe(): Promise<readonly string[]>;
  /** Takes over what needs no restart; answers the changed fields that do, and then changes nothing. */
  reconfigure(config: HostConfig): readonly string[];
  /** Counts a changed configuration that could not even be read. */
  refuseReload(): void;
  /** Drains: not ready, then answers until it is quiet, at most `limits.drainSeconds`. */
  stop(): Promise<void>;
}

/** How long no new client must have come before a draining host stops listening. */
const DRAIN_QUIET_MS = 2_000;
const STORE_CLOSE_MS = 2_000;

/** A fresh name for one run of a host process; contacts are numbered within it. */
export function newIncarnation(): string {
  return randomBytes(16).toString('hex');
}

/** Starts a host. Rejects with a {@link UserError} for what its user can mend: a short key, another pool's key, a port in use. */
export async function startHost(options: HostOptions): Promise<RunningHost> {
  const host = new Host(options);
  await host.start();
  return host;
}

class Host implements RunningHost, HostView {
  readonly version = VERSION;
  readonly startedAt = new Date();
  readonly incarnation: string;
  readonly poolId: string;
  readonly hostPid: string;
  readonly emulator: Emulator;
  readonly listener: KmsListener;
  readonly store: CmidStore;
  readonly reloads = { applied: 0, refused: 0 };
  readonly #options: HostOptions;
  readonly #log: Logger;
  readonly #http: FastifyInstance;
  #config: HostConfig;
  #configHash: string;
  #answersBind = false;
  #draining = false;
  #httpUrl = '';

  constructor(options: HostOptions) {
    const { config, secret, store, logger } = options;
    if (secret.length < MIN_SECRET_BYTES) throw new UserError(shortKey(secret.length));
    const keys = derivePoolKeys(secret);
    this.poolId = poolIdText(keys.poolId);
    if (config.poolId !== undefined && config.poolId !== this.poolId)
      throw new UserError(foreignKey(config.poolId, this.poolId));
    const envelope = new HostEnvelope(keys, new RandomPool().fill);
    const nowMs = (): number => performance.now();
    this.#options = options;
    this.#config = config;
    this.#configHash = hostConfigHash(config);
    this.#log = logger;
    this.store = store;
    this.hostPid = envelope.hostPid;
    this.incarnation = options.incarnation ?? newIncarnation();
    const onContact = logger.isLevelEnabled('debug')
      ? (seen: Parameters<typeof contactFields>[0]): void => logger.debug(contactFields(seen), 'contact')
      : undefined;
    this.emulator = new Emulator({ envelope, store, settings: emulatorSettings(config), nowMs, onContact });
    this.listener = new KmsListener({
      serve: (call, address, reply) => this.emulator.serve(call, address, reply),
      settings: listenerSettings(config),
      nowMs,
      groupSeed: randomInt(0x4000_0000),
    });
    this.#http = buildHttpServer(this, options.adminToken);
  }

  get name(): string {
    return this.#config.host.name;
  }

  get address(): string {
    return this.#options.listenAddress;
  }

  get port(): number {
    return this.listener.port;
  }

  get httpUrl(): string {
    return this.#httpUrl;
  }

  config(): HostConfig {
    return this.#config;
  }

  configHash(): string {
    return this.#configHash;
  }

  counts(): readonly ApplicationCount[] {
    return applicationCounts(this.store.snapshot().tables);
  }

  status(): HostStatus {
    return hostStatus(this);
  }

  async start(): Promise<void> {
    const { listenAddress, http } = this.#options;
    this.store.onConditionChange((health) => this.#logStore(health));
    await this.listener.listen(listenAddress, this.#config.port).catch((error: unknown) => {
      throw listenError(error, 'spec.port', `${listenAddress}:${this.#config.port}`);
    });
    try {
      this.#httpUrl = await this.#http.listen({ host: http.address, port: http.port });
    } catch (error) {
      await this.listener.drain(0, 0);
      throw listenError(error, '--http', `${http.address}:${http.port}`);
    }
    await this.probe();
    this.#log.info(
      { address: listenAddress, port: this.port, http: this.#httpUrl, poolId: this.poolId, mode: 'Emulated' },
      'listening',
    );
  }

  #logStore(health: StoreHealth): void {
    const { condition, reason, staleSeconds } = health;
    if (condition === 'Available') this.#log.info({ store: condition }, 'store available');
    else this.#log.warn({ store: condition, reason, staleSeconds }, 'store not available');
  }

  notReadyReasons(): readonly string[] {
    const reasons: string[] = [];
    if (this.#draining) reasons.push('draining: this host is going out of service');
    if (!this.#answersBind) reasons.push(`the KMS port ${this.port} does not answer an RPC bind`);
    const { condition, reason } = this.store.health();
    if (condition === 'Starting' || condition === 'Refusing')
      reasons.push(`store ${condition}: ${reason ?? 'no answer yet'}`);
    return reasons;
  }

  async probe(): Promise<readonly string[]> {
    this.#answersBind = await answersBind(probeAddress(this.#options.listenAddress, this.listener.family), this.port);
    return this.notReadyReasons();
  }

  refuseReload(): void {
    this.reloads.refused++;
  }

  reconfigure(config: HostConfig): readonly string[] {
    const needed = restartNeeded(this.#config, config);
    if (needed.length > 0) {
      this.refuseReload();
      return needed;
    }
    this.#config = config;
    this.#configHash = hostConfigHash(config);
    this.emulator.configure(emulatorSettings(config));
    this.listener.configure(listenerSettings(config));
    this.store.configure({ maxRequiredCount: config.limits.maxRequiredCount, retention: config.retention });
    this.reloads.applied++;
    this.#log.info({ configHash: this.#configHash }, 'configuration applied');
    return [];
  }

  async stop(): Promise<void> {
    this.#draining = true;
    const boundMs = this.#config.limits.drainSeconds * 1000;
    this.#log.info({ boundMs, open: this.listener.open }, 'draining');
    await this.listener.drain(Math.min(DRAIN_QUIET_MS, boundMs), boundMs);
    if (!this.#options.storeIsShared) await this.store.close(STORE_CLOSE_MS);
    await this.#http.close();
    this.#log.info('stopped');
  }
}

function shortKey(bytes: number): string {
  return `the pool key has ${bytes} bytes; put at least ${MIN_SECRET_BYTES} random bytes into it (head -c 32 /dev/urandom > FILE)`;
}

function foreignKey(wanted: string, found: string): string {
  return `this key belongs to pool ${found}, but the configuration expects ${wanted}; give the host the pool's own key (spec.keySecretRef)`;
}

function emulatorSettings(config: HostConfig): EmulatorSettings {
  const { activationIntervalMinutes, renewalIntervalMinutes, hostKeys } = config;
  return { served: servedProducts(hostKeys), activationIntervalMinutes, renewalIntervalMinutes };
}

function listenerSettings(config: HostConfig): ListenerSettings {
  const { connections, connectionsPerSource } = config.limits;
  return {
    allowedSources: config.allowedSources,
    connections,
    connectionsPerSource,
    advertisedPort: config.advertisedPort ?? 0,
  };
}
