import type { ConnectionState } from '@hexhail/client';
import { useState } from 'react';

/** Whole seconds from `now` to a time, rounded up; never less than 0. */
export function secondsLeft(until: string | number, now: number): number {
  const end = typeof until === 'number' ? until : Date.parse(until);
  return Number.isFinite(end) ? Math.max(0, Math.ceil((end - now) / 1000)) : 0;
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
