import { Text, UnstyledButton, useComputedColorScheme } from '@mantine/core';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useRef, type ComponentType, type KeyboardEvent } from 'react';
import { useTranslation } from 'react-i18next';

import { vehicleClassName } from '../shell/vehicle';
import classes from './Console.module.css';
import { useCity, useLiveCity } from './live/hooks';
import { seconds, shortId } from './live/text';
import { stateColor, tripColor } from './mapColors';

const rowHeight = 40;

interface Props {
  readonly label: string;
  readonly ids: readonly string[];
  readonly onOpen: (id: string) => void;
  readonly row: ComponentType<{ id: string }>;
}

/** A list of any length, of which only what is seen is there. Arrow keys go through it. */
export function MapList({ label, ids, onOpen, row: Row }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  // eslint-disable-next-line react-hooks/incompatible-library -- rows are read anew at each render
  const rows = useVirtualizer({
    count: ids.length, getScrollElement: () => scroller.current, estimateSize: () => rowHeight, overscan: 6, getItemKey: (i) => ids[i] ?? i,
  });
  const focusRow = (index: number) => {
    const next = Math.max(0, Math.min(ids.length - 1, index));
    rows.scrollToIndex(next);
    requestAnimationFrame(() => scroller.current?.querySelector<HTMLElement>(`[data-index="${next}"]`)?.focus());
  };
  const onKeyDown = (e: KeyboardEvent<HTMLElement>, index: number) => {
    const to = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: ids.length - 1, PageDown: index + 10, PageUp: index - 10 }[e.key];
    if (to === undefined) return;
    e.preventDefault();
    focusRow(to);
  };
  return (
    <div ref={scroller} className={classes.list} role="list" aria-label={label}>
      <div style={{ height: rows.getTotalSize(), position: 'relative' }}>
        {rows.getVirtualItems().map(({ index, key, start }) => (
          <div key={key} role="listitem" aria-setsize={ids.length} aria-posinset={index + 1}>
            <UnstyledButton className={classes.row} data-index={index} style={{ height: rowHeight, transform: `translateY(${start}px)` }}
              onClick={() => onOpen(ids[index] ?? '')} onKeyDown={(e) => onKeyDown(e, index)}>
              <Row id={ids[index] ?? ''} />
            </UnstyledButton>
          </div>
        ))}
      </div>
    </div>
  );
}

export function DriverRow({ id }: { id: string }) {
  const { t } = useTranslation('ops');
  const scheme = useComputedColorScheme('light');
  const driver = useCity('drivers').drivers.get(id);
  if (!driver) return <Text size="sm" c="dimmed">{t('map.panel.left')}</Text>;
  return (
    <>
      <span className={classes.dot} style={{ background: stateColor(scheme, driver.state) }} aria-hidden="true" />
      <Text size="sm" flex={1}>{t(`map.state.${driver.state}`)}</Text>
      <Text size="xs" c="dimmed">{vehicleClassName(driver.vehicleClass)}</Text>
      <span className={classes.id}>{shortId(id)}</span>
    </>
  );
}

export function TripRow({ id }: { id: string }) {
  const { t } = useTranslation('ops');
  const scheme = useComputedColorScheme('light');
  const live = useLiveCity();
  const trip = useCity('trips').trips.get(id);
  if (!trip) return <Text size="sm" c="dimmed">{t('map.panel.ended')}</Text>;
  const waited = trip.status === 'requested' && trip.requested_at && live.store.city.at ? (live.store.city.at - Date.parse(trip.requested_at)) / 1000 : null;
  return (
    <>
      <span className={classes.dot} style={{ background: tripColor(scheme, trip.status) }} aria-hidden="true" />
      <Text size="sm" flex={1}>{t(`map.status.${trip.status}`)}</Text>
      {waited !== null && <Text size="xs" c="dimmed">{seconds(Math.max(0, Math.round(waited)))}</Text>}
      <span className={classes.id}>{shortId(id)}</span>
    </>
  );
}
