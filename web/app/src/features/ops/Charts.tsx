import { Alert, Button, Card, Group, ScrollArea, SegmentedControl, Skeleton, Table, Text, Title } from '@mantine/core';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { number } from '../../lib/format';
import { Chart } from './Chart';
import { charts, columnsOf, type ChartKind } from './charts';
import classes from './Console.module.css';
import { ranges, useSeries, type Range } from './live/hooks';
import type { Point } from './live/samples';
import { time } from './live/text';

/** How the city and its server did over the last hours. It grows by what the server pushes. */
export function Charts() {
  const { t } = useTranslation('ops');
  const [range, setRange] = useState<Range>('h1');
  const { data: points, isPending, isError, refetch } = useSeries(range);
  return (
    <section aria-labelledby="charts">
      <Group justify="space-between" mb="sm">
        <Title order={2} size="h3" id="charts">{t('charts.heading')}</Title>
        <SegmentedControl size="xs" aria-label={t('charts.range')} value={range} onChange={(value) => setRange(value as Range)}
          data={(Object.keys(ranges) as Range[]).map((value) => ({ value, label: t(`charts.${value}`) }))} />
      </Group>
      {isError && (
        <Alert color="red" title={t('charts.failed')} mb="md">
          <Button size="xs" variant="white" color="dark" onClick={() => void refetch()}>{t('charts.retry')}</Button>
        </Alert>
      )}
      {points?.length === 0 && <Text c="dimmed" mb="md">{t('charts.empty')}</Text>}
      {points?.some((p) => p.trips_only) && <Text size="sm" c="dimmed" mb="sm">{t('charts.lost')}</Text>}
      {points?.some((p) => p.missing) && <Text size="sm" c="dimmed" mb="sm">{t('charts.gaps')}</Text>}
      <div className={classes.cards}>
        {charts.map((kind) => (isPending ? <Skeleton key={kind.id} h={280} radius="lg" /> : <ChartCard key={kind.id} kind={kind} points={points ?? []} range={range} />))}
      </div>
    </section>
  );
}

function ChartCard({ kind, points, range }: { kind: ChartKind; points: readonly Point[]; range: Range }) {
  const { t } = useTranslation('ops');
  const [table, setTable] = useState(false);
  const columns = useMemo(() => columnsOf(points, kind, ranges[range].stepS), [points, kind, range]);
  // The keys of each chart's lines stand below it in the texts.
  const words = t(`charts.${kind.id}`, { returnObjects: true }) as unknown as Readonly<Record<string, string>>;
  const names = kind.lines.map(({ text }) => words[text] ?? text);
  const title = `${words.title ?? ''} (${words.unit ?? ''})`;
  return (
    <Card padding="sm" className={classes.chart}>
      <Group justify="space-between" mb={4} wrap="nowrap">
        <Title order={3} size="h5">{words.title} <Text span size="xs" c="dimmed" fw={400}>{words.unit}</Text></Title>
        <Button size="compact-xs" variant="subtle" color="gray" aria-pressed={table} aria-label={`${t('charts.asTable')}: ${title}`} onClick={() => setTable((on) => !on)}>
          {table ? t('charts.asChart') : t('charts.asTable')}
        </Button>
      </Group>
      {table ? <Numbers title={title} names={names} columns={columns} /> : <Chart label={title} names={names} columns={columns} hours={ranges[range].hours} />}
    </Card>
  );
}

const shown = (value: number | null | undefined): string => (value === null || value === undefined ? '–' : number(value, 2));

/** How many rows of a table are shown, newest first. */
const mostRows = 120;

function Numbers({ title, names, columns: [times, ...values] }: { title: string; names: readonly string[]; columns: [number[], ...(number | null)[][]] }) {
  const { t } = useTranslation('ops');
  const newest = times.map((_, i) => i).slice(-mostRows).reverse();
  return (
    <ScrollArea.Autosize mah={260} viewportProps={{ tabIndex: 0, role: 'region', 'aria-label': title }}>
      <Table stickyHeader fz="xs" className={classes.numbers}>
        <Table.Thead>
          <Table.Tr><Table.Th>{t('charts.time')}</Table.Th>{names.map((name) => <Table.Th key={name}>{name}</Table.Th>)}</Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {newest.map((i) => (
            <Table.Tr key={times[i]}>
              <Table.Td>{time((times[i] ?? 0) * 1000)}</Table.Td>
              {values.map((column, c) => <Table.Td key={names[c]}>{shown(column[i])}</Table.Td>)}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </ScrollArea.Autosize>
  );
}
