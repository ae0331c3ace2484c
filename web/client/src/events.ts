import type { Approval, CityChanged, CityWatched, ServerEvent, TripRoute } from './gen/messages.js';
import type { ProtocolError } from './errors.js';
import type { ConnectionState } from './state.js';
import type { ClosedOffer, DriverPosition, OpenOffer, WholeTrip } from './view.js';
import type { Exchange, Trip } from './gen/messages.js';
import type { CommandKind } from './requests.js';

/**
 * What listeners of `client.on(name, listener)` are called with. Each change is reported once: not again
 * when events are replayed after a reconnect, nor when an event repeats what a reply said. The view has changed already
 * when a listener is called.
 */
export interface ClientEvents {
  /** The connection's state changed. */
  state: ConnectionState;
  /**
   * The active trip began or changed. `change` is one of the protocol's words (`matched`, `arrived` ...; new ones may
   * come). `previous` is the same trip before, if it was known. With `exchanged`, `exchange` says why the trip has another driver.
   */
  trip: { readonly trip: WholeTrip; readonly change: string; readonly previous?: Trip; readonly exchange?: Exchange };
  /** A trip ended: `change` is `completed`, `cancelled` or `expired`. */
  tripEnded: { readonly trip: Trip; readonly change: string };
  /** One party rated a trip that had ended. */
  tripRated: Trip;
  /**
   * The active trip is no longer this client's. `released`: the driver gave it back, or lost it. `unknown`: it ended
   * while the history was lost; `GET /v1/trips/{id}` tells how. With an `exchange`, a closer driver has it.
   */
  tripGone: { readonly trip: Trip; readonly why: 'released' | 'unknown'; readonly exchange?: Exchange };
  /** A new offer. */
  offer: OpenOffer;
  /** An offer ended, also one that this driver answered. */
  offerClosed: ClosedOffer;
  /** The driver of the rider's trip moved. */
  driverMoved: DriverPosition;
  /** The driver of the active trip has a new route. */
  route: TripRoute;
  /** The driver's choice to be online changed, or the server forgot it. */
  online: boolean;
  /** An operator approved or refused this driver. */
  approval: Approval;
  /** A watch of the city began: the first one, or the same again after a reconnect. A snapshot follows. */
  cityWatched: CityWatched;
  /** The city changed, as far as this operator watches it. */
  city: CityChanged;
  /** A message without a waiting caller was refused: a location, or a repeated go_online or watch_city. */
  refused: { readonly kind: string; readonly error: ProtocolError };
  /** A command of an earlier page was answered, or was refused for good. */
  restored: { readonly id: string; readonly kind: CommandKind; readonly error?: ProtocolError; readonly trip?: Trip };
  /** Every new event of the server as it came, also those that this version does not know. */
  event: ServerEvent;
}
