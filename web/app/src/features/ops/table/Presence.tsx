import { Text, useComputedColorScheme } from '@mantine/core';
import { useTranslation } from 'react-i18next';

import type { Schemas } from '../../../api/http';
import { useCity, useFeed } from '../live/hooks';
import { stateColor } from '../mapColors';
import classes from './Badges.module.css';

/** What a driver does now, as the feed says; a dash for accounts that it does not cover. The page must need `drivers`. */
export function Presence({ account }: { account: Pick<Schemas['AccountView'], 'id' | 'role'> }) {
  const { t } = useTranslation('ops');
  const scheme = useComputedColorScheme('light');
  const { drivers } = useCity('drivers');
  const { connection, heard } = useFeed();
  if (account.role !== 'driver' || connection.status !== 'connected' || !heard) return <Text span c="dimmed">–</Text>;
  const state = drivers.get(account.id)?.state;
  if (!state) return <Text span size="sm" c="dimmed">{t('people.offline')}</Text>;
  return <span className={classes.presence}><span style={{ background: stateColor(scheme, state) }} aria-hidden="true" />{t(`map.state.${state}`)}</span>;
}
