import { beforeEach, describe, expect, it, vi } from 'vitest';

import type { Account, Tokens } from '../../api/http';
import { ApiError } from '../../api/problem';
import { AuthStore, type AuthSurroundings, type SignedIn } from './store';

const account = { id: 'a1', role: 'rider', first_name: 'Ada' } as Account;
const minute = 60_000;

function tokens(n: number, endsIn: number): Tokens {
  return {
    access_token: `access-${n}`, refresh_token: `refresh-${n}`, token_type: 'Bearer',
    expires_at: new Date(endsIn).toISOString(), expires_in_s: endsIn / 1000, refresh_expires_at: new Date(endsIn).toISOString(),
  };
}

/** Two tabs of one browser: one storage, one lock, one channel. */
function browser() {
  const stored = new Map<string, string>();
  const ears = new Set<() => void>();
  let queue: Promise<unknown> = Promise.resolve();
  const refresh = vi.fn<(refreshToken: string) => Promise<SignedIn>>();
  const clock = { now: 0 };
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
      },
      now: () => clock.now,
    };
    return new AuthStore(surroundings);
  };
  return { tab, refresh, stored, clock };
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
    one.signIn({ account, tokens: tokens(1, minute) });
    b.clock.now = 50_000;
    b.refresh.mockResolvedValue({ account, tokens: tokens(2, 15 * minute) });
    const got = await Promise.all([one.accessToken(), one.accessToken(), two.accessToken(), two.replace('access-1')]);
    expect(got).toEqual(['access-2', 'access-2', 'access-2', 'access-2']);
    expect(b.refresh).toHaveBeenCalledTimes(1);
    expect(b.refresh).toHaveBeenCalledWith('refresh-1');
  });

  it.each([
    // life, and when it is renewed
    [15 * minute, 14 * minute],
    [4 * minute, 3 * minute],
    [minute, 45_000],
    [10_000, 7_500],
  ])('renews a token of %i ms after %i ms, and not before', async (life, at) => {
    const one = b.tab();
    one.signIn({ account, tokens: tokens(1, life) });
    b.refresh.mockImplementation(() => Promise.resolve({ account, tokens: tokens(2, life) }));
    b.clock.now = at - 1;
    await expect(one.accessToken()).resolves.toBe('access-1');
    b.clock.now = at;
    await expect(one.accessToken()).resolves.toBe('access-2');
    await expect(one.accessToken()).resolves.toBe('access-2');
    expect(b.refresh).toHaveBeenCalledTimes(1);
    b.clock.now = at + at - 1;
    await expect(b.tab().accessToken(), 'another tab knows when, too').resolves.toBe('access-2');
    expect(b.refresh).toHaveBeenCalledTimes(1);
  });

  it('goes by how long a token lives, whatever this clock says of its end', async () => {
    const one = b.tab();
    b.clock.now = 365 * 24 * 60 * minute; // the server's clock stands at 0
    one.signIn({ account, tokens: tokens(1, 15 * minute) });
    await expect(one.accessToken()).resolves.toBe('access-1');
    b.clock.now += 14 * minute;
    b.refresh.mockResolvedValue({ account, tokens: tokens(2, 15 * minute) });
    await expect(one.accessToken()).resolves.toBe('access-2');
  });

  it('keeps a session that an older version stored', async () => {
    b.stored.set('hexhail.session', JSON.stringify({ account, tokens: tokens(1, 15 * minute) }));
    await expect(b.tab().accessToken()).resolves.toBe('access-1');
    expect(b.refresh).not.toHaveBeenCalled();
    b.clock.now = 14 * minute;
    b.refresh.mockResolvedValue({ account, tokens: tokens(2, 15 * minute) });
    await expect(b.tab().accessToken()).resolves.toBe('access-2');
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
