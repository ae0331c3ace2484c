import { Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';

import { call } from '../../api/http';
import { http } from '../../shell/auth';
import { money } from '../../shell/format';
import type { TripRow as Trip } from '../live/follow';
import { accountQuery, fullName, PersonLink } from './PersonLink';
import { shortId } from './CopyId';
import { between, took } from './times';

/** From the request to the match, or to the end of the search; null while that goes on. */
export function waitOf(trip: Trip): number | null {
  const until = trip.matched_at ?? trip.ended_at;
  return trip.requested_at && until ? between(trip.requested_at, until) : null;
}

export function Wait({ trip }: { trip: Trip }) {
  const { t } = useTranslation('ops');
  const ms = waitOf(trip);
  if (ms === null) return <Text span inherit c="dimmed">{t('trips.searching')}</Text>;
  return trip.matched_at ? took(ms) : <Text span inherit c="dimmed">{took(ms)}</Text>;
}

/** Who has the trip, with the car; a dash while nobody has. */
export function DriverOf({ trip }: { trip: Trip }) {
  if (trip.driver) return <Driver id={trip.driver.id} name={trip.driver.first_name} plate={trip.driver.plate} />;
  if (trip.driver_id) return <LateDriver id={trip.driver_id} />;
  return <Text span c="dimmed">–</Text>;
}

/** One of whom the feed told the id. */
function LateDriver({ id }: { id: string }) {
  const { data } = useQuery({ ...accountQuery(id), staleTime: 300_000, retry: false });
  return <Driver id={id} name={data ? data.account.first_name || fullName(data.account) : shortId(id)} plate={data?.account.vehicle?.plate ?? ''} />;
}

function Driver({ id, name, plate }: { id: string; name: string; plate: string }) {
  return <><PersonLink id={id} name={name} /> <Text span c="dimmed" size="xs">{plate}</Text></>;
}

export function Fare({ trip }: { trip: Trip }) {
  const { t } = useTranslation('ops');
  if (trip.fare?.total) return money(trip.fare.total);
  if (trip.status === 'completed') return <LateFare id={trip.id} />;
  if (trip.estimate?.fare) return <Text span inherit c="dimmed" title={t('trips.estimated')}>≈ {money(trip.estimate.fare)}</Text>;
  return '–';
}

/** What a ride cost that was completed since its row was read: the feed does not tell. */
function LateFare({ id }: { id: string }) {
  const { data } = useQuery({
    queryKey: ['ops', 'fare', id], staleTime: Infinity, retry: false,
    queryFn: async ({ signal }) => (await call(http.GET('/v1/admin/trips/{id}', { signal, params: { path: { id } } }))).trip.fare?.total ?? null,
  });
  return data ? money(data) : '–';
}

/** An address, or the coordinates where nobody gave one. */
export function Place({ address, point }: { address: string; point?: { lat: number; lng: number } }) {
  if (address) return <span title={address}>{address}</span>;
  return <Text span size="xs" c="dimmed">{point ? `${point.lat.toFixed(4)}, ${point.lng.toFixed(4)}` : '–'}</Text>;
}
