import type { Trip } from '@hexhail/client';
import {
  ActionIcon, Alert, Button, Card, Center, Code, Container, CopyButton, Group, SimpleGrid, Skeleton, Stack, Text, Title, Tooltip,
} from '@mantine/core';
import { IconAlertTriangle, IconArrowLeft, IconCheck, IconCopy } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';

import type { Schemas } from '../../api/http';
import { asApiError } from '../../api/problem';
import { keys, tripDetail } from '../../api/queries';
import { useAccount } from '../../api/auth';
import { dateAndTime, distance, duration, money } from '../../lib/format';
import { problemText } from '../../lib/problemText';
import { useView } from '../../lib/session';
import { usePageTitle } from '../../lib/usePageTitle';
import { vehicleClassName, vehicleText } from '../../lib/vehicle';
import { Face, Fact, FareTable, MeanStars, Route, StatusBadge } from '../../lib/trip/parts';
import { Marks } from '../../lib/trip/Measured';
import { Rate } from '../../lib/trip/Rate';
import { hasEnded } from '../../lib/trip/status';
import { useFreshTrips } from '../../lib/trip/useFreshTrips';
import type { Reader } from '../../lib/trip/words';
import { Story } from './Story';
import { newer } from './list';
import type { TripEvent } from './timeline';
import { TripMap } from './TripMap';
import { partyName, reasonText } from '../../lib/trip/words';

/** What is known of one trip of one's own. */
export default function TripPage() {
  const { t } = useTranslation('trips');
  const { id } = useParams({ from: '/trips/$id' });
  const reader: Reader = useAccount()?.role === 'driver' ? 'driver' : 'rider';
  useFreshTrips();
  const detail = useQuery(tripDetail(id));
  const live = useLiveTrip(id);
  const at = detail.data?.trip.requested_at;
  usePageTitle(at ? t('detail.titleAt', { at: dateAndTime(at) }) : t('detail.title'));

  return (
    <Container size="sm" py="lg">
      <Stack gap="lg">
        <Button component={Link} to="/trips" variant="subtle" mih={44} px={8} w="fit-content" leftSection={<IconArrowLeft size={16} aria-hidden />}>{t('detail.back')}</Button>
        {detail.data
          ? <Known trip={newer(detail.data.trip, live)} events={detail.data.events} track={detail.data.track} reader={reader} />
          : detail.isError
            ? <Unknown error={detail.error} onRetry={() => void detail.refetch()} />
            : <Loading />}
      </Stack>
    </Container>
  );
}

/** The trip as the socket has it while it goes on. Each new version fetches its history again. */
function useLiveTrip(id: string): Trip | undefined {
  const queries = useQueryClient();
  const { activeTrip, lastEnded } = useView();
  const live = activeTrip?.id === id ? activeTrip : lastEnded?.id === id ? lastEnded : undefined;
  const version = live?.version;
  useEffect(() => {
    if (version !== undefined) void queries.invalidateQueries({ queryKey: keys.trip(id) });
  }, [queries, id, version]);
  return live;
}

function Known({ trip, events, track, reader }: {
  trip: Trip;
  events: readonly TripEvent[];
  track: readonly Schemas['TrackPoint'][];
  reader: Reader;
}) {
  const { t } = useTranslation('trips');
  return (
    <>
      <Group justify="space-between" align="flex-start" wrap="nowrap">
        <Title order={1} size="h2">{t('detail.titleAt', { at: dateAndTime(trip.requested_at ?? '') })}</Title>
        <StatusBadge status={trip.status} />
      </Group>
      {!hasEnded(trip) && (
        <Button component={Link} to={reader === 'rider' ? '/ride' : '/drive'} variant="light">{t('follow')}</Button>
      )}
      <TripMap trip={trip} track={track} />
      {trip.cancellation && <Cancelled trip={trip} reader={reader} />}
      <Card>
        <Stack>
          <Route from={{ point: trip.pickup, address: trip.pickup_address }} to={{ point: trip.dropoff, address: trip.dropoff_address }} />
          <Facts trip={trip} />
          {trip.note !== '' && <Fact label={t('detail.note')}>{trip.note}</Fact>}
        </Stack>
      </Card>
      <Party trip={trip} reader={reader} />
      {trip.fare && (
        <Card component="section" aria-label={t('fare.title')}>
          <Title order={2} size="h4" mb="xs">{t('fare.title')}</Title>
          <FareTable fare={trip.fare} />
        </Card>
      )}
      <Marks trip={trip} />
      {trip.status === 'completed' && <Card><Rate trip={trip} reader={reader} /></Card>}
      <Card component="section" aria-labelledby="trip-story">
        <Title order={2} size="h4" mb="md" id="trip-story">{t('story.title')}</Title>
        <Story events={events} reader={reader} />
      </Card>
      <TripNumber id={trip.id} />
    </>
  );
}

