import type { FareBreakdown, Point, TripStatus } from '@hexhail/client';
import { Avatar, Badge, Group, Stack, Table, Text } from '@mantine/core';
import { IconMapPinFilled, IconStarFilled, IconUserFilled } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import { distance, duration, money, stars } from '../format';
import { basisText } from './measured';
import classes from './parts.module.css';
import { statusColor } from './status';
import { placeText } from './words';

/** The two ends of a trip, one above the other. */
export function Route({ from, to }: {
  from: { point?: Point | undefined; address?: string };
  to: { point?: Point | undefined; address?: string };
}) {
  const { t } = useTranslation('trips');
  return (
    <dl className={classes.route}>
      <dt><IconUserFilled size={14} aria-label={t('place.pickup')} /></dt>
      <dd>{placeText(t, from.point, from.address)}</dd>
      <dt><IconMapPinFilled size={14} aria-label={t('place.dropoff')} /></dt>
      <dd>{placeText(t, to.point, to.address)}</dd>
    </dl>
  );
}

export function StatusBadge({ status }: { status: TripStatus }) {
  const { t } = useTranslation('trips');
  if (status === 'status_unspecified') return null;
  return <Badge variant="light" color={statusColor[status]} className={classes.badge}>{t(`status.${status}`)}</Badge>;
}

/** A photo, or the first letter of a name. */
export function Face({ name, photo, size = 56 }: { name: string; photo: string; size?: number }) {
  return (
    <Avatar src={photo === '' ? null : photo} alt="" size={size} radius="xl" color="lagoon" variant="light">
      {Array.from(name)[0]?.toLocaleUpperCase() ?? '?'}
    </Avatar>
  );
}

/** Mean stars, or that there are none yet. */
export function MeanStars({ timesHundred }: { timesHundred: number }) {
  const { t } = useTranslation('trips');
  const mean = stars(timesHundred);
  if (mean === null) return <Text span size="sm" c="dimmed">{t('rating.unrated')}</Text>;
  return (
    <Group gap={4} wrap="nowrap" component="span" role="img" aria-label={t('rating.mean', { stars: mean })}>
      <IconStarFilled size={14} className={classes.star} aria-hidden />
      <Text span size="sm" fw={600} aria-hidden>{mean}</Text>
    </Group>
  );
}

/** What a ride cost, line by line. */
export function FareTable({ fare }: { fare: FareBreakdown }) {
  const { t } = useTranslation('trips');
  const { currency } = fare.total;
  const basis = basisText(t, fare);
  const lines: [string, number][] = [
    [t('fare.base'), fare.base_minor],
    [t('fare.distance', { distance: distance(fare.distance_m) }), fare.distance_minor],
    [t('fare.time', { duration: duration(fare.duration_s) }), fare.time_minor],
  ];
  if (fare.minimum_topup_minor > 0) lines.push([t('fare.minimum'), fare.minimum_topup_minor]);
  return (
    <Table className={classes.fare} withRowBorders={false} verticalSpacing={4} horizontalSpacing={0}>
      <caption className={classes.hidden}>{t('fare.title')}</caption>
      <Table.Tbody>
        {lines.map(([name, minor]) => (
          <Table.Tr key={name}>
            <Table.Th scope="row" fw={400}>{name}</Table.Th>
            <Table.Td ta="end">{money({ minor, currency })}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
      <Table.Tfoot>
        <Table.Tr>
          <Table.Th scope="row">{t('fare.total')}</Table.Th>
          <Table.Th ta="end">{money(fare.total)}</Table.Th>
        </Table.Tr>
        {basis !== '' && <Table.Tr><Table.Td colSpan={2}><Text size="xs" c="dimmed">{basis}</Text></Table.Td></Table.Tr>}
      </Table.Tfoot>
    </Table>
  );
}

/** A short text above a value. */
export function Fact({ label, children }: { label: string; children: React.ReactNode }) {
  return (
    <Stack gap={0}>
      <Text size="xs" c="dimmed">{label}</Text>
      <Text fw={600} component="div">{children}</Text>
    </Stack>
  );
}
