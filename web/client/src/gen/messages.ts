// Made by scripts/protoc-gen-messages.mjs from hexhail.proto. Do not edit.

/** A time as RFC 3339 has it, in UTC: `2026-11-22T15:24:57.023474Z`. `Date.parse` reads it. */
export type Timestamp = string;

/** Messages and times that the server never leaves out; should one be absent all the same, it reads as its zero. */
export const alwaysSet: ReadonlySet<string> = new Set([
  'AcceptPending.award_at',
  'Connected.server_time',
  'DriverMoved.point',
  'Estimate.fare',
  'FareBreakdown.total',
  'Offer.expires_at',
  'Offer.fare',
  'Offer.pickup_area',
  'OfferReceived.offer',
  'Pong.server_time',
  'Quote.fare',
  'RouteChanged.route',
  'Search.expires_at',
  'TripUpdated.trip',
]);

export type Role =
  | 'role_unspecified'
  | 'rider'
  | 'driver'
  | 'operator';

/** What a ClientFrame carries: exactly one of these, under its name. */
export interface ClientFrameBody {
  readonly connect: Connect;
  readonly ping: Ping;
  readonly go_online: GoOnline;
  readonly go_offline: GoOffline;
  readonly location: LocationReport;
  readonly get_quote: GetQuote;
  readonly request_trip: RequestTrip;
  readonly cancel_trip: CancelTrip;
  readonly accept_offer: AcceptOffer;
  readonly decline_offer: DeclineOffer;
  readonly arrived: MarkArrived;
  readonly start_trip: StartTrip;
  readonly complete_trip: CompleteTrip;
  readonly rate_trip: RateTrip;
  readonly watch_city: WatchCity;
  readonly unwatch_city: UnwatchCity;
}

/**
 * ClientFrame is anything that a client may send: one message and, except for locations, an id that
 * the reply carries.
 */
export interface ClientFrame {
  /**
   * Chosen by the client, 1 to 64 bytes, unique within its account for 24 hours. It makes commands
   * idempotent; queries use it only to match the reply.
   */
  readonly id?: string;
  readonly connect?: Connect;
  readonly ping?: Ping;
  readonly go_online?: GoOnline;
  readonly go_offline?: GoOffline;
  readonly location?: LocationReport;
  readonly get_quote?: GetQuote;
  readonly request_trip?: RequestTrip;
  readonly cancel_trip?: CancelTrip;
  readonly accept_offer?: AcceptOffer;
  readonly decline_offer?: DeclineOffer;
  readonly arrived?: MarkArrived;
  readonly start_trip?: StartTrip;
  readonly complete_trip?: CompleteTrip;
  readonly rate_trip?: RateTrip;
  readonly watch_city?: WatchCity;
  readonly unwatch_city?: UnwatchCity;
}

/** What a ServerFrame carries: exactly one of these, under its name. */
export interface ServerFrameKind {
  readonly reply: Reply;
  readonly event: ServerEvent;
}

/** ServerFrame is anything that the server may send. */
export interface ServerFrame {
  readonly reply?: Reply;
  readonly event?: ServerEvent;
}

/** What a Reply carries: exactly one of these, under its name. */
export interface ReplyResult {
  readonly error: ErrorReply;
  readonly connected: Connected;
  readonly pong: Pong;
  readonly done: Done;
  readonly quotes: Quotes;
  readonly trip: Trip;
  readonly accept_pending: AcceptPending;
  readonly city_watched: CityWatched;
}

/**
 * Reply answers the client frame with the same id. Each frame with an id gets
 * exactly one reply on the session that sent it, or the session ends.
 */
export interface Reply {
  readonly id: string;
  readonly error?: ErrorReply;
  readonly connected?: Connected;
  readonly pong?: Pong;
  /** go_online, go_offline, decline_offer, unwatch_city, and a driver's cancel_trip. */
  readonly done?: Done;
  /** get_quote. */
  readonly quotes?: Quotes;
  /**
   * request_trip, a rider's cancel_trip, arrived, start_trip, complete_trip, rate_trip,
   * and accept_offer when it won.
   */
  readonly trip?: Trip;
  /**
   * accept_offer under a policy that compares acceptances before it awards the trip: the outcome
   * follows as offer_closed.
   */
  readonly accept_pending?: AcceptPending;
  /** watch_city. The snapshot follows at once, as city_changed. */
  readonly city_watched?: CityWatched;
}

