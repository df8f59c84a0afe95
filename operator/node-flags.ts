// SPDX-License-Identifier: Apache-2.0

/**
 * Flags of node with which an operator runs: in `npm run operator` and in the bench; its image bounds the old space by the container's limit instead, which with
 * the chart's comes to the same. Measured in test/bench/README.md.
 *
 * The bound of the old space is far above what 500 pools need (about 50 MB): it is there because V8 lets a heap with a high bound grow to several times what
 * lives in it before it collects, and with its default bound the same operator takes 80 MB more. It allows some 2,000 pools of three hosts; for more, raise it.
 * The semi-space is as small as it can be before reconciles pay for it: there are two of them, and all of both is resident.
 */
export const OPERATOR_NODE_FLAGS: readonly string[] = ['--max-semi-space-size=4', '--max-old-space-size=256'];
