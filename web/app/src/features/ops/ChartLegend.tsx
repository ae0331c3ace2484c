import { Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';

import { number } from '../../lib/format';
import { dashes, hourOfDay, legendOf, strokes } from './charts';
import classes from './Console.module.css';
import { time } from './live/text';

interface Props {
  readonly names: readonly string[];
  readonly columns: [number[], ...(number | null)[][]];
  /** The point under the cursor; null: the newest. */
  readonly at: number | null;
  readonly scheme: keyof typeof strokes;
  /** Of a day: points are hours, and none is the newest. */
  readonly hours: number | 'ofDay';
}

/** The lines of a chart by name, with their values under the cursor, otherwise the newest ones, and the time of these. */
export function ChartLegend({ names, columns, at, scheme, hours }: Props) {
  const { t } = useTranslation('ops');
  const { end, values } = hours === 'ofDay' && at === null ? { end: null, values: [] } : legendOf(columns, at);
  const of = (x: number) => (hours === 'ofDay' ? hourOfDay(x) : time(x * 1000));
  return (
    <div className={classes.chartLegend}>
      <ul>
        {names.map((name, i) => {
          const value = values[i] ?? null;
          return (
            <li key={name}>
              <svg width="18" height="8" aria-hidden="true"><line x1="0" x2="18" y1="4" y2="4" stroke={strokes[scheme][i]} strokeWidth="2.5" strokeDasharray={dashes[i]?.join(' ')} /></svg>
              {name} {values.length > 0 && <b>{value === null ? '–' : number(value, value < 10 ? 2 : 0)}</b>}
            </li>
          );
        })}
      </ul>
      {end !== null && <Text size="xs" c="dimmed">{at === null ? t('charts.latest', { time: of(end) }) : of(end)}</Text>}
    </div>
  );
}
