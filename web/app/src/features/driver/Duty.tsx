import type { Client } from '@hexhail/client';
import { Alert, Button, Group, Select, SegmentedControl, Stack, Text, Title } from '@mantine/core';
import { IconCurrentLocation, IconGps, IconSteeringWheel } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import { useConnectionState } from '../../lib/session';
import classes from './driver.module.css';
import type { DriveChoice } from './position/choice';
import type { Feed } from './position/useFeed';
import { ProblemAlert } from './ProblemAlert';
import { useIsPending } from './Sending';
import { useCommand } from './useCommand';
import { Vehicle } from './Vehicle';

interface Props {
  readonly session: Client;
  readonly online: boolean;
  readonly choice: DriveChoice;
  readonly choose: (choice: DriveChoice) => void;
  readonly paces: readonly number[];
  readonly feed: Feed;
  /** Whether the server allows a simulated car. */
  readonly simulated: boolean;
  /** How many offers wait for an answer. */
  readonly open: number;
}

/** Going on and off duty, in which vehicle, and where the position comes from. */
export function Duty({ session, online: wasOnline, choice, choose, paces, feed, simulated, open }: Props) {
  const { t } = useTranslation('driver');
  const duty = useCommand();
  // A suspended driver is not online, whatever was heard last. The banner says why.
  const connection = useConnectionState();
  const barred = connection.status === 'refused' && connection.code === 'suspended';
  const online = wasOnline && !barred;
  const sending = useIsPending('go_online', 'go_offline');
  const toggle = () => void duty.run(() => (online ? session.goOffline() : session.goOnline(feed.latest())));
  const ready = feed.state === 'fix' && !barred;
  return (
    <Stack gap="md" className={classes.touch}>
      <Group justify="space-between" wrap="nowrap" align="center">
        <Group gap="md" wrap="nowrap" role="status">
          <span className={classes.pulse} data-on={online || undefined} aria-hidden="true" />
          <div>
            <Title order={1} size="h3">{online ? t('duty.online') : t('duty.offline')}</Title>
            <Text size="sm" c="dimmed">{online ? <Waiting feed={feed} open={open} /> : t('duty.offlineText')}</Text>
          </div>
        </Group>
        {online && <Button variant="default" onClick={toggle} loading={duty.busy || sending}>{t('duty.goOffline')}</Button>}
      </Group>
      <Vehicle />
      <GpsTrouble feed={feed} choice={choice} choose={choose} simulated={simulated} />
      <ProblemAlert problem={duty.problem} />
      {!online && (
        <>
          {simulated && <SourceChoice choice={choice} choose={choose} paces={paces} />}
          {choice.source === 'simulated' && (
            <Text size="sm" c="dimmed">{ready ? t('source.moveCar') : t('source.placeCar')}</Text>
          )}
          <Button size="lg" fullWidth onClick={toggle} loading={duty.busy || sending || (feed.state === 'starting' && choice.source === 'browser')} disabled={!ready}>
            {t('duty.goOnline')}
          </Button>
        </>
      )}
      {online && choice.source === 'simulated' && <Pace choice={choice} choose={choose} paces={paces} />}
    </Stack>
  );
}

function Waiting({ feed, open }: { feed: Feed; open: number }) {
  const { t } = useTranslation('driver');
  const connected = useConnectionState().status === 'connected';
  if (!connected) return t('duty.reconnecting');
  if (open > 0) return t('duty.answer', { count: open });
  return feed.state === 'fix' ? t('duty.waiting') : t('duty.noPosition');
}

/** Why offers may not come: the position is not known. */
function GpsTrouble({ feed, choice, choose, simulated }: Pick<Props, 'feed' | 'choice' | 'choose' | 'simulated'>) {
  const { t } = useTranslation('driver');
  if (choice.source !== 'browser' || feed.state === 'fix' || feed.state === 'starting') return null;
  return (
    <Alert color="orange" role="alert" icon={<IconGps size={18} />} title={t(`gps.${feed.state}`)}>
      <Text size="sm">{t(`gps.${feed.state}Text`)}</Text>
      {simulated && feed.state !== 'lost' && (
        <Button mt="xs" size="xs" variant="light" color="orange" onClick={() => choose({ ...choice, source: 'simulated' })}>{t('gps.simulate')}</Button>
      )}
    </Alert>
  );
}

function SourceChoice({ choice, choose, paces }: Pick<Props, 'choice' | 'choose' | 'paces'>) {
  const { t } = useTranslation('driver');
  return (
    <Stack gap="xs">
      <SegmentedControl fullWidth size="md" value={choice.source} aria-label={t('source.label')}
        onChange={(source) => choose({ ...choice, source: source as DriveChoice['source'] })}
        data={[
          { value: 'browser', label: <Group gap={6} justify="center" wrap="nowrap"><IconCurrentLocation size={16} aria-hidden="true" />{t('source.browser')}</Group> },
          { value: 'simulated', label: <Group gap={6} justify="center" wrap="nowrap"><IconSteeringWheel size={16} aria-hidden="true" />{t('source.simulated')}</Group> },
        ]} />
      {choice.source === 'simulated' && <Pace choice={choice} choose={choose} paces={paces} />}
    </Stack>
  );
}

/** How fast the simulated car drives. */
export function Pace({ choice, choose, paces }: Pick<Props, 'choice' | 'choose' | 'paces'>) {
  const { t } = useTranslation('driver');
  return (
    <Group justify="space-between" wrap="nowrap">
      <Text size="sm" id="pace-label">{t('source.pace')}</Text>
      <Select w={170} size="md" aria-labelledby="pace-label" allowDeselect={false} value={String(choice.pace)}
        onChange={(v) => { if (v) choose({ ...choice, pace: Number(v) }); }}
        data={paces.map((p) => ({ value: String(p), label: t(p === 1 ? 'source.realTime' : 'source.times', { n: p }) }))} />
    </Group>
  );
}
