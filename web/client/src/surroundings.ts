import type { Surroundings } from './options.js';

/** The browser's window and document; where there are none, a device that is always online. */
export const systemSurroundings: Surroundings = {
  // Node has a navigator without onLine.
  isOnline: () => typeof navigator === 'undefined' || (navigator as Partial<Navigator>).onLine !== false,
  watch(listener) {
    if (typeof window === 'undefined' || typeof document === 'undefined') return () => undefined;
    const online = () => listener('online');
    const offline = () => listener('offline');
    const visible = () => {
      if (document.visibilityState === 'visible') listener('visible');
    };
    window.addEventListener('online', online);
    window.addEventListener('offline', offline);
    window.addEventListener('pageshow', visible);
    document.addEventListener('visibilitychange', visible);
    return () => {
      window.removeEventListener('online', online);
      window.removeEventListener('offline', offline);
      window.removeEventListener('pageshow', visible);
      document.removeEventListener('visibilitychange', visible);
    };
  },
};
