import { useSyncExternalStore } from 'react';

import { call, isTokens, makeHttp, signedIn, type Account, type Role, type Schemas } from '../http';
import { ApiError } from '../problem';
import { deviceSecret } from './device';
import { AuthStore } from './store';

/** A refresh without an answer is given up after this long, well within the time in which the server lets it be repeated. */
const refreshWithinMs = 10_000;

const anonymous = makeHttp({ accessToken: () => Promise.resolve(null), replace: () => Promise.resolve(null) });

/** The log-in of this browser. */
export const auth = new AuthStore({
  storage: localStorage,
  exclusively: async (work) => {
    // Without the Web Locks API (plain http on another machine than this) tabs cannot agree.
    // Then the worst case is a log-in that ends early, when two tabs begin a refresh at the same moment.
    if (!('locks' in navigator)) return work();
    return await navigator.locks.request('hexhail.refresh', work);
  },
  refresh: (refresh_token, attempt) =>
    call(anonymous.POST('/v1/refresh', { body: { refresh_token, attempt }, signal: AbortSignal.timeout(refreshWithinMs) })).then(signedIn),
  channel: 'BroadcastChannel' in globalThis ? new BroadcastChannel('hexhail.session') : null,
  now: Date.now,
});

/** The HTTP API, with the token of the log-in if there is one. */
export const http = makeHttp(auth);

/** The account that is logged in here, or null; renders again when that changes. */
export function useAccount(): Account | null {
  return useSyncExternalStore(auth.subscribe, () => auth.current)?.account ?? null;
}

/** Logs in and keeps the log-in. Throws an ApiError. */
export async function logIn(body: Schemas['LogInRequest']): Promise<Account> {
  const answer = await call(anonymous.POST('/v1/login', { body: { ...body, device: deviceSecret(localStorage) } })).then(signedIn);
  auth.signIn(answer);
  return answer.account;
}

/** Makes an account, with a photo if there is one, and logs it in. Throws an ApiError. */
export async function signUp(person: Schemas['SignUpRequest'], photo: Blob | null): Promise<Account> {
  const body = { ...person, device: deviceSecret(localStorage) };
  const answer = await call(
    anonymous.POST('/v1/accounts', { body, ...(photo ? { bodySerializer: () => formOf(body, photo) } : {}) }),
  ).then(signedIn);
  auth.signIn(answer);
  return answer.account;
}

function formOf(fields: object, photo: Blob): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, String(value));
  form.set('photo', photo, 'photo.jpg');
  return form;
}

/** Logs in as a visitor of a demonstration. Throws an ApiError. */
export async function visit(role: Role): Promise<Account> {
  const answer = await call(anonymous.POST('/v1/demo/visits', { body: { role } })).then(signedIn);
  auth.signIn(answer);
  return answer.account;
}

let passwordChange: Promise<unknown> = Promise.resolve();

/** Changes the password. It ends every other log-in; this one goes on. Throws an ApiError. */
export async function changePassword(body: Schemas['PasswordRequest']): Promise<void> {
  const change = call(http.POST('/v1/me/password', { body })).then((tokens) => {
    if (!isTokens(tokens)) throw ApiError.unreachable(new TypeError('the answer holds no tokens'));
    if (auth.current) auth.signIn({ account: auth.current.account, tokens });
  });
  passwordChange = change.catch(() => undefined);
  return change;
}

/**
 * The socket heard that its log-in was ended. That is true of this browser's, too, unless its own
 * change of password did it, whose answer brings new tokens.
 */
export async function endedBySocket(token: string | null): Promise<'logged out' | 'go on'> {
  await passwordChange;
  const now = auth.current?.tokens.access_token;
  if (now !== undefined && now !== token) return 'go on';
  auth.signOut();
  return 'logged out';
}

/** Erases the account for good and logs it out. Throws an ApiError. */
export async function deleteAccount(password: string): Promise<void> {
  const id = auth.current?.account.id;
  await call(http.DELETE('/v1/me', { body: { password } }));
  auth.signOut();
  // What this browser keeps for the account goes, too.
  for (const key of Object.keys(localStorage)) if (id !== undefined && key.includes(id)) localStorage.removeItem(key);
}

/** Logs out here, in all tabs and, if it can be reached, on the server. */
export async function logOut(): Promise<void> {
  const ended = call(http.POST('/v1/logout', {})).catch(() => undefined);
  // The call holds its token by now; whatever becomes of it, this browser is logged out.
  await Promise.race([ended, new Promise((done) => setTimeout(done, 2000))]);
  auth.signOut();
}

/** Where people of a role begin. */
export function homeOf(role: Role): '/ride' | '/drive' | '/ops/map' {
  switch (role) {
    case 'rider':
      return '/ride';
    case 'driver':
      return '/drive';
    case 'operator':
      return '/ops/map';
  }
}
