import { beforeEach, describe, expect, it, vi } from 'vitest';

import type { Account, Tokens } from '../http';
import { ApiError } from '../problem';
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
  const refresh = vi.fn<(refreshToken: string, attempt: string) => Promise<SignedIn>>();
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
    expect(b.refresh).toHaveBeenCalledWith('refresh-1', expect.any(String));
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

  it('repeats an attempt until it has an answer, also in another tab and after a reload', async () => {
    const one = b.tab();
    one.signIn({ account, tokens: tokens(1, 0) });
    b.refresh.mockImplementationOnce((_, attempt) => {
      expect(b.stored.get('hexhail.session'), 'stored before it is sent').toContain(attempt);
      return Promise.reject(ApiError.unreachable(new TypeError('no network')));
    });
    await expect(one.accessToken()).rejects.toMatchObject({ code: 'network' });
    b.refresh.mockRejectedValueOnce(new ApiError('unavailable', '', 503, true));
    await expect(one.accessToken(), 'not an answer either').rejects.toMatchObject({ code: 'unavailable' });
    b.refresh.mockRejectedValueOnce(ApiError.unreachable(new TypeError('no network')));
    const two = b.tab();
    await expect(two.accessToken()).rejects.toMatchObject({ code: 'network' });
    one.updateAccount({ ...account, first_name: 'Bea' });
    b.refresh.mockResolvedValueOnce({ account, tokens: tokens(2, 0) });
    await expect(b.tab().accessToken()).resolves.toBe('access-2');
    expect(b.stored.get('hexhail.session')).not.toContain('attempt');
    b.refresh.mockResolvedValueOnce({ account, tokens: tokens(3, 15 * minute) });
    await expect(two.accessToken()).resolves.toBe('access-3');

    const calls = b.refresh.mock.calls;
    expect(calls.map(([token]) => token)).toEqual(['refresh-1', 'refresh-1', 'refresh-1', 'refresh-1', 'refresh-2']);
    const attempts = calls.map(([, attempt]) => attempt);
    expect(new Set(attempts.slice(0, 4)).size, 'one attempt for one token').toBe(1);
    expect(attempts[4], 'another for the next').not.toBe(attempts[0]);
    for (const attempt of attempts) expect(attempt).toMatch(/^[0-9a-f]{32}$/);
  });

  it('has no attempt left when it ends', async () => {
    const one = b.tab();
    one.signIn({ account, tokens: tokens(1, 0) });
    b.refresh.mockRejectedValueOnce(ApiError.unreachable(new TypeError('no network')));
    await expect(one.accessToken()).rejects.toMatchObject({ code: 'network' });
    one.signOut();
    one.signIn({ account, tokens: tokens(2, 0) });
    b.refresh.mockResolvedValueOnce({ account, tokens: tokens(3, 15 * minute) });
    await expect(one.accessToken()).resolves.toBe('access-3');
    const [before, after] = b.refresh.mock.calls;
    expect(after?.[1]).not.toBe(before?.[1]);
  });

  it('keeps the tokens that another tab renewed when the account changes', () => {
    const [one, two] = [b.tab(), b.tab()];
    one.signIn({ account, tokens: tokens(1, 15 * minute) });
    b.stored.set('hexhail.session', JSON.stringify({ account, tokens: tokens(2, 15 * minute) })); // and two has not heard of it
    two.updateAccount({ ...account, first_name: 'Bea' });
    expect(b.tab().current).toMatchObject({ account: { first_name: 'Bea' }, tokens: { access_token: 'access-2' } });
  });

  it('reads what it cannot understand as logged out', () => {
    for (const text of ['{', '[]', '{"account":{}}', 'null', '7']) {
      b.stored.set('hexhail.session', text);
      expect(b.tab().current, text).toBeNull();
    }
  });
});
