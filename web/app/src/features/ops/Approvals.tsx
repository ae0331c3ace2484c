import { Group, Kbd, SegmentedControl, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import type { TFunction } from 'i18next';
import { useEffect, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { call, type Schemas } from '../../api/http';
import { keys, useServerConfig, waitingDrivers } from '../../api/queries';
import { http } from '../../api/auth';
import { Avatar } from '../../lib/Avatar';
import { number } from '../../lib/format';
import { vehicleClassName, vehicleText } from '../../lib/vehicle';
import { DecideButtons, possible, useDecisions, type Decide } from './approvals/decisions';
import { CopyId } from './table/CopyId';
import { ListPage } from './table/ListPage';
import { newestFirst } from './table/pages';
import { fullName, PersonLink } from './table/PersonLink';
import { SearchField } from './table/SearchField';
import { approvals, type Approval, type ApprovalsSearch } from './table/search';
import { stamp } from './table/times';
import { useList } from './table/useList';
import type { Column } from './table/VirtualTable';

type Person = Schemas['AdminAccountView'];

const route = getRouteApi('/ops/approvals');
const pageSize = 100;

/** Drivers who wait for an operator's word, and those who have it. */
export default function OpsApprovalsPage() {
  const { t } = useTranslation('ops');
  const search = route.useSearch();
  const navigate = useNavigate();
  const state: Approval = search.state ?? 'pending';
  const list = useDrivers(state, search.q);
  const news = useNews(list, state === 'pending' && !search.q);
  const [decisions, setDecisions] = useState(0);
  const { decide, dialog } = useDecisions(() => setDecisions((n) => n + 1));
  const filter = (change: ApprovalsSearch) => void navigate({ to: '/ops/approvals', search: { ...search, ...change }, replace: true });
  const open = useServerConfig().data?.driver_approval === false;
  const empty = state === 'pending' ? t(open ? 'approvals.emptyOpen' : 'approvals.empty') : t(`approvals.none.${state}`);
  return (
    <>
      <ListPage title={t('approvals.title')} list={list} columns={columnsOf(t, state, decide)} rowKey={personId} memory={`approvals ${JSON.stringify(search)}`}
        news={news} empty={empty} refocus={decisions} filters={<Filters search={search} state={state} filter={filter} />}
        onClear={search.q ? () => filter({ q: undefined }) : undefined}
        onOpen={(p) => void navigate({ to: '/ops/people/$id', params: { id: p.account.id } })}
        onKey={(p, code) => {
          const action = code === 'KeyA' ? 'approve' : code === 'KeyR' ? 'refuse' : null;
          if (action === null || !possible(p).includes(action)) return false;
          decide(action, p);
          return true;
        }}
        narrow={(p) => <NarrowRow person={p} decide={decide} />} />
      {dialog}
    </>
  );
}

const personId = (p: Person) => p.account.id;

function useDrivers(state: Approval, q: string | undefined) {
  const list = useList<Person>({
    queryKey: keys.ops.approvals(state, q),
    streams: ['all'],
    fetchPage: ({ cursor, signal }) => call(http.GET('/v1/admin/accounts', {
      signal, params: { query: { limit: pageSize, cursor: cursor || undefined, role: 'driver', approval: state, q } },
    })),
    compare: (a, b) => newestFirst(a.account.created_at, b.account.created_at),
    id: personId,
  });
  // Drivers decided on since the list was read belong to another list.
  const rows = useMemo(() => list.rows.filter((p) => p.account.approval?.state === state), [list.rows, state]);
  return { ...list, rows };
}

/** Counts the drivers who have joined the queue since it was read. An empty queue loads them without being asked. */
function useNews(list: ReturnType<typeof useDrivers>, followed: boolean): string | null {
  const { t } = useTranslation('ops');
  const { data, dataUpdatedAt } = useQuery({ ...waitingDrivers, enabled: followed });
  const known = new Set(list.rows.map(personId));
  const fresh = followed && !list.loading && dataUpdatedAt > list.at ? (data ?? []).filter((id) => !known.has(id)).length : 0;
  const { refresh, refreshing, rows } = list;
  const empty = rows.length === 0 && fresh > 0 && !refreshing;
  useEffect(() => {
    if (empty) refresh();
    // Once per answer, even where the list and the count disagree for a while.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [empty, dataUpdatedAt]);
  return fresh > 0 ? t('approvals.new', { count: fresh, number: number(fresh) }) : null;
}

function Filters({ search, state, filter }: { search: ApprovalsSearch; state: Approval; filter: (change: ApprovalsSearch) => void }) {
  const { t } = useTranslation('ops');
  return (
    <>
      <SegmentedControl size="xs" aria-label={t('approvals.which')} value={state}
        onChange={(v) => filter({ state: v === 'approved' || v === 'refused' ? v : undefined })}
        data={approvals.map((value) => ({ value, label: t(`approvals.state.${value}`) }))} />
      <SearchField main label={t('people.search')} placeholder={t('people.searchHint')} value={search.q ?? ''} onChange={(q) => filter({ q: q || undefined })} />
      <Group gap={6} wrap="nowrap" visibleFrom="md" role="note" aria-label={t('approvals.keys')}>
        {state !== 'approved' && <><Kbd size="xs">A</Kbd><Text span size="xs" c="dimmed">{t('approvals.approve')}</Text></>}
        {state !== 'refused' && <><Kbd size="xs">R</Kbd><Text span size="xs" c="dimmed">{t(state === 'approved' ? 'approvals.takeBack' : 'approvals.refuse')}</Text></>}
      </Group>
    </>
  );
}

function columnsOf(t: TFunction<'ops'>, state: Approval, decide: Decide): Column<Person>[] {
  return [
    { key: 'driver', title: t('approvals.column.driver'), width: 'minmax(190px, 1.6fr)', cell: ({ account }) => (
      <Group gap="sm" wrap="nowrap"><Avatar person={account} variant="filled" size={34} /><PersonLink id={account.id} name={fullName(account)} /><NoPhoto account={account} /></Group>
    ) },
    { key: 'username', title: t('people.column.username'), width: 'minmax(100px, 1fr)', cell: ({ account }) => <span title={account.username}>{account.username}</span> },
    { key: 'plate', title: t('approvals.column.plate'), width: 'minmax(96px, 0.7fr)', cell: ({ account }) => <Text span size="sm" fw={600}>{account.vehicle?.plate ?? '–'}</Text> },
    { key: 'car', title: t('approvals.column.car'), width: 'minmax(190px, 1.4fr)', cell: ({ account }) => <Car account={account} /> },
    ...(state === 'refused' ? [{ key: 'reason', title: t('approvals.column.reason'), width: 'minmax(160px, 1.6fr)', cell: ({ account }: Person) => <span title={account.approval?.reason}>{account.approval?.reason}</span> }] : []),
    { key: 'since', title: t('approvals.column.since'), width: '140px', sorted: true, cell: ({ account }) => stamp(account.created_at) },
    { key: 'id', title: t('people.column.id'), width: '118px', cell: ({ account }) => <CopyId id={account.id} /> },
    { key: 'decide', title: t('approvals.column.decide'), width: state === 'pending' ? '190px' : '150px', cell: (person) => <DecideButtons person={person} decide={decide} /> },
  ];
}

function NoPhoto({ account }: { account: Person['account'] }) {
  const { t } = useTranslation('ops');
  return account.photo_url ? null : <Text span size="xs" c="dimmed">{t('approvals.noPhoto')}</Text>;
}

function Car({ account }: { account: Person['account'] }) {
  const { t } = useTranslation('ops');
  const { vehicle } = account;
  if (!vehicle) return '–';
  const looks = vehicleText(vehicle);
  return <span title={looks}>{looks || <Text span size="sm" c="dimmed">{t('approvals.carUnknown')}</Text>} <Text span c="dimmed" size="xs">{vehicleClassName(vehicle.class)}</Text></span>;
}

function NarrowRow({ person, decide }: { person: Person; decide: Decide }) {
  const { account } = person;
  return (
    <Group wrap="nowrap" gap="sm">
      <Avatar person={account} variant="filled" size={44} />
      <div style={{ minWidth: 0, flex: 1 }}>
        <Text truncate size="sm" fw={600}>{fullName(account)} <Text span size="xs" c="dimmed" fw={400}>{account.username}</Text></Text>
        <Text truncate size="xs">{account.vehicle?.plate} · <Car account={account} /></Text>
        <Text truncate size="xs" c="dimmed">{account.approval?.state === 'refused' ? account.approval.reason : stamp(account.created_at)}</Text>
      </div>
      <DecideButtons person={person} decide={decide} compact />
    </Group>
  );
}
