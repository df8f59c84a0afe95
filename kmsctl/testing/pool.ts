// SPDX-License-Identifier: Apache-2.0
//
// For tests: the campus pool in this process, on free ports, in a folder that is gone afterwards. Not part of the command line.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KmsHostPool } from '@kmspool/crds';
import { loadPool } from '../pool/pool-file.ts';
import { type RunningPool, runPool } from '../pool/run-pool.ts';
import { CAMPUS } from './child.ts';

export interface TestPool extends RunningPool {
  close(): Promise<void>;
}

/** Starts it; `change` may alter the manifest first. */
export async function startTestPool(change: (pool: KmsHostPool) => KmsHostPool = (pool) => pool): Promise<TestPool> {
  const stateDir = mkdtempSync(join(tmpdir(), 'kmsctl-pool-'));
  const pool = change(loadPool({ file: CAMPUS, shownAs: 'campus.yaml' }));
  const running = await runPool({
    pool,
    stateDir,
    port: 0,
    orFreePort: true,
    logLevel: 'silent',
    drainSeconds: 0,
    report: () => {},
  });
  const close = async (): Promise<void> => {
    await running.stop();
    rmSync(stateDir, { recursive: true, force: true });
  };
  return { ...running, close };
}
