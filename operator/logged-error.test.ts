// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loggedError } from './logged-error.ts';
import { ApiError, TransportError } from './runtime/index.ts';

test('what the API server says is logged as a sentence, without a stack', () => {
  const failure = { statusCode: 403, reason: 'Forbidden', message: 'no', request: 'GET /x' };
  assert.deepEqual(loggedError(new ApiError(failure)), {
    type: 'ApiError',
    message: 'GET /x: 403 Forbidden: no',
    statusCode: 403,
  });
});

test('what the network says is told once, not again for its cause', () => {
  const cause = new Error('connect ECONNREFUSED');
  assert.deepEqual(loggedError(new TransportError('GET /x: connect ECONNREFUSED', 'ECONNREFUSED', cause)), {
    type: 'TransportError',
    message: 'GET /x: connect ECONNREFUSED',
    code: 'ECONNREFUSED',
  });
});

test('a mistake of the program keeps its stack', () => {
  const logged = loggedError(new TypeError('undefined is no function')) as { stack: string };
  assert.match(logged.stack, /logged-error\.test/);
  assert.equal(loggedError('a text'), 'a text');
});