/** What a ServerEvent carries: exactly one of these, under its name. */
export interface ServerEventBody {
  readonly trip_updated: TripUpdated;
  readonly offer_received: OfferReceived;
  readonly offer_closed: OfferClosed;
  readonly driver_moved: DriverMoved;
  readonly disconnecting: Disconnecting;
  readonly city_changed: CityChanged;
  readonly approval_changed: ApprovalChanged;
  readonly route_changed: RouteChanged;
}

/** Event is something that happened. Events arrive in the order in which they happened. */
export interface ServerEvent {
  /** Names the history in which seq counts. It changes when the server has lost that history. */
  readonly epoch: string;
  /**
   * Increases by one with each event, without gaps. A driver_moved, a route_changed, a city_changed
   * and a disconnecting repeat the last number: they are not part of the history and are not replayed.
   */
  readonly seq: number;
  readonly trip_updated?: TripUpdated;
  readonly offer_received?: OfferReceived;
  readonly offer_closed?: OfferClosed;
  readonly driver_moved?: DriverMoved;
  readonly disconnecting?: Disconnecting;
  readonly city_changed?: CityChanged;
  readonly approval_changed?: ApprovalChanged;
  readonly route_changed?: RouteChanged;
}

/** Error is the refusal of a client frame. */
export interface ErrorReply {
  /** Stable, lower snake case; docs/protocol.md lists them all. */
  readonly code: string;
  /** A sentence for a developer or a log, never for branching. */
  readonly message: string;
  /** Whether the same frame may succeed later, unchanged. */
  readonly retryable: boolean;
  /** How long to wait before retrying, in milliseconds; 0 when the server gives no hint. */
  readonly retry_after_ms: number;
  /** The invalid field, if any, as a path such as "request_trip.pickup". */
  readonly field: string;
}

/** Connect is the first frame of every session, due within 5 seconds. */
export interface Connect {
  /**
   * An access token. Empty when the handshake carried an Authorization header
   * or when a ticket is given.
   */
  readonly token?: string;
  /** A one-use ticket from POST /v1/tickets, valid for 30 seconds. */
  readonly ticket?: string;
  /** Where the client's history ends, to resume from; absent on a first connect. */
  readonly resume?: Resume;
  /** A short name of the app and its version, for the operator's log. */
  readonly client?: string;
}

export interface Resume {
  readonly epoch?: string;
  readonly seq?: number;
}

/**
 * Connected is the reply to connect. The snapshot (active_trip, route, open_offers, online) is the
 * whole view as of seq.
 */
export interface Connected {
  readonly session_id: string;
  readonly epoch: string;
  /**
   * The newest event's number. After a resume, the events between the client's
   * number and this one follow at once.
   */
  readonly seq: number;
  /**
   * True: the missed events follow. False: the history was lost (or the client did not ask for it),
   * and the snapshot replaces the client's state.
   */
  readonly resumed: boolean;
  readonly account_id: string;
  readonly role: Role;
  /** The driver's choice as the server knows it. Always false for a rider. */
  readonly online: boolean;
  readonly active_trip?: Trip;
  readonly open_offers: readonly Offer[];
  readonly server_time: Timestamp;
  /**
   * The interval of the server's pings, in milliseconds; a client that receives nothing for twice
   * as long should reconnect.
   */
  readonly heartbeat_ms: number;
  /** A driver whose last position is older than this, in milliseconds, gets no offers. */
  readonly position_ttl_ms: number;
  /** Whether this driver may drive; absent for riders and operators. */
  readonly approval?: Approval;
  /**
   * The planned route of the active trip; absent while the server has none. One that it finds later
   * follows as route_changed.
   */
  readonly route?: TripRoute;
}

