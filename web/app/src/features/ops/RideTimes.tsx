import { Alert, Button, Card, Group, ScrollArea, SegmentedControl, Skeleton, Table, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { http } from '../../api/auth';
import { call, type Schemas } from '../../api/http';
import { keys, useServerConfig } from '../../api/queries';
import { number } from '../../lib/format';
import { Chart } from './Chart';
import { hourOfDay } from './charts';
import classes from './Console.module.css';

type Hour = Schemas['HourTimesView'];
type Day = Hour['day'];

/** How long rides take by hour, as planned and in fact. Only servers with a map of the streets learn that. */
export function RideTimes() {
  return useServerConfig().data?.map.streets ? <Learned /> : null;
}

function Learned() {
  const { t } = useTranslation('ops');
  const { data, isPending, isError, refetch } = useQuery({
    queryKey: keys.ops.rideTimes, staleTime: 60_000, queryFn: () => call(http.GET('/v1/admin/streets/times')),
  });
  return (
    <section aria-labelledby="ride-times">
      <Title order={2} size="h3" id="ride-times" mb="sm">{t('rideTimes.heading')}</Title>
      {isPending && <Skeleton h={280} radius="lg" />}
      {isError && (
        <Alert color="red" title={t('rideTimes.failed')}>
          <Button size="xs" variant="white" color="dark" onClick={() => void refetch()}>{t('charts.retry')}</Button>
        </Alert>
      )}
      {data && !data.learning && <Text c="dimmed">{t('rideTimes.off')}</Text>}
      {data?.learning && <Times times={data} />}
    </section>
  );
}

function Times({ times }: { times: Schemas['TimesView'] }) {
  const { t } = useTranslation('ops');
  const [day, setDay] = useState<Day>('weekday');
  const [table, setTable] = useState(false);
  const hours = useMemo(() => (times.hours ?? []).filter((hour) => hour.day === day), [times.hours, day]);
  const title = `${t('rideTimes.title')} (${t('rideTimes.unit')})`;
  const used = times.rides >= times.used_from;
  return (
    <Card padding="sm" className={classes.chart}>
      <Group justify="space-between" mb={4}>
        <Title order={3} size="h5">{t('rideTimes.title')} <Text span size="xs" c="dimmed" fw={400}>{t('rideTimes.unit')}</Text></Title>
        <Group gap="xs">
          <SegmentedControl size="xs" aria-label={t('rideTimes.days')} value={day} onChange={(value) => setDay(value as Day)}
            data={(['weekday', 'weekend'] as const).map((value) => ({ value, label: t(`rideTimes.${value}`) }))} />
          {hours.length > 0 && (
            <Button size="compact-xs" variant="subtle" color="gray" aria-pressed={table} aria-label={`${t('charts.asTable')}: ${title}`} onClick={() => setTable((on) => !on)}>
              {table ? t('charts.asChart') : t('charts.asTable')}
            </Button>
          )}
        </Group>
      </Group>
      {hours.length === 0 && <Text c="dimmed" my="lg">{t('rideTimes.empty')}</Text>}
      {hours.length > 0 && (table ? <Numbers title={title} hours={hours} /> : <Lines title={title} hours={hours} />)}
      <Text size="xs" c="dimmed" mt="xs">
        {used ? t('rideTimes.used', { percent: number((times.detour - 1) * 100, 1) }) : t('rideTimes.waiting', { rides: number(times.rides), from: number(times.used_from) })}
        {' '}{t('rideTimes.zone', { zone: times.time_zone })}
      </Text>
    </Card>
  );
}

function Lines({ title, hours }: { title: string; hours: readonly Hour[] }) {
  const { t } = useTranslation('ops');
  const columns = useMemo((): [number[], ...(number | null)[][]] => {
    const of = new Map(hours.map((hour) => [hour.hour, hour]));
    const day = Array.from({ length: 24 }, (_, hour) => hour);
    const minutes = (value: (hour: Hour) => number) => day.map((hour) => { const known = of.get(hour); return known ? value(known) / 60 : null; });
    return [day, minutes((hour) => hour.planned_s), minutes((hour) => hour.actual_s)];
  }, [hours]);
  return <Chart label={title} names={[t('rideTimes.planned'), t('rideTimes.actual')]} columns={columns} hours="ofDay" />;
}

function Numbers({ title, hours }: { title: string; hours: readonly Hour[] }) {
  const { t } = useTranslation('ops');
  return (
    <ScrollArea.Autosize mah={260} viewportProps={{ tabIndex: 0, role: 'region', 'aria-label': title }}>
      <Table stickyHeader fz="xs" className={classes.numbers}>
        <Table.Thead>
          <Table.Tr>{(['hour', 'planned', 'actual', 'rides'] as const).map((column) => <Table.Th key={column}>{t(`rideTimes.${column}`)}</Table.Th>)}</Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {hours.map((hour) => (
            <Table.Tr key={hour.hour}>
              <Table.Td>{hourOfDay(hour.hour)}</Table.Td>
              <Table.Td>{number(hour.planned_s / 60, 1)}</Table.Td>
              <Table.Td>{number(hour.actual_s / 60, 1)}</Table.Td>
              <Table.Td>{number(hour.rides)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </ScrollArea.Autosize>
  );
}
