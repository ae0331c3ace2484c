import { Text, VisuallyHidden } from '@mantine/core';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { distance } from '../format';
import { distanceBetween, type LatLng } from './geo';
import type { RideMapProps } from './types';

const refreshMs = 5000;

/**
 * What is on the map, in words, for people who cannot see it; `visible` where the map cannot be drawn. It changes silently: pages
 * announce what matters.
 */
export function MapSummary({ id, map, visible = false }: { id: string; map: RideMapProps; visible?: boolean }) {
  const { t } = useTranslation('map');
  const positions = map.driver?.positions;
  const [, again] = useState(0);
  useEffect(() => {
    if (!positions) return;
    const ticking = setInterval(() => again((n) => n + 1), refreshMs);
    return () => clearInterval(ticking);
  }, [positions]);

  const car = positions?.get() ?? null;
  const where = (p: LatLng) => `${p.lat.toFixed(4)}, ${p.lng.toFixed(4)}`;
  const named = (place: { point: LatLng; label?: string }) => place.label ?? where(place.point);
  const lines: string[] = [];
  if (map.pickup) lines.push(t('summary.pickup', { place: named(map.pickup) }));
  if (map.dropoff) lines.push(t('summary.dropoff', { place: named(map.dropoff) }));
  if (car) lines.push(t('summary.car', { place: where(car) }));
  if (car && map.pickup) lines.push(t('summary.carToPickup', { distance: distance(distanceBetween(car, map.pickup.point)) }));
  if (car && map.dropoff) lines.push(t('summary.carToDropoff', { distance: distance(distanceBetween(car, map.dropoff.point)) }));
  if (map.way) lines.push(t('summary.way', { distance: distance(map.way.lengthM) }));
  if (map.searchRings) lines.push(t('summary.search'));
  if (map.areas?.length) lines.push(t('summary.areas', { count: map.areas.length }));
  if (visible && lines.length === 0) return null;
  if (lines.length === 0) lines.push(t('summary.nothing'));
  if (visible) return <div id={id}>{lines.map((line) => <Text key={line} size="sm">{line}</Text>)}</div>;
  return (
    <VisuallyHidden id={id} aria-live="off">
      {lines.map((line) => <p key={line}>{line}</p>)}
    </VisuallyHidden>
  );
}
