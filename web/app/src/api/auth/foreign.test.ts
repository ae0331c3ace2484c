import { beforeEach, describe, expect, it, vi } from 'vitest';

import { call, configuration, makeHttp, signedIn, type Account, type Tokens } from '../http';
import { ApiError } from '../problem';
import { AuthStore } from './store';

const account = { id: 'a1', role: 'driver', first_name: 'Ada' } as Account;

function tokens(n: number, lifeS: number): Tokens {
  return {
    access_token: `access-${n}`, refresh_token: `refresh-${n}`, token_type: 'Bearer',
    expires_at: new Date(0).toISOString(), expires_in_s: lifeS, refresh_expires_at: new Date(0).toISOString(),
  };
}

function answer(status: number, type: string, body: string, headers: Record<string, string> = {}): Response {
  return new Response(body, { status, headers: { ...headers, ...(type ? { 'Content-Type': type } : {}) } });
}

function problem(status: number, code: string, retryable = false): Response {
  const body = { type: 'about:blank', title: 'No', status, code, detail: 'A sentence.', retryable };
  return answer(status, 'application/problem+json', JSON.stringify(body));
}

const ours = { type: 'about:blank', title: 'Unauthorized', status: 401, code: 'unauthenticated', detail: 'No.', retryable: false };
const html = '<!doctype html><title>Welcome to the hotel</title>';

/** A browser whose network answers as the test says. */
function browser(fetchImpl: typeof fetch) {
  const stored = new Map<string, string>();
  const anonymous = makeHttp({ accessToken: () => Promise.resolve(null), replace: () => Promise.resolve(null) }, fetchImpl);
  const store = new AuthStore({
    storage: {
      getItem: (k) => stored.get(k) ?? null,
      setItem: (k, v) => void stored.set(k, v),
      removeItem: (k) => void stored.delete(k),
    },
    exclusively: (work) => work(),
    refresh: (refresh_token, attempt) => call(anonymous.POST('/v1/refresh', { body: { refresh_token, attempt } })).then(signedIn),
    channel: null,
    now: () => 0,
  });
  return { store, http: makeHttp(store, fetchImpl) };
}

const network = vi.fn<typeof fetch>();
beforeEach(() => network.mockReset());

describe('a refresh that somebody else answers', () => {
  it.each<[string, () => Response]>([
    ['a page with 403', () => answer(403, 'text/html', html)],
    ['a page with 404', () => answer(404, 'text/html; charset=utf-8', html)],
    ['a page with 401', () => answer(401, 'text/html', html)],
    ['a page with 400', () => answer(400, 'text/html', html)],
    ['a page with 407', () => answer(407, 'text/html', html)],
    ['a page with 451', () => answer(451, 'text/html', html)],
    ['a page with 511', () => answer(511, 'text/html', html)],
    ['a page with 502', () => answer(502, 'text/html', html)],
    ['a page with 200', () => answer(200, 'text/html', html)],
    ['a page with 200 that claims to be JSON', () => answer(200, 'application/json', html)],
    ['nothing with 200', () => answer(200, '', '')],
    ['nothing with 403', () => answer(403, '', '')],
    ['nothing with 204', () => new Response(null, { status: 204 })],
    ['JSON with 200 that is no log-in', () => answer(200, 'application/json', '{"portal":"open"}')],
    ['JSON null with 200', () => answer(200, 'application/json', 'null')],
    ['half a log-in', () => answer(200, 'application/json', JSON.stringify({ account, tokens: { access_token: 'x' } }))],
    ['a log-in of the wrong type', () => answer(200, 'text/html', JSON.stringify({ account, tokens: tokens(9, 900) }))],
    ['JSON with 401 and no code', () => answer(401, 'application/json', '{"error":"login required"}')],
    ['a problem with 401 and no code', () => answer(401, 'application/problem+json', '{"title":"Unauthorized","status":401,"detail":"x"}')],
    ['a problem with 403 and another code', () => answer(403, 'application/problem+json', JSON.stringify({ ...ours, status: 403, code: 'waf_blocked' }))],
    ['a problem with 401 of another status', () => answer(401, 'application/problem+json', JSON.stringify({ ...ours, status: 403 }))],
    ['a problem whose code is a number', () => answer(401, 'application/problem+json', JSON.stringify({ ...ours, code: 401 }))],
    ['our code in another type', () => answer(401, 'application/json', JSON.stringify(ours))],
    ['our code with 404', () => answer(404, 'application/problem+json', JSON.stringify({ ...ours, status: 404 }))],
    ['our not_found', () => problem(404, 'not_found')],
    ['our wrong_role', () => problem(403, 'wrong_role')],
    ['our invalid_argument', () => problem(422, 'invalid_argument')],
    ['our internal', () => problem(500, 'internal')],
    ['our unavailable', () => problem(503, 'unavailable', true)],
    ['our too_many_requests', () => problem(429, 'too_many_requests', true)],
  ])('%s leaves the log-in', async (_, foreign) => {
    const { store } = browser(network);
    store.signIn({ account, tokens: tokens(1, 0) });
    network.mockResolvedValueOnce(foreign());
    await expect(store.accessToken()).rejects.toBeInstanceOf(ApiError);
    expect(store.current?.tokens.refresh_token).toBe('refresh-1');
    network.mockResolvedValueOnce(answer(200, 'application/json', JSON.stringify({ account, tokens: tokens(2, 900) })));
    await expect(store.accessToken()).resolves.toBe('access-2');
  });

  it.each([[401, 'unauthenticated'], [403, 'suspended']])('our %i %s ends it', async (status, code) => {
    const { store } = browser(network);
    store.signIn({ account, tokens: tokens(1, 0) });
    network.mockResolvedValueOnce(problem(status, code));
    await expect(store.accessToken()).resolves.toBeNull();
    expect(store.current).toBeNull();
  });
});

