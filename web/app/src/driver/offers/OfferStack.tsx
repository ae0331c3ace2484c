import type { Client, OpenOffer } from '@hexhail/client';
import { Badge, Button, Group, Kbd, Loader, Paper, RingProgress, Stack, Text, Title } from '@mantine/core';
import { IconMapPin, IconRoute, IconUsers } from '@tabler/icons-react';
import { useCallback, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { distance, duration, money, number } from '../../shell/format';
import { vehicleClassName } from '../../shell/vehicle';
import { ProblemAlert } from '../ProblemAlert';
import { useIsPending } from '../Sending';
import { useCommand } from '../useCommand';
import { useNow } from '../useNow';
import classes from '../driver.module.css';
import { inOrder, secondsUntil } from './offers';
import { useOfferKeys } from './useOfferKeys';

/** All offers that wait for an answer, the nearest pickup on top. */
export function OfferStack({ session, offers }: { session: Client; offers: readonly OpenOffer[] }) {
  const { t } = useTranslation('driver');
  const sorted = inOrder(offers);
  if (sorted.length === 0) return null;
  return (
    <Stack gap="sm">
      <Title order={2} size="h3">{t('offers.title', { count: sorted.length })}</Title>
      {sorted.map((offer, i) => <OfferCard key={offer.id} session={session} offer={offer} first={i === 0} />)}
    </Stack>
  );
}

function OfferCard({ session, offer, first }: { session: Client; offer: OpenOffer; first: boolean }) {
  const { t } = useTranslation('driver');
  const accepting = useCommand();
  const declining = useCommand();
  const sending = useIsPending('accept_offer') && accepting.busy;
  const waiting = offer.award_at !== undefined;
  const busy = accepting.busy || declining.busy || waiting;
  const accept = () => {
    if (!busy) void accepting.run(() => session.acceptOffer(offer.id));
  };
  const decline = () => {
    if (!busy) void declining.run(() => session.declineOffer(offer.id));
  };
  useOfferKeys(first && !waiting, accept, decline);

  return (
    <Paper component="article" withBorder p="md" radius="lg" className={classes.offer} data-first={first || undefined} aria-label={t('offers.card', { fare: money(offer.fare), eta: duration(offer.pickup_eta_s) })}>
      <Group justify="space-between" wrap="nowrap" align="flex-start">
        <div>
          <Text className={classes.fare}>{money(offer.fare)}</Text>
          <Group gap={6} mt={4}>
            <Badge variant="light" color="gray">{vehicleClassName(offer.vehicle_class)}</Badge>
            <Badge variant="light" color="gray" leftSection={<IconUsers size={12} aria-hidden="true" />} aria-label={t('offers.passengers', { count: offer.passengers })}>
              {number(offer.passengers)}
            </Badge>
          </Group>
        </div>
        <Countdown offer={offer} session={session} />
      </Group>
      <Stack gap={6} mt="sm">
        <Line icon={<IconMapPin size={18} aria-hidden="true" />} strong>
          {t('offers.toPickup', { eta: duration(offer.pickup_eta_s), distance: distance(offer.pickup_distance_m) })}
        </Line>
        <Line icon={<IconRoute size={18} aria-hidden="true" />}>
          {t('offers.ride', { duration: duration(offer.trip_duration_s), distance: distance(offer.trip_distance_m) })}
        </Line>
      </Stack>
      {waiting ? (
        <Group mt="md" gap="xs" role="status"><Loader size={16} /><Text size="sm" fw={600}>{t('offers.deciding')}</Text></Group>
      ) : (
        <Group mt="md" grow preventGrowOverflow={false} wrap="nowrap">
          <Button size="md" variant="default" onClick={decline} loading={declining.busy} disabled={accepting.busy} rightSection={first && <Kbd size="xs" visibleFrom="sm">D</Kbd>}>
            {t('offers.decline')}
          </Button>
          <Button size="md" onClick={accept} loading={accepting.busy} disabled={declining.busy} flex={2}
            rightSection={first && <Kbd size="xs" visibleFrom="sm">A</Kbd>}>
            {t('offers.accept')}
          </Button>
        </Group>
      )}
      {sending && <Text size="xs" c="dimmed" mt={6} role="status">{t('offers.sending')}</Text>}
      <ProblemAlert problem={accepting.problem ?? declining.problem} />
    </Paper>
  );
}

function Line({ icon, strong = false, children }: { icon: React.ReactNode; strong?: boolean; children: React.ReactNode }) {
  return (
    <Group gap={8} wrap="nowrap" align="center">
      <span className={classes.lineIcon}>{icon}</span>
      <Text size={strong ? 'md' : 'sm'} fw={strong ? 600 : 400} c={strong ? undefined : 'dimmed'}>{children}</Text>
    </Group>
  );
}

/** The time that is left, as a ring that closes. Seconds are not read aloud; the card's end is. */
function Countdown({ offer, session }: { offer: OpenOffer; session: Client }) {
  const { t } = useTranslation('driver');
  const now = useNow(useCallback(() => session.serverNow(), [session]));
  const until = offer.award_at ?? offer.expires_at;
  const left = secondsUntil(until, now);
  // Offers do not say how long they last in all; what was left when it was first seen is near enough.
  const [whole] = useState(() => Math.max(1, left));
  const urgent = left <= 5;
  return (
    <RingProgress size={60} thickness={5} roundCaps aria-hidden="true"
      sections={[{ value: Math.min(100, (left / whole) * 100), color: urgent ? 'orange' : 'lagoon' }]}
      label={<Text ta="center" size="sm" fw={700} className={classes.digits} title={t('offers.left')}>{number(Math.ceil(left))}</Text>} />
  );
}

