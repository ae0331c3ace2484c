import { useSyncExternalStore } from 'react';

import { call, makeHttp, type Account, type Role, type Schemas } from '../../api/http';
import { AuthStore } from './store';

const anonymous = makeHttp({ accessToken: () => Promise.resolve(null), replace: () => Promise.resolve(null) });

/** The log-in of this browser. */
export const auth = new AuthStore({
  storage: localStorage,
  exclusively: async (work) => {
    // Without the Web Locks API (plain http on another machine than this) tabs cannot agree.
    // Then the worst case is a log-in that ends early, when two tabs refresh at once.
    if (!('locks' in navigator)) return work();
    return await navigator.locks.request('hexhail.refresh', work);
  },
  refresh: (refresh_token) => call(anonymous.POST('/v1/refresh', { body: { refresh_token } })),
  channel: 'BroadcastChannel' in globalThis ? new BroadcastChannel('hexhail.session') : null,
  now: Date.now,
});

/** The HTTP API, for whoever is logged in. */
export const http = makeHttp(auth);

/** The account that is logged in here, or null; renders again when that changes. */
export function useAccount(): Account | null {
  return useSyncExternalStore(auth.subscribe, () => auth.current)?.account ?? null;
}

/** Logs in and keeps the log-in. Throws an ApiError. */
export async function logIn(body: Schemas['LogInRequest']): Promise<Account> {
  const answer = await call(anonymous.POST('/v1/login', { body }));
  auth.signIn(answer);
  return answer.account;
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
