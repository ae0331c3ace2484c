import type { OpenOffer } from '@hexhail/client';
import { useMemo, useState } from 'react';

import { dealt, inOrder, noneShown, type Shown } from './offers';

/** The offers that wait for an answer, of which one is shown. */
export interface Deck {
  readonly offers: readonly OpenOffer[];
  /** The place of the one that is shown; -1 while there is none. */
  readonly at: number;
  readonly current: OpenOffer | undefined;
  /** Why this one is shown: it came first, the driver chose it, or the one before it ended. */
  readonly by: Shown['by'];
  /** Shows another one, so many places on; past the ends it goes round. */
  readonly turn: (places: number) => void;
}

/** Keeps one offer in view until it ends or the driver turns to another one. New ones, however near, do not push it away. */
export function useDeck(open: readonly OpenOffer[]): Deck {
  const offers = useMemo(() => inOrder(open), [open]);
  const [kept, keep] = useState<Shown>(noneShown);
  const shown = dealt(kept, offers);
  if (shown !== kept) keep(shown);
  const turn = (places: number) => {
    if (offers.length < 2) return;
    const at = (((shown.at + places) % offers.length) + offers.length) % offers.length;
    keep({ id: offers[at]?.id ?? null, at, by: 'driver' });
  };
  return { offers, at: shown.at, current: offers[shown.at], by: shown.by, turn };
}
