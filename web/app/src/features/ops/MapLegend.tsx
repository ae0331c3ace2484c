import { Text, useComputedColorScheme } from '@mantine/core';
import { useTranslation } from 'react-i18next';

import { number } from '../../lib/format';
import { liveStatuses } from '../../lib/trip/status';
import classes from './Console.module.css';
import { driverStates } from './live/drivers';
import { rampOf, stateColor, steps, tripColor, type Measure } from './mapColors';
import type { MapView } from './mapView';

/** What the colours mean. */
export function MapLegend({ view, compact }: { view: MapView; compact: boolean }) {
  const { t } = useTranslation('ops');
  const scheme = useComputedColorScheme('light');
  return (
    <section className={classes.legend} aria-label={t('map.legend.label')}>
      {view.layers.cells && (
        <div>
          <Text size="xs" fw={600}>{t(`map.legend.${view.measure}`)}</Text>
          <ol className={classes.ramp}>
            {rampOf(scheme, view.measure).map((color, i) => (
              <li key={color}><span style={{ background: color }} aria-hidden="true" />{stepName(view.measure, i)}</li>
            ))}
          </ol>
        </div>
      )}
      {!compact && view.layers.drivers && (
        <ul className={classes.keys}>
          {driverStates.map((state) => <li key={state}><span style={{ background: stateColor(scheme, state) }} aria-hidden="true" />{t(`map.state.${state}`)}</li>)}
        </ul>
      )}
      {!compact && view.layers.trips && (
        <ul className={classes.keys} data-round>
          {liveStatuses.map((status) => (
            <li key={status}><span style={{ background: tripColor(scheme, status) }} aria-hidden="true" />{t(`map.status.${status}`)}</li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** The values that get a colour: 3–5, 24+. */
function stepName(measure: Measure, step: number): string {
  const from = steps[measure][step] ?? 0;
  const next = steps[measure][step + 1];
  if (next === undefined) return `${number(from)}+`;
  if (measure === 'wait') return `${number(Math.floor(from))}–${number(next)}`;
  return next - from === 1 ? number(from) : `${number(from)}–${number(next - 1)}`;
}
