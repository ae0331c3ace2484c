import type { Trip } from '@hexhail/client';
import { Button, Rating, Stack, Text, Textarea, Title } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { keys } from '../../api/queries';
import { usePendingRequests, useSession } from '../session';
import { codeOf } from './problem';
import { clip } from './text';
import type { Reader } from './words';

const commentBytes = 500;

/** The stars that a party gave a completed trip; asks for them, once, while there are none. */
export function Rate({ trip, reader }: { trip: Trip; reader: Reader }) {
  const known = reader === 'rider' ? trip.stars_by_rider : trip.stars_by_driver;
  // The trip learns of it with its next version. Null: given elsewhere, and not known how many.
  const [given, setGiven] = useState<number | null>();
  const stars = known > 0 ? known : given;
  return stars === undefined ? <Ask trip={trip} reader={reader} onGiven={setGiven} /> : <Given stars={stars} thanks={given !== undefined} />;
}

/** A person's name, unless there is none, or none any more. */
const nameOr = (person: { first_name: string } | undefined, otherwise: string): string => (person && person.first_name !== '' ? person.first_name : otherwise);

function Given({ stars, thanks }: { stars: number | null; thanks: boolean }) {
  const { t } = useTranslation('trips');
  return (
    <Stack gap={6} role="status" align="flex-start">
      <Text fw={600}>{t(stars === null ? 'rating.already' : thanks ? 'rating.thanks' : 'rating.yours')}</Text>
      {stars !== null && <Rating size={24} value={stars} readOnly role="img" aria-label={t('rating.given', { count: stars })} />}
    </Stack>
  );
}

function Ask({ trip, reader, onGiven }: { trip: Trip; reader: Reader; onGiven: (stars: number | null) => void }) {
  const { t } = useTranslation('trips');
  const session = useSession();
  const queries = useQueryClient();
  const [value, setValue] = useState(0);
  const [comment, setComment] = useState('');
  const [mine, setMine] = useState(false);
  // A rating that was given before a reload may still be under way.
  const sending = usePendingRequests().some((r) => r.kind === 'rate_trip') || mine;
  const name = reader === 'rider' ? nameOr(trip.driver, t('rating.yourDriver')) : nameOr(trip.rider, t('rating.yourRider'));

  const send = async () => {
    setMine(true);
    try {
      await session.rateTrip(trip.id, value, comment.trim());
      onGiven(value);
    } catch (e) {
      if (codeOf(e) !== 'already_rated') {
        notifications.show({ message: t('rating.failed'), color: 'red' });
        return;
      }
      onGiven(null);
    } finally {
      setMine(false);
    }
    void queries.invalidateQueries({ queryKey: keys.trips });
  };

  return (
    <Stack gap="sm" component="section" aria-label={t('rating.label')}>
      <Title order={2} size="h4">{t(`rating.title.${reader}`, { name })}</Title>
      <Rating
        size={44} value={value} onChange={setValue} readOnly={sending} aria-label={t('rating.label')}
        getSymbolLabel={(n) => t('rating.stars', { count: n })}
      />
      {value > 0 && (
        <Textarea
          label={t('rating.comment')} description={t('rating.commentHint')} autosize minRows={2} maxRows={5}
          value={comment} onChange={(e) => setComment(clip(e.currentTarget.value, commentBytes))} disabled={sending}
        />
      )}
      {value > 0 && (
        <Button onClick={() => void send()} loading={sending} aria-label={sending ? t('rating.sending') : undefined}>
          {t('rating.send')}
        </Button>
      )}
      {sending && <Text size="sm" c="dimmed" role="status">{t('rating.sending')}</Text>}
    </Stack>
  );
}
