import type { DriverPosition, WholeTrip } from '@hexhail/client';
import { Box, Group, Progress, Stack, Text, Title, VisuallyHidden } from '@mantine/core';
import { IconHandStop } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import { useServerNow } from '../../lib/clock';
import { distance, duration, money, timeOfDay } from '../../lib/format';
import { useSession, useView } from '../../lib/session';
import { usePlanned } from '../../lib/trip/route';
import { vehicleClassName, vehicleText } from '../../lib/vehicle';
import { Face, MeanStars, Route } from '../../lib/trip/parts';
import { partyName } from '../../lib/trip/words';
import { CancelButton } from './CancelButton';
import { leftOf, progress, progressOn, useArrival } from './eta';
import classes from './rider.module.css';

interface Props {
  readonly trip: WholeTrip;
  readonly position: DriverPosition | undefined;
}

/** The driver is on the way, or waits at the pickup. */
export function PickupPanel({ trip, position }: Props) {
  const { t } = useTranslation('rider');
  const now = useServerNow(useSession());
  const arrival = useArrival(trip, position, now);
  const left = leftOf(usePlanned(useView().route), position?.trip_id === trip.id ? position : undefined);
  const arrived = trip.status === 'arrived';
  const name = trip.driver?.first_name ?? t('driver.nameless');
  return (
    <Stack gap="md">
      {arrived ? (
        <Group className={classes.here} wrap="nowrap" role="alert">
          <IconHandStop size={28} aria-hidden />
          <div>
            <Title order={1} size="h3">{t('arrived.title', { name })}</Title>
            <Text>{t('arrived.text')}</Text>
          </div>
        </Group>
      ) : (
        <Eta title={t('coming.title', { name })} arrival={arrival} now={now} soon={t('coming.soon')} leftM={left} />
      )}
      <DriverCard trip={trip} />
      {trip.pin !== '' && <Pin pin={trip.pin} />}
      <Route from={{ point: trip.pickup, address: trip.pickup_address }} to={{ point: trip.dropoff, address: trip.dropoff_address }} />
      <Estimate trip={trip} />
      <CancelButton trip={trip} ask="reason" />
    </Stack>
  );
}

/** The ride itself. */
export function RidePanel({ trip, position }: Props) {
  const { t } = useTranslation('rider');
  const now = useServerNow(useSession());
  const arrival = useArrival(trip, position, now);
  const mine = position?.trip_id === trip.id ? position : undefined;
  const left = leftOf(usePlanned(useView().route), mine);
  const share = Math.round(100 * (left === null ? progress(trip.pickup, trip.dropoff, mine?.point ?? trip.pickup) : progressOn(trip.estimate.distance_m, left)));
  return (
    <Stack gap="md">
      <Eta title={t('riding.title')} arrival={arrival} now={now} soon={t('riding.soon')} leftM={left} />
      <Progress value={share} transitionDuration={900} aria-label={t('riding.progress')} />
      <Route from={{ point: trip.pickup, address: trip.pickup_address }} to={{ point: trip.dropoff, address: trip.dropoff_address }} />
      <DriverCard trip={trip} />
      <Estimate trip={trip} />
    </Stack>
  );
}

/** How long it takes, large, and when that will be. */
function Eta({ title, arrival, now, soon, leftM }: { title: string; arrival: number; now: number; soon: string; leftM: number | null }) {
  const { t } = useTranslation('rider');
  const known = Number.isFinite(arrival);
  const left = known ? (arrival - now) / 1000 : 0;
  return (
    <Group justify="space-between" wrap="nowrap" align="flex-start">
      <div>
        <Title order={1} size="h3">{title}</Title>
        {known && left > 0 && <Text c="dimmed">{t(leftM === null ? 'eta.at' : 'eta.left', { time: timeOfDay(new Date(arrival)), distance: distance(leftM ?? 0) })}</Text>}
      </div>
      {known && <Text className={classes.eta}>{left < 30 ? soon : duration(Math.max(60, left))}</Text>}
    </Group>
  );
}

/** Who drives, and in what. */
export function DriverCard({ trip }: { trip: Pick<WholeTrip, 'driver'> }) {
  const { t } = useTranslation('rider');
  const { t: words } = useTranslation('trips');
  const driver = trip.driver;
  if (!driver) return null;
  const looks = vehicleText({ make: driver.vehicle_make, model: driver.vehicle_model, colour: driver.vehicle_colour });
  return (
    <Group wrap="nowrap" component="section" aria-label={t('driver.label')}>
      <Face name={driver.first_name} photo={driver.photo_url} />
      <Stack gap={0} flex={1} miw={0}>
        <Group gap={8} wrap="nowrap">
          <Text fw={700} size="lg" truncate>{partyName(words, driver)}</Text>
          <MeanStars timesHundred={driver.rating_x100} />
        </Group>
        {looks !== '' && <Text fw={600} lineClamp={2}>{looks}</Text>}
        <Text size="sm" c="dimmed" truncate>{vehicleClassName(driver.vehicle_class)}</Text>
      </Stack>
      {driver.plate !== '' && <Box className={classes.plate}><VisuallyHidden>{t('driver.plate')} </VisuallyHidden>{driver.plate}</Box>}
    </Group>
  );
}

/** The digits that the rider gives to the driver. */
function Pin({ pin }: { pin: string }) {
  const { t } = useTranslation('rider');
  return (
    <Group className={classes.pin} justify="space-between" wrap="nowrap" component="section" aria-label={t('pin.label')}>
      <div>
        <Text fw={700}>{t('pin.label')}</Text>
        <Text size="sm">{t('pin.text')}</Text>
      </div>
      {/* Read digit by digit, not as a number. */}
      <span role="img" aria-label={Array.from(pin).join(' ')}>
        {Array.from(pin).map((digit, i) => <b key={i} aria-hidden>{digit}</b>)}
      </span>
    </Group>
  );
}

function Estimate({ trip }: { trip: WholeTrip }) {
  const { t } = useTranslation('rider');
  return (
    <Group justify="space-between">
      <Text size="sm" c="dimmed">{t('plan.people', { count: trip.passengers })}</Text>
      <Text size="sm" fw={600}>{t('searching.estimate', { fare: money(trip.estimate.fare) })}</Text>
    </Group>
  );
}
