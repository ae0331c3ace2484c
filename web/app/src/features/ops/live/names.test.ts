import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { mostAtOnce, mostQueued, Names, type NamedAccount } from './names';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const account = (id: string) => ({ id, first_name: id.toUpperCase() }) as NamedAccount;
const wanted = () => new AbortController().signal;

function lookUp(fetch = (ids: readonly string[]) => Promise.resolve(ids.filter((id) => id !== 'gone').map(account))) {
  const asked: string[][] = [];
  const names = new Names((ids) => {
    asked.push([...ids]);
    return fetch(ids);
  });
  return { names, asked };
}

describe('names', () => {
  it('come with one question for all that are wanted together', async () => {
    const { names, asked } = lookUp();
    const all = Promise.all(['a', 'b', 'gone', 'a'].map((id) => names.load(id, wanted())));
    await vi.runAllTimersAsync();
    expect((await all).map((found) => found?.first_name ?? null)).toEqual(['A', 'B', null, 'A']);
    expect(asked).toEqual([['a', 'b', 'gone']]);
  });

  it('are asked for once at a time, and never more than the server answers', async () => {
    let open = 0;
    let most = 0;
    const { names, asked } = lookUp(async (ids) => {
      most = Math.max(most, ++open);
      await new Promise((done) => setTimeout(done, 500));
      open--;
      return ids.map(account);
    });
    const all = Promise.all(Array.from({ length: 250 }, (_, i) => names.load(`p${i}`, wanted())));
    await vi.runAllTimersAsync();
    expect((await all).length).toBe(250);
    expect(most).toBe(1);
    expect(asked.map((ids) => ids.length)).toEqual([mostAtOnce, mostAtOnce, 50]);
  });

  it('of rows that have left are not asked for', async () => {
    const { names, asked } = lookUp();
    const left = new AbortController();
    const lost = expect(names.load('left', left.signal)).rejects.toThrow();
    const stays = names.load('stays', wanted());
    left.abort();
    await vi.runAllTimersAsync();
    await lost;
    expect((await stays)?.id).toBe('stays');
    expect(asked).toEqual([['stays']]);
  });

  it('are bounded: those that came last are kept', async () => {
    const { names, asked } = lookUp();
    const all = Promise.allSettled(Array.from({ length: mostQueued + 200 }, (_, i) => names.load(`p${i}`, wanted())));
    await vi.runAllTimersAsync();
    const states = (await all).map(({ status }) => status);
    expect(states.filter((s) => s === 'fulfilled').length).toBe(mostQueued);
    expect(states.slice(0, 200).every((s) => s === 'rejected')).toBe(true);
    expect(asked.flat().length).toBe(mostQueued);
  });

  it('that could not be asked for fail, and the next are asked for', async () => {
    const fetch = vi.fn(() => Promise.resolve([account('b')])).mockRejectedValueOnce(new Error('offline'));
    const { names } = lookUp(fetch);
    const failed = expect(names.load('a', wanted())).rejects.toThrow('offline');
    await vi.runAllTimersAsync();
    await failed;
    const next = names.load('b', wanted());
    await vi.runAllTimersAsync();
    expect((await next)?.id).toBe('b');
  });
});
