import { Alert, Card, Container, Skeleton, Stack, Table, Text, Title, VisuallyHidden } from '@mantine/core';
import type { ActorKind } from '@hexhail/client';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { dateAndTime, number } from '../../lib/format';
import { usePageTitle } from '../../lib/usePageTitle';
import classes from './Console.module.css';
import { useCity, useFeed, useLiveCity, useNeed } from './live/hooks';
import { micros, time } from './live/text';
import { addTrend, sparkline, type Trends } from './live/trend';

const need = { actors: true } as const;

/** What the server's actors do now. */
export default function OpsActorsPage() {
  const { t } = useTranslation('ops');
  usePageTitle(t('actors.title'));
  useNeed(need);
  const { actors } = useCity('actors');
  const { startedAt } = useFeed();
  const trends = useTrends();
  const panics = actors.reduce((sum, kind) => sum + kind.panics, 0);
  return (
    <Container size="xl" py="md">
      <Stack gap="lg">
        <div>
          <Title order={1} size="h2">{t('actors.heading')}</Title>
          <Text c="dimmed" size="sm" mt={4}>{t('actors.intro')} {startedAt && t('actors.since', { time: dateAndTime(startedAt) })}</Text>
        </div>
        {panics > 0 && <Alert color="orange" icon={<IconAlertTriangle size={20} />}>{t('actors.contained', { count: panics })}</Alert>}
        {actors.length === 0 ? <Waiting /> : (
          <>
            <Card padding={0}><Kinds kinds={actors} trends={trends} /></Card>
            <Slowest kinds={actors} />
          </>
        )}
      </Stack>
    </Container>
  );
}

function Waiting() {
  const { t } = useTranslation('ops');
  return (
    <>
      <VisuallyHidden role="status">{t('actors.waiting')}</VisuallyHidden>
      <Skeleton h={260} radius="lg" />
    </>
  );
}

function useTrends(): Trends {
  const { store } = useLiveCity();
  const [trends, setTrends] = useState<Trends>(new Map());
  useEffect(() => store.subscribe('actors', () => setTrends((before) => addTrend(before, store.city.actors))), [store]);
  return trends;
}

/** Kinds of a newer server have no name here. */
function useKindName(): (kind: string) => string {
  const { t } = useTranslation('ops');
  const names = t('actors.kinds', { returnObjects: true }) as unknown as Readonly<Record<string, string>>;
  return (kind) => names[kind] ?? kind;
}

const sparkWidth = 120;
const sparkHeight = 24;

function Kinds({ kinds, trends }: { kinds: readonly ActorKind[]; trends: Trends }) {
  const { t } = useTranslation('ops');
  const name = useKindName();
  return (
    <Table.ScrollContainer minWidth={980} type="native" tabIndex={0} role="region" aria-label={t('actors.table')}>
      <Table verticalSpacing="xs" className={classes.numbers}>
        <Table.Thead>
          <Table.Tr>
            {(['kind', 'alive', 'started', 'stopped', 'panics', 'waitingNow', 'deepest', 'rate', 'trend', 'mean', 'p99', 'max'] as const)
              .map((column) => <Table.Th key={column} fz="xs">{t(`actors.${column}`)}</Table.Th>)}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {kinds.map((k) => (
            <Table.Tr key={k.kind}>
              <Table.Th scope="row">{name(k.kind)}</Table.Th>
              <Table.Td fw={700}>{number(k.alive)}</Table.Td>
              <Table.Td>{number(k.started)}</Table.Td>
              <Table.Td>{number(k.stopped)}</Table.Td>
              <Table.Td {...(k.panics > 0 ? { c: 'orange', fw: 700 } : {})}>{number(k.panics)}</Table.Td>
              <Table.Td>{number(k.waiting)}</Table.Td>
              <Table.Td>{number(k.deepest_mailbox)}</Table.Td>
              <Table.Td>{number(k.messages_per_s, k.messages_per_s < 10 ? 1 : 0)}</Table.Td>
              <Table.Td>
                <svg width={sparkWidth} height={sparkHeight + 2} viewBox={`0 -1 ${sparkWidth} ${sparkHeight + 2}`} aria-hidden="true">
                  <polyline points={sparkline(trends.get(k.kind) ?? [0], sparkWidth, sparkHeight)} fill="none" stroke="var(--mantine-primary-color-filled)" strokeWidth="1.5" />
                </svg>
              </Table.Td>
              <Table.Td>{micros(k.mean_us)}</Table.Td>
              <Table.Td>{micros(k.p99_us)}</Table.Td>
              <Table.Td>{k.slowest[0] ? micros(k.slowest[0].took_us) : '–'}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function Slowest({ kinds }: { kinds: readonly ActorKind[] }) {
  const { t } = useTranslation('ops');
  const name = useKindName();
  const slow = kinds.flatMap((k) => k.slowest.map((handler) => ({ kind: k.kind, ...handler }))).sort((a, b) => b.took_us - a.took_us);
  return (
    <section aria-labelledby="slowest">
      <Title order={2} size="h3" id="slowest">{t('actors.slowest')}</Title>
      <Text size="sm" c="dimmed" mb="sm">{t('actors.slowestHint')}</Text>
      {slow.length === 0 ? <Text>{t('actors.noneSlow')}</Text> : (
        <Card padding={0}>
          <Table verticalSpacing={6} className={classes.numbers}>
            <Table.Thead>
              <Table.Tr>{(['message', 'kind', 'took', 'at'] as const).map((column) => <Table.Th key={column} fz="xs">{t(`actors.${column}`)}</Table.Th>)}</Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {slow.map(({ kind, message, took_us, at }) => (
                <Table.Tr key={`${kind} ${message}`}>
                  <Table.Td className={classes.id}>{message}</Table.Td>
                  <Table.Td>{name(kind)}</Table.Td>
                  <Table.Td fw={600}>{micros(took_us)}</Table.Td>
                  <Table.Td>{at ? time(at) : '–'}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Card>
      )}
    </section>
  );
}
