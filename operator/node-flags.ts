// SPDX-License-Identifier: Apache-2.0

/**
 * Flags of node with which an operator runs: in its image, in `npm run operator`, in the bench. Measured in test/bench/README.md.
 *
 * The bound of the old space is far above what 500 pools need (about 70 MB): it is there because V8 lets a heap with a high bound grow to several times what
 * lives in it before it collects, and with its default bound the same operator takes 80 MB more. It allows some 2,000 pools of three hosts; for more, raise it.
 */
export const OPERATOR_NODE_FLAGS: readonly string[] = ['--max-semi-space-size=8', '--max-old-space-size=256'];
