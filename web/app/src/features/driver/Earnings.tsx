import { Button, Container, Group, Paper, SegmentedControl, Skeleton, Stack, Text, Title } from '@mantine/core';
import { IconCoin } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { dateAndTime, money, number } from '../../lib/format';
import { problemText } from '../../lib/problemText';
import { usePageTitle } from '../../lib/usePageTitle';
import { Bars } from './today/Bars';
import classes from './driver.module.css';
import { dayOf, hoursOf, lastDays, sumOf, tripsOn, type Trip } from './today/earnings';
import { TripList } from './today/TripList';
import { ownTimeZone, shownDays, useEarnings } from './today/useEarnings';

/** What a driver earned: today, hour by hour, and in the last days. */
export default function EarningsPage() {
  const { t } = useTranslation('driver');
  const { t: shell } = useTranslation('shell');
  usePageTitle(t('earnings.title'));
  const { data, error, isPending, isError, refetch } = useEarnings();
  return (
    <Container size="sm" py="lg">
      <Title order={1} size="h2" mb="md">{t('earnings.title')}</Title>
      {isPending ? <Waiting /> : data ? <Earned trips={data} /> : null}
      {isError && !data && (
        <Stack align="center" role="alert" py="xl">
          <Text ta="center">{t('today.failed')} {problemText(error)}</Text>
          <Button onClick={() => void refetch()}>{shell('retry')}</Button>
        </Stack>
      )}
    </Container>
  );
}

function Waiting() {
  const { t } = useTranslation('driver');
  return (
    <Stack aria-label={t('today.loading')} role="status">
      <Skeleton h={110} radius="lg" />
      <Skeleton h={260} radius="lg" />
      <Skeleton h={180} radius="lg" />
    </Stack>
  );
}

function Earned({ trips }: { trips: readonly Trip[] }) {
  const { t, i18n } = useTranslation('driver');
  const [span, setSpan] = useState<'week' | 'today'>('week');
  const zone = ownTimeZone();
  const now = new Date();
  const day = dayOf(now, zone);
  const today = tripsOn(trips, day, zone);
  const week = lastDays(trips, shownDays, now, zone);
  const ofWeek = week.flatMap((b) => tripsOn(trips, b.key, zone));
  const weekday = new Intl.DateTimeFormat(i18n.language, { weekday: 'short', timeZone: 'UTC' });
  const hour = new Intl.DateTimeFormat(i18n.language, { hour: 'numeric', timeZone: 'UTC' });
  const bars = span === 'week'
    ? week.map((b) => ({ ...b, label: weekday.format(new Date(`${b.key}T12:00:00Z`)), now: b.key === day }))
    : hoursOf(trips, day, zone).map((b) => ({ ...b, label: hour.format(Date.UTC(2026, 0, 1, Number(b.key))), now: false }));
  return (
    <Stack gap="lg">
      <Group grow gap="sm">
        <Stat label={t('today.title')} sums={sumOf(today)} trips={today.length} />
        <Stat label={t('earnings.week')} sums={sumOf(ofWeek)} trips={ofWeek.length} />
      </Group>
      <Paper withBorder radius="lg" p="md">
        <Group justify="space-between" mb="md">
          <Title order={2} size="h4">{t(`earnings.by.${span}`)}</Title>
          <SegmentedControl size="xs" value={span} onChange={(v) => setSpan(v as typeof span)} aria-label={t('earnings.span')}
            data={[{ value: 'week', label: t('earnings.days') }, { value: 'today', label: t('today.title') }]} />
        </Group>
        {bars.some((b) => b.trips > 0) ? <Bars bars={bars} /> : <Text size="sm" c="dimmed" py="lg" ta="center">{t('earnings.quiet')}</Text>}
      </Paper>
      <Paper withBorder radius="lg" p="md">
        <Title order={2} size="h4" mb="xs">{t('earnings.recent')}</Title>
        {ofWeek.length > 0 ? <TripList trips={trips.slice(0, 20)} when={dateAndTime} /> : (
          <Stack align="center" py="lg" gap="xs">
            <IconCoin size={36} aria-hidden="true" color="var(--mantine-color-dimmed)" />
            <Text c="dimmed">{t('earnings.none')}</Text>
            <Button component={Link} to="/drive" variant="light">{t('earnings.drive')}</Button>
          </Stack>
        )}
      </Paper>
      <Text size="xs" c="dimmed">{t('earnings.zone', { zone })}</Text>
    </Stack>
  );
}

function Stat({ label, sums, trips }: { label: string; sums: readonly { currency: string; minor: number }[]; trips: number }) {
  const { t } = useTranslation('driver');
  return (
    <Paper withBorder radius="lg" p="md">
      <Text size="sm" c="dimmed">{label}</Text>
      <Text className={classes.fare}>{sums.length > 0 ? sums.map(money).join(' + ') : '–'}</Text>
      <Text size="sm" c="dimmed">{t('earnings.trips', { count: trips, n: number(trips) })}</Text>
    </Paper>
  );
}
