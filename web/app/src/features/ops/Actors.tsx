import { Alert, Card, Container, Group, NativeSelect, Skeleton, Stack, Table, Text, Title, VisuallyHidden } from '@mantine/core';
import type { ActorKind } from '@hexhail/client';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useEffect, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { dateAndTime, duration, number } from '../../lib/format';
import { usePageTitle } from '../../lib/usePageTitle';
import classes from './Console.module.css';
import { useCity, useFeed, useLiveCity, useNeed } from './live/hooks';
import { gone, kindsOf, missing, type Nodes } from './live/nodes';
import { micros, time } from './live/text';
import { addTrend, sparkline, type Trends } from './live/trend';

const need = { actors: true } as const;

/** What the actors do now: of the server, or of all or one of several. */
export default function OpsActorsPage() {
  const { t } = useTranslation('ops');
  usePageTitle(t('actors.title'));
  useNeed(need);
  useCity('actors');
  const { startedAt, nodes } = useFeed();
  const [chosen, setChosen] = useState<string | null>(null);
  const node = nodes.some(({ name }) => name === chosen) ? chosen : null;
  const several = nodes.length > 0;
  const { actors, trends } = useActors(several ? node : undefined);
  const panics = actors.reduce((sum, kind) => sum + kind.panics, 0);
  return (
    <Container size="xl" py="md">
      <Stack gap="lg">
        <div>
          <Title order={1} size="h2">{t(several ? 'actors.headingAll' : 'actors.heading')}</Title>
          <Text c="dimmed" size="sm" mt={4}>{t('actors.intro')} {!several && t('actors.alone')} {!several && startedAt && t('actors.since', { time: dateAndTime(startedAt) })}</Text>
        </div>
        {several && <NodesTable nodes={nodes} />}
        {several && (
          <Group justify="space-between" align="end">
            <NativeSelect label={t('nodes.filter')} value={node ?? ''} onChange={(event) => setChosen(event.currentTarget.value || null)}
              data={[{ value: '', label: t('nodes.all') }, ...nodes.filter(({ state }) => state !== 'gone').map(({ name }) => ({ value: name, label: name }))]} />
            <Text c="dimmed" size="sm">{node === null && t('nodes.sums')} {missing(nodes).length > 0 && t('nodes.sumsMissing')}</Text>
          </Group>
        )}
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

/** The actors of a node, of all (null), or of the only one (undefined), and how busy they were. */
function useActors(node: string | null | undefined): { actors: readonly ActorKind[]; trends: Trends } {
  const { store } = useLiveCity();
  const of = (all: readonly ActorKind[]) => (node === undefined ? all : kindsOf(all, node));
  // All are kept, so that another choice does not begin with an empty line.
  const [trends, setTrends] = useState<ReadonlyMap<string, Trends>>(new Map());
  useEffect(() => store.subscribe('actors', () => setTrends((before) => {
    const all = store.city.actors;
    const names = ['', ...new Set(all.flatMap((kind) => kind.node?.name ?? []))];
    return new Map(names.map((name) => [name, addTrend(before.get(name) ?? new Map(), kindsOf(all, name || null))]));
  })), [store]);
  return { actors: of(store.city.actors), trends: trends.get(node ?? '') ?? new Map() };
}

/** How often the running times are counted on, in milliseconds. */
const tickMs = 10_000;

/** The servers of a cluster: whether they answer, and since when they run. */
function NodesTable({ nodes }: { nodes: Nodes }) {
  const { t } = useTranslation('ops');
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const ticking = setInterval(() => setNow(Date.now()), tickMs);
    return () => clearInterval(ticking);
  }, []);
  const states = t('nodes.states', { returnObjects: true }) as unknown as Readonly<Record<string, string>>;
  const away = useMemo(() => new Set(missing(nodes)), [nodes]);
  const left = useMemo(() => new Set(gone(nodes)), [nodes]);
  const heard = (node: Nodes[number]): string => {
    if (node.heard_at) return time(node.heard_at);
    if (left.has(node)) return '–'; // it had gone before this page was opened
    return away.has(node) ? t('nodes.never') : t('nodes.now');
  };
  return (
    <Card padding={0}>
      <Table.ScrollContainer minWidth={560} type="native" tabIndex={0} role="region" aria-label={t('nodes.heading')}>
        <Table verticalSpacing="xs">
          <Table.Thead>
            <Table.Tr>{(['name', 'state', 'version', 'up', 'heard'] as const).map((column) => <Table.Th key={column} fz="xs">{t(`nodes.${column}`)}</Table.Th>)}</Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {nodes.map((node) => (
              <Table.Tr key={`${node.name} ${node.state}`}>
                <Table.Th scope="row">{node.name}</Table.Th>
                <Table.Td {...(node.state === 'missing' ? { c: 'orange', fw: 700 } : {})}>{states[node.state] ?? node.state}</Table.Td>
                <Table.Td>{node.version || '–'}</Table.Td>
                <Table.Td>{node.started_at && node.state !== 'gone' ? duration((now - Date.parse(node.started_at)) / 1000) : '–'}</Table.Td>
                <Table.Td>{heard(node)}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Card>
  );
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
              {slow.map(({ kind, message, took_us, at }, i) => (
                <Table.Tr key={`${kind} ${message} ${i}`}>
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
