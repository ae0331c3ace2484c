import type { OpenOffer } from '@hexhail/client';
import { VisuallyHidden } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { duration, money } from '../../../lib/format';
import { useSessionEvent } from '../../../lib/session';
import { inOrder } from './offers';

/** Offers that come within so many milliseconds are called out together. */
export const gatherMs = 500;

/**
 * Calls out new offers to screen readers; everyone else sees the cards, and no focus moves. Several at once are
 * one sentence: seven would be talked over by each other, and be over before the last was read.
 */
export function OfferCaller() {
  const { t } = useTranslation('driver');
  const [said, say] = useState('');
  const fresh = useRef<OpenOffer[]>([]);
  const waiting = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => () => clearTimeout(waiting.current), []);
  useSessionEvent('offer', (offer) => {
    fresh.current.push(offer);
    waiting.current ??= setTimeout(() => {
      const nearest = inOrder(fresh.current)[0];
      const count = fresh.current.length;
      waiting.current = undefined;
      fresh.current = [];
      if (!nearest) return;
      const values = { fare: money(nearest.fare), eta: duration(nearest.pickup_eta_s) };
      say(count === 1 ? t('offers.card', values) : t('offers.several', { ...values, count }));
    }, gatherMs);
  });
  return <VisuallyHidden role="alert">{said}</VisuallyHidden>;
}
