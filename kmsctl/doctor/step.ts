// SPDX-License-Identifier: Apache-2.0
//
// One rung of the ladder: a question, its verdict, what was seen, and the one command that mends it.

export type Verdict = 'ok' | 'warn' | 'fail' | 'skipped';

export interface Step {
  /** Stable name, for programs: `srv-records`. */
  readonly id: string;
  /** What is looked at, as a statement that holds when the verdict is ok. */
  readonly title: string;
  readonly verdict: Verdict;
  /** What was seen, one line each. */
  readonly evidence: readonly string[];
  /** What to do first; absent when there is nothing to do. */
  readonly fix?: string;
}

/** A step before it is known which one it is. */
export type Finding = Omit<Step, 'id' | 'title'>;

export const ok = (...evidence: readonly string[]): Finding => ({ verdict: 'ok', evidence });

export const skipped = (why: string): Finding => ({ verdict: 'skipped', evidence: [why] });

export const bad = (verdict: 'warn' | 'fail', evidence: readonly string[], fix: string): Finding => ({
  verdict,
  evidence,
  fix,
});

const ORDER: readonly Verdict[] = ['skipped', 'ok', 'warn', 'fail'];

/** The gravest verdict; `skipped` of none. */
export function worst(verdicts: readonly Verdict[]): Verdict {
  return verdicts.reduce((sofar, each) => (ORDER.indexOf(each) > ORDER.indexOf(sofar) ? each : sofar), 'skipped');
}

/** The findings of parts as one: gravest verdict, all evidence with the gravest first, the fix of the gravest part. */
export function joined(parts: readonly Finding[], none: Finding): Finding {
  const [gravest, ...others] = [...parts].sort((a, b) => ORDER.indexOf(b.verdict) - ORDER.indexOf(a.verdict));
  if (gravest === undefined) return none;
  const { verdict, fix } = gravest;
  return {
    verdict,
    evidence: [gravest, ...others].flatMap(({ evidence }) => evidence),
    ...(fix !== undefined && { fix }),
  };
}
