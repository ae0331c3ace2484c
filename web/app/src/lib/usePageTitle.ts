import { useEffect, useSyncExternalStore } from 'react';

let current = '';
const listeners = new Set<() => void>();

/** Names the page: in the browser's tab ("Your trips · Hexhail") and, after a change, aloud. */
export function usePageTitle(title: string): void {
  useEffect(() => {
    document.title = title ? `${title} · Hexhail` : 'Hexhail';
    current = title;
    for (const listener of [...listeners]) listener();
  }, [title]);
}

/** The newest page's title, for the frame that announces it. */
export function useCurrentTitle(): string {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => current,
  );
}
