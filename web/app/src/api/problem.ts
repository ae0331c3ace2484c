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

  /**
   * Makes the error of an answer that is not a success. It may come from something in between: a proxy's page, a
   * Wi-Fi's log-in. Only the server's own problems have a code that says what it thinks of the call.
   */
  static of(response: Response, body: unknown): ApiError {
    const seconds = Number(response.headers.get('Retry-After') ?? NaN);
    const wait = Number.isFinite(seconds) && seconds >= 0 ? seconds : null;
    if (!isProblem(response, body)) return ApiError.foreign(response, wait);
    const fields = Object.fromEntries((body.fields ?? []).map((f) => [f.field, f.detail]));
    return new ApiError(body.code, body.detail, response.status, body.retryable, fields, wait);
  }

  /** Makes the error of an answer that is not the server's. */
  static foreign(response: Response, wait: number | null = null): ApiError {
    const { status, statusText } = response;
    if (status >= 500) return new ApiError('unavailable', statusText, status, true, {}, wait);
    if (status === 429) return new ApiError('too_many_requests', statusText, status, true, {}, wait);
    // A proxy's bound on sizes, which the same call would meet again.
    if (status === 413 || status === 414 || status === 431) return new ApiError('internal', statusText, status, false);
    return new ApiError('network', 'The server cannot be reached: something in between answered.', status, true, {}, wait);
  }

  /** Makes the error of a call that got no answer. */
  static unreachable(cause: unknown): ApiError {
    const e = new ApiError('network', 'The server cannot be reached.', 0, true);
    e.cause = cause;
    return e;
  }
}

/** Whether an answer is a problem that the server itself stated. */
export function isProblem(response: Response, body: unknown): body is Problem {
  if (mediaType(response) !== 'application/problem+json' || typeof body !== 'object' || body === null) return false;
  const { code, detail, status, retryable } = body as Partial<Problem>;
  return typeof code === 'string' && typeof detail === 'string' && typeof retryable === 'boolean' && status === response.status;
}

/** The media type of an answer, without its parameters. */
export function mediaType(response: Response): string {
  return (response.headers.get('Content-Type') ?? '').replace(/;.*/s, '').trim().toLowerCase();
}

/** Whether an error is the server's word that a log-in is over. Nothing else ends one. */
export function endsLogIn(e: unknown): boolean {
  return e instanceof ApiError && (e.code === 'unauthenticated' && e.status === 401 || e.code === 'suspended' && e.status === 403);
}

/** Turns whatever a call threw into an ApiError. */
export function asApiError(e: unknown): ApiError {
  return e instanceof ApiError ? e : ApiError.unreachable(e);
}
