/** What a client does after a socket has ended. */
export type Verdict = 'wait' | 'fresh' | 'replaced' | 'refused';

/** The close codes of docs/protocol.md. A test holds this table to that page. */
export const closeCodes: ReadonlyMap<number, { readonly reason: string; readonly verdict: Verdict }> = new Map([
  [4000, { reason: 'shutdown', verdict: 'wait' }],
  [4001, { reason: 'slow_consumer', verdict: 'wait' }],
  [4002, { reason: 'heartbeat_timeout', verdict: 'wait' }],
  [4003, { reason: 'overloaded', verdict: 'wait' }],
  [4004, { reason: 'token_expired', verdict: 'fresh' }],
  [4005, { reason: 'internal', verdict: 'wait' }],
  [4006, { reason: 'connect_timeout', verdict: 'wait' }],
  [4500, { reason: 'protocol_error', verdict: 'refused' }],
  [4501, { reason: 'unauthenticated', verdict: 'fresh' }],
  [4502, { reason: 'suspended', verdict: 'refused' }],
  [4503, { reason: 'replaced', verdict: 'replaced' }],
  [4504, { reason: 'revoked', verdict: 'refused' }],
  [4505, { reason: 'too_many_errors', verdict: 'refused' }],
  // Of RFC 6455: mistakes of the client that would be made again.
  [1002, { reason: 'websocket_protocol', verdict: 'refused' }],
  [1007, { reason: 'not_utf8', verdict: 'refused' }],
  [1009, { reason: 'message_too_big', verdict: 'refused' }],
]);

/** Judges a close code, also one that is not known: from 4500 to 4999 do not come back, else do. */
export function judge(code: number | undefined): { readonly reason: string; readonly verdict: Verdict } {
  if (code === undefined) return { reason: 'lost', verdict: 'wait' };
  const known = closeCodes.get(code);
  if (known) return known;
  return code >= 4500 && code <= 4999 ? { reason: `close_${code}`, verdict: 'refused' } : { reason: 'lost', verdict: 'wait' };
}

/** The close code that a refused `connect` leads to, in case that the socket breaks before it comes. */
export function closeCodeOf(errorCode: string, retryable: boolean): number {
  if (errorCode === 'unauthenticated') return 4501;
  if (errorCode === 'suspended') return 4502;
  if (errorCode === 'shutting_down') return 4000;
  return retryable ? 4003 : 4500;
}
