import { Stack, Text } from '@mantine/core';
import { IconChevronRight } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

import { distance, money, timeOfDay } from '../../../lib/format';
import classes from '../driver.module.css';
import type { Trip } from './earnings';

/** Completed trips, each with the way to its details. */
export function TripList({ trips, when = timeOfDay }: { trips: readonly Trip[]; when?: (at: string) => string }) {
  const { t } = useTranslation('driver');
  return (
    <Stack gap={0} component="ul" m={0} p={0} style={{ listStyle: 'none' }}>
      {trips.map((trip) => (
        <li key={trip.id}>
          <Link className={classes.tripLink} to="/trips/$id" params={{ id: trip.id }}>
            <div style={{ flex: 1, minWidth: 0 }}>
              <Text size="sm" fw={600} truncate>{trip.dropoff_address !== '' ? trip.dropoff_address : (trip.rider?.first_name ?? t('today.trip'))}</Text>
              <Text size="xs" c="dimmed">
                {trip.ended_at ? when(trip.ended_at) : ''}{trip.fare ? ` · ${distance(trip.fare.distance_m)}` : ''}
              </Text>
            </div>
            <Text fw={700} className={classes.digits}>{trip.fare?.total ? money(trip.fare.total) : ''}</Text>
            <IconChevronRight size={16} aria-hidden="true" />
          </Link>
        </li>
      ))}
    </Stack>
  );
}
