import { useEffect, useState } from 'react';

/** Whether the screen stays on. `impossible`: the browser cannot, or does not want to. */
export type WakeLockState = 'off' | 'held' | 'impossible';

/**
 * Keeps the screen on while `wanted`, where browsers can. They drop the lock with a hidden page; it is asked for again
 * when the page is seen again.
 */
export function useWakeLock(wanted: boolean): WakeLockState {
  const [state, setState] = useState<WakeLockState>('off');
  useEffect(() => {
    if (!wanted) return;
    let lock: WakeLockSentinel | null = null;
    let ended = false;
    const take = async () => {
      if (document.visibilityState !== 'visible' || (lock && !lock.released)) return;
      try {
        if (!('wakeLock' in navigator)) throw new Error('this browser has no wake lock');
        const taken = await navigator.wakeLock.request('screen');
        if (ended) {
          await taken.release();
          return;
        }
        lock = taken;
        setState('held');
      } catch {
        // Too old a browser, no https, or a battery that is low: the screen goes dark, as ever, and the page says so.
        if (!ended) setState('impossible');
      }
    };
    const again = () => void take();
    void take();
    document.addEventListener('visibilitychange', again);
    return () => {
      ended = true;
      document.removeEventListener('visibilitychange', again);
      setState('off');
      void lock?.release().catch(() => undefined);
    };
  }, [wanted]);
  return state;
}
