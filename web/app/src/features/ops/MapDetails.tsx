import { ActionIcon, Badge, Button, Group, ScrollArea, Skeleton, Stack, Switch, Text, Title } from '@mantine/core';
import type { CityTrip } from '@hexhail/client';
import { IconX } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useEffect, useRef, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { number } from '../../lib/format';
import { LinkAnchor } from '../../lib/links';
import { vehicleClassName, vehicleText } from '../../lib/vehicle';
import classes from './Console.module.css';
import { useCity } from './live/hooks';
import { useNamed } from './live/names';
import { seconds, shortId, time } from './live/text';
import type { Selected } from './mapView';
import { fullName } from './table/PersonLink';

interface Props {
  readonly selected: Selected;
  readonly follow: boolean;
  readonly onFollow: (follow: boolean) => void;
  readonly onSelect: (selected: Selected) => void;
  readonly onClose: () => void;
}

/** What is known about the selected driver, trip or cell, as it changes. */
export function MapDetails({ selected, follow, onFollow, onSelect, onClose }: Props) {
  const { t } = useTranslation('ops');
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => title.current?.focus({ preventScroll: true }), []);
  return (
    <>
      <Group justify="space-between" px="md" py="xs" wrap="nowrap">
        <Title order={2} size="h4" ref={title} tabIndex={-1} style={{ outline: 'none' }}>{t(`map.details.${selected.kind}`)}</Title>
        <ActionIcon variant="subtle" color="gray" aria-label={t('map.details.close')} onClick={onClose}><IconX size={18} /></ActionIcon>
      </Group>
      <ScrollArea flex={1} px="md" pb="md">
        <Stack gap="md" pb="md">
          {selected.kind === 'driver' && <DriverDetails id={selected.id} onSelect={onSelect} />}
          {selected.kind === 'trip' && <TripDetails id={selected.id} onSelect={onSelect} />}
          {selected.kind === 'cell' && <CellDetails id={selected.id} />}
          {selected.kind !== 'cell' && (
            <Switch label={t('map.details.follow')} checked={follow} onChange={(e) => onFollow(e.currentTarget.checked)} />
          )}
        </Stack>
      </ScrollArea>
    </>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return <><dt>{name}</dt><dd>{children}</dd></>;
}

function DriverDetails({ id, onSelect }: { id: string; onSelect: (selected: Selected) => void }) {
  const { t } = useTranslation('ops');
  const driver = useCity('moves').drivers.get(id);
  return (
    <>
      <Group gap="xs"><Person id={id} />{driver && <Badge variant="light" tt="none">{t(`map.state.${driver.state}`)}</Badge>}</Group>
      {!driver && <Text size="sm" c="dimmed">{t('map.details.offline')}</Text>}
      <dl className={classes.facts}>
        <Car id={id} />
        {driver && <Fact name={t('map.details.class')}>{driver.vehicleClass ? vehicleClassName(driver.vehicleClass) : '–'}</Fact>}
        {driver?.point && <Fact name={t('map.details.position')}>{driver.point.lat.toFixed(5)}, {driver.point.lng.toFixed(5)}</Fact>}
        {driver && <Fact name={t('map.details.heading')}>{number(driver.heading)}°</Fact>}
        <Fact name={t('map.details.id')}><span className={classes.id}>{id}</span></Fact>
      </dl>
      {driver?.tripId && (
        <Button variant="light" onClick={() => onSelect({ kind: 'trip', id: driver.tripId })}>{t('map.details.toTrip', { id: shortId(driver.tripId) })}</Button>
      )}
    </>
  );
}

