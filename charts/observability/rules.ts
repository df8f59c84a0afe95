// SPDX-License-Identifier: Apache-2.0

// All alert rules.
import type { RuleGroup } from './rule.ts';
import { COUNT_RULES } from './rules-counts.ts';
import { DNS_RULES } from './rules-dns.ts';
import { HOST_RULES } from './rules-hosts.ts';
import { OPERATOR_RULES } from './rules-operator.ts';
import { REQUEST_RULES } from './rules-requests.ts';
import { STORE_RULES } from './rules-store.ts';

/** In the order of the file. */
export const RULE_GROUPS: readonly RuleGroup[] = [
  HOST_RULES,
  COUNT_RULES,
  DNS_RULES,
  STORE_RULES,
  REQUEST_RULES,
  OPERATOR_RULES,
];
