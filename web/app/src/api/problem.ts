import type { components } from './schema';

export type Problem = components['schemas']['Problem'];
export type ProblemCode = Problem['code'];

/** What a call threw: a problem that the server stated, or a failure to reach it at all. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** When it happened, in milliseconds by `performance.now`: a clock that is set back would make a wait endless. */
  readonly at = performance.now();

  constructor(
    /** One of the server's stable codes; "network" when no answer came. */
    readonly code: ProblemCode | 'network',
    /** A sentence for people, in English. Show a translation by the code where there is one. */
    detail: string,
    readonly status: number,
    /** Whether the same call may succeed later, unchanged. */
    readonly retryable: boolean,
    /** What is wrong with single fields, by their names. */
    readonly fields: Readonly<Record<string, string>> = {},
    /** Seconds to wait before the next try, where the server said. */
    readonly retryAfter: number | null = null,
  ) {
    super(detail);
  }

  /** Makes the error of an answer that was no success. The body may be anything. */
  static of(response: Response, body: unknown): ApiError {
    const seconds = Number(response.headers.get('Retry-After') ?? NaN);
    const wait = Number.isFinite(seconds) && seconds >= 0 ? seconds : null;
    if (!isProblem(body)) {
      const down = response.status >= 500;
      return new ApiError(down ? 'unavailable' : 'internal', response.statusText, response.status, down, {}, wait);
    }
    const fields = Object.fromEntries((body.fields ?? []).map((f) => [f.field, f.detail]));
    return new ApiError(body.code, body.detail, response.status, body.retryable, fields, wait);
  }

  /** Makes the error of a call that got no answer. */
  static unreachable(cause: unknown): ApiError {
    const e = new ApiError('network', 'The server cannot be reached.', 0, true);
    e.cause = cause;
    return e;
  }
}

function isProblem(body: unknown): body is Problem {
  return typeof body === 'object' && body !== null && 'code' in body && 'detail' in body;
}

/** Turns whatever a call threw into an ApiError. */
export function asApiError(e: unknown): ApiError {
  return e instanceof ApiError ? e : ApiError.unreachable(e);
}
