/** What a client proves its account with: an access token, or a ticket of `POST /v1/tickets`. */
export type Credentials = { readonly token: string } | { readonly ticket: string };

/** What `credentials` is called with. */
export interface CredentialsRequest {
  /** True when the last ones were not accepted or have expired: refresh the access token instead of returning it again. */
  readonly fresh: boolean;
}

/** The part of the browser's WebSocket that the client uses. The `ws` package's class fits, too. */
export interface WebSocketLike {
  binaryType: string;
  readonly bufferedAmount: number;
  /** As browsers count: above 1 it closes or is closed. */
  readonly readyState?: number;
  readonly protocol: string;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
}

export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike;

/** Time, for tests. The default is the machine's. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls `run` once, `ms` from now, unless the function that it returns was called before. */
  after(ms: number, run: () => void): () => void;
}

/** What a device tells about its network and its screen. In browsers the default listens to the window. */
export interface Surroundings {
  /** False only if the device is sure to have no network. */
  isOnline(): boolean;
  /** `online` and `offline` follow the network; `visible`: the page is on the screen again. Returns an end to it. */
  watch(listener: (signal: 'online' | 'offline' | 'visible') => void): () => void;
}

/** A place for strings that outlives the page, such as `localStorage`. */
export interface StorageLike {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/** Keeps unanswered commands over a reload of the page, so that they are repeated with the same id. */
export interface Persistence {
  readonly storage: StorageLike;
  /**
   * Where in the storage. Put the account into it: another person's commands must not be sent. Two tabs must not share
   * it at once; they cannot both be connected anyway.
   */
  readonly key: string;
  /** Older commands are dropped at the start, in milliseconds: a ride requested this morning is no longer wanted. Default: 2 minutes. */
  readonly maxAgeMs?: number;
}

export interface ClientOptions {
  /** `wss://rides.example.org/v1/ws`, or several that are tried in turn. `https:` is read as `wss:`. */
  readonly url: string | readonly string[];
  /**
   * Called before each connect. `null` means that there are none: the person has to log in (`refused`,
   * `unauthenticated`). A rejection counts as a failing network: the client waits, and tries again.
   */
  readonly credentials: (request: CredentialsRequest) => Promise<Credentials | null> | Credentials | null;
  /** How messages travel; both say the same. Default: `proto`, which is smaller. `json` can be read by people. */
  readonly encoding?: 'proto' | 'json';
  /** Default: the global one. Node before 22 has none: pass the class of the `ws` package. */
  readonly WebSocket?: WebSocketConstructor;
  /** A short name of the app with its version for the operator's log, up to 100 bytes. */
  readonly name?: string;
  readonly persistence?: Persistence;
  /** Whether a driver who chose to be online is put online again after the server forgot it. Default: true. */
  readonly keepOnline?: boolean;
  /** Most commands and queries without an answer. Default: 32. */
  readonly queueLimit?: number;
  /** The least time between two locations, in milliseconds. Default: 1000. */
  readonly locationIntervalMs?: number;
  /** How long an attempt to connect may take, in milliseconds. Default: 10,000. */
  readonly connectTimeoutMs?: number;
  readonly clock?: Clock;
  /** A number from 0 up to, not including, 1; for tests. */
  readonly random?: () => number;
  /** Makes ids of commands, unique for the account; for tests. Default: random UUIDs. */
  readonly newId?: () => string;
  readonly surroundings?: Surroundings;
}

/** How one command or query is sent. */
export interface SendOptions {
  /** Ends the wait; the promise is rejected with a `GaveUpError`, and the message is not sent (again). */
  readonly signal?: AbortSignal;
  /** The longest wait for an answer in milliseconds, over reconnects. Each kind has its own default; see the README. */
  readonly giveUpAfterMs?: number;
  /**
   * The longest `retry_after_ms` to obey in silence, in milliseconds. Longer ones reject with the retryable error, for
   * the person to see. Default: 10,000.
   */
  readonly patienceMs?: number;
}

/** How to say that a driver is somewhere. */
export interface DriveOptions extends SendOptions {
  /** Why there, where that is not the pickup or the drop-off: up to 200 bytes. */
  readonly reason?: string;
}
