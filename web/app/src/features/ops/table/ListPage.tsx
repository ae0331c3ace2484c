import { Alert, Box, Button, Center, Group, Loader, Skeleton, Stack, Text, ThemeIcon, Title } from '@mantine/core';
import { useNetwork } from '@mantine/hooks';
import { IconAlertTriangle, IconArrowUp, IconRefresh, IconSearchOff, IconWifiOff } from '@tabler/icons-react';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { number } from '../../../lib/format';
import { usePageTitle } from '../../../lib/usePageTitle';
import classes from './ListPage.module.css';
import { opsProblemText } from './problem';
import { clock } from './times';
import type { List } from './useList';
import { VirtualTable, type VirtualTableProps } from './VirtualTable';

interface Props<T> extends Omit<VirtualTableProps<T>, 'rows' | 'onMore' | 'hasMore' | 'foot' | 'label'> {
  readonly title: string;
  readonly list: List<T>;
  readonly filters: ReactNode;
  /** Takes all filters away; absent while there are none. */
  readonly onClear?: () => void;
  /** What an empty list without filters says. */
  readonly empty: string;
  /** What else can be done with the list, beside the button that reads it again. */
  readonly tools?: ReactNode;
  /** What came to be since the list was read; absent where nothing did. Only lists that are followed have it. */
  readonly news?: string | null;
  /** Whether the rows change by themselves, as things happen. */
  readonly live?: boolean;
}

/** A page that is a list: its filters, how it stands, and the table in all the room that is left. */
export function ListPage<T>({ title, list, filters, onClear, empty, tools, news = null, live = false, ...table }: Props<T>) {
  const { t } = useTranslation('ops');
  const [shown, setShown] = useState(0);
  const { online } = useNetwork();
  usePageTitle(title);
  return (
    <Stack className={classes.page} gap={0}>
      <Group className={classes.bar} gap="sm">
        <Title order={1} className={classes.title}>{title}</Title>
        {filters}
        {onClear && <Button variant="subtle" size="compact-sm" onClick={onClear}>{t('trips.list.clearAll')}</Button>}
        <Standing list={list} live={live} tools={tools} />
      </Group>
      {/* Always there, so that what comes into it is read aloud. */}
      <div role="status" className={classes.news}>
        {news !== null && list.rows.length > 0 && (
          <Group justify="center" gap="sm" p={6}>
            <Text size="sm">{news}</Text>
            <Button size="compact-sm" variant="filled" leftSection={<IconArrowUp size={16} aria-hidden="true" />}
              onClick={() => { list.refresh(); setShown((n) => n + 1); }}>
              {t('trips.list.show')}
            </Button>
          </Group>
        )}
      </div>
      {!online && <Alert color="orange" radius={0} p="xs" role="status" icon={<IconWifiOff size={18} />}>{t('trips.list.offline')}</Alert>}
      {list.error !== null && list.rows.length > 0 && <Failure list={list} slim />}
      <Body list={list} label={title} onClear={onClear} empty={empty} toTop={shown} {...table} />
    </Stack>
  );
}

function Standing<T>({ list, live, tools }: { list: List<T>; live: boolean; tools: ReactNode }) {
  const { t } = useTranslation('ops');
  const count = list.rows.length;
  return (
    <Group gap="xs" ml="auto" wrap="nowrap">
      <Text size="sm" c="dimmed" role="status">
        {!list.loading && (list.hasMore ? t('trips.list.countMore', { number: number(count) }) : t('trips.list.count', { count, number: number(count) }))}
        {list.at > 0 && <> · {live ? t('trips.list.live') : t('trips.list.at', { time: clock(new Date(list.at)) })}</>}
      </Text>
      <Button variant="default" size="compact-sm" leftSection={<IconRefresh size={16} aria-hidden="true" />} loading={list.refreshing && !list.loading} onClick={list.refresh}>
        {t('trips.list.refresh')}
      </Button>
      {tools}
    </Group>
  );
}

function Body<T>({ list, empty, onClear, ...table }: Omit<VirtualTableProps<T>, 'rows' | 'onMore' | 'hasMore' | 'foot'> & { list: List<T>; empty: string; onClear?: () => void }) {
  const { t } = useTranslation('ops');
  if (list.loading) return <Waiting />;
  if (list.rows.length === 0 && list.error !== null) return <Failure list={list} />;
  if (list.rows.length === 0 && !list.hasMore) {
    return (
      <Center className={classes.rest}>
        <Stack align="center" gap="sm" p="lg">
          <ThemeIcon size={48} radius="xl" variant="light"><IconSearchOff size={26} aria-hidden="true" /></ThemeIcon>
          <Text>{onClear ? t('trips.list.nothing') : empty}</Text>
          {onClear && <Button variant="light" onClick={onClear}>{t('trips.list.clearAll')}</Button>}
        </Stack>
      </Center>
    );
  }
  return (
    <VirtualTable rows={list.rows} hasMore={list.hasMore && list.error === null} onMore={list.more} {...table}
      foot={list.loadingMore && <Center p="sm"><Loader size="sm" aria-label={t('trips.list.loading')} /></Center>} />
  );
}

function Waiting() {
  const { t } = useTranslation('ops');
  return (
    <Box className={classes.rest} p="md" role="status" aria-label={t('trips.list.loading')}>
      <Stack gap={14}>{Array.from({ length: 14 }, (_, i) => <Skeleton key={i} h={28} radius="sm" />)}</Stack>
    </Box>
  );
}

function Failure<T>({ list, slim = false }: { list: List<T>; slim?: boolean }) {
  const { t } = useTranslation('ops');
  const alert = (
    <Alert color="red" role="alert" icon={<IconAlertTriangle size={18} />} {...(slim ? { p: 'xs', radius: 0 } : { title: t('trips.list.failed'), maw: 480 })}>
      <Group gap="sm">
        <span>{opsProblemText(list.error)}</span>
        <Button size="compact-sm" variant="default" onClick={list.refresh}>{t('trips.list.retry')}</Button>
      </Group>
    </Alert>
  );
  return slim ? alert : <Center className={classes.rest} p="md">{alert}</Center>;
}
