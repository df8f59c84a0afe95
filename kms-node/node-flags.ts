// SPDX-License-Identifier: Apache-2.0
/**
 * The flags of node that a host process runs with; the image, `kmsctl up --redis`, the tests and the bench use the same.
 *
 * The semi-space of 8 MB holds what some hundred connections leave behind. The bound of the old space is far above what a host needs (about 30 MB): it is there because
 * V8 lets a heap with a small bound grow by a third before it collects, and one with a large bound to four times its size.
 */
export const HOST_NODE_FLAGS: readonly string[] = ['--max-semi-space-size=8', '--max-old-space-size=256'];
