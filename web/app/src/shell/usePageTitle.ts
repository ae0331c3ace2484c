import { useEffect } from 'react';

/** Names the browser's tab after the page: "Your trips · Hexhail". */
export function usePageTitle(title: string): void {
  useEffect(() => {
    document.title = title ? `${title} · Hexhail` : 'Hexhail';
  }, [title]);
}
