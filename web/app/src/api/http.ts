import createClient, { type Client } from 'openapi-fetch';

import { ApiError, isProblem, mediaType } from './problem';
import type { components, paths } from './schema';

export type Schemas = components['schemas'];
export type Account = Schemas['AccountView'];
export type Role = Account['role'];
export type Tokens = Schemas['TokensView'];
export type ServerConfig = Schemas['ConfigView'];

/** Where the API gets its access token from. */
export interface TokenSource {
  /** The token to send now; null while logged out. */
  accessToken(): Promise<string | null>;
  /** Called after a 401 to that token. Resolves to another token, or to null when there is none. */
  replace(refused: string): Promise<string | null>;
}

export type Http = Client<paths>;

/** Makes a client of the HTTP API that sends a token and, once, a newer one after a 401. */
export function makeHttp(tokens: TokenSource, fetchImpl: typeof fetch = (...a) => fetch(...a)): Http {
  const authorized = async (request: Request): Promise<Response> => {
    const token = await tokens.accessToken();
    if (token === null) return fetchImpl(request);
    const again = request.clone();
    request.headers.set('Authorization', `Bearer ${token}`);
    const answer = await fetchImpl(request);
    if (!(await refusesToken(answer))) return answer;
    const newer = await tokens.replace(token);
    if (newer === null) return answer;
    again.headers.set('Authorization', `Bearer ${newer}`);
    return fetchImpl(again);
  };
  return createClient<paths>({ baseUrl: location.origin, fetch: authorized });
}

/** Whether the server, and not a proxy before it, says that the token does not count. */
async function refusesToken(answer: Response): Promise<boolean> {
  if (answer.status !== 401) return false;
  const body: unknown = await answer.clone().json().catch(() => null);
  return isProblem(answer, body) && body.code === 'unauthenticated';
}

/**
 * Waits for an answer of the client and gives its data; throws an ApiError for all else:
 * `const me = await call(http.GET('/v1/me'))`. An answer that is not JSON needs its media type.
 */
export async function call<T>(
  pending: Promise<{ data?: T; error?: unknown; response: Response }>, type = 'application/json',
): Promise<T> {
  let answer;
  try {
    answer = await pending;
  } catch (cause) {
    throw cause instanceof ApiError ? cause : ApiError.unreachable(cause);
  }
  if (!answer.response.ok) throw ApiError.of(answer.response, answer.error);
  // A Wi-Fi's log-in page comes with 200, too.
  if (answer.response.status !== 204 && mediaType(answer.response) !== type) throw ApiError.foreign(answer.response);
  return answer.data as T;
}

/** Makes sure that what came back from a log-in is one: JSON of something in between must not be kept as tokens. */
export function signedIn(answer: unknown): Schemas['SignedInView'] {
  const { account, tokens } = (answer ?? {}) as Partial<Schemas['SignedInView']>;
  if (typeof account?.id === 'string' && isTokens(tokens)) return { account, tokens };
  throw ApiError.unreachable(new TypeError('the answer to a log-in is none'));
}

/**
 * Makes sure that what came back is the server's configuration: it is kept as long as the page is open, and every page reads
 * it, so JSON of something in between must not take its place.
 */
export function configuration(answer: unknown): ServerConfig {
  const config = (answer ?? {}) as Partial<Record<keyof ServerConfig, unknown>>;
  const { vehicle_classes: classes, map } = config;
  if (Array.isArray(classes) && typeof map === 'object' && map !== null && typeof config.support_contact === 'string') return config as ServerConfig;
  throw ApiError.unreachable(new TypeError('the answer is no configuration'));
}

/** Whether these are tokens that can be used and renewed. */
export function isTokens(tokens: Partial<Tokens> | undefined): tokens is Tokens {
  return typeof tokens?.access_token === 'string' && typeof tokens.refresh_token === 'string';
}
