import type { Client, WholeTrip } from '@hexhail/client';
import { ActionIcon, Alert, Badge, Button, Group, Menu, Stack, Text, Title } from '@mantine/core';
import { IconExternalLink, IconFlag, IconMapPin, IconNavigation, IconNote, IconStarFilled, IconUsers } from '@tabler/icons-react';
import { useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';

import { distanceBetween, type PositionSource } from '../../../lib/map';
import { Avatar } from '../../../lib/Avatar';
import { distance, duration, money, number, stars, timeOfDay } from '../../../lib/format';
import type { Planned } from '../../../lib/trip/route';
import { liveStatuses } from '../../../lib/trip/status';
import classes from '../driver.module.css';
import { useGuidance } from '../turns/useGuidance';
import { GiveBack } from './GiveBack';
import { navigators } from './navigation';
import { NextStep } from './NextStep';
import { thereM, useIsThere } from './useIsThere';
import { Waited } from './Waited';

interface Props {
  readonly session: Client;
  readonly trip: WholeTrip;
  /** The planned route to where the driver has to go; null: none is known. */
  readonly planned: Planned | null;
  readonly positions: PositionSource;
  readonly demo: boolean;
}

/** The steps of a driver's trip: all that follow the search. */
const steps = liveStatuses.filter((status) => status !== 'requested');

/** A driver's trip: who, where to, and the one next step. */
export function TripPanel({ session, trip, planned, positions, demo }: Props) {
  const { t } = useTranslation('driver');
  const riding = trip.status === 'in_progress';
  const to = riding ? trip.dropoff : trip.pickup;
  const address = riding ? trip.dropoff_address : trip.pickup_address;
  const at = steps.findIndex((s) => s === trip.status);
  const arrived = trip.status === 'arrived';
  const progress = (
    <ol className={classes.steps} aria-label={t('trip.steps')}>
      {steps.map((s, i) => (
        <li key={s} className={classes.step} data-done={i <= at || undefined} aria-current={i === at ? 'step' : undefined}>{t(`trip.step.${s}`)}</li>
      ))}
    </ol>
  );
  const navigating = planned !== null && planned.way !== null;
  const next = <NextStep session={session} trip={trip} positions={positions} demo={demo} />;
  return (
    <Stack gap="md" className={classes.touch}>
      {!navigating && progress}
      <Group justify="space-between" align={navigating ? 'center' : 'flex-start'} wrap="nowrap">
        <div role="status">
          {arrived ? <Title order={2} size="h3">{t('trip.title.arrived')}</Title> : <Heading positions={positions} to={to} riding={riding} small={navigating} />}
          {arrived ? <Waited session={session} trip={trip} /> : <Way session={session} planned={planned} positions={positions} to={to} riding={riding} />}
        </div>
        {!arrived && <Navigate to={to} label={address || t(riding ? 'trip.dropoff' : 'trip.pickup')} small={navigating} />}
      </Group>
      {/* While turns matter the sheet is small: what is needed first stands first. */}
      {navigating && next}
      {navigating && progress}
      <Rider trip={trip} />
      <Places trip={trip} />
      {!navigating && next}
      {!riding && <GiveBack session={session} trip={trip} />}
    </Stack>
  );
}

interface WayProps {
  readonly positions: PositionSource;
  readonly to: { lat: number; lng: number };
  readonly riding: boolean;
}

/** Where to drive, or that this is the place. */
function Heading({ positions, to, riding, small }: WayProps & { small: boolean }) {
  const { t } = useTranslation('driver');
  const there = useIsThere(positions, to);
  const key = riding ? (there ? 'atDropoff' : 'riding') : there ? 'atPickup' : 'matched';
  return <Title order={2} size={small ? 'h5' : 'h3'}>{t(`trip.title.${key}`)}</Title>;
}

/** How far it still is, or what to do there. It subscribes to the car's position, so that nothing else renders while the car drives. */
function Way({ session, planned, positions, to, riding }: WayProps & { session: Client; planned: Planned | null }) {
  const { t } = useTranslation('driver');
  const here = useSyncExternalStore(positions.subscribe, positions.get);
  const drive = useGuidance(planned, positions);
  if (!here) return <Text c="dimmed" size="sm" aria-live="off">{t('trip.noPosition')}</Text>;
  const metres = distanceBetween(here, to);
  if (metres < thereM) return <Text c="dimmed" aria-live="off">{t(riding ? 'trip.thereDropoff' : 'trip.therePickup')}</Text>;
  if (!drive || drive.guidance.astray) return <Text c="dimmed" aria-live="off">{t('trip.away', { distance: distance(metres) })}</Text>;
  const { leftM, leftS } = drive.guidance;
  const arrival = new Date(session.serverNow() + leftS * 1000);
  return (
    <Group gap={8} align="baseline" wrap="nowrap" aria-live="off">
      <Text span className={classes.left}>{duration(Math.max(60, leftS))}</Text>
      <Text span c="dimmed">{t('turns.left', { distance: distance(leftM), time: timeOfDay(arrival) })}</Text>
    </Group>
  );
}

function Navigate({ to, label, small }: { to: { lat: number; lng: number }; label: string; small: boolean }) {
  const { t, i18n } = useTranslation('driver');
  return (
    <Menu position="bottom-end" shadow="md">
      <Menu.Target>
        {small
          ? <ActionIcon variant="light" size={44} radius="md" aria-label={t('trip.navigate')}><IconExternalLink size={20} aria-hidden="true" /></ActionIcon>
          : <Button variant="light" leftSection={<IconNavigation size={18} aria-hidden="true" />}>{t('trip.navigate')}</Button>}
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
