import type { Client, WholeTrip } from '@hexhail/client';
import { Alert, Badge, Button, Group, Menu, Stack, Text, Title } from '@mantine/core';
import { IconFlag, IconMapPin, IconNavigation, IconNote, IconStarFilled, IconUsers } from '@tabler/icons-react';
import { useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';

import { distanceBetween, type PositionSource } from '../../../lib/map';
import { Avatar } from '../../../lib/Avatar';
import { distance, duration, money, number, stars } from '../../../lib/format';
import { liveStatuses } from '../../../lib/trip/status';
import classes from '../driver.module.css';
import { GiveBack } from './GiveBack';
import { navigators } from './navigation';
import { NextStep } from './NextStep';
import { Waited } from './Waited';

interface Props {
  readonly session: Client;
  readonly trip: WholeTrip;
  readonly positions: PositionSource;
  readonly demo: boolean;
}

/** The steps of a driver's trip: all that follow the search. */
const steps = liveStatuses.filter((status) => status !== 'requested');

/** A driver's trip: who, where to, and the one next step. */
export function TripPanel({ session, trip, positions, demo }: Props) {
  const { t } = useTranslation('driver');
  const riding = trip.status === 'in_progress';
  const to = riding ? trip.dropoff : trip.pickup;
  const address = riding ? trip.dropoff_address : trip.pickup_address;
  const at = steps.findIndex((s) => s === trip.status);
  return (
    <Stack gap="md" className={classes.touch}>
      <ol className={classes.steps} aria-label={t('trip.steps')}>
        {steps.map((s, i) => (
          <li key={s} className={classes.step} data-done={i <= at || undefined} aria-current={i === at ? 'step' : undefined}>{t(`trip.step.${s}`)}</li>
        ))}
      </ol>
      <Group justify="space-between" align="flex-start" wrap="nowrap">
        <div role="status">
          {trip.status === 'arrived' ? <Title order={2} size="h3">{t('trip.title.arrived')}</Title> : <Heading positions={positions} to={to} riding={riding} />}
          {trip.status === 'arrived' ? <Waited session={session} trip={trip} /> : <Way positions={positions} to={to} riding={riding} />}
        </div>
        {trip.status !== 'arrived' && <Navigate to={to} label={address || t(riding ? 'trip.dropoff' : 'trip.pickup')} />}
      </Group>
      <Rider trip={trip} />
      <Places trip={trip} />
      <NextStep session={session} trip={trip} positions={positions} demo={demo} />
      {!riding && <GiveBack session={session} trip={trip} />}
    </Stack>
  );
}

/** A car this near to a place is there, in metres. */
const thereM = 40;

interface WayProps {
  readonly positions: PositionSource;
  readonly to: { lat: number; lng: number };
  readonly riding: boolean;
}

/** Where to drive, or that this is the place. It changes once, however often the car moves. */
function Heading({ positions, to, riding }: WayProps) {
  const { t } = useTranslation('driver');
  const there = useSyncExternalStore(positions.subscribe, () => {
    const here = positions.get();
    return here !== null && distanceBetween(here, to) < thereM;
  });
  const key = riding ? (there ? 'atDropoff' : 'riding') : there ? 'atPickup' : 'matched';
  return <Title order={2} size="h3">{t(`trip.title.${key}`)}</Title>;
}

/** How far it still is, or what to do there. It subscribes to the car's position, so that nothing else renders while the car drives. */
function Way({ positions, to, riding }: WayProps) {
  const { t } = useTranslation('driver');
  const here = useSyncExternalStore(positions.subscribe, positions.get);
  if (!here) return <Text c="dimmed" size="sm" aria-live="off">{t('trip.noPosition')}</Text>;
  const metres = distanceBetween(here, to);
  return <Text c="dimmed" aria-live="off">{metres < thereM ? t(riding ? 'trip.thereDropoff' : 'trip.therePickup') : t('trip.away', { distance: distance(metres) })}</Text>;
}

function Navigate({ to, label }: { to: { lat: number; lng: number }; label: string }) {
  const { t, i18n } = useTranslation('driver');
  return (
    <Menu position="bottom-end" shadow="md">
      <Menu.Target>
        <Button variant="light" leftSection={<IconNavigation size={18} aria-hidden="true" />}>{t('trip.navigate')}</Button>
      </Menu.Target>
      <Menu.Dropdown>
        {navigators(to, label, i18n.language).map((n) => (
          <Menu.Item key={n.name} component="a" href={n.href} target="_blank" rel="noreferrer">{n.name}</Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function Rider({ trip }: { trip: WholeTrip }) {
  const { t } = useTranslation('driver');
  const rider = trip.rider;
  const rating = rider ? stars(rider.rating_x100) : null;
  return (
    <Group wrap="nowrap" gap="sm">
      {rider && <Avatar person={rider} size={44} />}
      <div style={{ flex: 1, minWidth: 0 }}>
        <Text fw={600} truncate>{rider?.first_name ?? t('trip.rider')}</Text>
        <Group gap={6}>
          {rating ? (
            <Group gap={3} c="dimmed"><IconStarFilled size={13} aria-hidden="true" /><Text size="sm">{rating}</Text></Group>
          ) : <Text size="sm" c="dimmed">{t('trip.unrated')}</Text>}
          <Badge variant="light" color="gray" leftSection={<IconUsers size={12} aria-hidden="true" />} aria-label={t('offers.passengers', { count: trip.passengers })}>
            {number(trip.passengers)}
          </Badge>
        </Group>
      </div>
      <div style={{ textAlign: 'right' }}>
        <Text fw={700}>{money(trip.estimate.fare)}</Text>
        <Text size="xs" c="dimmed">{t('trip.estimate', { distance: distance(trip.estimate.distance_m), duration: duration(trip.estimate.duration_s) })}</Text>
      </div>
    </Group>
  );
}

function Places({ trip }: { trip: WholeTrip }) {
  const { t } = useTranslation('driver');
  const named = (address: string, p: { lat: number; lng: number }) => address || `${p.lat.toFixed(5)}, ${p.lng.toFixed(5)}`;
  return (
    <Stack gap={6}>
      <Place icon={<IconMapPin size={18} aria-hidden="true" />} label={t('trip.pickup')} text={named(trip.pickup_address, trip.pickup)} />
      <Place icon={<IconFlag size={18} aria-hidden="true" />} label={t('trip.dropoff')} text={named(trip.dropoff_address, trip.dropoff)} />
      {trip.note && <Alert color="gray" p="xs" icon={<IconNote size={18} />} title={t('trip.note')}>{trip.note}</Alert>}
    </Stack>
  );
}

function Place({ icon, label, text }: { icon: React.ReactNode; label: string; text: string }) {
  return (
    <Group gap={8} wrap="nowrap" align="flex-start">
      <span className={classes.lineIcon}>{icon}</span>
      <Text size="sm"><Text span c="dimmed" size="sm">{label} </Text>{text}</Text>
    </Group>
  );
}
