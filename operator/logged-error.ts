// SPDX-License-Identifier: Apache-2.0

// How an error looks in the log. What the API server or the network says is a sentence; only a mistake of the program's own needs its stack.
import { pino } from 'pino';
import { ApiError, NotLeaderError, TransportError } from './runtime/index.ts';

/** For pino's serializers. */
export function loggedError(error: unknown): unknown {
  if (error instanceof ApiError) return { type: error.name, message: error.message, statusCode: error.statusCode };
  if (error instanceof TransportError) return { type: error.name, message: error.message, code: error.code };
  if (error instanceof NotLeaderError) return { type: error.name, message: error.message };
  return error instanceof Error ? pino.stdSerializers.err(error) : error;
}
