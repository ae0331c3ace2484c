import type { Quote } from '@hexhail/client';
import { Alert, Button, Group, Radio, Skeleton, Stack, Text } from '@mantine/core';
import { IconCar, IconCrown, IconBus, IconUser } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import { useServerConfig } from '../../api/queries';
import { useServerNow } from '../../lib/clock';
import { distance, duration, money } from '../../lib/format';
import { useSession } from '../../lib/session';
import { codeOf } from '../../lib/trip/problem';
import { vehicleClassName } from '../../lib/vehicle';
import type { WholeDraft } from './draft';
import { problemText } from './problems';
import { chosenClass, useQuotes } from './quotes';
import classes from './rider.module.css';
import type { Asking } from './useAsk';
import type { Plan } from './usePlan';

/** The classes with their prices and the nearest drivers, and the button that asks for a ride. */
export function QuotePanel({ draft, plan, asking }: { draft: WholeDraft; plan: Plan; asking: Asking }) {
  const { t } = useTranslation('rider');
  const quotes = useQuotes(draft, useServerNow(useSession()));
  const seats = useSeats();

  if (quotes.loading) return <Loading />;
  if (!quotes.list || quotes.list.length === 0) {
    return (
      <Alert color="orange" role="alert">
        <Group justify="space-between" wrap="nowrap">
          <Text size="sm">{problemText(t, quotes.error ? codeOf(quotes.error) : 'no_route')}</Text>
          <Button size="xs" variant="default" onClick={quotes.retry}>{t('again')}</Button>
        </Group>
      </Alert>
    );
  }
  const chosen = chosenClass(quotes.list, draft.vehicleClass, seats, draft.passengers);
  const quote = quotes.list.find((q) => q.vehicle_class === chosen);
  return (
    <>
      <Radio.Group
        value={chosen} onChange={(vehicleClass) => plan.set({ vehicleClass })} aria-label={t('quote.label')} className={classes.quotes}
        data-outdated={quotes.outdated || undefined}
      >
        <Stack gap="xs">
          {quotes.list.map((q) => <QuoteCard key={q.vehicle_class} quote={q} seats={seats(q.vehicle_class)} passengers={draft.passengers} />)}
        </Stack>
      </Radio.Group>
      {quotes.outdated && <Text size="sm" className={classes.warn} role="status">{t('quote.outdated')}</Text>}
      <div className={classes.foot}>
        {asking.problem !== null && <Alert color="red" role="alert" mb="sm">{problemText(t, asking.problem)}</Alert>}
        <Button size="lg" fullWidth className={classes.ask} disabled={!quote} onClick={() => quote && asking.ask(draft, quote.vehicle_class)}>
          {quote ? t('quote.ask', { class: vehicleClassName(quote.vehicle_class), fare: money(quote.fare) }) : t('quote.tooMany')}
        </Button>
        {quote && (
          <Text size="xs" c="dimmed" ta="center" mt={6}>
            {t('quote.way', { distance: distance(quote.distance_m), duration: duration(quote.duration_s) })}
          </Text>
        )}
      </div>
    </>
  );
}

/** Seats by class, as the server has them; a class that it does not list has room for everyone. */
function useSeats(): (vehicleClass: string) => number {
  const known = useServerConfig().data?.vehicle_classes ?? [];
  return (vehicleClass) => known.find((c) => c.class === vehicleClass)?.seats ?? Infinity;
}

const icons: Record<string, typeof IconCar> = { comfort: IconCrown, van: IconBus };

function QuoteCard({ quote, seats, passengers }: { quote: Quote; seats: number; passengers: number }) {
  const { t } = useTranslation('rider');
  const Icon = icons[quote.vehicle_class] ?? IconCar;
  const fits = seats >= passengers;
  return (
    <Radio.Card value={quote.vehicle_class} disabled={!fits} className={classes.quote} radius="md">
      <Group wrap="nowrap" gap="sm">
        <Icon size={26} stroke={1.6} aria-hidden />
        <Stack gap={0} flex={1} miw={0}>
          <Group gap={8} wrap="nowrap">
            <Text fw={700}>{vehicleClassName(quote.vehicle_class)}</Text>
            {Number.isFinite(seats) && (
              <Group gap={2} wrap="nowrap" c="dimmed" role="img" aria-label={t('quote.seats', { count: seats })}>
                <IconUser size={14} aria-hidden /><Text span size="sm" aria-hidden>{seats}</Text>
              </Group>
            )}
          </Group>
          <Text size="sm" className={quote.drivers_nearby > 0 ? classes.near : classes.warn}>{fits ? nearby(quote, t) : t('quote.tooSmall')}</Text>
        </Stack>
        <Text fw={700} size="lg" flex="none">{money(quote.fare)}</Text>
      </Group>
    </Radio.Card>
  );
}

function nearby(quote: Quote, t: (key: 'quote.none' | 'quote.near', values?: { count: number; eta: string }) => string): string {
  if (quote.drivers_nearby === 0) return t('quote.none');
  return t('quote.near', { count: quote.drivers_nearby, eta: duration(quote.pickup_eta_s) });
}

function Loading() {
  const { t } = useTranslation('rider');
  return (
    <Stack gap="xs" role="status" aria-label={t('quote.loading')}>
      {[0, 1, 2].map((i) => <Skeleton key={i} height={66} radius="md" />)}
      <Skeleton height={50} radius="md" mt="xs" />
    </Stack>
  );
}
