import type { Client, OpenOffer } from '@hexhail/client';
import { Badge, Button, Group, Kbd, Loader, Paper, RingProgress, Stack, Text } from '@mantine/core';
import { IconArrowUp, IconCurrentLocation, IconMapPin, IconRoute, IconStarFilled, IconUsers } from '@tabler/icons-react';
import { useEffect, useState, useSyncExternalStore, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { bearingBetween, distanceBetween, headingTo, type PositionSource } from '../../../lib/map';
import { useServerNow } from '../../../lib/clock';
import { distance, duration, money, number, stars } from '../../../lib/format';
import { vehicleClassName } from '../../../lib/vehicle';
import classes from '../driver.module.css';
import { ProblemAlert } from '../ProblemAlert';
import { useIsPending } from '../Sending';
import { useCommand } from '../useCommand';
import { useAreaName } from './areaName';
import { secondsUntil } from './offers';
import { useOfferKeys } from './useOfferKeys';

/** How long a card that took another's place answers to nothing, in milliseconds: a tap may have been meant for that one. */
export const calmMs = 700;

interface Props {
  readonly session: Client;
  readonly offer: OpenOffer;
  readonly positions: PositionSource;
  /** How long it is open in all, in seconds. */
  readonly lastsS: number;
  readonly turn: (places: number) => void;
  /** Whether it took the place of one that ended. */
  readonly calm: boolean;
}

/** One offer, and the answer to it. */
export function OfferCard({ session, offer, positions, lastsS, turn, calm }: Props) {
  const { t } = useTranslation('driver');
  const accepting = useCommand();
  const declining = useCommand();
  const sending = useIsPending('accept_offer') && accepting.busy;
  const waiting = offer.award_at !== undefined;
  const early = useEarly(calm);
  const busy = accepting.busy || declining.busy || waiting || early;
  const accept = () => {
    if (!busy) void accepting.run(() => session.acceptOffer(offer.id));
  };
  const decline = () => {
    if (!busy) void declining.run(() => session.declineOffer(offer.id));
  };
  useOfferKeys(true, { accept, decline, turn });

  return (
    <Paper component="article" withBorder p="md" radius="lg" className={classes.offer} data-calm={calm || undefined}
      aria-label={t('offers.card', { fare: money(offer.fare), eta: duration(offer.pickup_eta_s) })}>
      <Group justify="space-between" wrap="nowrap" align="flex-start">
        <div style={{ minWidth: 0 }}>
          <Text className={classes.fare}>{money(offer.fare)}</Text>
          <Group gap={6} mt={4}>
            <RiderRating x100={offer.rider_rating_x100} />
            <Badge variant="light" color="gray" tt="none">{vehicleClassName(offer.vehicle_class)}</Badge>
            <Badge variant="light" color="gray" leftSection={<IconUsers size={12} aria-hidden="true" />} aria-label={t('offers.passengers', { count: offer.passengers })}>
              {number(offer.passengers)}
            </Badge>
          </Group>
        </div>
        <Countdown offer={offer} session={session} lastsS={lastsS} />
      </Group>
      <Stack gap={6} mt="sm">
        <Line icon={<IconMapPin size={18} aria-hidden="true" />} strong>
          {t('offers.toPickup', { eta: duration(offer.pickup_eta_s), distance: distance(offer.pickup_distance_m) })}
        </Line>
        <Direction offer={offer} positions={positions} />
        <Line icon={<IconRoute size={18} aria-hidden="true" />}>
          {t('offers.ride', { duration: duration(offer.trip_duration_s), distance: distance(offer.trip_distance_m) })}
        </Line>
      </Stack>
      {waiting ? (
        <Group mt="md" gap="xs" role="status" mih={48}><Loader size={16} /><Text size="sm" fw={600}>{t('offers.deciding')}</Text></Group>
      ) : (
        <Group mt="md" grow preventGrowOverflow={false} wrap="nowrap" className={classes.answers} data-early={early || undefined}>
          <Button size="lg" px="md" variant="default" onClick={decline} loading={declining.busy} disabled={accepting.busy} rightSection={<Kbd size="xs" visibleFrom="sm" aria-hidden="true">D</Kbd>}>
            {t('offers.decline')}
          </Button>
          <Button size="lg" px="md" onClick={accept} loading={accepting.busy} disabled={declining.busy} flex={2} rightSection={<Kbd size="xs" visibleFrom="sm" aria-hidden="true">A</Kbd>}>
            {t('offers.accept')}
          </Button>
        </Group>
      )}
      {sending && <Text size="xs" c="dimmed" mt={6} role="status">{t('offers.sending')}</Text>}
      <ProblemAlert problem={accepting.problem ?? declining.problem} />
    </Paper>
  );
}

/** True for a moment after the card came, if it took another's place. */
function useEarly(calm: boolean): boolean {
  const [early, setEarly] = useState(calm);
  useEffect(() => {
    if (!calm) return;
    const waiting = setTimeout(() => setEarly(false), calmMs);
    return () => clearTimeout(waiting);
  }, [calm]);
  return early;
}

function RiderRating({ x100 }: { x100: number }) {
  const { t } = useTranslation('driver');
  const mean = stars(x100);
  if (!mean) return <Badge variant="light" color="gray" tt="none">{t('offers.newRider')}</Badge>;
  return (
    <Badge variant="light" color="gray" role="img" leftSection={<IconStarFilled size={12} aria-hidden="true" />} aria-label={t('offers.riderRating', { mean })}>{mean}</Badge>
  );
}

/** Where the pickup's area lies, as seen from the car, and what it is called. It subscribes to the car's position. */
function Direction({ offer, positions }: { offer: OpenOffer; positions: PositionSource }) {
  const { t } = useTranslation('driver');
  const name = useAreaName(offer.pickup_area);
  const here = useSyncExternalStore(positions.subscribe, positions.get);
  const area = offer.pickup_area;
  if (!here && name === '') return null;
  if (!here) return <Line icon={<IconCurrentLocation size={18} aria-hidden="true" />}>{name}</Line>;
  if (distanceBetween(here, area) <= offer.pickup_radius_m) {
    return <Line icon={<IconCurrentLocation size={18} aria-hidden="true" />}>{name ? t('offers.inAreaOf', { area: name }) : t('offers.inArea')}</Line>;
  }
  const way = t(`heading.${headingTo(here, area)}`);
  return (
    <Line icon={<IconArrowUp size={18} aria-hidden="true" style={{ rotate: `${Math.round(bearingBetween(here, area))}deg` }} />}>
      {name ? t('offers.wayTo', { way, area: name }) : way}
    </Line>
  );
}

function Line({ icon, strong = false, children }: { icon: ReactNode; strong?: boolean; children: ReactNode }) {
  return (
    <Group gap={8} wrap="nowrap" align="center">
      <span className={classes.lineIcon}>{icon}</span>
      <Text size={strong ? 'md' : 'sm'} fw={strong ? 600 : 400} c={strong ? undefined : 'dimmed'} style={{ minWidth: 0, overflowWrap: 'anywhere' }}>{children}</Text>
    </Group>
  );
}

/** The time that is left, as a ring that closes. Seconds are not read aloud; the card's end is. */
function Countdown({ offer, session, lastsS }: { offer: OpenOffer; session: Client; lastsS: number }) {
  const { t } = useTranslation('driver');
  const now = useServerNow(session, 250);
  const until = offer.award_at ?? offer.expires_at;
  const left = secondsUntil(until, now);
  const urgent = left <= 5;
  return (
    <RingProgress size={60} thickness={5} roundCaps aria-hidden="true"
      sections={[{ value: Math.min(100, (left / lastsS) * 100), color: urgent ? 'orange' : 'lagoon' }]}
      label={<Text ta="center" size="sm" fw={700} className={classes.digits} title={t('offers.left')}>{number(Math.ceil(left))}</Text>} />
  );
}
