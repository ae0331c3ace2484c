import type { ConnectionState } from '@hexhail/client';
import { useCallback, useState, useSyncExternalStore } from 'react';

import { useSession } from '../../lib/session';

/** The server's time in milliseconds, in steps of `stepMs`; renders again with each step. */
export function useServerNow(stepMs = 1000): number {
  const session = useSession();
  const subscribe = useCallback(
    (listener: () => void) => {
      const timer = setInterval(listener, stepMs);
      return () => clearInterval(timer);
    },
    [stepMs],
  );
  return useSyncExternalStore(subscribe, () => Math.floor(session.serverNow() / stepMs) * stepMs);
}

/** Whole seconds from `now` to a time, rounded up; never less than 0. */
export function secondsLeft(until: string | number, now: number): number {
  const end = typeof until === 'number' ? until : Date.parse(until);
  return Number.isFinite(end) ? Math.max(0, Math.ceil((end - now) / 1000)) : 0;
}

/** A countdown as clocks show it: 1:05. */
export function clockText(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  return `${minutes}:${String(seconds % 60).padStart(2, '0')}`;
}

/** When a value was first seen as it is now. */
export function useSince(value: unknown, now: number): number {
  const [seen, setSeen] = useState({ value, at: now });
  if (Object.is(seen.value, value)) return seen.at;
  setSeen({ value, at: now });
  return now;
}

/** Since when what is shown may be out of date, in the server's milliseconds; null while connected. */
export function useStaleSince(connection: ConnectionState, now: number): number | null {
  const connected = connection.status === 'connected';
  const since = useSince(connected, now);
  return connected ? null : since;
}
