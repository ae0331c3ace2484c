import type { Trip } from '@hexhail/client';
import { Button, Group, Rating, Stack, Text, Textarea, Title } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { usePendingRequests, useSession } from '../shell/session';
import { codeOf } from './problem';
import { clip } from './text';
import type { Reader } from './timeline';

const commentBytes = 500;

/** Asks a party of a completed trip for stars, once. `onDone` is called when there is nothing left to ask. */
export function Rate({ trip, reader, onDone, onSkip }: {
  trip: Trip;
  reader: Reader;
  onDone: () => void;
  onSkip?: () => void;
}) {
  const { t } = useTranslation('trips');
  const session = useSession();
  const queries = useQueryClient();
  const [value, setValue] = useState(0);
  const [comment, setComment] = useState('');
  const [mine, setMine] = useState(false);
  // A rating that was given before a reload may still be under way.
  const sending = usePendingRequests().some((r) => r.kind === 'rate_trip') || mine;
  const name = reader === 'rider' ? (trip.driver?.first_name ?? t('rating.nobody')) : (trip.rider?.first_name ?? t('rating.somebody'));

  const send = async () => {
    setMine(true);
    try {
      await session.rateTrip(trip.id, value, comment.trim());
      notifications.show({ message: t('rating.thanks'), color: 'lagoon' });
    } catch (e) {
      if (codeOf(e) !== 'already_rated') {
        notifications.show({ message: t('rating.failed'), color: 'red' });
        return;
      }
      notifications.show({ message: t('rating.already') });
    } finally {
      setMine(false);
    }
    void queries.invalidateQueries({ queryKey: ['trips'] });
    onDone();
  };

  return (
    <Stack gap="sm" component="section" aria-label={t('rating.label')}>
      <Title order={2} size="h4">{t(`rating.title.${reader}`, { name })}</Title>
      <Rating
        size={36} value={value} onChange={setValue} readOnly={sending} aria-label={t('rating.label')}
        getSymbolLabel={(n) => t('rating.stars', { count: n })}
      />
      {value > 0 && (
        <Textarea
          label={t('rating.comment')} description={t('rating.commentHint')} autosize minRows={2} maxRows={5}
          value={comment} onChange={(e) => setComment(clip(e.currentTarget.value, commentBytes))} disabled={sending}
        />
      )}
      <Group gap="sm" grow={value > 0}>
        {onSkip && <Button variant="default" onClick={onSkip}>{t('rating.skip')}</Button>}
        {value > 0 && (
          <Button onClick={() => void send()} loading={sending} aria-label={sending ? t('rating.sending') : undefined}>
            {t('rating.send')}
          </Button>
        )}
      </Group>
      {sending && <Text size="sm" c="dimmed" role="status">{t('rating.sending')}</Text>}
    </Stack>
  );
}
