import { Skeleton, useMantineTheme, VisuallyHidden } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { lazy, useCallback, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { RideMap } from '../../lib/map';
import { usePageTitle } from '../../lib/usePageTitle';
import classes from './Console.module.css';
import type { Bounds } from './live/city';
import { useFeed, useNeed } from './live/hooks';
import { MapChoices } from './MapChoices';
import { MapLegend } from './MapLegend';
import { MapPanel } from './MapPanel';
import { MapSearch } from './MapSearch';
import { MapTotals } from './MapTotals';
import { startView, type MapView, type Selected } from './mapView';

// deck.gl comes in a chunk beside MapLibre's, while the frame of the page is there already.
const MapCanvas = lazy(() => import('./MapCanvas'));

const need = { drivers: true, trips: true, cells: true, samples: true } as const;

/** The city as it is: cells, drivers and trips on a map, and the same in lists beside it. */
export default function OpsMapPage() {
  const { t } = useTranslation('ops');
  usePageTitle(t('map.title'));
  useNeed(need);
  const theme = useMantineTheme();
  const wide = useMediaQuery(`(min-width: ${theme.breakpoints.md})`);
  const [view, setView] = useState<MapView>(startView);
  const [selected, setSelected] = useState<Selected | null>(null);
  const [follow, setFollow] = useState(false);
  const [bounds, setBounds] = useState<Bounds | null>(null);
  const [overview, setOverview] = useState(0);

  /** From the map: it is in view already. */
  const select = useCallback((next: Selected | null) => {
    setSelected(next);
    setFollow(false);
  }, []);
  /** From a list or a search: the map goes there, and stays with it. */
  const goTo = useCallback((next: Selected) => {
    setSelected(next);
    setFollow(next.kind !== 'cell');
  }, []);
  /** All drivers, whatever was filtered and wherever the map is. */
  const showAll = useCallback(() => {
    setView((v) => ({ ...v, states: startView.states, vehicleClass: null }));
    setFollow(false);
    setOverview((n) => n + 1);
  }, []);
  const unfollow = useCallback(() => setFollow(false), []);

  return (
    <div className={classes.mapPage}>
      <VisuallyHidden component="h1">{t('map.title')}</VisuallyHidden>
      <MapTotals />
      <div className={classes.mapBody}>
        <div className={classes.mapArea}>
          <RideMap label={t('map.label')}>
            <MapCanvas view={view} selected={selected} follow={follow} overview={overview} onSelect={select} onUnfollow={unfollow} onBounds={setBounds} />
          </RideMap>
          <div className={classes.mapTools}>
            <MapSearch onFound={goTo} />
            <MapChoices view={view} onChange={setView} compact={!wide} />
          </div>
          <MapLegend view={view} compact={!wide} />
          <Waiting />
        </div>
        <MapPanel view={view} bounds={bounds} selected={selected} follow={follow} onFollow={setFollow} onSelect={goTo} onShowAll={showAll} onClose={() => select(null)} />
      </div>
    </div>
  );
}

/** Shown until the first snapshot arrives. */
function Waiting() {
  const { t } = useTranslation('ops');
  const { heard } = useFeed();
  if (heard) return null;
  return (
    <div className={classes.mapWaiting}>
      <VisuallyHidden role="status">{t('map.waiting')}</VisuallyHidden>
      <Skeleton h={3} radius={0} />
    </div>
  );
}
