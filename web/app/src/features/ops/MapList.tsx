import { Skeleton, Text, UnstyledButton, useComputedColorScheme } from '@mantine/core';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useRef, type ComponentType, type KeyboardEvent, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { vehicleClassName } from '../../lib/vehicle';
import classes from './Console.module.css';
import { useCity, useLiveCity } from './live/hooks';
import { useNamed, type NamedAccount } from './live/names';
import { seconds, shortId } from './live/text';
import { stateColor, tripColor } from './mapColors';
import { fullName } from './table/PersonLink';

const rowHeight = 56;

interface Props {
  readonly label: string;
  readonly ids: readonly string[];
  readonly onOpen: (id: string) => void;
  readonly row: ComponentType<{ id: string }>;
}

/** A list of any length, of which only what is seen is there. Arrow keys go through it. */
export function MapList({ label, ids, onOpen, row: Row }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  // eslint-disable-next-line react-hooks/incompatible-library -- rows are read again at each render
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
  const account = useNamed(id);
  const driver = useCity('drivers').drivers.get(id);
  const state = driver ? t(`map.state.${driver.state}`) : t('map.panel.left');
  return (
    <>
      <span className={classes.dot} style={driver && { background: stateColor(scheme, driver.state) }} aria-hidden="true" />
      <Lines name={<Name id={id} account={account} />} more={driver?.vehicleClass ? `${state} · ${vehicleClassName(driver.vehicleClass)}` : state} />
      {account?.vehicle && <span className={classes.plate}>{account.vehicle.plate}</span>}
    </>
  );
}

export function TripRow({ id }: { id: string }) {
  const { t } = useTranslation('ops');
  const scheme = useComputedColorScheme('light');
  const live = useLiveCity();
  const trip = useCity('trips').trips.get(id);
  const rider = useNamed(trip?.rider_id);
  const driver = useNamed(trip?.driver_id);
  if (!trip) return <Text size="sm" c="dimmed">{t('map.panel.ended')}</Text>;
  const waited = trip.status === 'requested' && trip.requested_at && live.store.city.at ? (live.store.city.at - Date.parse(trip.requested_at)) / 1000 : null;
  const status = t(`map.status.${trip.status}`);
  return (
    <>
      <span className={classes.dot} style={{ background: tripColor(scheme, trip.status) }} aria-hidden="true" />
      <Lines name={<><Name id={trip.rider_id} account={rider} />{trip.driver_id && <> → <Name id={trip.driver_id} account={driver} /></>}</>}
        more={waited === null ? status : `${status} · ${seconds(Math.max(0, Math.round(waited)))}`} />
      {driver?.vehicle && <span className={classes.plate}>{driver.vehicle.plate}</span>}
    </>
  );
}

/** What a row is about, and how that stands. */
function Lines({ name, more }: { name: ReactNode; more: string }) {
  return (
    <div className={classes.lines}>
      <Text truncate size="sm" fw={600}>{name}</Text>
      <Text truncate size="xs" c="dimmed">{more}</Text>
    </div>
  );
}

/** A name; the end of the id where there is no such account, and room for one until that is known. */
function Name({ id, account }: { id: string; account: NamedAccount | null | undefined }) {
  if (account === undefined) return <Skeleton h={12} w={96} my={4} display="inline-block" />;
  return account ? fullName(account) : <span className={classes.id}>…{shortId(id)}</span>;
}
