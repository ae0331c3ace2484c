import { Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';

import type { Schemas } from '../../api/http';
import { money } from '../../shell/format';
import { between, took } from './times';

type Trip = Schemas['Trip'];

/** From the request to the match, or to the end of the search; null while that goes on. */
export function waitOf(trip: Trip): number | null {
  const until = trip.matched_at ?? trip.ended_at;
  return trip.requested_at && until ? between(trip.requested_at, until) : null;
}

export function Wait({ trip }: { trip: Trip }) {
  const { t } = useTranslation('ops');
  const ms = waitOf(trip);
  if (ms === null) return <Text span size="sm" c="dimmed">{t('trips.searching')}</Text>;
  return trip.matched_at ? took(ms) : <Text span size="sm" c="dimmed">{took(ms)}</Text>;
}

export function Fare({ trip }: { trip: Trip }) {
  const { t } = useTranslation('ops');
  if (trip.fare?.total) return money(trip.fare.total);
  if (trip.estimate?.fare) return <Text span size="sm" c="dimmed" title={t('trips.estimated')}>≈ {money(trip.estimate.fare)}</Text>;
  return '–';
}

/** An address, or the coordinates where nobody gave one. */
export function Place({ address, point }: { address: string; point?: { lat: number; lng: number } }) {
  if (address) return <span title={address}>{address}</span>;
  return <Text span size="xs" c="dimmed">{point ? `${point.lat.toFixed(4)}, ${point.lng.toFixed(4)}` : '–'}</Text>;
}
