import type { Client, WholeTrip } from '@hexhail/client';
import { Button } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { distanceBetween, type PositionSource } from '../../../lib/map';
import { ProblemAlert } from '../ProblemAlert';
import { useIsPending } from '../Sending';
import { useCommand } from '../useCommand';
import { farFrom, type Far, type FarReason } from './far';
import { FarDialog } from './FarDialog';
import { StartRide } from './StartRide';

interface Props {
  readonly session: Client;
  readonly trip: WholeTrip;
  readonly positions: PositionSource;
  readonly demo: boolean;
}

/** The one thing that a driver does next. Far from where it should be done the driver is asked why. */
export function NextStep({ session, trip, positions, demo }: Props) {
  const { t } = useTranslation('driver');
  const step = useCommand();
  const sending = useIsPending('arrived', 'complete_trip');
  const [far, setFar] = useState<Far | null>(null);
  if (trip.status === 'arrived') return <StartRide session={session} trip={trip} demo={demo} />;
  const riding = trip.status === 'in_progress';
  const act = (reason?: FarReason) => {
    const options = reason ? { reason } : {};
    void step.run(() => (riding ? session.completeTrip(trip.id, options) : session.arrived(trip.id, options)));
  };
  const tap = () => {
    const here = positions.get();
    const found = farFrom(riding ? 'dropoff' : 'pickup', here && { awayM: distanceBetween(here, riding ? trip.dropoff : trip.pickup), accuracyM: here.accuracyM ?? null });
    if (found) setFar(found);
    else act();
  };
  return (
    <>
      <ProblemAlert problem={step.problem} end={riding ? 'dropoff' : 'pickup'} />
      <Button size="lg" fullWidth loading={step.busy || sending} onClick={tap}>{riding ? t('trip.complete') : t('trip.arrived')}</Button>
      <FarDialog far={far} onClose={() => setFar(null)} onConfirm={(reason) => { setFar(null); act(reason); }} />
    </>
  );
}
