import { Anchor, Button, Group, Skeleton, Stack, Text, Title } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

import { money, number } from '../../../lib/format';
import { problemText } from '../../../lib/problemText';
import classes from '../driver.module.css';
import { dayOf, sumOf, tripsOn } from './earnings';
import { TripList } from './TripList';
import { ownTimeZone, useEarnings } from './useEarnings';

const shownTrips = 3;

/** What today brought, and the last trips. */
export function Today() {
  const { t } = useTranslation('driver');
  const { data, error, isPending, isError, refetch } = useEarnings();
  const { t: shell } = useTranslation('shell');
  if (isPending) return <Skeleton role="status" h={76} radius="lg" aria-label={t('today.loading')} />;
  if (isError && !data) {
    return (
      <Group justify="space-between" wrap="nowrap" role="alert">
        <Text size="sm" c="dimmed">{t('today.failed')} {problemText(error)}</Text>
        <Button size="xs" variant="light" onClick={() => void refetch()}>{shell('retry')}</Button>
      </Group>
    );
  }
  const zone = ownTimeZone();
  const today = tripsOn(data, dayOf(new Date(), zone), zone);
  const sums = sumOf(today);
  return (
    <Stack gap="xs">
      <Group justify="space-between">
        <Title order={2} size="h4">{t('today.title')}</Title>
        <Anchor component={Link} to="/earnings" size="sm" mih={44} display="inline-flex" style={{ alignItems: 'center' }}>{t('today.more')}</Anchor>
      </Group>
      <Group gap="sm" wrap="nowrap">
        <Tile label={t('today.earned')} value={sums.length > 0 ? sums.map(money).join(' + ') : '–'} />
        <Tile label={t('today.trips')} value={number(today.length)} />
      </Group>
      {data.length > 0
        ? <TripList trips={data.slice(0, shownTrips)} />
        : <Text size="sm" c="dimmed">{t('today.none')}</Text>}
    </Stack>
  );
}

function Tile({ label, value }: { label: string; value: string }) {
  return (
    <div className={classes.tile}>
      <Text size="xs" c="dimmed">{label}</Text>
      <Text fw={700} size="lg" className={classes.digits}>{value}</Text>
    </div>
  );
}
