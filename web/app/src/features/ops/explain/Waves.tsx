import { Accordion, Group, Table, Text, VisuallyHidden } from '@mantine/core';
import { useTranslation } from 'react-i18next';

import type { Schemas } from '../../../api/http';
import { distance, number } from '../../../lib/format';
import { vehicleClassName } from '../../../lib/vehicle';
import { PersonLink } from '../table/PersonLink';
import { between, took } from '../table/times';
import { decisionColors, decisionOn, reasonText } from './decision';
import classes from './explain.module.css';
import { Outcome } from './Outcome';
import { planText } from './plan';
import { winnersFirst } from './summary';

type Wave = Schemas['WaveView'];
type Candidate = Schemas['CandidateView'];
type Offer = Schemas['OfferDetail'];

interface Props {
  readonly waves: readonly Wave[];
  readonly offers: readonly Offer[];
  readonly requestedAt: string;
  readonly vehicleClass: string;
  /** Who has the trip. */
  readonly driver?: string | undefined;
  /** How far one ring reaches, in metres; null while unknown. */
  readonly ringM: number | null;
  /** The wave that is open, and on the map. */
  readonly shown: number | null;
  readonly onShow: (wave: number | null) => void;
  /** The driver to point out, in the table and on the map. */
  readonly pointed: string | null;
  readonly onPoint: (driver: string | null) => void;
}

/** Each wave with all candidates: the winner first, then by rank. */
export function Waves(p: Props) {
  const { t } = useTranslation('ops');
  if (p.waves.length === 0) return <Text size="sm" c="dimmed">{t('explain.noWaves')}</Text>;
  return (
    <Accordion variant="separated" radius="md" chevronPosition="left" value={p.shown === null ? null : String(p.shown)} onChange={(v) => p.onShow(v === null ? null : Number(v))} order={3}
      classNames={{ label: classes.waveLabel, content: classes.waveContent }}>
      {p.waves.map((wave) => (
        <Accordion.Item key={wave.wave} value={String(wave.wave)}>
          <Accordion.Control>
            <Group gap="xs" justify="space-between">
              <Text span fw={600} size="sm">{t('explain.wave', { wave: wave.wave })}</Text>
              <Text span size="sm" c="dimmed">{waveFacts(wave, p, t)}</Text>
            </Group>
          </Accordion.Control>
          <Accordion.Panel>
            {p.shown === wave.wave && (
              <>
                <Plan wave={wave} />
                <Candidates wave={wave} {...p} />
              </>
            )}
          </Accordion.Panel>
        </Accordion.Item>
      ))}
    </Accordion>
  );
}

function waveFacts(wave: Wave, p: Props, t: ReturnType<typeof useTranslation<'ops'>>['t']): string {
  return [
    t('explain.after', { time: took(between(p.requestedAt, wave.at)) }),
    // The middle cell alone reaches half a ring.
    p.ringM === null ? t('explain.ring', { ring: wave.ring }) : t('explain.ringReach', { ring: wave.ring, reach: distance((wave.ring + 0.5) * p.ringM) }),
    ...(wave.cells > 0 ? [t('explain.cells', { count: wave.cells })] : []),
    t('explain.offered', { count: wave.offered }),
  ].join(' · ');
}

/** What the zone's plan weighed, before the table of those whom it could have chosen. */
function Plan({ wave }: { wave: Wave }) {
  const { t } = useTranslation('ops');
  const text = planText(wave, t);
  return text === '' ? null : <Text size="sm" p="sm">{text}</Text>;
}

