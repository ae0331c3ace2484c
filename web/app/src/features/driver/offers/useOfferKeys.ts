import { useEffect, useRef } from 'react';

/** What Enter and Escape mean something to already. */
const busyWith = 'a, button, input, textarea, select, summary, [role="dialog"], [role="menu"], [role="listbox"], .maplibregl-canvas';

interface Actions {
  readonly accept: () => void;
  readonly decline: () => void;
  readonly turn: (places: number) => void;
}

/** A or Enter accepts, D or Escape declines, arrows turn to another offer, unless the key was meant for something else. */
export function useOfferKeys(on: boolean, actions: Actions): void {
  const newest = useRef(actions);
  useEffect(() => {
    newest.current = actions;
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
      else if (e.key === 'ArrowRight' && plain) newest.current.turn(1);
      else if (e.key === 'ArrowLeft' && plain) newest.current.turn(-1);
      else if (is('D') || (e.key === 'Escape' && plain)) newest.current.decline();
      else return;
      e.preventDefault();
    };
    window.addEventListener('keydown', pressed);
    return () => window.removeEventListener('keydown', pressed);
  }, [on]);
}
