import type { Client, WholeTrip } from '@hexhail/client';
import { Text } from '@mantine/core';
import { useCallback } from 'react';
import { useTranslation } from 'react-i18next';

import classes from '../driver.module.css';
import { useNow } from '../useNow';

/** How long the driver has waited at the pickup, by the server's clock. Screen readers do not read its seconds. */
export function Waited({ session, trip }: { session: Client; trip: WholeTrip }) {
  const { t } = useTranslation('driver');
  const now = useNow(useCallback(() => session.serverNow(), [session]), 500);
  if (!trip.arrived_at) return null;
  const seconds = Math.max(0, Math.floor((now - Date.parse(trip.arrived_at)) / 1000));
  return <Text c="dimmed" className={classes.digits} role="timer" aria-live="off">{t('trip.waited', { time: clockOf(seconds) })}</Text>;
}

/** 4:07, 1:02:03. */
export function clockOf(seconds: number): string {
  const two = (n: number) => String(n).padStart(2, '0');
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
