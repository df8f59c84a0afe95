// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fleetPage } from './reference.ts';

test('docs/fleets.md lists the fields of the schema; node kmsctl/simulate/reference.ts puts them in', () => {
  const { is, wanted } = fleetPage();
  assert.equal(is, wanted);
});