function TripDetails({ id, onSelect }: { id: string; onSelect: (selected: Selected) => void }) {
  const { t } = useTranslation('ops');
  const city = useCity('trips');
  const trip = city.trips.get(id);
  return (
    <>
      {trip && <Group><Badge variant="light" tt="none">{t(`map.status.${trip.status}`)}</Badge></Group>}
      {!trip && <Text size="sm" c="dimmed">{t('map.details.over')}</Text>}
      <dl className={classes.facts}>
        {trip && <TripFacts trip={trip} />}
        <Fact name={t('map.details.id')}><span className={classes.id}>{id}</span></Fact>
      </dl>
      <Group gap="xs">
        <Button variant="light" component={Link} to="/ops/trips/$id" params={{ id } as never}>{t('map.details.explain')}</Button>
        {trip?.driver_id && <Button variant="default" onClick={() => onSelect({ kind: 'driver', id: trip.driver_id })}>{t('map.details.toDriver')}</Button>}
      </Group>
    </>
  );
}

function TripFacts({ trip }: { trip: CityTrip }) {
  const { t } = useTranslation('ops');
  const { search, requested_at, matched_at } = trip;
  const wait = requested_at && matched_at ? (Date.parse(matched_at) - Date.parse(requested_at)) / 1000 : null;
  return (
    <>
      <Fact name={t('map.details.rider')}><Person id={trip.rider_id} /></Fact>
      {trip.driver_id && <Fact name={t('map.details.driver')}><Person id={trip.driver_id} /></Fact>}
      <Fact name={t('map.details.class')}>{trip.vehicle_class ? vehicleClassName(trip.vehicle_class) : '–'}</Fact>
      {requested_at && <Fact name={t('map.details.requested')}>{time(requested_at)}</Fact>}
      {wait !== null && <Fact name={t('map.details.matchedAfter')}>{seconds(wait)}</Fact>}
      {search && trip.status === 'requested' && (
        <>
          <Fact name={t('map.details.wave')}>{number(search.wave)}</Fact>
          <Fact name={t('map.details.asked')}>{number(search.drivers_asked)}</Fact>
        </>
      )}
      {trip.arrived_at && <Fact name={t('map.details.arrived')}>{time(trip.arrived_at)}</Fact>}
      {trip.started_at && <Fact name={t('map.details.started')}>{time(trip.started_at)}</Fact>}
      {trip.ended_at && <Fact name={t('map.details.ended')}>{time(trip.ended_at)}</Fact>}
    </>
  );
}

function CellDetails({ id }: { id: string }) {
  const { t } = useTranslation('ops');
  const cell = useCity('cells').cells.get(id);
  return (
    <dl className={classes.facts}>
      <Fact name={t('map.details.cellId')}><span className={classes.id}>{id}</span></Fact>
      <Fact name={t('map.details.supply')}>{number(cell?.supply ?? 0)}</Fact>
      <Fact name={t('map.details.demand')}>{number(cell?.demand ?? 0)}</Fact>
      <Fact name={t('map.details.requests')}>{number(cell?.requests ?? 0)}</Fact>
      <Fact name={t('map.details.meanWait')}>{cell && cell.mean_wait_s > 0 ? seconds(cell.mean_wait_s) : '–'}</Fact>
    </dl>
  );
}

/** A person by name, which the feed does not send, with a way to their page. */
function Person({ id }: { id: string }) {
  const { t } = useTranslation('ops');
  const account = useNamed(id);
  if (account === undefined) return <Skeleton h={14} w={110} display="inline-block" />;
  return <LinkAnchor to="/ops/people/$id" params={{ id }} size="sm" fw={600}>{account ? fullName(account) : t('map.details.person', { id: shortId(id) })}</LinkAnchor>;
}

/** What to look for in the street: the plate, and what the car looks like. */
function Car({ id }: { id: string }) {
  const { t } = useTranslation('ops');
  const vehicle = useNamed(id)?.vehicle;
  if (!vehicle) return null;
  return (
    <>
      <Fact name={t('map.details.plate')}>{vehicle.plate}</Fact>
      {vehicleText(vehicle) !== '' && <Fact name={t('map.details.car')}>{vehicleText(vehicle)}</Fact>}
    </>
  );
}
