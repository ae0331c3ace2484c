import { VisuallyHidden } from '@mantine/core';
import { useTranslation } from 'react-i18next';

import { money, number, shortMoney } from '../../../lib/format';
import classes from '../driver.module.css';
import { sumUp, type Bucket } from './earnings';

interface Bar extends Bucket {
  readonly label: string;
  readonly now: boolean;
}

/**
 * Earnings as bars. At most 24 of them, of one kind: a list with heights does it, and is read aloud as one; a chart
 * library would weigh more than the rest of the page.
 */
export function Bars({ bars }: { bars: readonly Bar[] }) {
  const { t } = useTranslation('driver');
  // Bars of several currencies cannot be compared; the one that brought most counts.
  const currency = mainCurrency(bars);
  const of = (bar: Bar) => bar.sums.find((s) => s.currency === currency)?.minor ?? 0;
  const most = Math.max(1, ...bars.map(of));
  return (
    <ul className={classes.bars}>
      {bars.map((bar) => (
        <li key={bar.key} className={classes.bar} data-now={bar.now || undefined}>
          <VisuallyHidden>{`${bar.label}: ${bar.sums.map(money).join(' + ') || '–'}, ${t('earnings.trips', { count: bar.trips, n: number(bar.trips) })}`}</VisuallyHidden>
          <span aria-hidden="true">{of(bar) > 0 && bars.length <= 8 ? shortMoney({ minor: of(bar), currency }) : ''}</span>
          <span aria-hidden="true" className={classes.barFill} style={{ height: `${(of(bar) / most) * 74}%` }} />
          <span aria-hidden="true">{bars.length <= 10 || bar.key === bars[0]?.key || Number(bar.key) % 4 === 0 ? bar.label : ' '}</span>
        </li>
      ))}
    </ul>
  );
}

function mainCurrency(bars: readonly Bar[]): string {
  return sumUp(bars.flatMap((b) => b.sums))[0]?.currency ?? '';
}
