import { Skeleton, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { call } from '../../../api/http';
import { http } from '../../../api/auth';
import { keys } from '../../../api/queries';
import { money } from '../../../lib/format';
import { ofNewerServer } from '../../../lib/trip/status';
import type { TripRow as Trip } from '../live/follow';
import { useNamed } from '../live/names';
import { fullName, PersonLink } from './PersonLink';
import { shortId } from './CopyId';
import { between, clock, dayOf, stamp, took } from './times';
import classes from './TripParts.module.css';

/** From the request to the match, or to the end of the search; null while that goes on. */
export function waitOf(trip: Trip): number | null {
  const until = trip.matched_at ?? trip.ended_at;
  return trip.requested_at && until ? between(trip.requested_at, until) : null;
}

export function Wait({ trip }: { trip: Trip }) {
  const { t } = useTranslation('ops');
  const ms = waitOf(trip);
  if (ms === null) return <Text span inherit c="dimmed">{t('trips.searching')}</Text>;
  return trip.matched_at ? took(ms) : <Text span inherit c="dimmed" title={t('trips.searchedFor', { time: took(ms) })}>–</Text>;
}

/** Who has the trip, with the plate unless that stands elsewhere; a dash without a driver. */
export function DriverOf({ trip, plate = true }: { trip: Trip; plate?: boolean }) {
  // The feed sends the id alone of a driver who came after the row was read.
  const late = useNamed(trip.driver ? undefined : trip.driver_id);
  const id = trip.driver?.id ?? trip.driver_id;
  if (!id) return <Text span c="dimmed">–</Text>;
  const name = trip.driver ? trip.driver.first_name : late ? late.first_name || fullName(late) : shortId(id);
  return <><PersonLink id={id} name={name} />{plate && <> <PlateOf trip={trip} /></>}</>;
}

/** The plate of the car; nothing without a driver. */
export function PlateOf({ trip }: { trip: Trip }) {
  const late = useNamed(trip.driver ? undefined : trip.driver_id);
  return <Text span c="dimmed" size="xs">{trip.driver ? trip.driver.plate : late?.vehicle?.plate ?? ''}</Text>;
}

/** Two lines of a cell. */
export function Two({ first, second }: { first: ReactNode; second: ReactNode }) {
  return <><div className={classes.line}>{first}</div><div className={classes.line}>{second}</div></>;
}

/** Pickup above drop-off, with the signs that the map has for them. */
export function Route({ trip }: { trip: Trip }) {
  return (
    <Two first={<span className={classes.stop} data-kind="pickup"><Place address={trip.pickup_address} point={trip.pickup} /></span>}
      second={<span className={classes.stop} data-kind="dropoff"><Place address={trip.dropoff_address} point={trip.dropoff} /></span>} />
  );
}

/** A time of today, or a day and, below it, the time. */
export function When({ at }: { at: string | undefined }) {
  if (!at) return '–';
  const today = new Date(at).toDateString() === new Date().toDateString();
  return today ? <span title={stamp(at)}>{clock(at)}</span> : <Two first={dayOf(at)} second={<Text span inherit c="dimmed">{clock(at)}</Text>} />;
}

/** What a trip cost, or will probably cost while it lives. */
export function Fare({ trip }: { trip: Trip }) {
  const { t } = useTranslation('ops');
  if (trip.fare?.total) return money(trip.fare.total);
  switch (trip.status) {
    case 'completed':
      return <LateFare id={trip.id} />;
    // A trip that ended before its ride did costs nothing.
    case 'cancelled':
    case 'expired':
      return <Text span inherit c="dimmed">–</Text>;
    case 'requested':
    case 'matched':
    case 'arrived':
    case 'in_progress':
      return trip.estimate?.fare ? <Text span inherit c="dimmed" title={t('trips.estimated')}>≈ {money(trip.estimate.fare)}</Text> : '–';
    case 'status_unspecified':
      return '–';
    default:
      return ofNewerServer(trip.status, '–');
  }
}

/** The fare of a ride that was completed after its row was read: the feed has no fares. */
function LateFare({ id }: { id: string }) {
  const { data, isPending } = useQuery({
    queryKey: keys.ops.fare(id), staleTime: Infinity, retry: 3,
    queryFn: async ({ signal }) => (await call(http.GET('/v1/admin/trips/{id}', { signal, params: { path: { id } } }))).trip.fare?.total ?? null,
  });
  if (isPending) return <Skeleton component="span" h={12} w={48} display="inline-block" />;
  return data ? money(data) : '–';
}

/** An address, or the coordinates where there is none. */
export function Place({ address, point }: { address: string; point?: { lat: number; lng: number } }) {
  if (address) return <span title={address}>{address}</span>;
  return <Text span size="xs" c="dimmed">{point ? `${point.lat.toFixed(4)}, ${point.lng.toFixed(4)}` : '–'}</Text>;
}
