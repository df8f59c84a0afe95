// SPDX-License-Identifier: Apache-2.0
/** The report of `make e2e-full` as Markdown and JSON: what was done to a pool under load, and what its clients saw. Pure. */
import type { Verdict } from '../harness/cluster/oracle.ts';

export interface FaultReport extends Verdict {
  readonly name: string;
  readonly what: string;
  /** From the blow until the pool was settled again, milliseconds. */
  readonly durationMs: number;
  /** The count on every host afterwards, and what it had to be. */
  readonly countAfter: number;
  readonly countWanted: number;
}

export interface RunReport {
  /** ISO date. */
  readonly date: string;
  readonly version: string;
  readonly kubernetes: string;
  readonly requestsPerSecond: number;
  readonly faults: readonly FaultReport[];
}

/** Whether clients noticed nothing that they ought not to. */
export function survived({ offences, countAfter, countWanted }: FaultReport): boolean {
  return offences.length === 0 && countAfter === countWanted;
}

export function markdown({ date, version, kubernetes, requestsPerSecond, faults }: RunReport): string {
  const seconds = (ms: number): string => (ms / 1000).toFixed(1);
  const rows = faults.map((fault) =>
    [
      fault.name,
      seconds(fault.durationMs),
      fault.tries,
      fault.failedHosts,
      seconds(fault.slowestMs),
      seconds(fault.recoveryMs),
      `${fault.countAfter} of ${fault.countWanted}`,
      survived(fault) ? 'survived' : `**${fault.offences.length} offences**`,
    ].join(' | '),
  );
  return `# What a pool survives

Written by \`make e2e-full\`; do not edit. kmspool ${version} on Kubernetes ${kubernetes}, ${date}; the figures, and the tries themselves, are of one run on one small
machine. A pool of three hosts (examples/campus.yaml, Redis with Sentinels) is asked ${requestsPerSecond} times a second by machines in a Pod, which find the hosts by SRV through
the cluster's DNS; every other one remembers its host. New machines come during each fault. An oracle looks at every single try.

| fault | until settled, s | requests | failed tries of a host | slowest answer, s | last disturbance, s | count afterwards | verdict |
|---|--:|--:|--:|--:|--:|--:|---|
${rows.map((row) => `| ${row} |`).join('\n')}

- **Failed tries**: a client met a host that did not answer, and went on to the next one; every one of them was then served, unless the table says otherwise.
- **Last disturbance**: from the blow until the last try that met such a host.
- **Survived**: nobody was left unserved after trying all hosts (but, while the name server was silent, clients without a remembered host, who came to one of
  DNS's codes); no answer gave a count that one host with the whole table could not have given at that moment; afterwards every host has the exact count.

## The faults

${faults.map(({ name, what }) => `- **${name}**: ${what}.`).join('\n')}
`;
}