/** Approval is an operator's decision about a driver. */
export interface Approval {
  /** "pending", "approved" or "refused". Only an approved driver can go online. */
  readonly state: string;
  /** Why the driver was refused, in the operator's words. */
  readonly reason: string;
}

/**
 * ApprovalChanged tells a driver that an operator has decided. A refused driver is offline from
 * then on; an active trip continues to its end.
 */
export interface ApprovalChanged {
  readonly approval?: Approval;
}

export type Ping = Readonly<Record<never, never>>;

export interface Pong {
  readonly server_time: Timestamp;
}

/** Done says that a command took effect and returns nothing else. */
export type Done = Readonly<Record<never, never>>;

/** Disconnecting is the last event before the server closes the socket. */
export interface Disconnecting {
  /** The close code that follows: 4000-4499 reconnect, 4500-4999 do not. */
  readonly close_code: number;
  /** A stable word, such as "shutdown" or "replaced". */
  readonly reason: string;
  /** When to reconnect, in milliseconds, including jitter. 0: at once, or never. */
  readonly retry_after_ms: number;
}

/** A WGS84 position in degrees. Up to 7 decimals count. */
export interface Point {
  readonly lat: number;
  readonly lng: number;
}

/** Money in minor units (cents, or won where a currency has none). */
export interface Money {
  readonly minor: number;
  /** ISO 4217. */
  readonly currency: string;
}

/** GoOnline makes a driver available for offers. */
export interface GoOnline {
  /** Optional; without it the driver becomes available with the next location. */
  readonly location?: LocationReport;
}

export type GoOffline = Readonly<Record<never, never>>;

/** Location is a driver's position. It gets no reply unless it is refused. */
export interface LocationReport {
  readonly point?: Point;
  /**
   * Clockwise from north, 0 to 360 degrees. Unknown when left out or impossible; the same goes for
   * the next two.
   */
  readonly heading_deg?: number;
  /** Metres per second. */
  readonly speed_mps?: number;
  /** Radius of 68 % confidence in metres; 0 when unknown. */
  readonly accuracy_m?: number;
  /** When the device measured the position. */
  readonly device_time?: Timestamp;
}

/**
 * Offer proposes a trip to one driver. The pickup is deliberately coarse: the precise one comes
 * with the match.
 */
export interface Offer {
  readonly id: string;
  readonly trip_id: string;
  /** The centre of the H3 cell that holds the pickup. */
  readonly pickup_area: Point;
  /** The radius of that cell in metres. */
  readonly pickup_radius_m: number;
  /**
   * The driver's route to the centre of that area, rounded up to multiples of pickup_radius_m and
   * of 60 seconds.
   */
  readonly pickup_distance_m: number;
  readonly pickup_eta_s: number;
  /** The trip itself, estimated from the pickup's area to the dropoff's. */
  readonly trip_distance_m: number;
  readonly trip_duration_s: number;
  readonly fare: Money;
  readonly vehicle_class: string;
  readonly passengers: number;
  readonly expires_at: Timestamp;
  /** Which round of offers this belongs to, from 1. */
  readonly wave: number;
  /**
   * The rider's mean stars times 100, rounded to tenths of a star so that it does not identify the
   * rider; 0 while unrated.
   */
  readonly rider_rating_x100: number;
}

export interface AcceptOffer {
  readonly offer_id?: string;
}

export interface DeclineOffer {
  readonly offer_id?: string;
  /** Optional, up to 200 bytes. */
  readonly reason?: string;
}

export interface AcceptPending {
  readonly offer_id: string;
  /** When the winner is chosen. */
  readonly award_at: Timestamp;
}

export interface OfferReceived {
  readonly offer: Offer;
}

export type OfferClosedOutcome =
  | 'outcome_unspecified'
  /** This driver has the trip. */
  | 'won'
  /** Another driver won, or the trip ended. */
  | 'withdrawn'
  /** Not answered in time. */
  | 'expired'
  /** Refused by this driver. */
  | 'declined';

