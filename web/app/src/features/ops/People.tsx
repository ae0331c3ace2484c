import { Group, Select, Text } from '@mantine/core';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import type { TFunction } from 'i18next';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';

import { call, type Schemas } from '../../api/http';
import { keys } from '../../api/queries';
import { http } from '../../api/auth';
import { Avatar } from '../../lib/Avatar';
import { number, stars } from '../../lib/format';
import { vehicleClassName } from '../../lib/vehicle';
import { AccountStatusBadge, RoleBadge } from './table/Badges';
import { CopyId } from './table/CopyId';
import { ListPage } from './table/ListPage';
import { newestFirst } from './table/pages';
import { fullName, PersonLink } from './table/PersonLink';
import { SearchField } from './table/SearchField';
import { accountRoles, accountStatuses, type PeopleSearch } from './table/search';
import { stamp } from './table/times';
import { useNeed } from './live/hooks';
import { Presence } from './table/Presence';
import { useList } from './table/useList';
import type { Column } from './table/VirtualTable';

type Person = Schemas['AdminAccountView'];

const route = getRouteApi('/ops/people');
const pageSize = 100;
const need = { drivers: true } as const;

/** Riders, drivers and operators, newest first. */
export default function OpsPeoplePage() {
  const { t } = useTranslation('ops');
  useNeed(need);
  const search = route.useSearch();
  const navigate = useNavigate();
  const list = usePeople(search);
  const columns = useMemo(() => columnsOf(t), [t]);
  const filter = (change: PeopleSearch) => void navigate({ to: '/ops/people', search: { ...search, ...change }, replace: true });
  const filtered = Object.keys(search).length > 0;
  return (
    <ListPage title={t('people.title')} list={list} columns={columns} rowKey={personId} memory={`people ${JSON.stringify(search)}`}
      empty={t('people.empty')} filters={<Filters search={search} filter={filter} />}
      onClear={filtered ? () => void navigate({ to: '/ops/people', search: {}, replace: true }) : undefined}
      onOpen={(p) => void navigate({ to: '/ops/people/$id', params: { id: p.account.id } })}
      narrow={(p) => <NarrowRow person={p} />} />
  );
}

const personId = (p: Person) => p.account.id;

function usePeople(search: PeopleSearch) {
  return useList<Person>({
    queryKey: keys.ops.list('people', search),
    streams: ['all'],
    fetchPage: ({ cursor, signal }) => call(http.GET('/v1/admin/accounts', {
      signal, params: { query: { limit: pageSize, cursor: cursor || undefined, ...search } },
    })),
    compare: (a, b) => newestFirst(a.account.created_at, b.account.created_at),
    id: personId,
  });
}

function Filters({ search, filter }: { search: PeopleSearch; filter: (change: PeopleSearch) => void }) {
  const { t } = useTranslation('ops');
  return (
    <>
      <SearchField main label={t('people.search')} placeholder={t('people.searchHint')} value={search.q ?? ''} onChange={(q) => filter({ q: q || undefined })} />
      <Select size="sm" w={150} aria-label={t('people.column.role')} placeholder={t('people.anyRole')} clearable value={search.role ?? null}
        clearButtonProps={{ 'aria-label': t('trips.list.clear') }}
        onChange={(v) => filter({ role: accountRoles.find((r) => r === v) })} data={accountRoles.map((r) => ({ value: r, label: t(`people.role.${r}`) }))} />
      <Select size="sm" w={150} aria-label={t('people.column.status')} placeholder={t('people.anyStatus')} clearable value={search.status ?? null}
        clearButtonProps={{ 'aria-label': t('trips.list.clear') }}
        onChange={(v) => filter({ status: accountStatuses.find((s) => s === v) })} data={accountStatuses.map((s) => ({ value: s, label: t(`people.status.${s}`) }))} />
    </>
  );
}

function columnsOf(t: TFunction<'ops'>): Column<Person>[] {
  return [
    { key: 'name', title: t('people.column.name'), width: 'minmax(200px, 2fr)', cell: ({ account }) => (
      <Group gap="sm" wrap="nowrap"><Avatar person={account} variant="filled" size={28} /><PersonLink id={account.id} name={fullName(account)} /></Group>
    ) },
    { key: 'username', title: t('people.column.username'), width: 'minmax(140px, 1.5fr)', cell: ({ account }) => <span title={account.username}>{account.username}</span> },
    { key: 'role', title: t('people.column.role'), width: '92px', cell: ({ account }) => <RoleBadge role={account.role} /> },
    { key: 'status', title: t('people.column.status'), width: '100px', cell: ({ account }) => <AccountStatusBadge status={account.status} /> },
    { key: 'now', title: t('people.column.now'), width: '110px', cell: ({ account }) => <Presence account={account} /> },
    { key: 'rating', title: t('people.column.rating'), width: '90px', align: 'end', cell: ({ account }) => <Rating account={account} /> },
    { key: 'vehicle', title: t('people.column.vehicle'), width: 'minmax(130px, 1fr)', cell: ({ account }) => <Vehicle account={account} /> },
    { key: 'created', title: t('people.column.created'), width: '146px', sorted: true, cell: ({ account }) => stamp(account.created_at) },
    { key: 'id', title: t('people.column.id'), width: '118px', cell: ({ account }) => <CopyId id={account.id} person /> },
  ];
}

function Rating({ account }: { account: Person['account'] }) {
  const mean = stars(account.rating_x100);
  if (mean === null) return <Text span c="dimmed">–</Text>;
  return <>★ {mean} <Text span c="dimmed" size="xs">({number(account.ratings)})</Text></>;
}

function Vehicle({ account }: { account: Person['account'] }) {
  if (!account.vehicle) return <Text span c="dimmed">–</Text>;
  return <>{account.vehicle.plate} <Text span c="dimmed" size="xs">{vehicleClassName(account.vehicle.class)}</Text></>;
}

function NarrowRow({ person: { account } }: { person: Person }) {
  return (
    <Group wrap="nowrap" gap="sm">
      <Avatar person={account} variant="filled" size={40} />
      <div style={{ minWidth: 0, flex: 1 }}>
        <Text truncate size="sm" fw={600}>{fullName(account)}</Text>
        <Text truncate size="xs" c="dimmed">{account.username}{account.vehicle && ` · ${account.vehicle.plate}`}</Text>
        <Group gap={6} mt={3}><RoleBadge role={account.role} /><AccountStatusBadge status={account.status} /><Text span size="xs"><Presence account={account} /></Text></Group>
      </div>
    </Group>
  );
}
