import type { Client, ClientEvents, ConnectionState, PendingRequest, View } from '@hexhail/client';
import { useCallback, useEffect, useRef, useSyncExternalStore } from 'react';

import type { Account } from '../api/http';
import { auth } from '../api/auth';
import { connect } from './connect';

// The session of riders and drivers: one client, made at log-in and stopped at log-out. Pages use it through the hooks. The
// console has a connection of its own, which features/ops/live holds.

const nothing: View = { online: false, openOffers: [], closedOffers: [] };
const idle: ConnectionState = { status: 'idle' };
const noRequests: readonly PendingRequest[] = [];

let client: Client | null = null;
let clientOf: string | null = null;
/** The client that was there last: pages live a moment longer than a log-in. */
let lastClient: Client | null = null;
const listeners = new Set<() => void>();

function makeClient(account: Account): Client {
  return connect({
    name: 'hexhail-web',
    // A reload in the middle of a command must not request a second ride.
    persistence: { storage: localStorage, key: `hexhail.commands.${account.id}` },
  });
}

/** Makes the client fit the log-in. Operators have none here. */
function follow(): void {
  const account = auth.current?.account ?? null;
  const wanted = account && account.role !== 'operator' ? account : null;
  if ((wanted?.id ?? null) === clientOf) return;
  client?.stop({ forget: true });
  client = wanted ? makeClient(wanted) : null;
  clientOf = wanted?.id ?? null;
  lastClient = client ?? lastClient;
  client?.start();
  for (const listener of [...listeners]) listener();
}

/** Begins to follow the log-in. Called once, before the app is shown. */
export function startSessions(): void {
  auth.subscribe(follow);
  follow();
}

function subscribeToClient(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/**
 * The live session of the rider or driver who is logged in: its commands and `serverNow`. Null for
 * strangers and operators. On pages that only riders or drivers may open use `useSession`.
 */
export function useSessionOrNull(): Client | null {
  return useSyncExternalStore(subscribeToClient, () => client);
}

/** The live session, on pages that only riders and drivers reach. */
export function useSession(): Client {
  // After a log-out the page is about to be left; until then its buttons do nothing.
  const usable = useSessionOrNull() ?? lastClient;
  if (!usable) throw new Error('no live session: this page must be for riders and drivers only');
  return usable;
}

/** Reads a part of the session that is the same object until it changes. */
function usePart<T>(read: (session: Client) => T, otherwise: T): T {
  const session = useSessionOrNull();
  const subscribe = useCallback((listener: () => void) => session?.subscribe(listener) ?? (() => undefined), [session]);
  return useSyncExternalStore(subscribe, () => (session ? read(session) : otherwise));
}

/** What the server has sent: the active trip, open offers. Renders again when it changes. */
export function useView(): View {
  return usePart((session) => session.view, nothing);
}

/** How this tab stands to the server. Renders again when it changes. */
export function useConnectionState(): ConnectionState {
  return usePart((session) => session.state, idle);
}

/** The commands that have no answer yet. Renders again when they change. */
export function usePendingRequests(): readonly PendingRequest[] {
  return usePart((session) => session.pending, noRequests);
}

/** Calls the newest `listener` for each such event while the component is there. */
export function useSessionEvent<K extends keyof ClientEvents>(name: K, listener: (event: ClientEvents[K]) => void): void {
  const session = useSessionOrNull();
  const newest = useRef(listener);
  useEffect(() => {
    newest.current = listener;
  });
  useEffect(() => session?.on(name, (event) => newest.current(event)), [session, name]);
}