/** OfferClosed is the end of an offer; there is exactly one for each. */
export interface OfferClosed {
  readonly offer_id: string;
  readonly trip_id: string;
  readonly outcome: OfferClosedOutcome;
  /** A stable word: "taken", "trip_cancelled", "trip_expired", "driver_busy", "went_offline", ... */
  readonly reason: string;
}

/** MarkArrived says that the driver is waiting at the pickup. */
export interface MarkArrived {
  readonly trip_id?: string;
  /** Optional, up to 200 bytes: why the driver is not at the pickup. */
  readonly reason?: string;
}

/** StartTrip begins the ride. */
export interface StartTrip {
  readonly trip_id?: string;
  /** The rider's 4 digits, if the operator requires them. */
  readonly pin?: string;
}

/** CompleteTrip ends the ride at the dropoff. */
export interface CompleteTrip {
  readonly trip_id?: string;
  /** Optional, up to 200 bytes: why the ride ends elsewhere. */
  readonly reason?: string;
}

export interface GetQuote {
  readonly pickup?: Point;
  readonly dropoff?: Point;
  /** Empty: all classes. */
  readonly vehicle_class?: string;
}

export interface Quotes {
  readonly quotes: readonly Quote[];
  /**
   * The way from the pickup to the dropoff along the streets, for all classes: an encoded polyline with 5
   * decimals, latitude before longitude. Empty where none is known.
   */
  readonly polyline: string;
}

export interface Quote {
  readonly vehicle_class: string;
  readonly distance_m: number;
  readonly duration_s: number;
  readonly fare: Money;
  /**
   * The nearest available driver's time to the pickup, estimated from the driver's cell to the
   * pickup's and rounded up to whole minutes; 0 when drivers_nearby is 0.
   */
  readonly pickup_eta_s: number;
  /** Available drivers near the pickup, counted up to a small cap. */
  readonly drivers_nearby: number;
}

export interface RequestTrip {
  readonly pickup?: Point;
  readonly dropoff?: Point;
  /** Up to 200 bytes each. */
  readonly pickup_address?: string;
  readonly dropoff_address?: string;
  /** Empty: the operator's default class. */
  readonly vehicle_class?: string;
  /** 0 means 1. */
  readonly passengers?: number;
  /** For the driver who wins, up to 500 bytes. */
  readonly note?: string;
}

/**
 * CancelTrip from the rider ends the trip. From the driver it gives the trip back, and the trip is
 * offered to others.
 */
export interface CancelTrip {
  readonly trip_id?: string;
  /** Optional, up to 200 bytes. */
  readonly reason?: string;
}

/** RateTrip rates the other party of a completed trip, once. */
export interface RateTrip {
  readonly trip_id?: string;
  /** 1 to 5. */
  readonly stars?: number;
  /** Up to 500 bytes; shown to operators only. */
  readonly comment?: string;
}

/** DriverMoved is a position of the driver of the rider's active trip. */
export interface DriverMoved {
  readonly trip_id: string;
  readonly point: Point;
  readonly heading_deg: number;
  /** To the pickup before the ride, to the dropoff during it. */
  readonly eta_s: number;
  readonly device_time?: Timestamp;
  /**
   * What is left of the route of that revision, in metres; eta_s is the time for it. Without a
   * meaning when route_revision is 0.
   */
  readonly left_m: number;
  readonly route_revision: number;
}

/**
 * RouteChanged carries the route that replaces the one before: when the driver sets out for the
 * pickup, when the ride begins, and when the driver has left the planned route. To the rider and the
 * driver of the trip.
 */
export interface RouteChanged {
  readonly route: TripRoute;
}

export type TripRouteLeg =
  | 'leg_unspecified'
  /** To the pickup. */
  | 'pickup'
  /** From the pickup to the dropoff. */
  | 'ride';

/** Who planned it. */
export type TripRouteBy =
  | 'by_unspecified'
  /** The server's map of the streets. */
  | 'streets'
  | 'osrm'
  | 'valhalla'
  /** No source knew a way: the line is straight, and the length and the time are estimates. */
  | 'crow';

