import type { WholeTrip } from '@hexhail/client';
import { Alert, Button, Group, Loader, Progress, Stack, Text, Title } from '@mantine/core';
import { IconArrowBackUp } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import { useServerConfig } from '../../api/queries';
import { clockText, useServerNow } from '../../lib/clock';
import { distance, money } from '../../lib/format';
import { useSession } from '../../lib/session';
import { Route } from '../../lib/trip/parts';
import { reachOf } from '../../lib/trip/words';
import { vehicleClassName } from '../../lib/vehicle';
import { CancelButton } from './CancelButton';
import classes from './rider.module.css';
import { secondsLeft, useSince } from './time';
import type { Asking } from './useAsk';

/** Who waited for so long does not cancel by a slip of the finger. */
const confirmAfterS = 30;

/** A request that has no answer yet. */
export function AskingPanel({ asking, connected }: { asking: Asking; connected: boolean }) {
  const { t } = useTranslation('rider');
  return (
    <Stack gap="md">
      <Group wrap="nowrap">
        <Loader size="sm" aria-hidden />
        <Title order={1} size="h3">{t('asking.title')}</Title>
      </Group>
      <Text c="dimmed" role="status">{t(connected ? 'asking.text' : 'asking.offline')}</Text>
      {asking.callOff && <Button variant="default" onClick={asking.callOff}>{t('asking.callOff')}</Button>}
    </Stack>
  );
}

/** The search for a driver as it widens, with the time that is left. */
export function SearchPanel({ trip, again }: { trip: WholeTrip; again: boolean }) {
  const { t } = useTranslation('rider');
  const now = useServerNow(useSession());
  const search = trip.search;
  const pins = useServerConfig().data?.trip_pin === true;
  const until = search?.expires_at ?? '';
  const left = secondsLeft(until, now);
  const begun = useBegun(trip, again, now);
  const asked = search?.drivers_asked ?? 0;
  const searching = useSearchText(search);
  const whole = Math.max(1, (Date.parse(until) - begun) / 1000);
  return (
    <Stack gap="md">
      {again && (
        <Alert color="orange" icon={<IconArrowBackUp size={18} />} title={t('searching.again.title')} role="alert">
          {t('searching.again.text')}
        </Alert>
      )}
      <Group justify="space-between" wrap="nowrap" align="flex-start">
        <div>
          <Title order={1} size="h3">{t(again ? 'searching.titleAgain' : 'searching.title')}</Title>
          <Text c="dimmed" role="status">{asked > 0 ? t('searching.asked', { count: asked }) : t('searching.noneYet')}</Text>
        </div>
        <Text className={classes.clock} aria-label={t('searching.left', { time: clockText(left) })} role="timer">{clockText(left)}</Text>
      </Group>
      <Progress value={100 - (100 * left) / whole} animated transitionDuration={900} aria-label={t('searching.progress')} />
      <Text size="sm" c="dimmed">{searching}</Text>
      <Route from={{ point: trip.pickup, address: trip.pickup_address }} to={{ point: trip.dropoff, address: trip.dropoff_address }} />
      <Group justify="space-between">
        <Text size="sm" c="dimmed">{vehicleClassName(trip.vehicle_class)} · {t('plan.people', { count: trip.passengers })}</Text>
        <Text size="sm" fw={600}>{t('searching.estimate', { fare: money(trip.estimate.fare) })}</Text>
      </Group>
      {pins && <Text size="sm" c="dimmed">{t('searching.pin')}</Text>}
      <CancelButton trip={trip} ask={(now - begun) / 1000 > confirmAfterS ? 'confirm' : 'never'} />
    </Stack>
  );
}

/** When this search began: with the request, or when the last driver was lost. */
function useBegun(trip: WholeTrip, again: boolean, now: number): number {
  const seenAt = useSince(again, now);
  return again ? seenAt : Date.parse(trip.requested_at);
}

/** How far from the pickup drivers are asked, as people measure it. */
function useSearchText(search: WholeTrip['search']): string {
  const { t } = useTranslation('rider');
  const reachM = reachOf(search?.ring ?? 0, useServerConfig().data?.cell_ring_m);
  return search && search.wave > 0 && reachM > 0 ? t('searching.within', { distance: distance(reachM) }) : t('searching.beginning');
}
