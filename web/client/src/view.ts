import type { Approval, Offer, OfferClosedOutcome, Point, Timestamp, Trip, TripRoute } from './gen/messages.js';

/** A trip with all its fields. Only the last message to a driver who lost it (`released`) lacks some. */
export type WholeTrip = Trip & Required<Pick<Trip, 'pickup' | 'dropoff' | 'estimate' | 'requested_at'>>;

/** An offer that can be answered. */
export interface OpenOffer extends Offer {
  /** Set when this driver's acceptance competes with others: the time of the decision. Do not ask again. */
  readonly award_at?: Timestamp;
}

/** An offer that has ended. */
export interface ClosedOffer {
  readonly offer_id: string;
  readonly trip_id: string;
  /** `outcome_unspecified`: it ended while the history was lost; how is unknown. */
  readonly outcome: OfferClosedOutcome;
  /** A stable word such as `taken`, or the driver's own words when `declined`; empty when `won`. */
  readonly reason: string;
  /** The offer as it was, unless it never arrived. */
  readonly offer?: Offer;
}

/** Where the driver of the rider's trip is. */
export interface DriverPosition {
  readonly trip_id: string;
  readonly point: Point;
  /** Clockwise from north. */
  readonly heading_deg: number;
  /** Seconds to the pickup before the ride, to the dropoff during it. */
  readonly eta_s: number;
  /** When the driver's device took the position. */
  readonly device_time?: Timestamp;
  /** What is left of the route of `route_revision`, in metres. Means nothing if that is 0. */
  readonly left_m: number;
  /** The route that `left_m` is of; 0: none. It may be one that comes a moment later. */
  readonly route_revision: number;
}

/** What is known from the server, and no more. Views are immutable: a change is a new object. */
export interface View {
  /** Whether the driver wants offers, as the server knows it. Always false for riders. */
  readonly online: boolean;
  /** Whether this driver may go online, and why not; absent for riders, and until the server has said it. */
  readonly approval?: Approval;
  /** The one trip that has not ended. */
  readonly activeTrip?: WholeTrip;
  /** The trip that ended last while this client looked. */
  readonly lastEnded?: Trip;
  /** Offers that can be answered, in the order in which they came. */
  readonly openOffers: readonly OpenOffer[];
  /** Offers that have ended, the newest first, at most 32. */
  readonly closedOffers: readonly ClosedOffer[];
  /** Only while the rider's trip has a driver, and only the newest. */
  readonly driverPosition?: DriverPosition;
  /** How the driver of the active trip is expected to drive, from the match to the end of the ride; absent while unknown. */
  readonly route?: TripRoute;
}
