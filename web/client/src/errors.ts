import type { ErrorReply } from './gen/messages.js';

/**
 * The server refused a message, or the account.
 *
 * Branch on `code`, never on `message`. docs/protocol.md lists the codes; new ones may come.
 */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  /** Stable, lower snake case: `offer_taken`, `wrong_pin` ... */
  readonly code: string;
  /** The path of the field at fault, such as `request_trip.pickup`; empty if there is none. */
  readonly field: string;
  /**
   * Whether the same message may succeed later. The client repeats those by itself; a promise is rejected with a
   * retryable error only when the server asks for a longer wait than the client's patience, as with `pin_locked`.
   */
  readonly retryable: boolean;
  /** How long to wait before trying again, in milliseconds; 0 when the server has no opinion. */
  readonly retryAfterMs: number;

  constructor(error: Partial<ErrorReply> & Pick<ErrorReply, 'code'>) {
    super(error.message ?? error.code);
    this.code = error.code;
    this.field = error.field ?? '';
    this.retryable = error.retryable ?? false;
    this.retryAfterMs = error.retry_after_ms ?? 0;
  }
}

/**
 * No answer came for as long as the caller was willing to wait, or the client was stopped.
 *
 * If `sent` is false the message never left this device, and nothing has happened. If it is true the outcome is unknown:
 * the view will show it.
 */
export class GaveUpError extends Error {
  override readonly name = 'GaveUpError';
  /** Why: the time is over, the caller's signal was aborted, or the client was stopped. */
  readonly why: 'deadline' | 'aborted' | 'stopped';
  /** Whether the message was sent at least once. */
  readonly sent: boolean;

  constructor(why: GaveUpError['why'], sent: boolean) {
    super(`no answer (${why}); the message ${sent ? 'may have taken effect' : 'was never sent'}`);
    this.why = why;
    this.sent = sent;
  }
}

/** Too many messages wait for an answer already. Nothing was sent. */
export class QueueFullError extends Error {
  override readonly name = 'QueueFullError';

  constructor(limit: number) {
    super(`${limit} messages wait for an answer already`);
  }
}
