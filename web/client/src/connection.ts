import { backoff } from './backoff.js';
import { judge, type Verdict } from './closecodes.js';
import type { ClientOptions, Clock, Credentials, Surroundings } from './options.js';
import type { SessionEnd } from './session.js';
import type { ConnectionState } from './state.js';

/** What the connection needs of its client. */
export interface ConnectionEnvironment {
  readonly credentials: ClientOptions['credentials'];
  readonly clock: Clock;
  readonly random: () => number;
  readonly surroundings: Surroundings;
  /** Opens a socket. It calls `ended` when that is over. Throws if it cannot even begin. */
  open(credentials: Credentials): void;
  /** Ends the socket, if any, without a call of `ended`. */
  close(): void;
  /** Finds out whether the socket still works. */
  probe(): void;
  changed(state: ConnectionState): void;
}

const shortSession = 1_000;
/** The longest that a server can make a client wait, in milliseconds: twice what its setting allows. */
const mostWait = 10 * 60_000;

/** Decides when to connect, with what, and when to stop trying. */
export class Connection {
  readonly #env: ConnectionEnvironment;
  #state: ConnectionState = { status: 'idle' };
  #attempt = 0;
  #stopTimer: (() => void) | undefined;
  #stopWatching: (() => void) | undefined;
  /** Whether the server named the time of the next attempt: then a page that comes to the front does not spare it. */
  #serverAsked = false;
  /** Whether the last credentials did not count. */
  #fresh = false;
  #connectedAt = 0;
  /** The call of `credentials` under way. There is never a second one: a refresh token counts once. */
  #fetching: Promise<Credentials | null> | undefined;
  /** Rises with each attempt, so that a late answer is recognised as one that is no longer wanted. */
  #round = 0;

  constructor(env: ConnectionEnvironment) {
    this.#env = env;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  start(): void {
    if (this.#state.status !== 'idle' && this.#state.status !== 'stopped') return;
    this.#stopWatching = this.#env.surroundings.watch((signal) => this.#signal(signal));
    this.#attempt = 0;
    this.#fresh = false;
    void this.#connect();
  }

  stop(): void {
    if (this.#state.status === 'idle' || this.#state.status === 'stopped') return;
    this.#leave();
    this.#stopWatching?.();
    this.#set({ status: 'stopped' });
  }

  connectNow(): void {
    const { status } = this.#state;
    if (status === 'refused') this.#fresh = true;
    if (status === 'refused' || status === 'replaced') this.#attempt = 0;
    if (['waiting', 'offline', 'refused', 'replaced'].includes(status)) void this.#connect();
  }

  /** The server answered `connect`. */
  connected(state: ConnectionState & { status: 'connected' }): void {
    this.#attempt = 0;
    this.#fresh = false;
    this.#connectedAt = this.#env.clock.now();
    this.#set(state);
  }

  /** The session ended, or was never one. */
  ended(end: SessionEnd): void {
    const { verdict, reason } = end.found ? ({ verdict: 'wait', reason: end.found } as const) : judge(end.closeCode);
    const decision = this.#decide(verdict, end.closeCode);
    const closeCode = end.closeCode === undefined ? {} : { closeCode: end.closeCode };
    if (decision === 'replaced') {
      this.#leave();
      this.#set({ status: 'replaced' });
    } else if (decision === 'refused') {
      this.#leave();
      this.#set({ status: 'refused', code: reason, message: end.error?.message ?? reason, ...closeCode });
    } else if (decision === 'now') {
      void this.#connect();
    } else {
      this.#wait({ reason, ...closeCode }, end.retryAfterMs);
    }
  }

  #decide(verdict: Verdict, closeCode: number | undefined): 'wait' | 'now' | 'replaced' | 'refused' {
    if (verdict !== 'fresh') return verdict;
    const triedFresh = this.#fresh;
    this.#fresh = true;
    // 4501 says that these credentials do not count: once is no proof, for a token may have expired on the way.
    if (closeCode === 4501) return triedFresh ? 'refused' : 'now';
    // 4004 comes when a token's time is over. Should that be at once, again and again, something is wrong: slowly, then.
    const wasConnected = this.#state.status === 'connected' && this.#env.clock.now() - this.#connectedAt > shortSession;
    return wasConnected ? 'now' : 'wait';
  }

  async #connect(): Promise<void> {
    this.#leave();
    const round = this.#round;
    this.#serverAsked = false;
    this.#set({ status: 'connecting', attempt: this.#attempt });
    let credentials: Credentials | null;
    try {
      credentials = await this.#fetchCredentials();
    } catch {
      if (round === this.#round) this.#wait({ reason: 'credentials' }, 0);
      return;
    }
    if (round !== this.#round) return;
    if (!credentials) {
      this.#set({ status: 'refused', code: 'unauthenticated', message: 'There are no credentials.' });
      return;
    }
    try {
      this.#env.open(credentials);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#set({ status: 'refused', code: 'bad_address', message });
    }
  }

  async #fetchCredentials(): Promise<Credentials | null> {
    // A call that an earlier attempt began is awaited, but its answer is that attempt's: a ticket counts once.
    while (this.#fetching) await this.#fetching.catch(() => undefined);
    const { credentials } = this.#env;
    const call = Promise.resolve().then(() => credentials({ fresh: this.#fresh }));
    this.#fetching = call;
    try {
      return await call;
    } finally {
      this.#fetching = undefined;
    }
  }

  #wait(cause: { reason: string; closeCode?: number }, retryAfterMs: number): void {
    this.#leave();
    const wait = retryAfterMs > 0 ? Math.min(retryAfterMs, mostWait) : backoff(this.#attempt, this.#env.random);
    this.#attempt += 1;
    this.#serverAsked = retryAfterMs > 0;
    this.#stopTimer = this.#env.clock.after(wait, () => void this.#connect());
    const status = this.#env.surroundings.isOnline() ? 'waiting' : 'offline';
    this.#set({ status, attempt: this.#attempt, retryAt: this.#env.clock.now() + wait, cause });
  }

  #signal(signal: 'online' | 'offline' | 'visible'): void {
    const { state } = this;
    if (state.status === 'connected') this.#env.probe();
    if (state.status !== 'waiting' && state.status !== 'offline') return;
    if (signal === 'offline') this.#set({ ...state, status: 'offline' });
    else if (!this.#serverAsked) {
      this.#attempt = 0;
      void this.#connect();
    } else if (signal === 'online') this.#set({ ...state, status: 'waiting' });
  }

  #leave(): void {
    this.#round += 1;
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    this.#env.close();
  }

  #set(state: ConnectionState): void {
    this.#state = state;
    this.#env.changed(state);
  }
}
