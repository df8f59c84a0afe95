// SPDX-License-Identifier: Apache-2.0
//
// What Linux says of processes and cores under /proc: CPU time, memory, time that the hypervisor took away. Reads only.

import { readFileSync } from 'node:fs';

/** The unit of /proc's CPU times; Linux fixes USER_HZ at 100 on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100;

/** utime + stime of a process, all threads, in seconds, in steps of 10 ms (proc(5), /proc/pid/stat fields 14 and 15). */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // from field 3 on; the name before may hold blanks
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Seconds since boot that the hypervisor gave a core to somebody else although it had work (proc(5), /proc/stat "steal"). */
export function stolenSeconds(core: number): number {
  const line = readFileSync('/proc/stat', 'latin1')
    .split('\n')
    .find((text) => text.startsWith(`cpu${core} `));
  return Number(line?.split(' ')[8] ?? 0) / TICKS_PER_SECOND;
}

/** Resident memory in MB (10^6 bytes): all of it, and the anonymous part (proc(5), VmRSS and RssAnon). */
export interface Memory {
  readonly rssMb: number;
  readonly anonMb: number;
}

/** Resident memory of a process now. */
export function memoryOf(pid: number): Memory {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const megabytes = (name: string): number => {
    const kibibytes = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1];
    return (Number(kibibytes ?? Number.NaN) * 1024) / 1e6;
  };
  return { rssMb: megabytes('VmRSS'), anonMb: megabytes('RssAnon') };
}
