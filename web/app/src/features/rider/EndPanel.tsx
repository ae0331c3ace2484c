import type { Trip } from '@hexhail/client';
import { Alert, Button, Card, Divider, Group, List, Stack, Text, Title } from '@mantine/core';
import { IconCircleCheck, IconCircleX, IconClockX } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { timeOfDay } from '../../lib/format';
import { LinkButton } from '../../lib/links';
import { Marks } from '../../lib/trip/Measured';
import { FareTable, Route } from '../../lib/trip/parts';
import { Rate } from '../../lib/trip/Rate';
import { ofNewerServer } from '../../lib/trip/status';
import { reasonText } from '../../lib/trip/words';
import { draftOf, isWhole } from './draft';
import { problemText } from './problems';
import classes from './rider.module.css';
import { DriverCard } from './TripPanel';
import type { Asking } from './useAsk';
import type { Plan } from './usePlan';

/** How a trip ended, until the rider puts it away. */
export function EndPanel({ trip, plan, asking, onDismiss }: { trip: Trip; plan: Plan; asking: Asking; onDismiss: () => void }) {
  const cancelled = <Cancelled trip={trip} plan={plan} onDismiss={onDismiss} />;
  switch (trip.status) {
    case 'completed':
      return <Completed trip={trip} onDismiss={onDismiss} />;
    case 'expired':
      return <Expired trip={trip} plan={plan} asking={asking} onDismiss={onDismiss} />;
    case 'cancelled':
    case 'requested':
    case 'matched':
    case 'arrived':
    case 'in_progress':
    case 'status_unspecified':
      return cancelled;
    default:
      return ofNewerServer(trip.status, cancelled);
  }
}

function Completed({ trip, onDismiss }: { trip: Trip; onDismiss: () => void }) {
  const { t } = useTranslation('rider');
  return (
    <Stack gap="md">
      <Head icon={<IconCircleCheck size={34} color="var(--mantine-primary-color-filled)" />} title={t('completed.title')}>
        {trip.ended_at && t('completed.at', { time: timeOfDay(trip.ended_at) })}
      </Head>
      {trip.fare && <Card padding="md"><FareTable fare={trip.fare} /></Card>}
      <Marks trip={trip} />
      <Card padding="md"><Rate trip={trip} reader="rider" /></Card>
      <DriverCard trip={trip} />
      <Route from={{ point: trip.pickup, address: trip.pickup_address }} to={{ point: trip.dropoff, address: trip.dropoff_address }} />
      <More trip={trip} />
      <div className={classes.foot}><Button fullWidth size="md" variant="default" onClick={onDismiss}>{t('end.done')}</Button></div>
    </Stack>
  );
}

function Expired({ trip, plan, asking, onDismiss }: { trip: Trip; plan: Plan; asking: Asking; onDismiss: () => void }) {
  const { t } = useTranslation('rider');
  const draft = draftOf(trip);
  const change = () => {
    plan.begin(draft);
    onDismiss();
  };
  return (
    <Stack gap="md">
      <Head icon={<IconClockX size={34} color="var(--mantine-color-orange-6)" />} title={t('expired.title')}>{t('expired.text')}</Head>
      <div>
        <Text size="sm" fw={600}>{t('expired.help')}</Text>
        <List size="sm" mt={4}>
          <List.Item>{t('expired.tips.wait')}</List.Item>
          <List.Item>{t('expired.tips.class')}</List.Item>
          <List.Item>{t('expired.tips.place')}</List.Item>
        </List>
      </div>
      {asking.problem !== null && <Alert color="red" role="alert">{problemText(t, asking.problem)}</Alert>}
      <Button size="md" disabled={!isWhole(draft)} onClick={() => isWhole(draft) && asking.ask(draft, draft.vehicleClass, onDismiss)}>
        {t('expired.again')}
      </Button>
      <Group grow>
        <Button variant="default" onClick={change}>{t('expired.change')}</Button>
        <Button variant="subtle" color="gray" onClick={onDismiss}>{t('end.close')}</Button>
      </Group>
      <More trip={trip} />
    </Stack>
  );
}

function Cancelled({ trip, plan, onDismiss }: { trip: Trip; plan: Plan; onDismiss: () => void }) {
  const { t } = useTranslation('rider');
  const { t: words } = useTranslation('trips');
  const by = trip.cancellation?.by ?? 'by_unspecified';
  const reason = reasonText(words, by, trip.cancellation?.reason ?? '');
  const who = by === 'rider' ? 'you' : by === 'by_unspecified' ? 'system' : by;
  const again = () => {
    plan.begin(draftOf(trip));
    onDismiss();
  };
  return (
    <Stack gap="md">
      <Head icon={<IconCircleX size={34} color="var(--mantine-color-red-6)" />} title={t('cancelled.title')}>
        {words(`detail.cancelled.${who}`)}
      </Head>
      {reason !== '' && <Text>{reason}</Text>}
      <Text size="sm" c="dimmed">{t('cancelled.free')}</Text>
      <Group grow>
        <Button variant="default" onClick={onDismiss}>{t('end.close')}</Button>
        <Button onClick={again}>{t('cancelled.again')}</Button>
      </Group>
      <More trip={trip} />
    </Stack>
  );
}

function Head({ icon, title, children }: { icon: ReactNode; title: string; children: ReactNode }) {
  return (
    <Group wrap="nowrap" align="flex-start" role="status">
      {icon}
      <div>
        <Title order={1} size="h3">{title}</Title>
        <Text c="dimmed">{children}</Text>
      </div>
    </Group>
  );
}

function More({ trip }: { trip: Trip }) {
  const { t } = useTranslation('rider');
  return (
    <>
      <Divider />
      <LinkButton to="/trips/$id" params={{ id: trip.id }} variant="subtle" mih={44}>{t('end.details')}</LinkButton>
    </>
  );
}
