// SPDX-License-Identifier: Apache-2.0
//
// The order in which a client tries the hosts of an SRV answer: RFC 2782, "Usage rules", for clients since Windows 7 and
// Server 2008 R2; plain random order for older ones, which do not look at priority and weight (S3-21).

/** An SRV record's data. Priority, weight and port are 0 … 65535; the target is a host name. */
export interface SrvRecord {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly target: string;
}

export interface ChooseOptions {
  /** False for clients of the Vista and Server 2008 generation: then every order is equally likely. */
  readonly honourPriority: boolean;
}

/**
 * The records in the order to try them. By priority, lowest first; within one priority a weighted random order, in which
 * a record of weight 0 has a small chance beside heavier ones and an equal one among its like. A target of "." says that
 * the service is not offered (RFC 2782) and is left out. The order of `records` has no influence on the odds.
 * `random` yields numbers in [0, 1). The input is not changed.
 */
export function chooseOrder<R extends SrvRecord>(
  records: readonly R[],
  random: () => number,
  options: ChooseOptions,
): R[] {
  const offered = shuffle(
    records.filter((r) => r.target !== '.'),
    random,
  );
  if (!options.honourPriority) return offered;
  const priorities = [...new Set(offered.map((r) => r.priority))].sort((a, b) => a - b);
  return priorities.flatMap((priority) =>
    weightedOrder(
      offered.filter((r) => r.priority === priority),
      random,
    ),
  );
}

/** RFC 2782: weight-0 records stand first, then draw in [0, sum] and take the first whose running sum reaches it. */
function weightedOrder<R extends SrvRecord>(shuffled: readonly R[], random: () => number): R[] {
  const left = [...shuffled.filter((r) => r.weight === 0), ...shuffled.filter((r) => r.weight !== 0)];
  let sum = left.reduce((total, r) => total + r.weight, 0);
  const ordered: R[] = [];
  while (left.length > 0) {
    const draw = Math.floor(random() * (sum + 1));
    let running = 0;
    const index = left.findIndex((r) => {
      running += r.weight;
      return running >= draw;
    });
    for (const chosen of left.splice(index, 1)) {
      sum -= chosen.weight;
      ordered.push(chosen);
    }
  }
  return ordered;
}

/** Fisher–Yates: every order equally likely. */
function shuffle<R>(items: readonly R[], random: () => number): R[] {
  const pool = [...items];
  const shuffled: R[] = [];
  while (pool.length > 0) shuffled.push(...pool.splice(Math.floor(random() * pool.length), 1));
  return shuffled;
}
