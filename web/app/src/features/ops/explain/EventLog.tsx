import { Code, Text } from '@mantine/core';
import type { TFunction } from 'i18next';
import { useTranslation } from 'react-i18next';

import type { Schemas } from '../../../api/http';
import { between, clock, took } from '../table/times';
import classes from './explain.module.css';
import { markOfEvent, markText } from './marks';
import { endText } from './summary';

type Event = Schemas['EventView'];

/** What is worth saying of an event beside its name: who caused it, and why. */
export function eventDetail(event: Event, t: TFunction<'ops'>): string {
  const data = event.data ?? {};
  const parts: string[] = [];
  const wave = event.wave ?? data.wave;
  if (event.kind === 'wave_planned' && typeof wave === 'number') {
    parts.push(t('explain.event.wave', { wave, ring: Number(event.ring ?? data.ring ?? 0) }));
    parts.push(t('explain.offered', { count: event.asked ?? (Array.isArray(data.offers) ? data.offers.length : 0) }));
  }
  if (event.kind === 'offers_ended') {
    const count = Array.isArray(data.offers) ? data.offers.length : 0;
    if (typeof data.state === 'string') parts.push(t('explain.event.offers', { count, state: t(`explain.outcome.${data.state as 'declined'}`, { defaultValue: data.state }) }));
  }
  if (event.by) parts.push(t(`explain.by.${event.by}`));
  const reason = event.reason ?? data.reason;
  if (typeof reason === 'string' && reason !== '') parts.push(endText(reason, t));
  const mark = event.kind === 'arrived' || event.kind === 'completed' ? markOfEvent(data) : null;
  if (mark) parts.push(markText(event.kind === 'arrived' ? 'arrival' : 'completion', mark, t));
  if (event.kind === 'rated' && typeof event.stars === 'number') parts.push('★'.repeat(event.stars));
  return parts.join(' · ');
}

/** Everything that happened, by version, with what was recorded of it. */
export function EventLog({ events, requestedAt }: { events: readonly Event[]; requestedAt: string }) {
  const { t } = useTranslation('ops');
  return (
    <ol className={classes.events}>
      {events.map((event) => (
        <li key={event.version}>
          <details>
            <summary className={classes.event}>
              <Code fz="xs">{t('explain.version', { version: event.version })}</Code>
              <Text span size="xs" c="dimmed" className={classes.when}>{clock(event.at)} (+{took(between(requestedAt, event.at))})</Text>
              <Text span size="sm" fw={600}>{t(`explain.event.${event.kind}`)}</Text>
              <Text span size="sm" c="dimmed">{eventDetail(event, t)}</Text>
            </summary>
            <Code block className={classes.raw} tabIndex={0} aria-label={t('explain.raw', { version: event.version })}>{JSON.stringify(event, null, 2)}</Code>
          </details>
        </li>
      ))}
    </ol>
  );
}
