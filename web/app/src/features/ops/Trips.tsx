import { Group, MultiSelect, Pill, SegmentedControl, Text } from '@mantine/core';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import type { TFunction } from 'i18next';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';

import { call } from '../../api/http';
import { keys } from '../../api/queries';
import { http } from '../../api/auth';
import { number } from '../../lib/format';
import { statuses, type Status } from '../../lib/trip/status';
import { vehicleClassName } from '../../lib/vehicle';
import type { TripRow as Trip } from './live/follow';
import { TripStatusBadge } from './table/Badges';
import { CopyId } from './table/CopyId';
import { ListPage } from './table/ListPage';
import { newestFirst } from './table/pages';
import { PersonLink, PersonName } from './table/PersonLink';
import { SearchField } from './table/SearchField';
import { statusesOf, statusText, type TripsSearch } from './table/search';
import { SpanFilter } from './table/SpanFilter';
import { recent } from './table/times';
import { DriverOf, Fare, Place, PlateOf, Route, Two, Wait, When } from './table/TripParts';
import { useFollow } from './table/useFollow';
import { useList, type List } from './table/useList';
import type { Column } from './table/VirtualTable';
import { TripMenu, useTripActions, type TripAction } from './TripActions';
import { TripsExport } from './TripsExport';

const route = getRouteApi('/ops/trips');
const pageSize = 100;
const everything = 'all';

/** All trips, newest first, with filters that the URL holds. */
export default function OpsTripsPage() {
  const { t } = useTranslation('ops');
  const search = route.useSearch();
  const navigate = useNavigate();
  const list = useTrips(search);
  const follow = useFollow(list, search);
  const { ask, dialog } = useTripActions();
  const columns = useMemo(() => columnsOf(t, ask), [t, ask]);
  const filter = (change: TripsSearch) => void navigate({ to: '/ops/trips', search: { ...search, ...change }, replace: true });
  const filtered = Object.keys(search).length > 0;
  return (
    <>
      <ListPage title={t('trips.title')} tall list={list} columns={columns} rowKey={(trip) => trip.id} memory={`trips ${JSON.stringify(search)}`}
        live={follow.live} news={follow.gap ? t('trips.list.gap') : follow.missing > 0 ? t('trips.list.new', { count: follow.missing, number: number(follow.missing) }) : null}
        empty={t('trips.empty')} filters={<Filters search={search} filter={filter} />} tools={<TripsExport search={search} />}
        onClear={filtered ? () => void navigate({ to: '/ops/trips', search: {}, replace: true }) : undefined}
        onOpen={(trip) => void navigate({ to: '/ops/trips/$id', params: { id: trip.id } })}
        narrow={(trip) => <NarrowRow trip={trip} ask={ask} />} />
      {dialog}
    </>
  );
}

function useTrips(search: TripsSearch): List<Trip> {
  const { q, account } = search;
  // One question of the API is for one status, for all that live, or for all. Several are merged.
  const chosen = search.status === 'live' ? ['live'] : statusesOf(search.status);
  return useList<Trip>({
    queryKey: keys.ops.list('trips', search),
    streams: chosen.length === 0 ? [everything] : chosen,
    span: search,
    fetchPage: ({ stream, cursor, from, to, signal }) => call(http.GET('/v1/admin/trips', {
      signal,
      params: {
        query: {
          limit: pageSize, cursor: cursor || undefined, from, to, q, account,
          ...(stream === everything ? {} : stream === 'live' ? { live: true } : { status: stream as Status }),
        },
      },
    })),
    compare: byRequest,
    id: tripId,
    version: tripVersion,
  });
}

const tripId = (trip: Trip) => trip.id;
const tripVersion = (trip: Trip) => trip.version;

/** The API's order: newest first, ids where times are alike. */
function byRequest(a: Trip, b: Trip): number {
  return newestFirst(a.requested_at ?? '', b.requested_at ?? '') || (a.id < b.id ? 1 : -1);
}

