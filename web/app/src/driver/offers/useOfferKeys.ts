import { useEffect, useRef } from 'react';

/** What Enter and Escape mean something to already. */
const busyWith = 'a, button, input, textarea, select, summary, [role="dialog"], [role="menu"], [role="listbox"], .maplibregl-canvas';

/** A or Enter accepts, D or Escape declines, unless the key was meant for something else. */
export function useOfferKeys(on: boolean, accept: () => void, decline: () => void): void {
  const newest = useRef({ accept, decline });
  useEffect(() => {
    newest.current = { accept, decline };
  });
  useEffect(() => {
    if (!on) return;
    const pressed = (e: KeyboardEvent) => {
      if (e.defaultPrevented || e.repeat || e.ctrlKey || e.metaKey || e.altKey) return;
      const target = e.target instanceof Element ? e.target : null;
      if (target?.closest('input, textarea, select, [contenteditable], [role="dialog"], [role="menu"], [role="listbox"]')) return;
      if (document.querySelector('[role="dialog"][aria-modal="true"]')) return;
      // By the key's place, too: under a Korean layout A is ㅁ.
      const is = (letter: string) => e.key.toLowerCase() === letter.toLowerCase() || e.code === `Key${letter}`;
      const plain = !target?.closest(busyWith);
      if (is('A') || (e.key === 'Enter' && plain)) newest.current.accept();
      else if (is('D') || (e.key === 'Escape' && plain)) newest.current.decline();
      else return;
      e.preventDefault();
    };
    window.addEventListener('keydown', pressed);
    return () => window.removeEventListener('keydown', pressed);
  }, [on]);
}
