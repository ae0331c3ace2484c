import type { Client } from '@hexhail/client';
import { useCallback, useSyncExternalStore } from 'react';

/** The server's time in milliseconds, in steps of `stepMs`; renders again with each step. */
export function useServerNow(session: Pick<Client, 'serverNow'>, stepMs = 1000): number {
  const subscribe = useCallback(
    (listener: () => void) => {
      const timer = setInterval(listener, stepMs);
      return () => clearInterval(timer);
    },
    [stepMs],
  );
  return useSyncExternalStore(subscribe, () => Math.floor(session.serverNow() / stepMs) * stepMs);
}

/** Seconds as clocks show them: 0:09, 4:07, 1:02:03. */
export function clockText(seconds: number): string {
  const two = (n: number) => String(n).padStart(2, '0');
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
