import { SimpleGrid, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import type { TFunction } from 'i18next';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import type { Schemas } from '../../../api/http';
import { distance, duration, number } from '../../../lib/format';
import { vehicleClassName } from '../../../lib/vehicle';
import { PersonLink } from '../table/PersonLink';
import { stamp } from '../table/times';
import { Fare, Place } from '../table/TripParts';
import { isFar, markText, type Step } from './marks';

type T = TFunction<'ops'>;

/** The parties, places and times of a trip. */
export function Facts({ trip, by }: { trip: Schemas['Trip']; by: Schemas['ExplainView']['estimate_by'] }) {
  const { t } = useTranslation('ops');
  return (
    <SimpleGrid component="dl" cols={{ base: 2, sm: 3, lg: 5 }} spacing="md" verticalSpacing="xs" m={0}>
      <Fact name={t('trips.column.rider')}>{trip.rider ? <PersonLink id={trip.rider.id} name={trip.rider.first_name} /> : '–'}</Fact>
      <Fact name={t('trips.column.driver')}>{trip.driver ? <><PersonLink id={trip.driver.id} name={trip.driver.first_name} /> · {trip.driver.plate}</> : '–'}</Fact>
      <Fact name={t('trips.column.class')}>{t('explain.classFor', { vehicleClass: vehicleClassName(trip.vehicle_class), count: trip.passengers, number: number(trip.passengers) })}</Fact>
      <Fact name={t('trips.column.pickup')}><Place address={trip.pickup_address} point={trip.pickup} /></Fact>
      <Fact name={t('trips.column.dropoff')}><Place address={trip.dropoff_address} point={trip.dropoff} /></Fact>
      <Fact name={t('trips.column.requested')}>{trip.requested_at ? stamp(trip.requested_at) : '–'}</Fact>
      {trip.ended_at && <Fact name={t('explain.ended')}>{stamp(trip.ended_at)}</Fact>}
      <Fact name={t('trips.column.fare')}><Fare trip={trip} /></Fact>
      {trip.fare
        ? <Fact name={t('explain.ride')}>{distance(trip.fare.distance_m)} · {duration(trip.fare.duration_s)}<Basis fare={trip.fare} /></Fact>
        : trip.estimate && <Fact name={t('explain.estimate')}>{distance(trip.estimate.distance_m)} · {duration(trip.estimate.duration_s)} · {t(`explain.source.${by}`)}</Fact>}
      {trip.arrival && <Fact name={t('explain.mark.arrivalName')}><MarkText step="arrival" mark={trip.arrival} /></Fact>}
      {trip.completion && <Fact name={t('explain.mark.completionName')}><MarkText step="completion" mark={trip.completion} /></Fact>}
      {trip.note && <Fact name={t('explain.note')}>{trip.note}</Fact>}
    </SimpleGrid>
  );
}

/** Where the driver was on arriving or completing; marked where that was elsewhere. */
function MarkText({ step, mark }: { step: Step; mark: Schemas['Mark'] }) {
  const { t } = useTranslation('ops');
  const text = markText(step, mark, t);
  if (!isFar(step, mark)) return text;
  return <Text span inherit fw={600} c="light-dark(var(--mantine-color-orange-9), var(--mantine-color-orange-4))"><IconAlertTriangle size={14} aria-hidden="true" /> {text}</Text>;
}

/** How much of the way was not driven on record, and what the streets say of it. */
function Basis({ fare }: { fare: Schemas['FareBreakdown'] }) {
  const { t } = useTranslation('ops');
  const texts = [estimatedText(t, fare), streetText(t, fare.street_check)].filter(Boolean);
  return texts.map((text) => <Text span key={text} size="xs" c="dimmed"> · {text}</Text>);
}

function estimatedText(t: T, fare: Schemas['FareBreakdown']): string {
  switch (fare.basis) {
    case 'estimated':
      return t('explain.basis.estimated');
    case 'partly_estimated':
      return t('explain.basis.partly', { distance: distance(fare.estimated_m) });
    default:
      return '';
  }
}

function streetText(t: T, check: Schemas['StreetCheck'] | undefined): string {
  switch (check?.verdict) {
    case 'counts':
      return t('explain.basis.streets', { distance: distance(check.positions_m) });
    case 'off_streets':
      return t('explain.basis.off_streets', { share: number(check.share_percent) });
    case 'shorter':
    case 'longer':
      return t('explain.basis.unlike', { distance: distance(check.length_m) });
    case 'gaps':
    case 'late':
      return t(`explain.basis.${check.verdict}`);
    default:
      return '';
  }
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div style={{ minWidth: 0 }}>
      <Text component="dt" size="xs" c="dimmed">{name}</Text>
      <Text component="dd" size="sm" m={0} style={{ overflowWrap: 'anywhere' }}>{children}</Text>
    </div>
  );
}