/** TripRoute is how a driver is expected to drive to the pickup, or from there to the dropoff. */
export interface TripRoute {
  readonly trip_id: string;
  /** Rises with each route of a trip, not always by one. */
  readonly revision: number;
  readonly leg: TripRouteLeg;
  readonly by: TripRouteBy;
  /**
   * The line in the encoded polyline format with 5 decimals: latitude before longitude, at least 2
   * points and at most 4,000. It begins and ends on the streets where the driver was and the goal is.
   */
  readonly polyline: string;
  readonly distance_m: number;
  readonly duration_s: number;
  /**
   * What the driver has to do, in order; the last step is arrive. To the driver only, and empty where
   * the turns are unknown.
   */
  readonly steps: readonly RouteStep[];
  /** Identifies the map of which the route is; empty: none. */
  readonly map_id: string;
}

/** What to do at its beginning. */
export type RouteStepTurn =
  | 'turn_unspecified'
  | 'depart'
  /** Turn round. */
  | 'round'
  | 'sharp_left'
  | 'left'
  | 'slight_left'
  | 'straight'
  | 'slight_right'
  | 'right'
  | 'sharp_right'
  /** Enter a roundabout, and leave it by exit. */
  | 'roundabout'
  | 'arrive';

/** RouteStep is a part of a route along one street. */
export interface RouteStep {
  readonly turn: RouteStepTurn;
  /** The street to drive along; empty if it has no name. */
  readonly street: string;
  /** Of a roundabout: which exit to take, from 1; otherwise 0. */
  readonly exit: number;
  /** The length of the step and the time that it takes. */
  readonly distance_m: number;
  readonly duration_s: number;
  /** The point of the polyline at which it begins, from 0. */
  readonly index: number;
}

/**
 * TripUpdated carries the whole trip as the receiver may see it. Versions only increase; a client
 * ignores one older than its own.
 */
export interface TripUpdated {
  readonly trip: Trip;
  /** What happened: the name of the newest event, such as "matched". */
  readonly change: string;
  /** Why the trip has another driver: with "exchanged", and with "released" to the driver who had it. */
  readonly exchange?: Exchange;
}

/** Exchange says why a trip has another driver before the pickup. */
export interface Exchange {
  readonly reason: string;
  /** To the rider: by how much sooner the new driver is expected; 0: not sooner. */
  readonly sooner_s: number;
}

export type TripStatus =
  | 'status_unspecified'
  | 'requested'
  | 'matched'
  | 'arrived'
  | 'in_progress'
  | 'completed'
  | 'cancelled'
  | 'expired';

export interface Trip {
  readonly id: string;
  /** The number of events so far. */
  readonly version: number;
  readonly status: TripStatus;
  readonly pickup?: Point;
  readonly dropoff?: Point;
  readonly pickup_address: string;
  readonly dropoff_address: string;
  readonly vehicle_class: string;
  readonly passengers: number;
  readonly note: string;
  readonly estimate?: Estimate;
  /** Set from completed on. */
  readonly fare?: FareBreakdown;
  /** The rider sees the driver from matched on; the driver sees the rider. */
  readonly driver?: DriverCard;
  readonly rider?: RiderCard;
  /** To the rider only, if the operator requires it, from matched until started. */
  readonly pin: string;
  /** While requested, to the rider and to operators. */
  readonly search?: Search;
  /** The driver's estimated time to the pickup at the match. */
  readonly pickup_eta_s: number;
  readonly cancellation?: Cancellation;
  readonly requested_at?: Timestamp;
  readonly matched_at?: Timestamp;
  readonly arrived_at?: Timestamp;
  readonly started_at?: Timestamp;
  readonly ended_at?: Timestamp;
  /** The stars that the receiver gave; 0 if none yet. Operators see both. */
  readonly stars_by_rider: number;
  readonly stars_by_driver: number;
  /**
   * Where the driver was when it sent arrived, and complete_trip. Absent before that, in
   * older trips, and where a time limit ended the ride.
   */
  readonly arrival?: Mark;
  readonly completion?: Mark;
}

