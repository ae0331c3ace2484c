import { GaveUpError, ProtocolError } from '@hexhail/client';

/**
 * The stable word for what went wrong with a command: the server's code, `gave_up` when no answer came in time and
 * `unsent` when it never left this device.
 */
export function codeOf(e: unknown): string {
  if (e instanceof ProtocolError) return e.code;
  if (e instanceof GaveUpError) return e.sent ? 'gave_up' : 'unsent';
  return 'internal';
}
