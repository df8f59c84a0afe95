// SPDX-License-Identifier: Apache-2.0

// What can go wrong between a controller and the API server: one class per behaviour, and guards that name the answers
// on which callers decide (404, 409, 410 …). An ApiError is an answer; a TransportError says that none came.

/** One entry of `status.details.causes`: which field was refused, and why. */
export interface StatusCause {
  readonly reason?: string;
  readonly message?: string;
  readonly field?: string;
}

/** The API server's `Status` object (meta/v1), as far as it is read. */
export interface StatusBody {
  readonly kind?: string;
  readonly message?: string;
  readonly reason?: string;
  readonly code?: number;
  readonly details?: { readonly retryAfterSeconds?: number; readonly causes?: readonly StatusCause[] };
}

/** Facts of a refused request. */
export interface ApiFailure {
  readonly statusCode: number;
  /** Machine-readable reason, as `AlreadyExists`; empty when the server gave none. */
  readonly reason: string;
  readonly message: string;
  /** How long the server asks to wait. */
  readonly retryAfterSeconds?: number | undefined;
  readonly causes?: readonly StatusCause[] | undefined;
  /** `METHOD path`, for the message only. */
  readonly request: string;
}

/** The API server answered, and the answer is no. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly statusCode: number;
  readonly reason: string;
  /** The API server's own words, without the request. */
  readonly said: string;
  readonly retryAfterSeconds: number | undefined;
  readonly causes: readonly StatusCause[];

  constructor(failure: ApiFailure) {
    super(`${failure.request}: ${failure.statusCode} ${failure.reason}: ${failure.message}`);
    this.statusCode = failure.statusCode;
    this.reason = failure.reason;
    this.said = failure.message;
    this.retryAfterSeconds = failure.retryAfterSeconds;
    this.causes = failure.causes ?? [];
  }
}

/** No answer: refused, reset, name not found, certificate not trusted, or no answer in time. */
export class TransportError extends Error {
  override readonly name = 'TransportError';
  /** Node's error code (`ECONNREFUSED`), or `TIMEOUT`. */
  readonly code: string;

  constructor(message: string, code: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** A write was refused here, before a byte was sent: this process does not lead, or can no longer be sure that it does. */
export class NotLeaderError extends Error {
  override readonly name = 'NotLeaderError';
  constructor(message = 'not the leader: the write was not sent') {
    super(message);
  }
}

/** Trying again will not help until somebody changes the object: the queue forgets it. */
export class TerminalError extends Error {
  override readonly name = 'TerminalError';
}

/** There is no such object, or no such kind. */
export function isNotFound(error: unknown): error is ApiError {
  return error instanceof ApiError && error.statusCode === 404;
}

/** A create met an object of that name. */
export function isAlreadyExists(error: unknown): error is ApiError {
  return error instanceof ApiError && error.statusCode === 409 && error.reason === 'AlreadyExists';
}

/** Somebody else changed the object meanwhile, or owns a field that was applied without force. Read again, try again. */
export function isConflict(error: unknown): error is ApiError {
  return error instanceof ApiError && error.statusCode === 409 && error.reason !== 'AlreadyExists';
}

/** The asked resource version or continue token is no longer kept: list again. */
export function isGone(error: unknown): error is ApiError {
  return error instanceof ApiError && (error.statusCode === 410 || error.reason === 'Expired');
}

/** The object breaks the schema or a rule of it; the message says which. */
export function isInvalid(error: unknown): error is ApiError {
  return error instanceof ApiError && error.statusCode === 422;
}

/** RBAC (or admission) does not allow it. */
export function isForbidden(error: unknown): error is ApiError {
  return error instanceof ApiError && error.statusCode === 403;
}

/** The answer of a call that may fail, as a value; errors that are no answer of the API server are still thrown. */
export type Outcome<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: ApiError };

/** Turns a refusal by the API server into a value, for callers that decide on it. */
export async function outcomeOf<T>(call: Promise<T>): Promise<Outcome<T>> {
  try {
    return { ok: true, value: await call };
  } catch (error) {
    if (error instanceof ApiError) return { ok: false, error };
    throw error;
  }
}

/** The error of an answer with status 400 or more. A body that is no `Status` is quoted, shortened. */
export function apiErrorOf(answer: {
  statusCode: number;
  body: string;
  retryAfter?: string | undefined;
  request: string;
}): ApiError {
  const status = parseStatus(answer.body);
  return new ApiError({
    statusCode: answer.statusCode,
    reason: status?.reason ?? '',
    message: status?.message ?? (answer.body.trim().slice(0, 300) || 'no message'),
    retryAfterSeconds: retryAfterSeconds(answer.retryAfter) ?? status?.details?.retryAfterSeconds,
    causes: status?.details?.causes,
    request: answer.request,
  });
}

function parseStatus(body: string): StatusBody | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === 'object' && parsed !== null && (parsed as StatusBody).kind === 'Status'
      ? (parsed as StatusBody)
      : undefined;
  } catch {
    return undefined;
  }
}

/** RFC 9110 §10.2.3 in the form the API server uses: whole seconds. A date is not understood and ignored. */
function retryAfterSeconds(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,9}$/.test(header) ? Number(header) : undefined;
}
