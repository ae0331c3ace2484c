import { Group, Stack, Text } from '@mantine/core';
import { IconInfoCircle } from '@tabler/icons-react';
import { useEffect, useReducer } from 'react';
import { useTranslation } from 'react-i18next';

import { money } from '../../../lib/format';
import { useSessionEvent } from '../../../lib/session';
import { lostOffers, type LostOffer } from './offers';

/** The offers that were lost just now, and why. They disappear on their own and take no focus. */
export function LostOffers() {
  const { t } = useTranslation('driver');
  const [lost, change] = useReducer(lostOffers, [] as readonly LostOffer[]);
  useSessionEvent('offerClosed', (closed) => change({ closed, now: Date.now() }));
  const any = lost.length > 0;
  useEffect(() => {
    if (!any) return;
    const ticking = setInterval(() => change({ tick: Date.now() }), 500);
    return () => clearInterval(ticking);
  }, [any]);
  return (
    <Stack gap={4} role="log" aria-label={t('lost.label')} aria-live="polite">
      {lost.map((l) => (
        <Group key={l.id} gap={8} wrap="nowrap" c="dimmed">
          <IconInfoCircle size={16} aria-hidden="true" />
          <Text size="sm">{l.fare ? `${money(l.fare)} · ` : ''}{t(`lost.${l.why}`)}</Text>
        </Group>
      ))}
    </Stack>
  );
}