function Filters({ search, filter }: { search: TripsSearch; filter: (change: TripsSearch) => void }) {
  const { t } = useTranslation('ops');
  const live = search.status === 'live';
  const chosen = live ? [] : [...statusesOf(search.status)];
  return (
    <>
      <SearchField main label={t('trips.search')} placeholder={t('trips.searchHint')} value={search.q ?? ''} onChange={(q) => filter({ q: q || undefined })} />
      <SegmentedControl size="xs" aria-label={t('trips.which')} value={live ? 'live' : 'all'} onChange={(v) => filter({ status: v === 'live' ? 'live' : undefined })}
        data={[{ value: 'all', label: t('trips.all') }, { value: 'live', label: t('trips.live') }]} />
      <MultiSelect size="sm" w={230} aria-label={t('trips.statusLabel')} placeholder={chosen.length === 0 ? t('trips.statusLabel') : ''} clearable value={chosen}
        clearButtonProps={{ 'aria-label': t('trips.list.clear') }}
        onChange={(next) => filter({ status: statusText(next) })} data={statuses.map((s) => ({ value: s, label: t(`trips.status.${s}`) }))} />
      <SpanFilter span={search} onChange={filter} />
      {search.account && (
        <Pill size="md" withRemoveButton onRemove={() => filter({ account: undefined })} removeButtonProps={{ 'aria-label': t('trips.list.clear'), 'aria-hidden': false, tabIndex: 0 }}>
          {t('trips.of')} <PersonName id={search.account} />
        </Pill>
      )}
    </>
  );
}

function columnsOf(t: TFunction<'ops'>, ask: (action: TripAction, trip: Trip) => void): Column<Trip>[] {
  return [
    { key: 'requested', title: t('trips.column.requested'), width: '112px', sorted: true, cell: (trip) => <When at={trip.requested_at} /> },
    { key: 'status', title: t('trips.column.status'), width: '104px', cell: (trip) => <TripStatusBadge status={trip.status} /> },
    { key: 'rider', title: t('trips.column.rider'), width: 'minmax(84px, 0.8fr)', cell: (trip) => (trip.rider ? <PersonLink id={trip.rider.id} name={trip.rider.first_name} /> : '–') },
    { key: 'driver', title: t('trips.column.driver'), width: 'minmax(116px, 1fr)', cell: (trip) => <Two first={<DriverOf trip={trip} plate={false} />} second={<PlateOf trip={trip} />} /> },
    { key: 'route', title: t('trips.column.route'), width: 'minmax(180px, 2.4fr)', cell: (trip) => <Route trip={trip} /> },
    { key: 'class', title: t('trips.column.class'), width: '84px', cell: (trip) => vehicleClassName(trip.vehicle_class) },
    { key: 'wait', title: t('trips.column.wait'), width: '122px', align: 'end', cell: (trip) => <Wait trip={trip} /> },
    { key: 'fare', title: t('trips.column.fare'), width: '96px', align: 'end', cell: (trip) => <Fare trip={trip} /> },
    { key: 'id', title: t('trips.column.id'), width: '118px', cell: (trip) => <CopyId id={trip.id} trip /> },
    { key: 'actions', title: t('trips.column.actions'), width: '34px', quiet: true, cell: (trip) => <TripMenu trip={trip} ask={ask} /> },
  ];
}

function NarrowRow({ trip, ask }: { trip: Trip; ask: (action: TripAction, trip: Trip) => void }) {
  return (
    <Group wrap="nowrap" gap="sm" justify="space-between">
      <div style={{ minWidth: 0 }}>
        <Group gap="xs" wrap="nowrap"><TripStatusBadge status={trip.status} /><Text span size="xs" c="dimmed">{trip.requested_at && recent(trip.requested_at)}</Text></Group>
        <Text truncate size="sm" fw={600} mt={2}>{trip.rider?.first_name} → <DriverOf trip={trip} /></Text>
        <Text truncate size="xs" c="dimmed">
          <Fare trip={trip} /> · <Place address={trip.pickup_address} point={trip.pickup} /> → <Place address={trip.dropoff_address} point={trip.dropoff} />
        </Text>
      </div>
      <TripMenu trip={trip} ask={ask} />
    </Group>
  );
}
