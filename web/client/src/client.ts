import type { Acceptance, Client, PendingRequest, Position } from './api.js';
import { CityWatch } from './city.js';
import { ServerClock, systemClock } from './clock.js';
import { Connection } from './connection.js';
import { Emitter } from './emitter.js';
import { GaveUpError, ProtocolError } from './errors.js';
import type { ClientEvents } from './events.js';
import type {
  CityWatched, ClientFrameBody, Connected, GetQuote, Point, Reply, RequestTrip, ServerFrame, Trip, WatchCity,
} from './gen/messages.js';
import { randomId } from './ids.js';
import { applyConnected, applyEvent, applyReply } from './knowledge/apply.js';
import { ignorance, without, type Knowledge, type Step } from './knowledge/knowledge.js';
import { expireOffers, nextExpiry } from './knowledge/offers.js';
import { locationOf, LocationSender, takenBy } from './locations.js';
import type { ClientOptions, Credentials, DriveOptions, SendOptions, WebSocketConstructor } from './options.js';
import { RequestQueue } from './queue.js';
import type { Answer, RequestKind } from './requests.js';
import { Session } from './session.js';
import type { ConnectionState } from './state.js';
import { CommandStore } from './store.js';
import { systemSurroundings } from './surroundings.js';
import type { View } from './view.js';
import { codecs, type Codec } from './wire/codec.js';

/**
 * Makes a client. It does nothing until `start` is called.
 *
 * Throws a `TypeError` if there is no WebSocket class, or no address.
 */
export function createClient(options: ClientOptions): Client {
  return new HexhailClient(options);
}

type Listeners = ClientEvents & { changed: undefined };

