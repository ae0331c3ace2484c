import { useLayoutEffect } from 'react';

/** Takes away what index.html shows until the app has something to show. */
export function useFirstPaint(): void {
  useLayoutEffect(() => document.getElementById('early')?.remove(), []);
}
