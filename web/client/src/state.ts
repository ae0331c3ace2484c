import type { Role } from './gen/messages.js';

/** Why the last connection ended, or an attempt failed. */
export interface Interruption {
  /**
   * A stable word: a close code's reason (`shutdown`, `token_expired` ...), the `code` of a refused `connect`, or one
   * of the client's own: `lost` (the socket broke), `silent` (nothing came for too long), `timeout` (no answer while
   * connecting), `gap` (an event was missing), `credentials` (none could be fetched).
   */
  readonly reason: string;
  /** The WebSocket close code, where there was one. */
  readonly closeCode?: number;
}

/**
 * How the client stands to the server. Snapshots are immutable: a change is a new object.
 *
 * - `idle`: not started.
 * - `connecting`: credentials are being fetched, or a socket opened. `attempt` counts from 0.
 * - `connected`: the view is live.
 * - `waiting`: the next attempt is at `retryAt` (milliseconds, this device's clock). `connectNow()` spares the wait.
 * - `offline`: as `waiting`, while the device itself says that it has no network.
 * - `replaced`: the account connected elsewhere. Only `connectNow()` goes on: ask the person first.
 * - `refused`: `code` says why: `unauthenticated` or `revoked` (log in again), `suspended`, or a mistake of this
 *   client such as `protocol_error`. `connectNow()` tries again with fresh credentials.
 * - `stopped`: by `stop()`; `start()` starts again.
 */
export type ConnectionState =
  | { readonly status: 'idle' }
  | { readonly status: 'connecting'; readonly attempt: number }
  | {
      readonly status: 'connected';
      readonly accountId: string;
      readonly role: Role;
      /** For the operator's log. */
      readonly sessionId: string;
      /** Whether the missed events could be fetched; false after a first connect, too. */
      readonly resumed: boolean;
    }
  | { readonly status: 'waiting' | 'offline'; readonly attempt: number; readonly retryAt: number; readonly cause: Interruption }
  | { readonly status: 'replaced' }
  | { readonly status: 'refused'; readonly code: string; readonly message: string; readonly closeCode?: number }
  | { readonly status: 'stopped' };
