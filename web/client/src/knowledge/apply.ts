import type { Approval, ClientFrameBody, Connected, Reply, ServerEvent } from '../gen/messages.js';
import type { RequestKind } from '../requests.js';
import { ignorance, inTurn, unchanged, without, withView, type Knowledge, type Step } from './knowledge.js';
import { awaitAward, settleOffers, takeClosed, takeOffer, takeSnapshotOffers, withdraw } from './offers.js';
import { isKnown, settleTrip, takeDriverMoved, takeRoute, takeSnapshotRoute, takeSnapshotTrip, takeTrip } from './trips.js';

// The rules of docs/protocol.md by which a client stays right whatever is lost, repeated or replayed. Nothing here
// knows of sockets or of time, so it can be tested by itself.

/** Takes the snapshot of a new session. */
export function applyConnected(before: Knowledge, connected: Connected): Step {
  const { epoch, seq, resumed } = connected;
  const same = before.accountId === connected.account_id ? before : ignorance;
  // Without a history the snapshot is the whole truth, also of trips whose versions this client believed to be higher.
  const known = resumed ? same : { ...same, versions: ignorance.versions };
  const history = resumed && known.history ? known.history : { epoch, seq };
  const knowledge: Knowledge = {
    ...known,
    accountId: connected.account_id,
    role: connected.role,
    history,
    replayUntil: resumed ? seq : 0,
  };
  return inTurn(
    knowledge,
    (k) => setOnline(k, connected.online),
    (k) => setApproval(k, connected.approval),
    (k) => takeSnapshotTrip(k, connected.active_trip),
    (k) => takeSnapshotRoute(k, connected.route),
    (k) => takeSnapshotOffers(k, connected.open_offers),
    // Unless events follow that tell how they ended:
    (k) => (history.seq < seq ? unchanged(k) : settle(k)),
  );
}

/** Takes an event. */
export function applyEvent(before: Knowledge, event: ServerEvent): Step {
  // These repeat the last number: they are no part of the history.
  if (event.driver_moved) {
    const { driver_moved } = event;
    return inTurn(before, (k) => takeDriverMoved(k, driver_moved), (k) => ({ knowledge: k, changes: [{ name: 'event', event }] }));
  }
  if (event.route_changed) {
    const { route } = event.route_changed;
    return inTurn(before, (k) => takeRoute(k, route), (k) => ({ knowledge: k, changes: [{ name: 'event', event }] }));
  }
  if (event.city_changed) return { knowledge: before, changes: [{ name: 'city', event: event.city_changed }, { name: 'event', event }] };
  if (event.disconnecting) return { knowledge: before, changes: [{ name: 'event', event }] };

  const { history } = before;
  if (history?.epoch !== event.epoch || event.seq <= history.seq) return unchanged(before);
  if (event.seq !== history.seq + 1) return { knowledge: without(before, 'history'), changes: [], gap: true };
  const replayed = event.seq <= before.replayUntil;
  return inTurn(
    { ...before, history: { epoch: event.epoch, seq: event.seq } },
    (k) => applyBody(k, event, replayed),
    (k) => ({ knowledge: k, changes: [{ name: 'event', event }] }),
    (k) => (event.seq === before.replayUntil ? settle(k) : unchanged(k)),
  );
}

function applyBody(knowledge: Knowledge, event: ServerEvent, replayed: boolean): Step {
  const { trip_updated, offer_received, offer_closed, approval_changed } = event;
  if (trip_updated) return takeTrip(knowledge, trip_updated.trip, trip_updated.change, replayed ? 'replay' : 'event', trip_updated.exchange);
  if (offer_received) return takeOffer(knowledge, offer_received.offer, replayed);
  if (offer_closed) return takeClosed(knowledge, offer_closed);
  // A replayed one is older than the snapshot, which already includes it.
  if (approval_changed?.approval && !replayed) return decide(knowledge, approval_changed.approval);
  return unchanged(knowledge); // of a newer server
}

/** What was asked for, for its answer to be understood. */
export interface Asked {
  readonly kind: RequestKind;
  readonly body: ClientFrameBody[RequestKind];
  /** Whether it was sent more than once. Then the answer may be the one of another time. */
  readonly repeated: boolean;
}

/** The word for what a command that is answered with a trip has done to it. */
const changeBy: Partial<Record<RequestKind, string>> = {
  request_trip: 'requested',
  cancel_trip: 'cancelled',
  accept_offer: 'matched',
  arrived: 'arrived',
  start_trip: 'started',
  complete_trip: 'completed',
  rate_trip: 'rated',
};

/** Takes the last answer to a message: any but a retryable error. */
export function applyReply(knowledge: Knowledge, reply: Reply, { kind, body, repeated }: Asked): Step {
  const offerId = 'offer_id' in body ? (body.offer_id ?? '') : undefined;
  if (reply.error) return offerId === undefined ? unchanged(knowledge) : withdraw(knowledge, offerId);
  if (reply.trip) {
    // A trip of another time that is not known may be long over. If it is not, events tell it.
    if (repeated && !isKnown(knowledge, reply.trip.id)) return unchanged(knowledge);
    return takeTrip(knowledge, reply.trip, changeBy[kind] ?? '', 'reply');
  }
  if (reply.accept_pending) return awaitAward(knowledge, reply.accept_pending);
  if (!reply.done) return unchanged(knowledge);
  if (kind === 'go_online' || kind === 'go_offline') return setOnline(knowledge, kind === 'go_online');
  return offerId === undefined ? unchanged(knowledge) : withdraw(knowledge, offerId);
}

function setOnline(knowledge: Knowledge, online: boolean): Step {
  if (knowledge.view.online === online) return unchanged(knowledge);
  return { knowledge: withView(knowledge, { online }), changes: [{ name: 'online', event: online }] };
}

function setApproval(knowledge: Knowledge, approval: Approval | undefined): Step {
  const known = knowledge.view.approval;
  if (!approval || (known?.state === approval.state && known.reason === approval.reason)) return unchanged(knowledge);
  const after = withView(knowledge, { approval });
  return { knowledge: after, changes: known ? [{ name: 'approval', event: approval }] : [] };
}

/** What an operator has just decided. The server takes a driver who is refused offline. */
function decide(knowledge: Knowledge, approval: Approval): Step {
  return inTurn(knowledge, (k) => setApproval(k, approval), (k) => (approval.state === 'refused' ? setOnline(k, false) : unchanged(k)));
}

const settle = (knowledge: Knowledge): Step => inTurn(knowledge, settleTrip, settleOffers);
