import type { Trip } from '@hexhail/client';
import { Group, Stack, Text, UnstyledButton } from '@mantine/core';
import { IconHistory, IconSparkles } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import type { Schemas } from '../../api/http';
import { distance } from '../../lib/format';
import { latestTrips } from '../../api/queries';
import { headingTo } from '../../lib/map';
import { placeText } from '../../lib/trip/words';
import { vehicleClassName } from '../../lib/vehicle';
import { draftOf, emptyDraft } from './draft';
import classes from './rider.module.css';
import { useDemo, type Plan } from './usePlan';

const most = 3;

/** Rides to begin with: those of before, and those that a demonstration suggests. */
export function Suggestions({ plan }: { plan: Plan }) {
  const { t } = useTranslation('rider');
  const before = distinct(useQuery(latestTrips).data ?? []).slice(0, most);
  const demo = useDemo();
  const rides = (demo?.rides ?? []).slice(0, most);
  return (
    <>
      {before.length > 0 && (
        <Section title={t('suggest.again')}>
          {before.map((trip) => <Again key={trip.id} trip={trip} plan={plan} />)}
        </Section>
      )}
      {rides.length > 0 && demo && (
        <Section title={t('suggest.demo', { city: demo.city.name })}>
          {rides.map((ride, i) => (
            <Suggestion
              key={i} icon={<IconSparkles size={18} />}
              title={ride.dropoff_address || t('suggest.ride', { distance: distance(ride.distance_m), heading: t(`heading.${headingTo(ride.pickup, ride.dropoff)}`) })}
              text={<Offered ride={ride} />}
              onClick={() => plan.begin({
                ...emptyDraft, pickup: { point: ride.pickup, address: ride.pickup_address }, dropoff: { point: ride.dropoff, address: ride.dropoff_address },
                vehicleClass: ride.vehicle_class,
              })}
            />
          ))}
        </Section>
      )}
    </>
  );
}

/** The rides that were asked for before, each pair of ends once. */
function distinct(trips: readonly Trip[]): Trip[] {
  const byEnds = new Map<string, Trip>();
  for (const trip of trips) {
    const key = [trip.pickup, trip.dropoff].map((p) => `${p?.lat.toFixed(3)},${p?.lng.toFixed(3)}`).join(' ');
    if (!byEnds.has(key)) byEnds.set(key, trip);
  }
  return [...byEnds.values()];
}

function Again({ trip, plan }: { trip: Trip; plan: Plan }) {
  const { t } = useTranslation('trips');
  return (
    <Suggestion
      icon={<IconHistory size={18} />}
      title={placeText(t, trip.dropoff, trip.dropoff_address)}
      text={placeText(t, trip.pickup, trip.pickup_address)}
      onClick={() => plan.begin(draftOf(trip))}
    />
  );
}

function Offered({ ride }: { ride: Schemas['DemoRide'] }) {
  const { t } = useTranslation(['rider', 'trips']);
  if (!ride.dropoff_address || !ride.pickup_address) return vehicleClassName(ride.vehicle_class);
  return t('rider:suggest.from', { place: ride.pickup_address, distance: distance(ride.distance_m) });
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Stack gap={6} component="section" aria-label={title}>
      <Text size="sm" fw={600} c="dimmed">{title}</Text>
      {children}
    </Stack>
  );
}

function Suggestion({ icon, title, text, onClick }: { icon: ReactNode; title: string; text: ReactNode; onClick: () => void }) {
  return (
    <UnstyledButton className={classes.suggestion} onClick={onClick}>
      <Group gap="sm" wrap="nowrap">
        <Text span c="lagoon" lh={0} aria-hidden>{icon}</Text>
        <div style={{ minWidth: 0 }}>
          <Text fw={600} truncate>{title}</Text>
          <Text size="sm" c="dimmed" truncate>{text}</Text>
        </div>
      </Group>
    </UnstyledButton>
  );
}
