import { ActionIcon, Loader, Popover, Tooltip } from '@mantine/core';
import { IconCurrentLocation, IconFocusCentered, IconKeyboard, IconMinus, IconNavigation, IconPlus, IconRoute } from '@tabler/icons-react';
import { useMap } from '@vis.gl/react-maplibre';
import { useState, type ComponentPropsWithRef, type MouseEvent } from 'react';
import { useTranslation } from 'react-i18next';

import { CoordinateEntry } from './CoordinateEntry';
import type { LatLng } from './geo';
import classes from './map.module.css';
import type { Geolocation } from './useGeolocation';

interface Props {
  readonly geolocation: Geolocation | null;
  /** Set while the map does not show what it would. */
  readonly comeBack: (() => void) | null;
  readonly onPick: ((point: LatLng) => void) | undefined;
  /** Whether the camera drives with the car, and what changes that. */
  readonly driving: boolean;
  readonly onDrive: ((drive: boolean) => void) | undefined;
}

/** The buttons on the map. */
export function MapControls({ geolocation, comeBack, onPick, driving, onDrive }: Props) {
  const { t } = useTranslation('map');
  const { current: map } = useMap();
  const [typing, setTyping] = useState(false);
  const asking = geolocation?.state === 'asking';
  // A camera that drives would zoom back at once: who zooms leaves it, as by hand.
  const byHand = (e: MouseEvent) => (driving ? { originalEvent: e.nativeEvent } : {});
  return (
    <div className={classes.controls} role="group" aria-label={t('controls.label')}>
      <Control label={t('controls.zoomIn')} onClick={(e) => map?.zoomIn({}, byHand(e))} wide><IconPlus size={20} /></Control>
      <Control label={t('controls.zoomOut')} onClick={(e) => map?.zoomOut({}, byHand(e))} wide><IconMinus size={20} /></Control>
      {geolocation && geolocation.state !== 'unsupported' && (
        <Control label={t('controls.locate')} onClick={geolocation.locate} busy={asking}>
          {asking ? <Loader size={18} /> : <IconCurrentLocation size={20} />}
        </Control>
      )}
      {onDrive && (
        <Control label={t(driving ? 'controls.overview' : 'controls.drive')} onClick={() => onDrive(!driving)}>
          {driving ? <IconRoute size={20} /> : <IconNavigation size={20} />}
        </Control>
      )}
      {comeBack && <Control label={t('controls.back')} onClick={comeBack} filled><IconFocusCentered size={20} /></Control>}
      {onPick && (
        <Popover opened={typing} onChange={setTyping} position="left-start" withArrow trapFocus shadow="md" width={290}>
          <Popover.Target>
            <Control label={t('controls.type')} onClick={() => setTyping((o) => !o)}><IconKeyboard size={20} /></Control>
          </Popover.Target>
          <Popover.Dropdown>
            <CoordinateEntry onPick={(point) => { setTyping(false); onPick(point); map?.easeTo({ center: [point.lng, point.lat] }); }} />
          </Popover.Dropdown>
        </Popover>
      )}
    </div>
  );
}

interface ControlProps extends ComponentPropsWithRef<'button'> {
  readonly label: string;
  readonly wide?: boolean;
  readonly busy?: boolean;
  readonly filled?: boolean;
}

function Control({ label, wide = false, busy = false, filled = false, ...rest }: ControlProps) {
  return (
    <Tooltip label={label} position="left" openDelay={400} disabled={rest['aria-expanded'] === true}>
      <ActionIcon {...rest} className={classes.control} size={44} radius="xl" variant={filled ? 'filled' : 'default'} aria-label={label} aria-busy={busy}
        {...(wide ? { visibleFrom: 'sm' } : {})} />
    </Tooltip>
  );
}