/**
 * Mark is where a driver was, by the newest position, when the driver reported an arrival or a
 * completion.
 */
export interface Mark {
  /** Whether a position was known; if not, the next three have no meaning. */
  readonly located: boolean;
  /** As the crow flies, to the pickup or to the dropoff. */
  readonly distance_m: number;
  /** The accuracy of that position; 0 when unknown. */
  readonly accuracy_m: number;
  /** The age of that position. */
  readonly age_s: number;
  /** The driver's reason; empty if none was given. */
  readonly reason: string;
}

export interface Estimate {
  readonly distance_m: number;
  readonly duration_s: number;
  readonly fare: Money;
  /** Who estimated the drive. */
  readonly by: TripRouteBy;
}

export type FareBreakdownBasis =
  | 'basis_unspecified'
  /** Positions cover the whole ride. */
  | 'measured'
  /** The estimate fills gaps in the positions. */
  | 'partly_estimated'
  /** Nothing was measured. */
  | 'estimated'
  /** Positions cover the whole ride, and its length is that of the streets that they follow. */
  | 'streets';

/** FareBreakdown adds up: base + distance + time + minimum_topup = total. */
export interface FareBreakdown {
  readonly total: Money;
  readonly base_minor: number;
  readonly distance_minor: number;
  readonly time_minor: number;
  readonly minimum_topup_minor: number;
  readonly distance_m: number;
  readonly duration_s: number;
  /** How distance_m was found; the parts add up to it. Unspecified in older trips. */
  readonly basis: FareBreakdownBasis;
  readonly measured_m: number;
  readonly estimated_m: number;
  /**
   * How the ride was compared with the streets of the map. Absent without a map, where nothing was measured, and
   * in older trips.
   */
  readonly street_check?: StreetCheck;
}

export type StreetCheckVerdict =
  | 'verdict_unspecified'
  /** The distance of the fare is the length along streets. */
  | 'counts'
  /** Positions do not cover the ride. */
  | 'gaps'
  /** Less than 90 % of the way lies on streets of the map, or positions jump. */
  | 'off_streets'
  /** The length along streets is less than 0.8 times what positions measured. */
  | 'shorter'
  /** It is more than 1.25 times that, or than a car can drive in that time. */
  | 'longer'
  /** There was no answer in time. */
  | 'late';

/** StreetCheck says whether the length of a ride along streets counts, or why it does not. */
export interface StreetCheck {
  readonly verdict: StreetCheckVerdict;
  /** The length along streets, 0 if none is known. */
  readonly length_m: number;
  /** The length that positions measured. */
  readonly positions_m: number;
  /** How much of the way lies on streets. */
  readonly share_percent: number;
}

export interface Search {
  readonly wave: number;
  /** The number of rings of cells around the pickup that are being searched. */
  readonly ring: number;
  readonly drivers_asked: number;
  readonly expires_at: Timestamp;
}

export interface DriverCard {
  readonly id: string;
  readonly first_name: string;
  readonly photo_url: string;
  readonly vehicle_class: string;
  readonly plate: string;
  /** Mean stars times 100, 0 while unrated. */
  readonly rating_x100: number;
  /** The vehicle as its driver describes it; each may be empty. */
  readonly vehicle_make: string;
  readonly vehicle_model: string;
  readonly vehicle_colour: string;
}

export interface RiderCard {
  readonly id: string;
  readonly first_name: string;
  readonly photo_url: string;
  readonly rating_x100: number;
}

export type CancellationBy =
  | 'by_unspecified'
  | 'rider'
  | 'driver'
  | 'operator'
  | 'system';

export interface Cancellation {
  readonly by: CancellationBy;
  /** A stable word from the system, or the person's own words. */
  readonly reason: string;
}

/**
 * WatchCity subscribes to the state of the city and its changes, for as long as the session lasts.
 * A newer one replaces the older.
 */
