import { Table, Text, VisuallyHidden } from '@mantine/core';
import { useTranslation } from 'react-i18next';

import type { Schemas } from '../../../api/http';
import { PersonLink } from '../table/PersonLink';
import { between, took } from '../table/times';
import classes from './explain.module.css';
import { Outcome } from './Outcome';
import { endText, winnersFirst } from './summary';

type Offer = Schemas['OfferDetail'];

interface Props {
  readonly offers: readonly Offer[];
  /** Who has the trip. */
  readonly driver?: string | undefined;
  readonly requestedAt: string;
  /** Where the picture ends while offers are open. */
  readonly now: Date;
}

/** From when to when an offer was open, in milliseconds after the request. */
export function barOf(offer: Pick<Offer, 'made_at' | 'ended_at' | 'expires_at'>, requestedAt: string, now: Date): { from: number; to: number } {
  const from = between(requestedAt, offer.made_at);
  const end = offer.ended_at ?? new Date(Math.min(now.getTime(), Date.parse(offer.expires_at))).toISOString();
  return { from, to: Math.max(from, between(requestedAt, end)) };
}

/** Who was asked when, and how each offer ended, the winner first: bars over one common time, in a table that can be read aloud. */
export function Timeline({ offers: all, driver, requestedAt, now }: Props) {
  const { t } = useTranslation('ops');
  const offers = winnersFirst(all, (o) => o.state === 'won', driver);
  if (offers.length === 0) return <Text size="sm" c="dimmed">{t('explain.noOffers')}</Text>;
  const bars = offers.map((o) => barOf(o, requestedAt, now));
  const end = Math.max(1, ...bars.map((b) => b.to));
  return (
    <Table.ScrollContainer minWidth={620} type="native" tabIndex={0} role="region" aria-label={t('explain.timeline')}>
      <Table className={classes.table} verticalSpacing={3} horizontalSpacing="sm">
        <Table.Caption><VisuallyHidden>{t('explain.timeline')}</VisuallyHidden></Table.Caption>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t('explain.column.driver')}</Table.Th>
            <Table.Th ta="end">{t('explain.column.wave')}</Table.Th>
            <Table.Th ta="end">{t('explain.column.askedAt')}</Table.Th>
            <Table.Th className={classes.barHead}>
              <span aria-hidden="true" className={classes.axis}><span>0</span><span>{took(end / 2)}</span><span>{took(end)}</span></span>
              <VisuallyHidden>{t('explain.column.bar')}</VisuallyHidden>
            </Table.Th>
            <Table.Th ta="end">{t('explain.column.response')}</Table.Th>
            <Table.Th>{t('explain.column.outcome')}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {offers.map((offer, i) => {
            const bar = bars[i] ?? { from: 0, to: 0 };
            return (
              <Table.Tr key={offer.id} data-won={offer.state === 'won' || undefined} className={classes.candidate}>
                <Table.Td><div className={classes.name} title={offer.driver_name}><PersonLink id={offer.driver_id} name={offer.driver_name} /></div></Table.Td>
                <Table.Td ta="end">{offer.wave}</Table.Td>
                <Table.Td ta="end">{took(bar.from)}</Table.Td>
                <Table.Td><Bar from={bar.from / end} to={bar.to / end} state={offer.state} /></Table.Td>
                <Table.Td ta="end">{offer.ended_at ? took(bar.to - bar.from) : '–'}</Table.Td>
                <Table.Td className={classes.reason}><Outcome state={offer.state} />{offer.reason && <Text span size="xs" c="dimmed" ml={6}>{endText(offer.reason, t)}</Text>}</Table.Td>
              </Table.Tr>
            );
          })}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

/** The same in a picture; the cells beside it say it in words. */
function Bar({ from, to, state }: { from: number; to: number; state: Offer['state'] }) {
  const width = 100;
  const least = 0.8; // a bar that ended at once must be seen all the same
  const x = Math.min(from * width, width - least);
  return (
    <svg className={classes.bar} viewBox={`0 0 ${width} 10`} preserveAspectRatio="none" aria-hidden="true" data-state={state}>
      <line x1="0" x2={width} y1="5" y2="5" className={classes.rail} />
      <rect x={x} width={Math.max(least, (to - from) * width)} y="1" height="8" rx="0.8" className={classes.open} />
    </svg>
  );
}