function Candidates({ wave, offers, vehicleClass, driver, pointed, onPoint }: Props & { wave: Wave }) {
  const { t } = useTranslation('ops');
  const candidates = winnersFirst(wave.candidates ?? [], (c) => c.outcome === 'won', driver);
  if (candidates.length === 0) return <Text size="sm" c="dimmed" p="sm">{t(wave.offered > 0 ? 'explain.forgotten' : 'explain.noCandidates')}</Text>;
  const offerOf = new Map(offers.filter((o) => o.wave === wave.wave).map((o) => [o.driver_id, o]));
  return (
    <>
      <Table.ScrollContainer minWidth={620} type="native" tabIndex={0} role="region" aria-label={t('explain.candidates', { wave: wave.wave })}>
        <Table className={classes.table} verticalSpacing={6} horizontalSpacing="sm">
          <Table.Caption><VisuallyHidden>{t('explain.candidates', { wave: wave.wave })}</VisuallyHidden></Table.Caption>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t('explain.column.driver')}</Table.Th>
              <Table.Th ta="end">{t('explain.column.distance')}</Table.Th>
              <Table.Th ta="end">{t('explain.column.eta')}</Table.Th>
              <Table.Th>{t('explain.column.decision')}</Table.Th>
              <Table.Th>{t('explain.column.outcome')}</Table.Th>
              <Table.Th ta="end">{t('explain.column.response')}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {candidates.map((c) => (
              <CandidateRow key={c.driver_id} candidate={c} offer={offerOf.get(c.driver_id)} vehicleClass={vehicleClass} pointed={pointed === c.driver_id} onPoint={onPoint} />
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {wave.more > 0 && <Text size="xs" c="dimmed" px="sm" pb="xs">{t('explain.more', { count: wave.more, number: number(wave.more) })}</Text>}
    </>
  );
}

/** The way by which the candidate was ranked, and beneath it what a straight line would have said. */
function Way({ candidate: c }: { candidate: Candidate }) {
  const { t } = useTranslation('ops');
  const by = t(`explain.source.${c.by === '' ? 'crow' : c.by}`);
  return (
    <>
      {distance(c.distance_m)}
      <Text size="xs" c="dimmed">{c.located ? t('explain.way', { straight: distance(c.straight_m), by }) : by}</Text>
    </>
  );
}

function CandidateRow({ candidate: c, offer, vehicleClass, pointed, onPoint }: { candidate: Candidate; offer: Offer | undefined; vehicleClass: string; pointed: boolean; onPoint: (driver: string | null) => void }) {
  const { t } = useTranslation('ops');
  const decision = decisionOn(c);
  const point = () => onPoint(c.driver_id);
  return (
    <Table.Tr data-driver={c.driver_id} data-pointed={pointed || undefined} data-won={decision === 'won' || undefined} className={classes.candidate}
      onMouseEnter={point} onMouseLeave={() => onPoint(null)} onFocus={point} onBlur={() => onPoint(null)}>
      <Table.Td>
        <Group gap={8} wrap="nowrap">
          <span className={classes.dot} style={{ background: decisionColors[decision] }} aria-hidden="true" />
          <span className={classes.name} title={c.driver_name}><PersonLink id={c.driver_id} name={c.driver_name} /></span>
          <Text span size="xs" c="dimmed">{c.plate}</Text>
        </Group>
      </Table.Td>
      <Table.Td ta="end">{c.distance_m > 0 ? <Way candidate={c} /> : c.located
        ? <Text span size="sm" c="dimmed" title={t('explain.straight')}>≈ {distance(c.straight_m)}</Text> : '–'}</Table.Td>
      <Table.Td ta="end">{c.eta_s > 0 ? took(c.eta_s * 1000) : '–'}</Table.Td>
      <Table.Td className={classes.reason}>{c.offered ? <b>{reasonText(c, vehicleClassName(vehicleClass), t)}</b> : reasonText(c, vehicleClassName(vehicleClass), t)}</Table.Td>
      <Table.Td>{c.offered ? <Outcome state={c.outcome} /> : <Text span c="dimmed">–</Text>}</Table.Td>
      <Table.Td ta="end">{offer?.ended_at ? took(between(offer.made_at, offer.ended_at)) : '–'}</Table.Td>
    </Table.Tr>
  );
}
