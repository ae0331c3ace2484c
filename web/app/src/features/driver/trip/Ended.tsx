import type { Client, Trip } from '@hexhail/client';
import { Button, Group, Rating, Stack, Text, Textarea, Title } from '@mantine/core';
import { IconCircleCheck, IconCircleX } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { distance, duration, money } from '../../../lib/format';
import classes from '../driver.module.css';
import { ProblemAlert } from '../ProblemAlert';
import { useCommand } from '../useCommand';

/** What a trip brought, and the rating of its rider; or why it ended early. */
export function Ended({ session, trip, done }: { session: Client; trip: Trip; done: () => void }) {
  const { t } = useTranslation('driver');
  if (trip.status !== 'completed') return <EndedEarly trip={trip} done={done} />;
  const fare = trip.fare;
  return (
    <Stack gap="md" className={classes.touch}>
      <Group gap="sm" role="status">
        <IconCircleCheck size={32} color="var(--mantine-primary-color-filled)" aria-hidden="true" />
        <Title order={2} size="h3">{t('ended.title')}</Title>
      </Group>
      {fare && (
        <div>
          <Text className={classes.fare}>{money(fare.total)}</Text>
          <Text c="dimmed" size="sm">{t('ended.ride', { distance: distance(fare.distance_m), duration: duration(fare.duration_s) })}</Text>
        </div>
      )}
      <RateRider session={session} trip={trip} />
      <Group grow>
        <Button variant="default" component={Link} to={`/trips/${trip.id}`}>{t('ended.details')}</Button>
        <Button onClick={done}>{t('ended.next')}</Button>
      </Group>
    </Stack>
  );
}

function EndedEarly({ trip, done }: { trip: Trip; done: () => void }) {
  const { t } = useTranslation('driver');
  const by = trip.cancellation?.by;
  const who = by === 'rider' || by === 'operator' || by === 'driver' ? by : 'system';
  return (
    <Stack gap="md" className={classes.touch}>
      <Group gap="sm" role="status" wrap="nowrap">
        <IconCircleX size={32} color="var(--mantine-color-orange-6)" aria-hidden="true" />
        <div>
          <Title order={2} size="h3">{t('ended.cancelled')}</Title>
          <Text c="dimmed" size="sm">{t(`ended.by.${who}`)}{who === 'rider' && trip.cancellation?.reason ? ` “${trip.cancellation.reason}”` : ''}</Text>
        </div>
      </Group>
      <Button onClick={done}>{t('ended.next')}</Button>
    </Stack>
  );
}

function RateRider({ session, trip }: { session: Client; trip: Trip }) {
  const { t } = useTranslation('driver');
  const [given, setGiven] = useState(0);
  const [words, setWords] = useState('');
  const rating = useCommand();
  if (trip.stars_by_driver > 0) return <Text size="sm" role="status">{t('ended.thanks')}</Text>;
  return (
    <Stack gap="xs">
      <Text fw={600} size="sm">{t('ended.rate', { name: trip.rider?.first_name ?? t('trip.rider') })}</Text>
      <Rating size={44} value={given} onChange={setGiven} getSymbolLabel={(n) => t('ended.stars', { count: n })} />
      {given > 0 && (
        <>
          <Textarea label={t('ended.comment')} description={t('ended.commentFor')} value={words} maxLength={160} autosize minRows={1}
            onChange={(e) => setWords(e.currentTarget.value)} />
          <ProblemAlert problem={rating.problem} />
          <Button variant="light" loading={rating.busy} onClick={() => void rating.run(() => session.rateTrip(trip.id, given, words.trim() || undefined))}>
            {t('ended.send')}
          </Button>
        </>
      )}
    </Stack>
  );
}