describe('a call that somebody else answers', () => {
  it.each<[string, () => Response, string, boolean]>([
    ['a page with 401', () => answer(401, 'text/html', html), 'network', true],
    ['JSON with 401', () => answer(401, 'application/json', '{"code":"x","detail":"y"}'), 'network', true],
    ['a page with 404', () => answer(404, 'text/html', html), 'network', true],
    ['a page with 200', () => answer(200, 'text/html', html), 'network', true],
    ['a page with 429', () => answer(429, 'text/html', html, { 'Retry-After': '7' }), 'too_many_requests', true],
    ['a page with 413', () => answer(413, 'text/html', html), 'internal', false],
    ['a page with 502', () => answer(502, 'text/html', html), 'unavailable', true],
  ])('%s: no token is renewed for it', async (_, foreign, code, retryable) => {
    const { store, http } = browser(network);
    store.signIn({ account, tokens: tokens(1, 900) });
    network.mockResolvedValueOnce(foreign());
    await expect(call(http.GET('/v1/me'))).rejects.toMatchObject({ code, retryable });
    expect(network).toHaveBeenCalledTimes(1);
    expect(store.current?.tokens.access_token).toBe('access-1');
  });

  it('our 401 has the token renewed and the call made again', async () => {
    const { store, http } = browser(network);
    store.signIn({ account, tokens: tokens(1, 900) });
    network.mockResolvedValueOnce(problem(401, 'unauthenticated'));
    network.mockResolvedValueOnce(answer(200, 'application/json', JSON.stringify({ account, tokens: tokens(2, 900) })));
    network.mockResolvedValueOnce(answer(200, 'application/json', JSON.stringify(account)));
    await expect(call(http.GET('/v1/me'))).resolves.toMatchObject({ id: 'a1' });
    expect((network.mock.calls[2]?.[0] as Request).headers.get('Authorization')).toBe('Bearer access-2');
  });
});

describe('a configuration that somebody else answers', () => {
  const ours = { vehicle_classes: [{ class: 'standard' }], map: { style_url: '' }, support_contact: '' };
  it.each<[string, () => Response]>([
    ['JSON of a portal', () => answer(200, 'application/json', '{"portal":"open"}')],
    ['JSON null', () => answer(200, 'application/json', 'null')],
    ['a list', () => answer(200, 'application/json', '[]')],
    ['nothing with 204', () => new Response(null, { status: 204 })],
    ['half of it', () => answer(200, 'application/json', JSON.stringify(ours).slice(0, 40))],
    ['parts of it', () => answer(200, 'application/json', JSON.stringify({ ...ours, map: null }))],
    ['a page', () => answer(200, 'text/html', html)],
  ])('%s is a lost answer', async (_, foreign) => {
    const { http } = browser(network);
    network.mockResolvedValueOnce(foreign());
    await expect(call(http.GET('/v1/config')).then(configuration)).rejects.toMatchObject({ code: 'network', retryable: true });
  });

  it('ours is taken', async () => {
    const { http } = browser(network);
    network.mockResolvedValueOnce(answer(200, 'application/json', JSON.stringify(ours)));
    await expect(call(http.GET('/v1/config')).then(configuration)).resolves.toEqual(ours);
  });
});
