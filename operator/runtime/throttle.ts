// SPDX-License-Identifier: Apache-2.0

// A client's own brake: a token bucket, so that a controller gone mad does not take the API server with it. First come,
// first served. It only says how long to wait; the client waits.

/** Bounds of a token bucket. */
export interface ThrottlePolicy {
  /** Sustained requests a second; `Infinity` switches the brake off. */
  readonly qps: number;
  /** Requests that may go at once after a quiet time. */
  readonly burst: number;
}

/** A token bucket over milliseconds of a monotonic clock. */
export class Throttle {
  readonly #policy: ThrottlePolicy;
  #tokens: number;
  #filledAtMs = 0;

  constructor(policy: ThrottlePolicy) {
    this.#policy = policy;
    this.#tokens = policy.burst;
  }

  /** Takes a token that may not be there yet, and says how many milliseconds to wait for it. */
  reserve(nowMs: number): number {
    const { qps, burst } = this.#policy;
    if (qps === Number.POSITIVE_INFINITY) return 0;
    const grown = Math.max(0, nowMs - this.#filledAtMs) * (qps / 1000);
    this.#tokens = Math.min(burst, this.#tokens + grown) - 1;
    this.#filledAtMs = nowMs;
    return this.#tokens >= 0 ? 0 : (-this.#tokens / qps) * 1000;
  }

  /** Gives back a token that was reserved and not used. */
  release(): void {
    this.#tokens = Math.min(this.#policy.burst, this.#tokens + 1);
  }
}
