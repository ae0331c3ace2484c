import type { Trip } from '@hexhail/client';
import { Box, Text } from '@mantine/core';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';

import { RideMap } from '../../lib/map';
import type { Schemas } from '../../api/http';
import classes from './TripMap.module.css';
import { placeText } from '../../lib/trip/words';

// Pins stand above their places.
const padding = { top: 56, right: 24, bottom: 24, left: 24 };

/** Where a trip led: both ends and the way that was recorded between them. */
export function TripMap({ trip, track }: { trip: Trip; track: readonly Schemas['TrackPoint'][] }) {
  const { t } = useTranslation('trips');
  const { pickup, dropoff } = trip;
  const { coming, riding } = useMemo(() => split(track, trip.started_at), [track, trip.started_at]);
  const straight = riding.length < 2;
  const line = useMemo(() => [pickup, dropoff].filter((p) => p !== undefined), [pickup, dropoff]);
  const camera = useMemo(
    () => ({ points: [...(pickup ? [pickup] : []), ...(dropoff ? [dropoff] : []), ...corners(track)] }),
    [pickup, dropoff, track],
  );
  if (!pickup || !dropoff) return null;
  return (
    <div>
      <Box className={classes.map}>
        <RideMap
          label={t('detail.map')} camera={camera} padding={padding}
          pickup={{ point: pickup, label: placeText(t, pickup, trip.pickup_address) }}
          dropoff={{ point: dropoff, label: placeText(t, dropoff, trip.dropoff_address) }}
          {...(straight ? { nextRoute: line } : { route: riding, nextRoute: coming })}
        />
      </Box>
      {straight && trip.status === 'completed' && <Text size="xs" c="dimmed" mt={4}>{t('detail.noTrack')}</Text>}
    </div>
  );
}

/** The way to the pickup, and the ride. */
function split(track: readonly Schemas['TrackPoint'][], startedAt: string | undefined) {
  const start = Date.parse(startedAt ?? '');
  const first = track.findIndex((p) => Date.parse(p.at) >= start);
  return first < 0 ? { coming: track, riding: [] } : { coming: track.slice(0, first + 1), riding: track.slice(first) };
}

/** The corners of the box around a way. */
function corners(track: readonly Schemas['TrackPoint'][]) {
  if (track.length === 0) return [];
  const box = { south: Infinity, north: -Infinity, west: Infinity, east: -Infinity };
  for (const { lat, lng } of track) {
    box.south = Math.min(box.south, lat);
    box.north = Math.max(box.north, lat);
    box.west = Math.min(box.west, lng);
    box.east = Math.max(box.east, lng);
  }
  return [{ lat: box.south, lng: box.west }, { lat: box.north, lng: box.east }];
}
