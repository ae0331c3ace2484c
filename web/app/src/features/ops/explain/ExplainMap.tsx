import { Group, Text } from '@mantine/core';
import { lazy, Suspense, useMemo } from 'react';
import { useTranslation } from 'react-i18next';

import type { Schemas } from '../../../api/http';
import { RideMap, type LatLng } from '../../../lib/map';
import { decisionColors, decisions } from './decision';
import classes from './explain.module.css';

const Layers = lazy(() => import('./ExplainLayers'));

interface Props {
  readonly trip: Schemas['Trip'];
  readonly track: readonly Schemas['TrackPoint'][];
  readonly wave: Schemas['WaveView'] | null;
  readonly pointed: string | null;
  readonly onPick: (driver: string) => void;
}

/** The trip on the map: its places, where its driver went, and whom the open wave considered. */
export function ExplainMap({ trip, track, wave, pointed, onPick }: Props) {
  const { t } = useTranslation('ops');
  const camera = useMemo(() => ({ points: pointsInView(trip, track, wave) }), [trip, track, wave]);
  const way = useMemo(() => (track.length > 1 ? track : null), [track]);
  const direct = trip.pickup && trip.dropoff ? [trip.pickup, trip.dropoff] : null;
  return (
    <>
      <div className={classes.map}>
        <RideMap label={t('explain.map')} camera={camera} pickup={trip.pickup ? { point: trip.pickup, label: trip.pickup_address || t('trips.column.pickup') } : null}
          dropoff={trip.dropoff ? { point: trip.dropoff, label: trip.dropoff_address || t('trips.column.dropoff') } : null} route={way} nextRoute={way ? null : direct}>
          {wave && trip.pickup && <Suspense fallback={null}><Layers pickup={trip.pickup} wave={wave} pointed={pointed} onPick={onPick} /></Suspense>}
        </RideMap>
      </div>
      <Group gap="md" mt="xs" component="ul" p={0} m={0} style={{ listStyle: 'none' }}>
        {decisions.map((d) => (
          <Group key={d} component="li" gap={6}>
            <span className={classes.dot} style={{ background: decisionColors[d] }} aria-hidden="true" />
            <Text size="xs">{t(`explain.legend.${d}`)}</Text>
          </Group>
        ))}
      </Group>
    </>
  );
}

/** Places, track, and who was asked. Those far off who were not would only make all else small. */
function pointsInView(trip: Schemas['Trip'], track: Props['track'], wave: Props['wave']): LatLng[] {
  const places = [trip.pickup, trip.dropoff].filter((p) => p !== undefined);
  const asked = (wave?.candidates ?? []).filter((c) => c.located && c.offered);
  return [...places, ...track.filter((_, i) => i % 5 === 0), ...asked].map(({ lat, lng }) => ({ lat, lng }));
}
