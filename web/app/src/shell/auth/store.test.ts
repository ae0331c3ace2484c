import { beforeEach, describe, expect, it, vi } from 'vitest';

import type { Account, Tokens } from '../../api/http';
import { ApiError } from '../../api/problem';
import { AuthStore, type AuthSurroundings, type SignedIn } from './store';

const account = { id: 'a1', role: 'rider', first_name: 'Ada' } as Account;
const minute = 60_000;

function tokens(n: number, endsIn: number): Tokens {
  return {
    access_token: `access-${n}`, refresh_token: `refresh-${n}`, token_type: 'Bearer',
    expires_at: new Date(endsIn).toISOString(), refresh_expires_at: new Date(endsIn).toISOString(),
  };
}

/** Two tabs of one browser: one storage, one lock, one channel. */
function browser() {
  const stored = new Map<string, string>();
  const ears = new Set<() => void>();
  let queue: Promise<unknown> = Promise.resolve();
  const refresh = vi.fn<(refreshToken: string) => Promise<SignedIn>>();
  const tab = (): AuthStore => {
    let own: (() => void) | undefined;
    const surroundings: AuthSurroundings = {
      storage: {
        getItem: (k) => stored.get(k) ?? null,
        setItem: (k, v) => void stored.set(k, v),
        removeItem: (k) => void stored.delete(k),
      },
      exclusively: (work) => {
        const result = queue.then(work);
        queue = result.catch(() => undefined);
        return result;
      },
      refresh,
      channel: {
        postMessage: () => ears.forEach((ear) => ear !== own && ear()),
        addEventListener: (_: string, ear: unknown) => ears.add((own = ear as () => void)),
      } as AuthSurroundings['channel'],
      now: () => 0,
    };
    return new AuthStore(surroundings);
  };
  return { tab, refresh, stored };
}

let b: ReturnType<typeof browser>;
beforeEach(() => (b = browser()));

describe('the log-in', () => {
  it('is the same in all tabs, and outlives a reload', () => {
    const [one, two] = [b.tab(), b.tab()];
    const heard = vi.fn();
    two.subscribe(heard);
    one.signIn({ account, tokens: tokens(1, 15 * minute) });
    expect(two.current?.account.id).toBe('a1');
    expect(b.tab().current?.account.id).toBe('a1');
    two.signOut();
    expect(one.current).toBeNull();
    expect(heard).toHaveBeenCalledTimes(2);
  });

  it('gives a token that has time left without asking', async () => {
    const one = b.tab();
    one.signIn({ account, tokens: tokens(1, 15 * minute) });
    await expect(one.accessToken()).resolves.toBe('access-1');
    expect(b.refresh).not.toHaveBeenCalled();
  });

  it('refreshes a dying token once, however many calls and tabs want one', async () => {
    const [one, two] = [b.tab(), b.tab()];
    one.signIn({ account, tokens: tokens(1, minute / 2) });
    b.refresh.mockResolvedValue({ account, tokens: tokens(2, 15 * minute) });
    const got = await Promise.all([one.accessToken(), one.accessToken(), two.accessToken(), two.replace('access-1')]);
    expect(got).toEqual(['access-2', 'access-2', 'access-2', 'access-2']);
    expect(b.refresh).toHaveBeenCalledTimes(1);
    expect(b.refresh).toHaveBeenCalledWith('refresh-1');
  });

  it('ends in all tabs when the server says so', async () => {
    const [one, two] = [b.tab(), b.tab()];
    one.signIn({ account, tokens: tokens(1, 0) });
    b.refresh.mockRejectedValue(new ApiError('unauthenticated', '', 401, false));
    await expect(one.accessToken()).resolves.toBeNull();
    expect(two.current).toBeNull();
    expect(b.stored.size).toBe(0);
  });

  it('survives a lost network', async () => {
    const one = b.tab();
    one.signIn({ account, tokens: tokens(1, 0) });
    b.refresh.mockRejectedValueOnce(ApiError.unreachable(new TypeError('no network')));
    await expect(one.accessToken()).rejects.toMatchObject({ code: 'network' });
    expect(one.current).not.toBeNull();
    b.refresh.mockResolvedValue({ account, tokens: tokens(2, 15 * minute) });
    await expect(one.accessToken()).resolves.toBe('access-2');
  });

  it('reads what it cannot understand as logged out', () => {
    for (const text of ['{', '[]', '{"account":{}}', 'null', '7']) {
      b.stored.set('hexhail.session', text);
      expect(b.tab().current, text).toBeNull();
    }
  });
});
