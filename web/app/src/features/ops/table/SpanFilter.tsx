import { Button, Group, Popover, Select, Stack, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { periods, type Period, type Span } from './search';
import { fromField, stamp, toField } from './times';

const own = 'own';
const any = 'any';

/** Chooses a span of time: one that ends now, or one's own. */
export function SpanFilter({ span, onChange }: { span: Span; onChange: (span: Span) => void }) {
  const { t } = useTranslation('ops');
  const [editing, setEditing] = useState(false);
  const isOwn = span.from !== undefined || span.to !== undefined;
  const value = span.period ?? (isOwn ? own : any);
  const ownText = isOwn ? t('trips.span.between', { from: span.from ? stamp(span.from) : '…', to: span.to ? stamp(span.to) : '…' }) : t('trips.span.own');
  const choose = (next: string | null) => {
    if (next === own) setEditing(true);
    else onChange({ period: periods.find((p) => p === next), from: undefined, to: undefined });
  };
  return (
    <Popover opened={editing} onChange={setEditing} trapFocus position="bottom-start" withinPortal shadow="md">
      <Popover.Target>
        <Select size="sm" w={isOwn ? 300 : 150} aria-label={t('trips.span.label')} value={value} allowDeselect={false} onChange={choose}
          // Choosing one's own again edits it.
          onOptionSubmit={(v) => { if (v === own) setEditing(true); }}
          data={[{ value: any, label: t('trips.span.any') }, ...periods.map((p: Period) => ({ value: p, label: t(`trips.span.${p}`) })), { value: own, label: ownText }]} />
      </Popover.Target>
      <Popover.Dropdown>
        {editing && <OwnSpan span={span} onDone={(next) => { setEditing(false); onChange(next); }} />}
      </Popover.Dropdown>
    </Popover>
  );
}

function OwnSpan({ span, onDone }: { span: Span; onDone: (span: Span) => void }) {
  const { t } = useTranslation('ops');
  const [from, setFrom] = useState(toField(span.from));
  const [to, setTo] = useState(toField(span.to));
  const wrong = from !== '' && to !== '' && from >= to;
  return (
    <form onSubmit={(e) => { e.preventDefault(); if (!wrong) onDone({ period: undefined, from: fromField(from), to: fromField(to) }); }}>
      <Stack gap="sm">
        <TextInput type="datetime-local" label={t('trips.span.from')} value={from} onChange={(e) => setFrom(e.currentTarget.value)} data-autofocus />
        <TextInput type="datetime-local" label={t('trips.span.to')} value={to} onChange={(e) => setTo(e.currentTarget.value)} error={wrong ? t('trips.span.wrong') : null} />
        <Group justify="flex-end"><Button type="submit" size="sm">{t('trips.span.apply')}</Button></Group>
      </Stack>
    </form>
  );
}
