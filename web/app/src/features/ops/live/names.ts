import { useQuery } from '@tanstack/react-query';

import { call, type Schemas } from '../../../api/http';
import { http } from '../../../api/auth';
import { keys } from '../../../api/queries';

export type NamedAccount = Schemas['AccountView'];

/** Answers with those of the accounts that exist. At most `mostAtOnce` are asked for together. */
export type FetchAccounts = (ids: readonly string[]) => Promise<readonly NamedAccount[]>;

/** As many as the server answers at once. */
export const mostAtOnce = 100;
/** More than fit on any screen. Of a list that flies past, the rows that came last are those that are seen. */
export const mostQueued = 300;
/** How long names are gathered before they are asked for together, in milliseconds. */
const gatherMs = 40;

interface Wanted {
  readonly resolve: (account: NamedAccount | null) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Looks people up by id, many with one question, and one question at a time. Who is no longer wanted when
 * the turn comes is not asked for.
 */
export class Names {
  readonly #fetch: FetchAccounts;
  readonly #queue = new Map<string, Set<Wanted>>();
  #running = false;

  constructor(fetch: FetchAccounts) {
    this.#fetch = fetch;
  }

  /** The account; null if there is none. Rejects when the signal aborts, when it fell out of the queue, or as the question did. */
  load(id: string, signal: AbortSignal): Promise<NamedAccount | null> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const waiting = this.#queue.get(id) ?? new Set();
      const wanted = { resolve, reject };
      waiting.add(wanted);
      this.#queue.set(id, waiting);
      signal.addEventListener('abort', () => {
        waiting.delete(wanted);
        if (waiting.size === 0 && this.#queue.get(id) === waiting) this.#queue.delete(id);
        reject(signal.reason as Error);
      }, { once: true });
      this.#bound();
      void this.#run();
    });
  }

  #bound(): void {
    for (const [id, waiting] of this.#queue) {
      if (this.#queue.size <= mostQueued) return;
      this.#queue.delete(id);
      for (const { reject } of waiting) reject(new Error('too many names were asked for at once'));
    }
  }

  async #run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    while (this.#queue.size > 0) {
      await new Promise((done) => setTimeout(done, gatherMs));
      const asked = [...this.#queue].slice(-mostAtOnce);
      for (const [id] of asked) this.#queue.delete(id);
      if (asked.length > 0) await this.#ask(asked);
    }
    this.#running = false;
  }

  async #ask(asked: readonly (readonly [string, ReadonlySet<Wanted>])[]): Promise<void> {
    try {
      const found = new Map((await this.#fetch(asked.map(([id]) => id))).map((account) => [account.id, account]));
      for (const [id, waiting] of asked) for (const { resolve } of waiting) resolve(found.get(id) ?? null);
    } catch (error) {
      for (const [, waiting] of asked) for (const { reject } of waiting) reject(error);
    }
  }
}

const names = new Names(async (ids) => {
  const { items } = await call(http.GET('/v1/admin/accounts', { params: { query: { id: [...ids] } } }));
  return (items ?? []).map(({ account }) => account);
});

/** Names hardly change. */
const keptMs = 300_000;

/**
 * An account that the feed names by id alone: undefined until it is known, null if there is no such account or it could not be read. Only what is
 * on the screen should ask.
 */
export function useNamed(id: string | undefined): NamedAccount | null | undefined {
  const { data, isError } = useQuery({
    queryKey: keys.ops.name(id), enabled: !!id, staleTime: keptMs, gcTime: keptMs, retry: false,
    queryFn: ({ signal }) => names.load(id ?? '', signal),
  });
  return isError ? null : data;
}