class HexhailClient implements Client {
  readonly #options: ClientOptions;
  readonly #codec: Codec;
  readonly #WebSocket: WebSocketConstructor;
  readonly #urls: readonly string[];
  readonly #emitter = new Emitter<Listeners>();
  readonly #clock;
  readonly #serverClock: ServerClock;
  readonly #queue: RequestQueue;
  readonly #locations: LocationSender;
  readonly #connection: Connection;
  readonly #city = new CityWatch();
  #session: Session | undefined;
  #opened = 0;
  #knowledge: Knowledge = ignorance;
  #stopExpiry: (() => void) | undefined;
  /** What the driver chose: undefined until something is known of it. */
  #wantsOnline: boolean | undefined;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#codec = codecs[options.encoding ?? 'proto'];
    this.#WebSocket = options.WebSocket ?? globalWebSocket();
    this.#urls = [options.url].flat();
    if (this.#urls.length === 0) throw new TypeError('url: at least one address is needed');
    const clock = options.clock ?? systemClock;
    const random = options.random ?? Math.random;
    this.#clock = clock;
    this.#serverClock = new ServerClock(clock);
    this.#queue = new RequestQueue({
      clock,
      random,
      newId: options.newId ?? randomId,
      limit: options.queueLimit ?? 32,
      store: new CommandStore(options.persistence),
      encode: (frame) => this.#codec.encode(frame),
      changed: () => this.#notify(),
      restored: (id, kind, result) =>
        this.#emitter.emit('restored', {
          id,
          kind,
          ...(result instanceof ProtocolError ? { error: result } : result.trip && { trip: result.trip }),
        }),
    });
    this.#locations = new LocationSender(clock, this.#serverClock, options.locationIntervalMs ?? 1_000);
    this.#connection = new Connection({
      credentials: options.credentials,
      clock,
      random,
      surroundings: options.surroundings ?? systemSurroundings,
      open: (credentials) => this.#open(credentials),
      close: () => this.#close(),
      probe: () => this.#session?.probe(),
      changed: (state) => this.#stateChanged(state),
    });
  }

  // ---------------------------------------------------------------- what callers see

  get state(): ConnectionState {
    return this.#connection.state;
  }

  get view(): View {
    return this.#knowledge.view;
  }

  get pending(): readonly PendingRequest[] {
    return this.#queue.pending;
  }

  readonly subscribe = (listener: () => void): (() => void) => this.#emitter.on('changed', listener);

  readonly on = <K extends keyof ClientEvents>(name: K, listener: (event: ClientEvents[K]) => void): (() => void) =>
    this.#emitter.on(name, listener);

  readonly serverNow = (): number => this.#serverClock.now();

  // ---------------------------------------------------------------- start and stop

  readonly start = (): void => {
    if (this.state.status === 'idle' || this.state.status === 'stopped') this.#queue.restore();
    this.#connection.start();
  };

  readonly stop = ({ forget = false }: { readonly forget?: boolean } = {}): void => {
    this.#connection.stop();
    this.#queue.clear((sent) => new GaveUpError('stopped', sent), !forget);
    this.#locations.forget();
    if (!forget) return;
    this.#wantsOnline = undefined;
    this.#city.wanted = undefined;
    this.#take({ knowledge: ignorance, changes: [] });
  };

  readonly connectNow = (): void => this.#connection.connectNow();

  // ---------------------------------------------------------------- drivers

  readonly goOnline = async (position?: Position, options?: SendOptions): Promise<void> => {
    this.#wantsOnline = true;
    try {
      await this.request('go_online', position ? { location: this.#location(position) } : {}, options);
    } catch (error) {
      if (error instanceof ProtocolError) this.#wantsOnline = false;
      throw error;
    }
  };

  readonly goOffline = async (options?: SendOptions): Promise<void> => {
    this.#wantsOnline = false;
    await this.request('go_offline', {}, options);
  };

  readonly sendLocation = (position: Position): void => this.#locations.set(position);

  readonly acceptOffer = async (offerId: string, options?: SendOptions): Promise<Acceptance> => {
    const { trip, accept_pending } = await this.request('accept_offer', { offer_id: offerId }, options);
    return accept_pending ? { won: 'pending', award_at: accept_pending.award_at } : { won: true, trip: given(trip) };
  };

  readonly declineOffer = async (offerId: string, reason = '', options?: SendOptions): Promise<void> => {
    await this.request('decline_offer', { offer_id: offerId, reason }, options);
  };

  readonly arrived = (tripId: string, options?: DriveOptions): Promise<Trip> =>
    this.#tripAfter('arrived', { trip_id: tripId, ...(options?.reason && { reason: options.reason }) }, options);

  readonly startTrip = (tripId: string, pin = '', options?: SendOptions): Promise<Trip> =>
    this.#tripAfter('start_trip', { trip_id: tripId, pin }, options);

  readonly completeTrip = (tripId: string, options?: DriveOptions): Promise<Trip> =>
    this.#tripAfter('complete_trip', { trip_id: tripId, ...(options?.reason && { reason: options.reason }) }, options);

  // ---------------------------------------------------------------- riders, and both

  readonly getQuote = async (query: GetQuote & { readonly pickup: Point; readonly dropoff: Point }, options?: SendOptions) =>
    (await this.getQuotes(query, options)).quotes;

  readonly getQuotes = async (query: GetQuote & { readonly pickup: Point; readonly dropoff: Point }, options?: SendOptions) =>
    given((await this.request('get_quote', query, options)).quotes);

  readonly requestTrip = (
    request: RequestTrip & { readonly pickup: Point; readonly dropoff: Point },
    options?: SendOptions,
  ): Promise<Trip> => this.#tripAfter('request_trip', request, options);

  readonly cancelTrip = async (tripId: string, reason = '', options?: SendOptions): Promise<Trip | undefined> =>
    (await this.request('cancel_trip', { trip_id: tripId, reason }, options)).trip;

  readonly rateTrip = (tripId: string, stars: number, comment = '', options?: SendOptions): Promise<Trip> =>
    this.#tripAfter('rate_trip', { trip_id: tripId, stars, comment }, options);

  readonly ping = async (options?: SendOptions): Promise<number> =>
    Date.parse(given((await this.request('ping', {}, options)).pong).server_time);

  readonly request = async <K extends RequestKind>(
    kind: K,
    body: ClientFrameBody[K],
    options?: SendOptions,
  ): Promise<Answer<K>> => {
    return without(await this.#queue.add(kind, body, options), 'id') as Answer<K>;
  };

  // ---------------------------------------------------------------- operators

  readonly watchCity = async (query: WatchCity, options?: SendOptions): Promise<CityWatched> => {
    this.#city.wanted = query;
    this.#city.ended();
    try {
      return given((await this.request('watch_city', query, options)).city_watched);
    } catch (error) {
      // Refused once, it would be refused after each reconnect.
      if (error instanceof ProtocolError && this.#city.wanted === query) this.#city.wanted = undefined;
      throw error;
    }
  };

  readonly unwatchCity = async (options?: SendOptions): Promise<void> => {
    this.#city.wanted = undefined;
    this.#city.ended();
    await this.request('unwatch_city', {}, options);
  };

  async #tripAfter<K extends 'arrived' | 'start_trip' | 'complete_trip' | 'request_trip' | 'rate_trip'>(
    kind: K,
    body: ClientFrameBody[K],
    options?: SendOptions,
  ): Promise<Trip> {
    const answer: { readonly trip?: Trip } = await this.request(kind, body, options);
    return given(answer.trip);
  }

  // ---------------------------------------------------------------- sessions

  #open(credentials: Credentials): void {
    const { history } = this.#knowledge;
    const url = this.#urls[this.#opened % this.#urls.length] ?? '';
    this.#opened += 1;
    const session = new Session({
      url: socketUrl(url),
      codec: this.#codec,
      WebSocket: this.#WebSocket,
      clock: this.#clock,
      connectId: randomId(),
      connect: {
        ...credentials,
        ...(history && { resume: history }),
        ...(this.#options.name && { client: this.#options.name }),
      },
      timeoutMs: this.#options.connectTimeoutMs ?? 10_000,
      onConnected: (connected) => this.#connected(session, connected),
      onFrame: (frame) => this.#frame(session, frame),
      onServerTime: (time, sentAt) => this.#serverClock.sample(time, sentAt),
      onEnd: (end) => {
        // A history in which something could not be read would be lost at the same place again.
        if (end.found === 'unreadable') this.#knowledge = without(this.#knowledge, 'history');
        this.#connection.ended(end);
      },
    });
    this.#session = session;
  }

  #close(): void {
    this.#session?.close();
    this.#session = undefined;
    this.#queue.disconnected();
    this.#city.ended();
    this.#locations.disconnected();
  }

  #connected(session: Session, connected: Connected): void {
    const { account_id, role, session_id, resumed, online, position_ttl_ms } = connected;
    const step = applyConnected(this.#knowledge, connected);
    this.#connection.connected({ status: 'connected', accountId: account_id, role, sessionId: session_id, resumed });
    this.#take(step);
    if (this.#session !== session) return; // a listener stopped the client
    this.#wantsOnline ??= online;
    this.#queue.connected((data) => session.send(data), account_id, online);
    this.#keepOnline(online);
    this.#keepWatching();
    const send: (location: ClientFrameBody['location']) => void = (location) => session.send(this.#codec.encode({ location }));
    this.#locations.connected({ send, buffered: () => session.buffered }, position_ttl_ms);
  }

  /** The choice to be online does not survive a restart of the server, nor minutes without a session. */
  #keepOnline(online: boolean): void {
    if (online || !this.#wantsOnline || this.#options.keepOnline === false) return;
    if (this.#queue.has('go_online', 'go_offline')) return;
    this.request('go_online', {}).catch((error: unknown) => {
      if (!(error instanceof ProtocolError)) return;
      this.#wantsOnline = false;
      this.#emitter.emit('refused', { kind: 'go_online', error });
    });
  }

  /** A watch ends with its session. */
  #keepWatching(): void {
    const { wanted } = this.#city;
    if (!wanted || this.#queue.has('watch_city', 'unwatch_city')) return;
    this.watchCity(wanted).catch((error: unknown) => {
      if (error instanceof ProtocolError) this.#emitter.emit('refused', { kind: 'watch_city', error });
    });
  }

  #frame(session: Session, { reply, event }: ServerFrame): void {
    if (reply) this.#reply(reply);
    if (!event || (event.city_changed && !this.#city.concerns(event.city_changed))) return;
    const step = applyEvent(this.#knowledge, event);
    this.#take(step);
    if (step.gap && this.#session === session) session.closeForGap();
  }

  #reply(reply: Reply): void {
    const answered = this.#queue.reply(reply);
    if (answered) {
      this.#take(applyReply(this.#knowledge, reply, answered.asked));
      answered.done();
      if (reply.city_watched) {
        this.#city.began(reply.city_watched);
        this.#emitter.emit('cityWatched', reply.city_watched);
      }
    } else if (reply.error && reply.id === '') {
      this.#emitter.emit('refused', { kind: 'location', error: new ProtocolError(reply.error) });
    }
  }

  // ---------------------------------------------------------------- changes

  #take({ knowledge, changes }: Step): void {
    const changed = knowledge.view !== this.#knowledge.view;
    this.#knowledge = knowledge;
    this.#watchExpiry();
    if (changed) this.#notify();
    for (const { name, event } of changes) this.#emitter.emit(name, event);
  }

  #watchExpiry(): void {
    this.#stopExpiry?.();
    this.#stopExpiry = undefined;
    const next = nextExpiry(this.#knowledge);
    if (next === Infinity) return;
    const expire = () => this.#take(expireOffers(this.#knowledge, this.#serverClock.now()));
    this.#stopExpiry = this.#clock.after(Math.max(0, next - this.#serverClock.now()), expire);
  }

  #stateChanged(state: ConnectionState): void {
    if (state.status === 'refused') {
      const { code, message } = state;
      this.#queue.clear(() => new ProtocolError({ code, message }), false);
    }
    this.#notify();
    this.#emitter.emit('state', state);
  }

  #notify(): void {
    this.#emitter.emit('changed', undefined);
  }

  #location(position: Position) {
    return locationOf(position, this.#serverClock.fromDevice(takenBy(this.#clock.now(), position.takenAt)));
  }
}

/** An answer that the server owes. */
function given<T>(value: T | undefined): T {
  if (value === undefined) throw new ProtocolError({ code: 'unexpected_reply', message: 'The answer is of another kind.' });
  return value;
}

function globalWebSocket(): WebSocketConstructor {
  const { WebSocket } = globalThis as { readonly WebSocket?: WebSocketConstructor };
  if (!WebSocket) throw new TypeError('There is no WebSocket here: pass a class for it, such as that of the ws package');
  return WebSocket;
}

/** The address of a socket: relative ones are of the page, and http means ws. */
function socketUrl(url: string): string {
  const absolute = new URL(url, typeof location === 'undefined' ? undefined : location.href);
  absolute.protocol = absolute.protocol.replace('http', 'ws');
  return absolute.href;
}
