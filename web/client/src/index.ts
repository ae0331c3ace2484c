/**
 * The client of the Hexhail socket protocol. Start with `createClient`.
 *
 * @packageDocumentation
 */
export type * from './gen/messages.js';
export type { Acceptance, Client, PendingRequest, Position } from './api.js';
export type { ClientEvents } from './events.js';
export type {
  ClientOptions, Clock, Credentials, CredentialsRequest, DriveOptions, Persistence, SendOptions, StorageLike, Surroundings,
  WebSocketConstructor, WebSocketLike,
} from './options.js';
export type { Answer, CommandKind, RequestKind } from './requests.js';
export type { ConnectionState, Interruption } from './state.js';
export type { ClosedOffer, DriverPosition, OpenOffer, View, WholeTrip } from './view.js';
export { GaveUpError, ProtocolError, QueueFullError } from './errors.js';
export { createClient } from './client.js';
export { currencyDigits, formatMoney, majorUnits } from './money.js';
export { decodePolyline } from './polyline.js';
