// SPDX-License-Identifier: Apache-2.0

// What runs a Pod's container, seen from the Pod: a real process or a stub. Types only.
import type { FullPod } from './kinds.ts';
import type { Ended } from './pod-status.ts';
import type { VolumeFiles } from './volumes.ts';

/** What an actor is made from. */
export interface Part {
  readonly pod: FullPod;
  /** The Pod's own loopback address. */
  readonly address: string;
  readonly files: VolumeFiles;
  /** The container has been started. */
  readonly onStarted: () => void;
  /** The readiness probe's result has changed. */
  readonly onReady: (ready: boolean) => void;
  /** It ended, and nobody had asked it to. */
  readonly onEnded: (ended: Ended) => void;
}

export interface Actor {
  /** What the Pod's volumes hold has changed. */
  refresh(files: VolumeFiles): void;
  /** Asks it to end; resolves when it has, at the latest after the grace period. */
  stop(graceMs: number): Promise<void>;
  /** Ends it at once and frees its address. */
  kill(): Promise<void>;
}
