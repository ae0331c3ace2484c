import { Button, Checkbox, Popover, SegmentedControl, Select, Stack, Switch, Text } from '@mantine/core';
import { IconAdjustmentsHorizontal } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import { vehicleClassName } from '../../lib/vehicle';
import classes from './Console.module.css';
import { useCity } from './live/hooks';
import { driverStates, type DriverState } from './live/drivers';
import { measures, type Measure } from './mapColors';
import type { MapView } from './mapView';

/** What the map shows. */
export function MapChoices({ view, onChange, compact }: { view: MapView; onChange: (view: MapView) => void; compact: boolean }) {
  const { t } = useTranslation('ops');
  const measured = (
    <SegmentedControl size="xs" className={classes.floating} aria-label={t('map.measure.label')} value={view.measure}
      onChange={(measure) => onChange({ ...view, measure: measure as Measure, layers: { ...view.layers, cells: true } })}
      data={measures.map((value) => ({ value, label: t(`map.measure.${value}`) }))} />
  );
  const filtered = view.states.length < driverStates.length || view.vehicleClass !== null;
  return (
    <>
      {!compact && measured}
      <Popover position="bottom-end" shadow="md" trapFocus withArrow width={260}>
        <Popover.Target>
          <Button size="xs" variant={filtered ? 'filled' : 'default'} className={classes.floating} leftSection={<IconAdjustmentsHorizontal size={16} aria-hidden="true" />}>
            {t('map.show')}
          </Button>
        </Popover.Target>
        <Popover.Dropdown>
          <Stack gap="sm">
            {compact && measured}
            <Layers view={view} onChange={onChange} />
            <Filters view={view} onChange={onChange} />
          </Stack>
        </Popover.Dropdown>
      </Popover>
    </>
  );
}

function Layers({ view, onChange }: { view: MapView; onChange: (view: MapView) => void }) {
  const { t } = useTranslation('ops');
  return (
    <Stack gap={6} role="group" aria-label={t('map.layers.label')}>
      <Text size="xs" fw={600} c="dimmed">{t('map.layers.label')}</Text>
      {(['cells', 'drivers', 'trips'] as const).map((layer) => (
        <Switch key={layer} size="sm" label={t(`map.layers.${layer}`)} checked={view.layers[layer]}
          onChange={(e) => onChange({ ...view, layers: { ...view.layers, [layer]: e.currentTarget.checked } })} />
      ))}
    </Stack>
  );
}

function Filters({ view, onChange }: { view: MapView; onChange: (view: MapView) => void }) {
  const { t } = useTranslation('ops');
  const { drivers } = useCity('drivers');
  return (
    <>
      <Checkbox.Group label={t('map.filter.states')} size="xs" value={[...view.states]}
        onChange={(states) => onChange({ ...view, states: states as DriverState[] })}>
        <Stack gap={6} mt={4}>
          {driverStates.map((state) => <Checkbox key={state} size="xs" value={state} label={t(`map.state.${state}`)} />)}
        </Stack>
      </Checkbox.Group>
      <Select size="xs" label={t('map.filter.class')} placeholder={t('map.filter.allClasses')} clearable comboboxProps={{ withinPortal: false }}
        value={view.vehicleClass} onChange={(vehicleClass) => onChange({ ...view, vehicleClass })} data={[...drivers.classes].filter(Boolean).sort().map((value) => ({ value, label: vehicleClassName(value) }))} />
    </>
  );
}