export interface WatchCity {
  /** What to include. Totals are always included. */
  readonly drivers?: boolean;
  readonly trips?: boolean;
  readonly cells?: boolean;
  readonly actors?: boolean;
  /** The points of the charts, as each is completed. */
  readonly samples?: boolean;
  /**
   * The shortest time between two changes of the city, in milliseconds; 250 to
   * 10,000, 0 means 1,000.
   */
  readonly interval_ms?: number;
  /** Drivers, trips and cells outside are left out; absent: everything. */
  readonly area?: Area;
}

/**
 * Area lies between two parallels and two meridians. If west is greater than east, the area crosses
 * the antimeridian.
 */
export interface Area {
  readonly south_west?: Point;
  readonly north_east?: Point;
}

export type UnwatchCity = Readonly<Record<never, never>>;

/** CityWatched is the reply to watch_city. */
export interface CityWatched {
  /** Names this watch; its city_changed carry the same number. */
  readonly watch: number;
  /** The interval in use, in milliseconds. */
  readonly interval_ms: number;
  /** The H3 resolution of the cells. */
  readonly resolution: number;
  /** When the node that serves the watch started: its counters begin there. */
  readonly node_started_at?: Timestamp;
  /** The nodes whose city this is, when there may be several; absent: the one that serves the watch. */
  readonly nodes?: CityNodes;
}

/** CityNodes are the nodes of a cluster, by name. */
export interface CityNodes {
  readonly list: readonly CityNode[];
}

export type CityNodeState =
  | 'state_unspecified'
  | 'answering'
  /** It does not answer. What it last reported is still shown and counted. */
  | 'missing'
  /**
   * It did not answer, and has left the cluster. Nothing of it is shown or counted. It stays in the
   * list for some minutes, or until it is back.
   */
  | 'gone';

/** CityNode is a node of a cluster, as the one that serves the watch sees it. */
export interface CityNode {
  readonly name: string;
  readonly state: CityNodeState;
  /** Empty while not known. */
  readonly version: string;
  /** Absent while not known. */
  readonly started_at?: Timestamp;
  /** When it answered last; absent: it answers, or never has. */
  readonly heard_at?: Timestamp;
}

/** NodeRef names a node of a cluster. */
export interface NodeRef {
  readonly name: string;
}

/**
 * CityChanged is what has changed in the city since the previous one. What changed more than once
 * appears once, in its current state.
 */
export interface CityChanged {
  readonly watch: number;
  readonly at?: Timestamp;
  /** The first part of a snapshot: forget all drivers, trips and cells. */
  readonly reset: boolean;
  /** Part of a snapshot. The first one without this flag is the first change. */
  readonly snapshot: boolean;
  /** Drivers that are new or in a new state, complete. */
  readonly drivers: readonly CityDriver[];
  /** Drivers with only a new position. */
  readonly moves: readonly CityMove[];
  /** Keys of drivers that went offline or left the area. */
  readonly drivers_gone: readonly number[];
  /** Trips that are new or in a new version, complete. */
  readonly trips: readonly CityTrip[];
  /** Ids of trips that ended a while ago. */
  readonly trips_gone: readonly string[];
  readonly cells: readonly CityCell[];
  /** Cells that have become empty. */
  readonly cells_gone: readonly string[];
  /** For the whole city, regardless of the area. */
  readonly totals?: CityTotals;
  /** All kinds, every 2 seconds. */
  readonly actors: readonly ActorKind[];
  readonly samples: readonly Sample[];
  /** All nodes, after something has changed about one of them; absent: no news. */
  readonly nodes?: CityNodes;
}

export type CityDriverState =
  | 'state_unspecified'
  /** May be offered trips. */
  | 'available'
  /** Has an offer to answer. */
  | 'offered'
  | 'on_trip'
  /** Online, but without a connection or a fresh position: gets no offers. */
  | 'unreachable';

export interface CityDriver {
  /**
   * Stands for the driver in this watch. If a key reappears with another id, it stands for that
   * driver from then on.
   */
  readonly key: number;
  readonly id: string;
  readonly state: CityDriverState;
  readonly vehicle_class: string;
  /** The driver's trip; empty: none. */
  readonly trip_id: string;
  /** Absent while no position is known. */
  readonly point?: Point;
  readonly heading_deg: number;
}

