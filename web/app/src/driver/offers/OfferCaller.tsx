import { VisuallyHidden } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { duration, money } from '../../shell/format';
import { useSessionEvent } from '../../shell/session';

/** Calls out each new offer to screen readers; its card shows it to everybody else, and nobody's focus moves. */
export function OfferCaller() {
  const { t } = useTranslation('driver');
  const [newest, setNewest] = useState<string>();
  useSessionEvent('offer', (offer) => setNewest(t('offers.card', { fare: money(offer.fare), eta: duration(offer.pickup_eta_s) })));
  return <VisuallyHidden role="alert">{newest}</VisuallyHidden>;
}
