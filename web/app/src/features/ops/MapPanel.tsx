import { Button, Stack, Tabs, Text } from '@mantine/core';
import { useEffect, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { number } from '../../lib/format';
import classes from './Console.module.css';
import type { Bounds } from './live/city';
import { useCity, useFeed } from './live/hooks';
import { MapDetails } from './MapDetails';
import { DriverRow, MapList, TripRow } from './MapList';
import { driversWithin, tripsWithin, type MapView, type Selected } from './mapView';

interface Props {
  readonly view: MapView;
  /** What the map shows; null before it does. */
  readonly bounds: Bounds | null;
  readonly selected: Selected | null;
  readonly follow: boolean;
  readonly onFollow: (follow: boolean) => void;
  readonly onSelect: (selected: Selected) => void;
  /** Shows all drivers, without filters. */
  readonly onShowAll: () => void;
  readonly onClose: () => void;
}

const everywhere: Bounds = { west: -180, south: -90, east: 180, north: 90 };

/** What the map shows, for reading and for the keyboard: the selected thing, or lists of what is in view. */
export function MapPanel({ view, bounds, selected, follow, onFollow, onSelect, onShowAll, onClose }: Props) {
  const { t } = useTranslation('ops');
  return (
    <aside className={classes.panel} aria-label={t('map.panel.label')}>
      {selected
        ? <MapDetails key={`${selected.kind} ${selected.id}`} selected={selected} follow={follow} onFollow={onFollow} onSelect={onSelect} onClose={onClose} />
        : <Lists view={view} bounds={bounds ?? everywhere} onSelect={onSelect} onShowAll={onShowAll} />}
    </aside>
  );
}

/** How often who is in view is looked up again because of movements alone, in milliseconds. */
const lookMs = 3000;

function Lists({ view, bounds, onSelect, onShowAll }: Pick<Props, 'view' | 'onSelect' | 'onShowAll'> & { bounds: Bounds }) {
  const { t } = useTranslation('ops');
  const [tab, setTab] = useState<string | null>('drivers');
  const { heard } = useFeed();
  const tick = useTick(lookMs);
  const trips = useTripsWithin(view, bounds, tick);
  const drivers = useDriversWithin(view, bounds, tick);
  return (
    <Tabs value={tab} onChange={setTab} keepMounted={false} className={classes.tabs}>
      <Tabs.List grow>
        <Tabs.Tab value="drivers">{t('map.panel.drivers')} <Count of={drivers.length} /></Tabs.Tab>
        <Tabs.Tab value="trips">{t('map.panel.trips')} <Count of={trips.length} /></Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value="drivers" className={classes.tab}>
        {drivers.length === 0 && heard ? <NoDrivers onShowAll={onShowAll} /> : (
          <MapList label={t('map.panel.driversInView')} ids={drivers} onOpen={(id) => onSelect({ kind: 'driver', id })} row={DriverRow} />
        )}
      </Tabs.Panel>
      <Tabs.Panel value="trips" className={classes.tab}>
        {trips.length === 0 && heard ? <Nothing text={t('map.panel.noTrips')} /> : (
          <MapList label={t('map.panel.tripsInView')} ids={trips} onOpen={(id) => onSelect({ kind: 'trip', id })} row={TripRow} />
        )}
      </Tabs.Panel>
    </Tabs>
  );
}

const Count = ({ of }: { of: number }) => <Text span c="dimmed" size="sm">{number(of)}</Text>;

/** Says whether there are none at all, or none here. */
function NoDrivers({ onShowAll }: Pick<Props, 'onShowAll'>) {
  const { t } = useTranslation('ops');
  const online = useCity('drivers').drivers.size;
  if (online === 0) return <Nothing text={t('map.panel.noneOnline')} />;
  return (
    <Stack p="md" gap="sm" align="start">
      <Text c="dimmed" size="sm">{t('map.panel.noDrivers', { count: online, number: number(online) })}</Text>
      <Button variant="light" onClick={onShowAll}>{t('map.panel.showAll')}</Button>
    </Stack>
  );
}

const Nothing = ({ text }: { text: string }) => <Text p="md" c="dimmed" size="sm">{text}</Text>;

/** A number that rises by itself. */
function useTick(ms: number): number {
  const [tick, setTick] = useState(0);
  useEffect(() => {
    const ticking = setInterval(() => setTick((n) => n + 1), ms);
    return () => clearInterval(ticking);
  }, [ms]);
  return tick;
}

// The city is one object that changes inside; what stands for its state here is the tick.

function useDriversWithin(view: MapView, bounds: Bounds, tick: number): readonly string[] {
  const city = useCity('totals');
  // eslint-disable-next-line react-hooks/exhaustive-deps -- see above
  return useMemo(() => driversWithin(city, view, bounds), [city, view, bounds, tick]);
}

function useTripsWithin(view: MapView, bounds: Bounds, tick: number): readonly string[] {
  const city = useCity('totals');
  // eslint-disable-next-line react-hooks/exhaustive-deps -- see above
  return useMemo(() => tripsWithin(city, view, bounds).map(({ id }) => id), [city, view, bounds, tick]);
}
