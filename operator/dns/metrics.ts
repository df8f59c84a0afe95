// SPDX-License-Identifier: Apache-2.0

// What is counted about asking DNS. Made once for a registry and handed to the observer; nothing is registered globally.
import { Counter, type Registry } from 'prom-client';

export interface DnsMetrics {
  /** kmspool_dns_questions_total */
  readonly questions: Counter<'result'>;
  /** kmspool_dns_rounds_total */
  readonly rounds: Counter<'result'>;
}

/** Registers the metrics. @throws Error when the registry has one of these names already. */
export function createDnsMetrics(registry: Registry): DnsMetrics {
  const counter = (name: string, help: string, results: readonly string[]): Counter<'result'> => {
    const made = new Counter({ name, help, labelNames: ['result'], registers: [registry] });
    // From the start, so that the first failure is an increase.
    for (const result of results) made.inc({ result }, 0);
    return made;
  };
  return {
    questions: counter(
      'kmspool_dns_questions_total',
      'Questions to name servers and resolvers: answered, or failed (no answer, or one that says no).',
      ['answered', 'failed'],
    ),
    rounds: counter(
      'kmspool_dns_rounds_total',
      "Rounds of questions, one for all names of a pool: agreed (every server of a zone says the same), disagreed, or failed (a server did not answer, or a zone's servers are not known).",
      ['agreed', 'disagreed', 'failed'],
    ),
  };
}
