import { Alert, Button, Card, Center, Container, Group, SegmentedControl, Skeleton, Stack, Text, Title } from '@mantine/core';
import { IconAlertTriangle, IconRoute } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { useAccount } from '../../api/auth';
import { tripList } from '../../api/queries';
import { day } from '../../lib/format';
import { useView } from '../../lib/session';
import { problemText } from '../../lib/problemText';
import { endedStatuses } from '../../lib/trip/status';
import { usePageTitle } from '../../lib/usePageTitle';
import { CurrentTrip, TripRow } from './Card';
import { byDay, mergePages } from './list';
import { useFreshTrips } from '../../lib/trip/useFreshTrips';
import type { Reader } from '../../lib/trip/words';

/** How a trip can have ended, and all of these. */
const filters = ['all', ...endedStatuses] as const;
type Filter = (typeof filters)[number];

/** One's trips: the one that goes on, and the others in pages. */
export default function TripsPage() {
  const { t } = useTranslation('trips');
  usePageTitle(t('title'));
  useFreshTrips();
  const reader: Reader = useAccount()?.role === 'driver' ? 'driver' : 'rider';
  const { activeTrip } = useView();
  const [filter, setFilter] = useState<Filter>('all');
  return (
    <Container size="sm" py="lg">
      <Stack gap="lg">
        <Title order={1}>{t('title')}</Title>
        {activeTrip && (
          <Stack gap="xs" component="section" aria-labelledby="trips-current">
            <Title order={2} size="h3" id="trips-current">{t('current')}</Title>
            <CurrentTrip trip={activeTrip} reader={reader} />
          </Stack>
        )}
        <Stack gap="sm" component="section" aria-labelledby="trips-recent">
          <Group justify="space-between">
            <Title order={2} size="h3" id="trips-recent">{t('recent')}</Title>
            <SegmentedControl
              size="xs" aria-label={t('filter.label')} value={filter} onChange={(f) => setFilter(filters.find((known) => known === f) ?? 'all')}
              data={filters.map((f) => ({ value: f, label: t(`filter.${f}`) }))}
            />
          </Group>
          <Recent filter={filter} reader={reader} />
        </Stack>
      </Stack>
    </Container>
  );
}

function Recent({ filter, reader }: { filter: Filter; reader: Reader }) {
  const { t } = useTranslation('trips');
  const list = useInfiniteQuery(tripList(filter));
  if (list.isPending) return <Loading />;
  if (list.isError && !list.data) return <Failed error={list.error} onRetry={() => void list.refetch()} />;
  const days = byDay(mergePages(list.data.pages.map((p) => p.trips)));
  if (days.length === 0 && !list.hasNextPage) return <Empty filtered={filter !== 'all'} reader={reader} />;
  return (
    <Stack gap="md">
      {days.map((d) => (
        <Stack key={d.day} gap="xs" component="section" aria-label={dayName(t, d.at)}>
          <Text size="sm" fw={600} c="dimmed" component="h3" m={0}>{dayName(t, d.at)}</Text>
          {d.trips.map((trip) => <TripRow key={trip.id} trip={trip} reader={reader} />)}
        </Stack>
      ))}
      {list.isError && <Failed error={list.error} onRetry={() => void list.fetchNextPage()} />}
      {list.hasNextPage
        ? <Button variant="light" onClick={() => void list.fetchNextPage()} loading={list.isFetchingNextPage}>{t('more')}</Button>
        : list.data.pages.length > 1 && <Text ta="center" size="sm" c="dimmed">{t('end')}</Text>}
    </Stack>
  );
}

function dayName(t: (key: 'today' | 'yesterday') => string, at: string): string {
  const date = new Date(at).toDateString();
  const now = new Date();
  if (date === now.toDateString()) return t('today');
  now.setDate(now.getDate() - 1);
  return date === now.toDateString() ? t('yesterday') : day(at);
}

function Loading() {
  const { t } = useTranslation('trips');
  return (
    <Stack gap="xs" role="status" aria-label={t('loading')}>
      {[0, 1, 2, 3].map((i) => <Skeleton key={i} height={104} radius="lg" />)}
    </Stack>
  );
}

function Failed({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  const { t } = useTranslation('trips');
  return (
    <Alert color="red" icon={<IconAlertTriangle size={18} />} role="alert">
      <Group justify="space-between">
        <Text size="sm">{t('failed')} {problemText(error)}</Text>
        <Button size="xs" variant="default" onClick={onRetry}>{t('again')}</Button>
      </Group>
    </Alert>
  );
}

function Empty({ filtered, reader }: { filtered: boolean; reader: Reader }) {
  const { t } = useTranslation('trips');
  if (filtered) return <Center py="xl"><Text c="dimmed">{t('empty.filtered')}</Text></Center>;
  return (
    <Card p="xl">
      <Stack align="center" ta="center" gap="xs">
        <IconRoute size={40} stroke={1.5} color="var(--mantine-primary-color-filled)" aria-hidden />
        <Text fw={700} size="lg">{t('empty.title')}</Text>
        <Text c="dimmed">{t(`empty.${reader}`)}</Text>
        <Button component={Link} to={reader === 'rider' ? '/ride' : '/drive'} mih={44} mt="xs">
          {t(reader === 'rider' ? 'empty.ride' : 'empty.drive')}
        </Button>
      </Stack>
    </Card>
  );
}
