import type { Client, WholeTrip } from '@hexhail/client';
import { Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';

import { clockText, useServerNow } from '../../../lib/clock';
import classes from '../driver.module.css';

/** How long the driver has waited at the pickup, by the server's clock. Screen readers do not read its seconds. */
export function Waited({ session, trip }: { session: Client; trip: WholeTrip }) {
  const { t } = useTranslation('driver');
  const now = useServerNow(session, 500);
  if (!trip.arrived_at) return null;
  const seconds = Math.max(0, Math.floor((now - Date.parse(trip.arrived_at)) / 1000));
  return <Text c="dimmed" className={classes.digits} role="timer" aria-live="off">{t('trip.waited', { time: clockText(seconds) })}</Text>;
}
