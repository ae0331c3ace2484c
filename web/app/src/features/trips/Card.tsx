import type { Trip } from '@hexhail/client';
import { Card, Group, Stack, Text } from '@mantine/core';
import { IconChevronRight } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

import { money, timeOfDay } from '../../lib/format';
import classes from './Card.module.css';
import { Route, StatusBadge } from '../../lib/trip/parts';
import { partyName, type Reader } from '../../lib/trip/words';
import { vehicleClassName } from '../../lib/vehicle';

/** A trip that has ended, in a list; leads to its page. */
export function TripRow({ trip, reader }: { trip: Trip; reader: Reader }) {
  return (
    <Card
      renderRoot={(props) => <Link to="/trips/$id" params={{ id: trip.id }} {...props} />}
      className={classes.card} padding="md"
    >
      <Body trip={trip} reader={reader} />
    </Card>
  );
}

/** The trip that goes on; leads to the live screen. */
export function CurrentTrip({ trip, reader }: { trip: Trip; reader: Reader }) {
  const { t } = useTranslation('trips');
  return (
    <Card component={Link} to={reader === 'rider' ? '/ride' : '/drive'} className={classes.card} data-current padding="md">
      <Body trip={trip} reader={reader} />
      <Group gap={4} mt="sm" className={classes.follow}>
        <Text span fw={600} size="sm">{t('follow')}</Text>
        <IconChevronRight size={16} aria-hidden />
      </Group>
    </Card>
  );
}

function Body({ trip, reader }: { trip: Trip; reader: Reader }) {
  const { t } = useTranslation('trips');
  const other = reader === 'rider' ? trip.driver : trip.rider;
  const who = other && partyName(t, other);
  const price = trip.fare ? money(trip.fare.total) : null;
  const about = [trip.requested_at && timeOfDay(trip.requested_at), vehicleClassName(trip.vehicle_class), who].filter(Boolean);
  return (
    <Stack gap="sm">
      <Group justify="space-between" wrap="nowrap" align="flex-start">
        <Text size="sm" c="dimmed">{about.join(' · ')}</Text>
        {price === null ? <StatusBadge status={trip.status} /> : <Text fw={700}>{price}</Text>}
      </Group>
      <Route from={{ point: trip.pickup, address: trip.pickup_address }} to={{ point: trip.dropoff, address: trip.dropoff_address }} />
    </Stack>
  );
}