function Facts({ trip }: { trip: Trip }) {
  const { t } = useTranslation('trips');
  const length = trip.fare ?? trip.estimate;
  const price = trip.fare?.total ?? trip.estimate?.fare;
  return (
    <SimpleGrid cols={{ base: 2, xs: 4 }}>
      <Fact label={t('detail.vehicle')}>{vehicleClassName(trip.vehicle_class)}, {t('detail.passengers', { count: trip.passengers })}</Fact>
      {length && <Fact label={t('detail.distance')}>{distance(length.distance_m)}</Fact>}
      {length && <Fact label={t('detail.duration')}>{duration(length.duration_s)}</Fact>}
      {price && <Fact label={trip.fare ? t('fare.total') : t('fare.estimate')}>{money(price)}</Fact>}
    </SimpleGrid>
  );
}

function Party({ trip, reader }: { trip: Trip; reader: Reader }) {
  const { t } = useTranslation('trips');
  const person = reader === 'rider' ? trip.driver : trip.rider;
  if (!person) return null;
  return (
    <Card component="section" aria-label={t(reader === 'rider' ? 'detail.driver' : 'detail.rider')}>
      <Group wrap="nowrap">
        <Face name={person.first_name} photo={person.photo_url} />
        <Stack gap={0} flex={1}>
          <Text size="xs" c="dimmed">{t(reader === 'rider' ? 'detail.driver' : 'detail.rider')}</Text>
          <Text fw={700}>{partyName(t, person)}</Text>
          <MeanStars timesHundred={person.rating_x100} />
        </Stack>
        {trip.driver && reader === 'rider' && <Car driver={trip.driver} />}
      </Group>
    </Card>
  );
}

/** By what the car could be recognised. */
function Car({ driver }: { driver: NonNullable<Trip['driver']> }) {
  const { t } = useTranslation('trips');
  const looks = vehicleText({ make: driver.vehicle_make, model: driver.vehicle_model, colour: driver.vehicle_colour });
  if (driver.plate === '' && looks === '') return null;
  return <Fact label={looks || t('detail.plate')}>{driver.plate}</Fact>;
}

function Cancelled({ trip, reader }: { trip: Trip; reader: Reader }) {
  const { t } = useTranslation('trips');
  const by = trip.cancellation?.by ?? 'by_unspecified';
  const reason = reasonText(t, by, trip.cancellation?.reason ?? '');
  const who = by === reader ? 'you' : by === 'by_unspecified' ? 'system' : by;
  return (
    <Alert color="gray" variant="light" title={t(`detail.cancelled.${who}`)}>
      {reason !== '' && <Text size="sm">{reason}</Text>}
    </Alert>
  );
}

function TripNumber({ id }: { id: string }) {
  const { t } = useTranslation('trips');
  return (
    <Group gap="xs" wrap="nowrap">
      <Text size="sm" c="dimmed" flex="none">{t('detail.id')}</Text>
      <Code style={{ overflow: 'hidden', textOverflow: 'ellipsis' }}>{id}</Code>
      <CopyButton value={id}>
        {({ copied, copy }) => (
          <Tooltip label={copied ? t('detail.copied') : t('detail.copy')}>
            <ActionIcon variant="subtle" color="gray" size={44} onClick={copy} aria-label={copied ? t('detail.copied') : t('detail.copy')}>
              {copied ? <IconCheck size={16} /> : <IconCopy size={16} />}
            </ActionIcon>
          </Tooltip>
        )}
      </CopyButton>
    </Group>
  );
}

function Unknown({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  const { t } = useTranslation('trips');
  if (asApiError(error).code === 'not_found') {
    return (
      <Center mih="40vh">
        <Stack align="center" ta="center" maw={420}>
          <Title order={1} size="h2">{t('detail.missing.title')}</Title>
          <Text c="dimmed">{t('detail.missing.text')}</Text>
          <Button component={Link} to="/trips">{t('detail.back')}</Button>
        </Stack>
      </Center>
    );
  }
  return (
    <Alert color="red" icon={<IconAlertTriangle size={18} />} role="alert">
      <Group justify="space-between">
        <Text size="sm">{t('detail.failed')} {problemText(error)}</Text>
        <Button size="xs" variant="default" onClick={onRetry}>{t('again')}</Button>
      </Group>
    </Alert>
  );
}

function Loading() {
  const { t } = useTranslation('trips');
  return (
    <Stack role="status" aria-label={t('loading')}>
      <Skeleton height={36} width="60%" />
      <Skeleton height={220} radius="lg" />
      <Skeleton height={120} radius="lg" />
      <Skeleton height={240} radius="lg" />
    </Stack>
  );
}
