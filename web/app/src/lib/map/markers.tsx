import { useMap } from '@vis.gl/react-maplibre';
import { useEffect, useMemo, useRef, type KeyboardEvent, type ReactNode } from 'react';
import { createPortal } from 'react-dom';
import { useTranslation } from 'react-i18next';

import { maplibre } from './engine';
import { offsetBy, type LatLng } from './geo';
import classes from './map.module.css';
import type { Motion } from './motion';
import type { Place } from './types';

interface HtmlMarkerProps {
  readonly point: LatLng;
  readonly anchor?: 'center' | 'bottom';
  readonly onDragEnd?: (point: LatLng) => void;
  readonly zIndex?: number;
  readonly children: ReactNode;
}

/** Puts React elements at a place on the map. */
export function HtmlMarker({ point: { lat, lng }, anchor = 'center', onDragEnd, zIndex, children }: HtmlMarkerProps) {
  const { current: map } = useMap();
  const element = useMemo(() => document.createElement('div'), []);
  const marker = useRef<maplibre.Marker | null>(null);
  const dropped = useRef(onDragEnd);
  useEffect(() => {
    dropped.current = onDragEnd;
  });
  useEffect(() => {
    if (!map) return;
    const made = new maplibre.Marker({ element, anchor }).setLngLat([0, 0]).addTo(map.getMap());
    unname(made);
    made.on('dragend', () => {
      const at = made.getLngLat().wrap();
      dropped.current?.({ lat: at.lat, lng: at.lng });
    });
    marker.current = made;
    return () => {
      marker.current = null;
      made.remove();
    };
  }, [map, element, anchor]);
  useEffect(() => void marker.current?.setLngLat([lng, lat]), [map, lat, lng]);
  useEffect(() => void marker.current?.setDraggable(onDragEnd !== undefined), [map, onDragEnd]);
  useEffect(() => {
    const shown = marker.current?.getElement();
    if (shown) shown.style.zIndex = zIndex === undefined ? '' : String(zIndex);
  }, [map, zIndex]);
  return createPortal(children, element);
}

/** MapLibre names markers itself, in English; ours have names inside. */
function unname(marker: maplibre.Marker): void {
  for (const name of ['aria-label', 'role', 'tabindex']) marker.getElement().removeAttribute(name);
}

const arrows: Readonly<Record<string, number>> = { ArrowUp: 0, ArrowRight: 90, ArrowDown: 180, ArrowLeft: 270 };

/** Where a rider gets in or out. */
export function PlaceMarker({ kind, place }: { kind: 'pickup' | 'dropoff'; place: Place }) {
  const { t } = useTranslation('map');
  const name = place.label ? t('pin.at', { kind: t(`pin.${kind}`), place: place.label }) : t(`pin.${kind}`);
  const move = place.onMove;
  const onKeyDown = (e: KeyboardEvent) => {
    const bearing = arrows[e.key];
    if (bearing === undefined || !move) return;
    e.preventDefault();
    e.stopPropagation();
    move(offsetBy(place.point, e.shiftKey ? 100 : 10, bearing));
  };
  const pin = <span className={classes.pin} data-kind={kind} aria-hidden="true"><span className={classes.pinHead} /></span>;
  return (
    <HtmlMarker point={place.point} anchor="bottom" zIndex={2} {...(move ? { onDragEnd: move } : {})}>
      {move
        ? <button type="button" className={classes.pinButton} aria-label={t('pin.movable', { name })} onKeyDown={onKeyDown} onClick={(e) => e.stopPropagation()}>{pin}</button>
        : <span role="img" aria-label={name} className={classes.pinButton}>{pin}</span>}
    </HtmlMarker>
  );
}

/** The dot that is the person who looks. */
export function SelfMarker({ point }: { point: LatLng }) {
  const { t } = useTranslation('map');
  return (
    <HtmlMarker point={point} zIndex={1}>
      <span className={classes.self} role="img" aria-label={t('self')} />
    </HtmlMarker>
  );
}

/** A car on the ground, turned as it drives. Nothing renders while it moves: it is drawn with each frame of its motion. */
export function CarMarker({ motion, label, simulated = false }: { motion: Motion; label?: string | undefined; simulated?: boolean | undefined }) {
  const { t } = useTranslation('map');
  const { current: map } = useMap();
  const element = useMemo(() => document.createElement('div'), []);

  useEffect(() => {
    if (!map) return;
    const marker = new maplibre.Marker({ element, anchor: 'center', rotationAlignment: 'map', pitchAlignment: 'map' }).setLngLat([0, 0]);
    let onMap = false;
    const end = motion.subscribe((pose) => {
      if (!pose) {
        marker.remove();
        onMap = false;
        return;
      }
      marker.setLngLat([pose.point.lng, pose.point.lat]).setRotation(pose.headingDeg);
      if (!onMap) marker.addTo(map.getMap());
      onMap = true;
      unname(marker);
      marker.getElement().style.zIndex = '3';
    });
    return () => {
      end();
      marker.remove();
    };
  }, [map, element, motion]);

  return createPortal(
    <span className={classes.car} role="img" aria-label={label ?? t('car')} data-simulated={simulated || undefined}>
      <span className={classes.carBody}><CarShape /></span>
    </span>,
    element,
  );
}

/** A car from above, its front upwards. */
function CarShape() {
  return (
    <svg viewBox="0 0 24 40" width="24" height="40" aria-hidden="true">
      <rect x="2.5" y="1.5" width="19" height="37" rx="7.5" className={classes.carPaint} />
      <path d="M5.5 13.5c3-2.4 10-2.4 13 0l-1.6 5.2c-2.8-1.2-7-1.2-9.8 0z" className={classes.carGlass} />
      <path d="M6.8 32.4c2.8 1.4 7.6 1.4 10.4 0l-1-4.2c-2.4.8-6 .8-8.4 0z" className={classes.carGlass} />
      <rect x="5" y="3" width="4" height="2.4" rx="1.2" className={classes.carLight} />
      <rect x="15" y="3" width="4" height="2.4" rx="1.2" className={classes.carLight} />
    </svg>
  );
}