export interface CityMove {
  readonly key: number;
  readonly point?: Point;
  readonly heading_deg: number;
}

export interface CityTrip {
  readonly id: string;
  readonly version: number;
  readonly status: TripStatus;
  readonly pickup?: Point;
  readonly dropoff?: Point;
  readonly vehicle_class: string;
  readonly rider_id: string;
  /** Empty while no driver has the trip. */
  readonly driver_id: string;
  /** How far the search has got, while requested. */
  readonly search?: Search;
  readonly requested_at?: Timestamp;
  readonly matched_at?: Timestamp;
  readonly arrived_at?: Timestamp;
  readonly started_at?: Timestamp;
  readonly ended_at?: Timestamp;
}

export interface CityCell {
  /** The H3 index, as 15 hexadecimal digits. */
  readonly cell: string;
  /** Drivers in it that may be offered trips. */
  readonly supply: number;
  /** Trips with their pickup in it that wait for a driver. */
  readonly demand: number;
  /** Trips requested in it within the last 10 minutes or so. */
  readonly requests: number;
  /**
   * The mean wait of trips that were matched or ended in that time, and of those still waiting; 0
   * when there were none.
   */
  readonly mean_wait_s: number;
}

export interface CityTotals {
  readonly drivers_available: number;
  readonly drivers_offered: number;
  readonly drivers_on_trip: number;
  readonly drivers_unreachable: number;
  readonly trips_requested: number;
  readonly trips_matched: number;
  readonly trips_arrived: number;
  readonly trips_in_progress: number;
  readonly sessions: number;
}

/**
 * ActorKind counts the actors of one kind on one node. Rates, times and the deepest mailbox cover
 * about the last minute; totals count since the start and wrap at 4,294,967,296.
 */
export interface ActorKind {
  readonly kind: string;
  readonly alive: number;
  readonly started: number;
  readonly stopped: number;
  /** Recovered panics; after each, the actor reloads its state from the database. */
  readonly panics: number;
  /** Messages that are waiting in mailboxes or being handled now. */
  readonly waiting: number;
  /** The most messages that waited in one mailbox. */
  readonly deepest_mailbox: number;
  readonly messages: number;
  readonly messages_per_s: number;
  /**
   * Time to handle a message, in microseconds. p50 and p99 come from a histogram whose buckets grow
   * by a factor of 4.
   */
  readonly mean_us: number;
  readonly p50_us: number;
  readonly p99_us: number;
  /** The slowest messages by type, of the last 15 minutes, slowest first, at most 8. */
  readonly slowest: readonly SlowHandler[];
  /** Of several; absent: there is one. */
  readonly node?: NodeRef;
}

export interface SlowHandler {
  readonly message: string;
  readonly took_us: number;
  readonly at?: Timestamp;
}

/**
 * Sample is one point of the charts: what happened within one step of time, and the mean state
 * during it.
 */
export interface Sample {
  /** When the step ended. */
  readonly at?: Timestamp;
  readonly step_s: number;
  readonly requests: number;
  readonly matches: number;
  readonly completions: number;
  readonly cancellations: number;
  readonly expiries: number;
  /**
   * Time from request to match, in milliseconds; 0 without matches. p50 and p90 are accurate to
   * about a quarter.
   */
  readonly match_mean_ms: number;
  readonly match_p50_ms: number;
  readonly match_p90_ms: number;
  /** Means over the step. */
  readonly drivers_online: number;
  readonly drivers_available: number;
  readonly trips_live: number;
  readonly sessions: number;
  readonly locations_per_s: number;
  /** Of the store's transactions, in milliseconds. */
  readonly commit_mean_ms: number;
  readonly commit_max_ms: number;
  /** Only trips are known for this step, from the database: the node was not running. */
  readonly trips_only: boolean;
  /** Present when the figures lack those of a node that took part in this step. */
  readonly missing?: MissingNodes;
}

/** MissingNodes counts nodes whose figures are missing. */
export interface MissingNodes {
  readonly count: number;
}

