import type { Account, Schemas, TokenSource, Tokens } from '../http';
import { endsLogIn } from '../problem';

/** Who is logged in, and the tokens that prove it. */
export interface SignedIn {
  readonly account: Account;
  readonly tokens: Tokens;
  /** When to renew the tokens, by this browser's clock: it may be wrong, but it is the one at hand. */
  readonly renewAt?: number;
}

/** What is stored: the log-in and, from the first refresh on, the attempt to renew its tokens. */
interface Stored extends SignedIn {
  readonly attempt?: string;
}

/** What the store needs of its surroundings; tests bring their own. */
export interface AuthSurroundings {
  storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;
  /** Runs work while no other tab of this origin does the same. */
  exclusively<T>(work: () => Promise<T>): Promise<T>;
  /** Trades a refresh token for new tokens; with the same attempt it may be repeated. Throws an ApiError. */
  refresh(refreshToken: string, attempt: string): Promise<Schemas['SignedInView']>;
  /** Notifies other tabs, and hears from them, that the stored session has changed. */
  channel: Pick<BroadcastChannel, 'postMessage' | 'addEventListener'> | null;
  now(): number;
}

const storageKey = 'hexhail.session';
/** Tokens are renewed this long before they end, so that no call is made with a dying one … */
const renewBeforeMs = 60_000;
/** … but no sooner than in the last part of their life, or short ones would be renewed at every call. */
const renewInLast = 1 / 4;

/** When to renew tokens that arrived now. Undefined if the server does not say how long they live. */
function renewalOf(tokens: Tokens, now: number): number | undefined {
  const lifeMs = tokens.expires_in_s * 1000;
  const at = now + lifeMs - Math.min(renewBeforeMs, lifeMs * renewInLast);
  return Number.isFinite(at) ? at : undefined;
}

/** 128 random bits, also on pages without TLS, where browsers lack `crypto.randomUUID`. */
function newAttempt(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * Keeps the log-in of this browser, the same in all its tabs.
 *
 * A refresh token counts once; a second use ends the whole log-in. The server only lets the same
 * attempt come again shortly, for an answer that was lost, as when a page is closed in the middle.
 * So the attempt is stored before it is sent, and the next page that finds it continues with it. And a tab
 * refreshes only under a lock that all tabs share, and after it has read what the others stored.
 */
export class AuthStore implements TokenSource {
  #current: SignedIn | null;
  #listeners = new Set<() => void>();
  #refreshing: Promise<string | null> | null = null;
  readonly #s: AuthSurroundings;

  constructor(surroundings: AuthSurroundings) {
    this.#s = surroundings;
    this.#current = this.#read();
    this.#s.channel?.addEventListener('message', () => this.#adopt(this.#read()));
  }

  /** The log-in now; the same object until something changes. */
  get current(): SignedIn | null {
    return this.#current;
  }

  /** Calls the listener after each change, until the returned function is called. */
  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Takes over what a log-in or a sign-up answered. */
  signIn({ account, tokens }: Pick<SignedIn, 'account' | 'tokens'>): void {
    const renewAt = renewalOf(tokens, this.#s.now());
    this.#write({ account, tokens, ...(renewAt === undefined ? {} : { renewAt }) });
  }

  /** Forgets the log-in here and in all tabs. Telling the server is the caller's part. */
  signOut(): void {
    this.#write(null);
  }

  /** Notes a change of one's own account, such as a new name. */
  updateAccount(account: Account): void {
    const stored = this.#read(); // which may hold an attempt, or tokens that another tab renewed just now
    if (stored?.account.id === account.id) this.#write({ ...stored, account });
  }

  async accessToken(): Promise<string | null> {
    if (!this.#current) return null;
    const { tokens, renewAt = Date.parse(tokens.expires_at) - renewBeforeMs } = this.#current;
    if (this.#s.now() < renewAt) return tokens.access_token;
    return this.replace(tokens.access_token);
  }

  async replace(refused: string): Promise<string | null> {
    this.#refreshing ??= this.#s
      .exclusively(() => this.#renew(refused))
      .finally(() => (this.#refreshing = null));
    return this.#refreshing;
  }

  async #renew(refused: string): Promise<string | null> {
    // Another tab may have renewed, or logged out, while this one waited for the lock.
    const stored = this.#read();
    if (stored?.tokens.access_token !== refused) {
      this.#adopt(stored);
      return stored?.tokens.access_token ?? null;
    }
    try {
      const answer = await this.#s.refresh(stored.tokens.refresh_token, this.#attemptOf(stored));
      this.signIn(answer);
      return answer.tokens.access_token;
    } catch (e) {
      // Only the server's word ends a log-in; a lost network does not, nor what a proxy says.
      if (endsLogIn(e)) {
        this.#write(null);
        return null;
      }
      throw e;
    }
  }

  /** The attempt to renew these tokens, kept until it has an answer. */
  #attemptOf(stored: Stored): string {
    if (stored.attempt !== undefined) return stored.attempt;
    const attempt = newAttempt();
    // Other tabs need not hear of it: they read it before they refresh.
    this.#s.storage.setItem(storageKey, JSON.stringify({ ...stored, attempt }));
    return attempt;
  }

  #write(next: Stored | null): void {
    if (next) this.#s.storage.setItem(storageKey, JSON.stringify(next));
    else this.#s.storage.removeItem(storageKey);
    this.#s.channel?.postMessage('changed');
    this.#adopt(next);
  }

  #adopt(next: SignedIn | null): void {
    if (next === this.#current) return;
    this.#current = next;
    for (const listener of [...this.#listeners]) listener();
  }

  #read(): Stored | null {
    const text = this.#s.storage.getItem(storageKey);
    if (text === null) return null;
    try {
      const value = JSON.parse(text) as Partial<Stored>;
      if (typeof value.account?.id === 'string' && typeof value.tokens?.refresh_token === 'string') return value as Stored;
    } catch {
      // Not ours, or from a version that wrote it otherwise: as good as logged out.
    }
    return null;
  }
}
