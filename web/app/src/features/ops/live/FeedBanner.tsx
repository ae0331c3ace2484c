import { Button, Group, Text } from '@mantine/core';
import { IconDevices, IconPlugConnectedX } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { time } from './text';
import { useFeed, useLiveCity } from './hooks';
import classes from './live.module.css';

/** Breaks that heal by themselves this soon are not worth a word. */
const patienceMs = 1200;

/** Says when what is shown is not what is, of when it is, and what can be done. */
export function FeedBanner() {
  const { t } = useTranslation('ops');
  const live = useLiveCity();
  const { status } = useFeed().connection;
  const fine = status === 'connected' || status === 'idle' || status === 'stopped';
  const [late, setLate] = useState(false);
  useEffect(() => {
    const waiting = setTimeout(() => setLate(!fine), fine ? 0 : patienceMs);
    return () => clearTimeout(waiting);
  }, [fine]);
  if (fine || (!late && status !== 'replaced')) return null;
  const { at } = live.store.city;
  const replaced = status === 'replaced';
  const why = replaced ? t('map.feed.replaced') : status === 'refused' ? t('map.feed.refused') : status === 'offline' ? t('map.feed.offline') : t('map.feed.reconnecting');
  return (
    <Group className={classes.banner} gap="sm" wrap="nowrap" px="md" py={6}>
      {replaced ? <IconDevices size={18} aria-hidden="true" /> : <IconPlugConnectedX size={18} aria-hidden="true" />}
      <Text size="sm" flex={1} role="status">
        {why} {at !== null && t('map.feed.asOf', { time: time(at) })}
      </Text>
      <Button size="compact-sm" variant="white" color="dark" onClick={live.connectNow}>{replaced ? t('map.feed.useHere') : t('map.feed.now')}</Button>
    </Group>
  );
}
