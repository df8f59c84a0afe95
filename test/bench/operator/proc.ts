// SPDX-License-Identifier: Apache-2.0

// What Linux says of a process's memory: now, and at its most. Reads only.
import { readFileSync } from 'node:fs';

/** MB (10^6 bytes) of /proc/pid/status (proc(5)). */
export interface Footprint {
  /** VmRSS. */
  readonly rssMb: number;
  /** RssAnon: what is not the program file's pages. */
  readonly anonMb: number;
  /** VmHWM: the most that was resident so far. */
  readonly peakMb: number;
}

/** Memory of a process. */
export function footprintOf(pid: number): Footprint {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const megabytes = (name: string): number => {
    const kibibytes = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1];
    return (Number(kibibytes ?? Number.NaN) * 1024) / 1e6;
  };
  return { rssMb: megabytes('VmRSS'), anonMb: megabytes('RssAnon'), peakMb: megabytes('VmHWM') };
}
