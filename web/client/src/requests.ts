import type { ClientFrameBody, ReplyResult } from './gen/messages.js';

const seconds = 1000;
const minutes = 60 * seconds;

/** What a message is about. */
interface Subject {
  readonly trip_id?: string;
  readonly offer_id?: string;
}

interface Kind {
  /** Commands are remembered by the server: the same id has one effect. Queries are merely asked again. */
  readonly type: 'command' | 'query';
  /** The replies that answer it, besides `error`. */
  readonly answers: readonly (keyof ReplyResult)[];
  /**
   * Messages of one lane are sent one after another, each when the one before was answered, so that a repetition cannot
   * overtake. The function gets the message's body. Without a lane a message is sent at once.
   */
  readonly lane?: (subject: Subject) => string;
  /** The longest wait for an answer in milliseconds, over reconnects. */
  readonly giveUpAfterMs: number;
}

const duty = () => 'duty';
const trip = ({ trip_id }: Subject) => `trip ${trip_id ?? ''}`;
const offer = ({ offer_id }: Subject) => `offer ${offer_id ?? ''}`;

/**
 * Everything that is sent to be answered. A new message of the protocol needs a line here (and `npm run generate`).
 *
 * The steps of a ride wait for ever, through any tunnel: the driver has done them. What is only worth something soon
 * is given up soon.
 */
export const requests = {
  go_online: { type: 'command', answers: ['done'], lane: duty, giveUpAfterMs: 5 * minutes },
  go_offline: { type: 'command', answers: ['done'], lane: duty, giveUpAfterMs: 5 * minutes },
  request_trip: { type: 'command', answers: ['trip'], lane: () => 'request', giveUpAfterMs: minutes },
  cancel_trip: { type: 'command', answers: ['trip', 'done'], lane: trip, giveUpAfterMs: 5 * minutes },
  accept_offer: { type: 'command', answers: ['trip', 'accept_pending'], lane: offer, giveUpAfterMs: 30 * seconds },
  decline_offer: { type: 'command', answers: ['done'], lane: offer, giveUpAfterMs: 30 * seconds },
  arrived: { type: 'command', answers: ['trip'], lane: trip, giveUpAfterMs: Infinity },
  start_trip: { type: 'command', answers: ['trip'], lane: trip, giveUpAfterMs: Infinity },
  complete_trip: { type: 'command', answers: ['trip'], lane: trip, giveUpAfterMs: Infinity },
  rate_trip: { type: 'command', answers: ['trip'], lane: trip, giveUpAfterMs: 5 * minutes },
  get_quote: { type: 'query', answers: ['quotes'], giveUpAfterMs: 20 * seconds },
  ping: { type: 'query', answers: ['pong'], giveUpAfterMs: 10 * seconds },
  // One after the other: the one that the server heard last is the one that counts.
  watch_city: { type: 'query', answers: ['city_watched'], lane: () => 'city', giveUpAfterMs: 20 * seconds },
  unwatch_city: { type: 'query', answers: ['done'], lane: () => 'city', giveUpAfterMs: 20 * seconds },
} as const satisfies Partial<Record<keyof ClientFrameBody, Kind>>;

/** The name of a message that is sent to be answered. */
export type RequestKind = keyof typeof requests;

/** The name of a command. */
export type CommandKind = {
  [K in RequestKind]: (typeof requests)[K]['type'] extends 'command' ? K : never;
}[RequestKind];

/** What answers a message: one of its replies, under its name. */
export type Answer<K extends RequestKind> = Partial<Pick<ReplyResult, (typeof requests)[K]['answers'][number]>>;

export const kindOf = (kind: RequestKind): Kind => requests[kind];

export const laneOf = (kind: RequestKind, body: object): string | undefined => kindOf(kind).lane?.(body);

export const isCommand = (kind: RequestKind): kind is CommandKind => kindOf(kind).type === 'command';

export const isRequestKind = (name: string): name is RequestKind => Object.hasOwn(requests, name);
