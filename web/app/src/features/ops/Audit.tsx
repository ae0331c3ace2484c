import { Group, Select, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { IconAlertTriangle } from '@tabler/icons-react';
import type { TFunction } from 'i18next';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';

import { call, type Schemas } from '../../api/http';
import { keys } from '../../api/queries';
import { http } from '../../api/auth';
import { actionKey, actions, entryOf } from './AuditEntry';
import { Tag } from './table/Badges';
import { CopyId, shortId } from './table/CopyId';
import { ListPage } from './table/ListPage';
import { newestFirst } from './table/pages';
import { fullName, PersonLink, PersonName } from './table/PersonLink';
import { codeText } from './table/problem';
import { SearchField } from './table/SearchField';
import type { AuditSearch } from './table/search';
import { SpanFilter } from './table/SpanFilter';
import { stamp } from './table/times';
import { useList } from './table/useList';
import type { Column } from './table/VirtualTable';

type AuditEntry = Schemas['AuditView'];

const route = getRouteApi('/ops/audit');
const pageSize = 100;

/** What operators did, newest first. */
export default function OpsAuditPage() {
  const { t } = useTranslation('ops');
  const search = route.useSearch();
  const navigate = useNavigate();
  const list = useAudit(search);
  const columns = useMemo(() => columnsOf(t), [t]);
  const filter = (change: AuditSearch) => void navigate({ to: '/ops/audit', search: { ...search, ...change }, replace: true });
  const filtered = Object.keys(search).length > 0;
  const open = (e: AuditEntry) => {
    const { subject } = entryOf(e);
    if (subject === 'trip') void navigate({ to: '/ops/trips/$id', params: { id: e.subject } });
    if (subject === 'person' || subject === 'trips' && e.subject) void navigate({ to: '/ops/people/$id', params: { id: e.subject } });
  };
  return (
    <ListPage title={t('audit.title')} list={list} columns={columns} rowKey={entryId} memory={`audit ${JSON.stringify(search)}`}
      empty={t('audit.empty')} filters={<Filters search={search} filter={filter} />}
      onClear={filtered ? () => void navigate({ to: '/ops/audit', search: {}, replace: true }) : undefined}
      onOpen={open} narrow={(e) => <NarrowRow entry={e} />} />
  );
}

const entryId = (e: AuditEntry) => e.id;

function useAudit(search: AuditSearch) {
  const { actor, action, subject } = search;
  return useList<AuditEntry>({
    queryKey: keys.ops.list('audit', search),
    streams: ['all'],
    span: search,
    fetchPage: ({ cursor, from, to, signal }) => call(http.GET('/v1/admin/audit', {
      signal, params: { query: { limit: pageSize, cursor: cursor || undefined, actor, action, subject, from, to } },
    })),
    compare: (a, b) => newestFirst(a.at, b.at),
    id: entryId,
  });
}

function Filters({ search, filter }: { search: AuditSearch; filter: (change: AuditSearch) => void }) {
  const { t } = useTranslation('ops');
  const operators = useQuery({
    queryKey: keys.ops.operators,
    queryFn: ({ signal }) => call(http.GET('/v1/admin/accounts', { signal, params: { query: { role: 'operator', limit: 200 } } })),
  });
  const names = (operators.data?.items ?? []).map(({ account }) => ({ value: account.id, label: `${fullName(account)} (${account.username})` }));
  // The link may name an operator whom the list lacks.
  if (search.actor && !names.some((n) => n.value === search.actor)) names.push({ value: search.actor, label: shortId(search.actor) });
  const clear = { 'aria-label': t('trips.list.clear') };
  return (
    <>
      <SearchField main label={t('audit.subject')} placeholder={t('audit.subjectHint')} value={search.subject ?? ''} onChange={(v) => filter({ subject: v || undefined })} />
      <Select size="sm" w={220} aria-label={t('audit.column.actor')} placeholder={t('audit.anyActor')} clearable searchable clearButtonProps={clear}
        value={search.actor ?? null} onChange={(v) => filter({ actor: v ?? undefined })} data={names} nothingFoundMessage={t('trips.list.nothing')} />
      <Select size="sm" w={220} aria-label={t('audit.column.action')} placeholder={t('audit.anyAction')} clearable searchable clearButtonProps={clear}
        value={search.action ?? null} onChange={(v) => filter({ action: v ?? undefined })}
        data={[
          { group: t('audit.done'), items: actions.map((a) => ({ value: a, label: t(`audit.action.${actionKey(a)}`) })) },
          { group: t('audit.failed'), items: actions.filter((a) => a !== 'operator.create').map((a) => ({ value: `${a}.failed`, label: t('audit.failedAction', { action: t(`audit.action.${actionKey(a)}`) }) })) },
        ]} />
      <SpanFilter span={search} onChange={filter} />
    </>
  );
}

function columnsOf(t: TFunction<'ops'>): Column<AuditEntry>[] {
  return [
    { key: 'at', title: t('audit.column.at'), width: '150px', sorted: true, cell: (e) => stamp(e.at) },
    { key: 'actor', title: t('audit.column.actor'), width: 'minmax(140px, 1fr)', cell: (e) => <PersonName id={e.actor} /> },
    { key: 'action', title: t('audit.column.action'), width: 'minmax(200px, 1.2fr)', cell: (e) => <ActionName entry={e} /> },
    { key: 'subject', title: t('audit.column.subject'), width: 'minmax(220px, 1.4fr)', cell: (e) => <Subject entry={e} /> },
    { key: 'detail', title: t('audit.column.detail'), width: 'minmax(200px, 3fr)', cell: (e) => <Detail entry={e} /> },
  ];
}

function ActionName({ entry }: { entry: AuditEntry }) {
  const { t } = useTranslation('ops');
  const { action, failed } = entryOf(entry);
  return (
    <Group gap={6} wrap="nowrap">
      <span>{action ? t(`audit.action.${actionKey(action)}`) : entry.action}</span>
      {failed && <Tag tone="bad"><Group gap={3} wrap="nowrap"><IconAlertTriangle size={12} aria-hidden="true" />{t('audit.failed')}</Group></Tag>}
    </Group>
  );
}

function Subject({ entry }: { entry: AuditEntry }) {
  const { t } = useTranslation('ops');
  const { subject } = entryOf(entry);
  // Trips of one person, or of all.
  if (subject === 'trips' && !entry.subject) return t('audit.trips');
  if (subject === 'person' || subject === 'trips') return <Group gap={4} wrap="nowrap"><PersonNameLink id={entry.subject} /><CopyId id={entry.subject} /></Group>;
  return <Group gap={4} wrap="nowrap">{subject === 'trip' && t('audit.trip')}<CopyId id={entry.subject} trip={subject === 'trip'} /></Group>;
}

function PersonNameLink({ id }: { id: string }) {
  return <PersonLink id={id} name={<PersonName id={id} />} />;
}

function Detail({ entry }: { entry: AuditEntry }) {
  const { reason, code } = entryOf(entry);
  const text = code ? codeText(code) : reason;
  return <Text span size="sm" title={text} {...(code ? { c: 'var(--mantine-color-error)' } : {})}>{text}</Text>;
}

function NarrowRow({ entry }: { entry: AuditEntry }) {
  return (
    <div>
      <ActionName entry={entry} />
      <Text truncate size="xs" c="dimmed" mt={3}>{stamp(entry.at)} · <PersonName id={entry.actor} /> {entry.subject && <> → {shortId(entry.subject)}</>}</Text>
      <Text truncate size="sm" mt={2}><Detail entry={entry} /></Text>
    </div>
  );
}
