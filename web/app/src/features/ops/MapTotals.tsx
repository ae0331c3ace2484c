import { Text, VisuallyHidden } from '@mantine/core';
import { useTranslation } from 'react-i18next';

import { number } from '../../lib/format';
import classes from './Console.module.css';
import { useCity, useFeed, useSeries } from './live/hooks';
import { missing } from './live/nodes';
import { ratesOf } from './live/samples';
import { seconds } from './live/text';

/** Over how long rates are taken. */
const rateS = 60;
const expiredS = 600;

/** How the city does, in one line of numbers. */
export function MapTotals() {
  const { t } = useTranslation('ops');
  const { totals } = useCity('totals');
  const points = useSeries('h1').data ?? [];
  const rates = ratesOf(points, rateS);
  const wait = rates?.meanMatchS ?? null;
  const online = totals && totals.drivers_available + totals.drivers_offered + totals.drivers_on_trip + totals.drivers_unreachable;
  const perMinute = (value: number | undefined) => (value === undefined ? null : number(value, value < 10 ? 1 : 0));
  return (
    <dl className={classes.totals} aria-label={t('map.totals.label')}>
      <Total name={t('map.totals.online')} value={online === null ? null : number(online)} />
      <Total name={t('map.totals.available')} value={totals && number(totals.drivers_available)} />
      <Total name={t('map.totals.searching')} value={totals && number(totals.trips_requested)} />
      <Total name={t('map.totals.pickup')} value={totals && number(totals.trips_matched + totals.trips_arrived)} />
      <Total name={t('map.totals.riding')} value={totals && number(totals.trips_in_progress)} />
      <Total name={t('map.totals.requests')} value={perMinute(rates?.requestsPerMinute)} />
      <Total name={t('map.totals.matches')} value={perMinute(rates?.matchesPerMinute)} />
      <Total name={t('map.totals.expired')} value={rates && number(ratesOf(points, expiredS)?.expired ?? 0)} />
      <Total name={t('map.totals.wait')} value={wait === null ? null : seconds(wait)} />
    </dl>
  );
}

/** One number with its name. Null while it is not known; marked while a node does not answer. */
export function Total({ name, value }: { name: string; value: string | null }) {
  const { t } = useTranslation('ops');
  const partial = missing(useFeed().nodes).length > 0;
  return (
    <div className={classes.total}>
      <Text component="dt" size="xs" c="dimmed">{name}</Text>
      <Text component="dd" fw={700} className={classes.figure}>
        {value ?? '–'}
        {partial && value !== null && <><span className={classes.partial} aria-hidden="true">*</span><VisuallyHidden> {t('nodes.partial')}</VisuallyHidden></>}
      </Text>
    </div>
  );
}
