import type { ClientEvents } from './events.js';
import type {
  CityWatched, ClientFrameBody, GetQuote, Point, Quote, Quotes, RequestTrip, Timestamp, Trip, WatchCity,
} from './gen/messages.js';
import type { DriveOptions, SendOptions } from './options.js';
import type { Answer, RequestKind } from './requests.js';
import type { ConnectionState } from './state.js';
import type { View } from './view.js';

/** A position as the device knows it. */
export interface Position {
  readonly lat: number;
  readonly lng: number;
  /** Clockwise from north. Unknown: leave it out, or `null` as browsers do. */
  readonly heading_deg?: number | null;
  /** Metres per second. */
  readonly speed_mps?: number | null;
  /** The radius of 68 % confidence in metres. */
  readonly accuracy_m?: number | null;
  /**
   * When the device took it, in milliseconds since 1970 by the device's clock; the client puts it right by the server's
   * clock. Default: now. It has to rise: the server drops a position that is not newer than the one before.
   */
  readonly takenAt?: number;
}

/** What became of an acceptance: the trip, or a decision at `award_at`, announced later by the event `offerClosed`. */
export type Acceptance =
  | { readonly won: true; readonly trip: Trip }
  | { readonly won: 'pending'; readonly award_at: Timestamp };

/** A message without its answer yet. */
export interface PendingRequest {
  readonly id: string;
  readonly kind: RequestKind;
  /** When it was first asked for, in milliseconds, this device's clock. */
  readonly since: number;
  /** The retryable error that came last, if any; the client will repeat the message. */
  readonly lastError?: string;
}

/**
 * One account's connection to Hexhail, over any number of sockets.
 *
 * Methods are bound: they can be handed on alone. All promises of commands and queries are rejected with a
 * `ProtocolError` when the server refused, with a `GaveUpError` when no answer came, and with a `QueueFullError` when
 * too many wait. They may be called in any state: what cannot be sent yet waits.
 */
export interface Client {
  /** Connects, and stays connected until `stop`. Without effect when it runs. */
  start(): void;
  /**
   * Closes the socket. Rejects what waits for an answer; persisted commands stay stored for the next `start`, unless
   * `forget` is true, as at a log-out. With `forget` the view is emptied, too.
   */
  stop(options?: { readonly forget?: boolean }): void;
  /** Ends a wait, or goes on after `replaced` and `refused`. Without effect when connected. */
  connectNow(): void;

  /** The connection. The same object until something changes. */
  readonly state: ConnectionState;
  /** What is known from the server. The same object until something changes; kept while disconnected. */
  readonly view: View;
  /** The messages that wait for an answer, oldest first. The same object until something changes. */
  readonly pending: readonly PendingRequest[];
  /** Calls `listener` after `state`, `view` or `pending` changed. Returns an end to it. Fits `useSyncExternalStore`. */
  subscribe(listener: () => void): () => void;
  /** Calls `listener` for each such event. Returns an end to it. */
  on<K extends keyof ClientEvents>(name: K, listener: (event: ClientEvents[K]) => void): () => void;
  /** The server's time in milliseconds since 1970, for `expires_at` and the like. The device's until first connected. */
  serverNow(): number;

  /** A driver wants offers. They come as soon as the server has a position. */
  goOnline(position?: Position, options?: SendOptions): Promise<void>;
  /** A driver wants no offers. */
  goOffline(options?: SendOptions): Promise<void>;
  /**
   * Sends a driver's position, if and when connected. Only the latest waits, and no more than one in
   * `locationIntervalMs` is sent. Call it at least every 5 seconds while online, also when standing still.
   */
  sendLocation(position: Position): void;
  acceptOffer(offerId: string, options?: SendOptions): Promise<Acceptance>;
  /** `reason`: up to 200 bytes. */
  declineOffer(offerId: string, reason?: string, options?: SendOptions): Promise<void>;
  /** The driver waits at the pickup. */
  arrived(tripId: string, options?: DriveOptions): Promise<Trip>;
  /** The ride begins. `pin`: the rider's 4 digits, where the operator asks for them. */
  startTrip(tripId: string, pin?: string, options?: SendOptions): Promise<Trip>;
  /** The ride has ended. The trip has its `fare`. */
  completeTrip(tripId: string, options?: DriveOptions): Promise<Trip>;

  /** What a ride would cost, for each vehicle class or the one given. */
  getQuote(query: GetQuote & { readonly pickup: Point; readonly dropoff: Point }, options?: SendOptions): Promise<readonly Quote[]>;
  /** The same with the way of the ride: `polyline`, for `decodePolyline`; empty where none along streets is known. */
  getQuotes(query: GetQuote & { readonly pickup: Point; readonly dropoff: Point }, options?: SendOptions): Promise<Quotes>;
  /** Asks for a ride. The search begins at once. */
  requestTrip(request: RequestTrip & { readonly pickup: Point; readonly dropoff: Point }, options?: SendOptions): Promise<Trip>;
  /** A rider ends the trip, and gets it. A driver gives it back, and gets nothing. `reason`: up to 200 bytes. */
  cancelTrip(tripId: string, reason?: string, options?: SendOptions): Promise<Trip | undefined>;
  /** Rates the other party of a completed trip, once. `stars`: 1 to 5; `comment`: up to 500 bytes, for operators only. */
  rateTrip(tripId: string, stars: number, comment?: string, options?: SendOptions): Promise<Trip>;

  /**
   * Watches the city, for operators: the event `city` tells it, first whole and then by what changes. The same is asked
   * for again after every reconnect, until `unwatchCity` or a newer `watchCity`. `cityWatched` tells each beginning.
   */
  watchCity(query: WatchCity, options?: SendOptions): Promise<CityWatched>;
  /** No more of it. */
  unwatchCity(options?: SendOptions): Promise<void>;

  /** Asks whether the server is there. Resolves to the server's time in milliseconds. */
  ping(options?: SendOptions): Promise<number>;
  /** Sends any message that is answered. The methods above are made of it. */
  request<K extends RequestKind>(kind: K, body: ClientFrameBody[K], options?: SendOptions): Promise<Answer<K>>;
}
