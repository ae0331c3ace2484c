import 'maplibre-gl/dist/maplibre-gl.css';

import { Alert, Text, useComputedColorScheme } from '@mantine/core';
import { AttributionControl, Map, useMap, type MapMouseEvent } from '@vis.gl/react-maplibre';
import { useEffect, useId, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { canDraw } from './canDraw';
import { maplibre } from './engine';
import type { LatLng } from './geo';
import { AccuracyLayer, AreasLayer, GridLayer, MovingRouteLayer, PlacesLayer, RouteLayer, SearchLayer } from './layers';
import classes from './map.module.css';
import { MapControls } from './MapControls';
import { MapLoading, MapSkeleton } from './MapSkeleton';
import { MapSummary } from './MapSummary';
import { CarMarker, PlaceMarker, SelfMarker } from './markers';
import { Motion } from './motion';
import { onMoved } from './moved';
import { NoMap } from './NoMap';
import { paddingStyle } from './padding';
import type { Scheme } from './plainStyle';
import type { RideMapProps } from './types';
import type { MapSettings } from './basemap';
import { OneWayArrows } from './OneWayArrows';
import { useBasemap, type BasemapState } from './useBasemap';
import { useCamera } from './useCamera';
import { useReducedMotion } from './useReducedMotion';
import { WayLayer } from './WayLayer';
import { useHome, type Home } from './home';
import { keepLastPlace } from './lastPlace';
import { useGeolocation } from './useGeolocation';
import { useMapSettings, usePlaces, type ServerMap } from './useMapSettings';
import { usePickByKey } from './usePickByKey';

const plainCredit = 'Natural Earth · US Census Bureau';

/** The map itself; pages use it through `RideMap` of the folder. */
export default function RideMap(props: RideMapProps) {
  const summary = useId();
  return canDraw() ? <DrawnMap {...props} summary={summary} /> : <NoMap {...props} summary={summary} />;
}

/**
 * So long a map waits for what it will be drawn from, in milliseconds. A plain map before it would have to be drawn, too, and then drawn again from
 * the streets; after it, a plain map is of more use than none.
 */
const waitMs = 1200;

function DrawnMap(props: RideMapProps & { summary: string }) {
  const { i18n } = useTranslation('map');
  const scheme: Scheme = useComputedColorScheme('light');
  const server = useMapSettings();
  const base = useBasemap(server.settings, scheme, i18n.language);
  const { home, settled } = useHome();
  const [ready, setReady] = useState(false);
  if (!ready && server.known && settled && base.tiles !== 'loading') setReady(true);
  useEffect(() => {
    const enough = setTimeout(() => setReady(true), waitMs);
    return () => clearTimeout(enough);
  }, []);
  return ready ? <StartedMap {...props} scheme={scheme} server={server} base={base} home={home} /> : <MapSkeleton padding={props.padding} />;
}

function StartedMap(props: RideMapProps & { summary: string; scheme: Scheme; server: ServerMap; base: BasemapState; home: Home }) {
  const { t } = useTranslation('map');
  const { scheme, server, base, home } = props;
  const geolocation = useGeolocation(props.onLocate);
  const start = useStart(props, home);
  const [drawn, setDrawn] = useState(false);
  const motion = useMotion(props);

  const pick = (e: MapMouseEvent) => {
    const { lat, lng } = e.lngLat.wrap();
    props.onPick?.({ lat, lng });
  };
  const credit = creditOf(server.settings, base, t('tilesFailed'));
  const locale = useMemo(() => ({ 'Map.Title': props.label, 'AttributionControl.ToggleAttribution': t('controls.credit') }), [props.label, t]);

  return (
    <div className={classes.map} style={paddingStyle(props.padding)} data-tiles={base.tiles}>
      <Map mapLib={maplibre} mapStyle={base.basemap.style} initialViewState={start} locale={locale}
        attributionControl={false} maxPitch={props.onDrive ? 60 : 0} dragRotate={false} touchPitch={false} styleDiffing={false} fadeDuration={150}
        cursor={props.onPick ? 'crosshair' : 'grab'} {...(props.onPick ? { onClick: pick } : {})}
        onIdle={() => setDrawn(true)} onLoad={() => setDrawn(true)}
        onData={(e) => { if (isTile(e)) base.onTile(); }}
        onError={(e) => { if (base.basemap.kind === 'tiles' && 'sourceId' in e) base.onTileError(); }}>
        <AttributionControl key={credit} compact={false} position="bottom-left" customAttribution={credit} />
        {base.basemap.kind === 'plain' && <PlainExtras key={scheme} scheme={scheme} demo={server.demo} />}
        <OneWayArrows />
        <Contents {...props} scheme={scheme} self={geolocation.point} motion={motion} />
        <Steered {...props} motion={motion} home={home} geolocation={props.onLocate ? geolocation : null} />
        {props.children}
      </Map>
      {!drawn && <MapLoading over />}
      {props.onLocate && (geolocation.state === 'denied' || geolocation.state === 'unavailable') && (
        <Alert className={classes.notice} color="orange" p="xs" role="status"><Text size="sm">{t(`locate.${geolocation.state}`)}</Text></Alert>
      )}
      <MapSummary id={props.summary} map={props} />
    </div>
  );
}

/**
 * The credit of what is drawn, as HTML. Routes and names are made of the server's streets also where the map is not, so their
 * credit never goes away.
 */
function creditOf(settings: MapSettings | undefined, base: BasemapState, failed: string): string {
  const own = settings?.streets;
  const streets = own ? [`<a href="${escaped(own.attribution_url)}" target="_blank" rel="noopener">${escaped(own.attribution)}</a>`] : [];
  if (base.basemap.kind === 'tiles') return [...streets, ...(settings?.attribution ? [settings.attribution] : [])].join(' · ');
  return [...streets, plainCredit, ...(base.tiles === 'failed' ? [failed] : [])].join(' · ');
}

const escaped = (text: string): string => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

/** A tile of streets that is there and can be drawn. */
function isTile(e: { dataType: string; tile?: unknown; sourceId?: string }): boolean {
  return e.dataType === 'source' && e.tile !== undefined && e.sourceId !== undefined && !ours.has(e.sourceId);
}
const ours = new Set(['land', 'ground', 'grid', 'places', 'route', 'next', 'way', 'areas', 'search', 'accuracy']);

/** Where the map begins with what is known at once. What comes later moves the camera. */
function useStart(props: RideMapProps, home: Home) {
  const [start] = useState(() => {
    const point = props.camera?.with?.get() ?? props.camera?.points?.[0];
    const { center, zoom } = point ? { center: point, zoom: 13 } : home;
    return { longitude: center.lng, latitude: center.lat, zoom };
  });
  return start;
}

/** What makes a map without tiles a map of this city. */
function PlainExtras({ scheme, demo }: { scheme: Scheme; demo: boolean }) {
  const places = usePlaces(demo);
  return (
    <>
      <GridLayer scheme={scheme} />
      {places && <PlacesLayer places={places} scheme={scheme} />}
    </>
  );
}

/** How the car is drawn, from now on along its way. */
function useMotion({ driver, way }: RideMapProps): Motion | null {
  const still = useReducedMotion();
  const positions = driver?.positions;
  const motion = useMemo(() => (positions ? new Motion(positions, still) : null), [positions, still]);
  useEffect(() => motion?.take(way ?? null), [motion, way]);
  return motion;
}

function Contents(p: RideMapProps & { scheme: Scheme; self: LatLng | null; motion: Motion | null }) {
  const { scheme } = p;
  return (
    <>
      {p.searchRings && <SearchLayer search={p.searchRings} scheme={scheme} />}
      {p.areas && p.areas.length > 0 && <AreasLayer areas={p.areas} scheme={scheme} />}
      {p.driver && <AccuracyLayer positions={p.driver.positions} scheme={scheme} />}
      {p.nextRoute && p.nextRoute.length > 1 && <RouteLayer id="next" way={p.nextRoute} scheme={scheme} faint />}
      {p.way && <WayLayer way={p.way} motion={p.motion} scheme={scheme} />}
      {!p.way && p.route && (p.routeFrom
        ? <MovingRouteLayer from={p.routeFrom} way={p.route} scheme={scheme} />
        : p.route.length > 1 && <RouteLayer id="route" way={p.route} scheme={scheme} />)}
      {p.self && <SelfMarker point={p.self} />}
      {p.pickup && <PlaceMarker kind="pickup" place={p.pickup} />}
      {p.dropoff && <PlaceMarker kind="dropoff" place={p.dropoff} />}
      {p.driver && p.motion && <CarMarker motion={p.motion} label={p.driver.label} simulated={p.driver.simulated} />}
    </>
  );
}

/** Keeps the last place for the next visit, and writes on the map's element what it shows: `lat,lng,zoom,bearing`. */
function useShownView(): void {
  const { current: map } = useMap();
  useEffect(() => {
    if (!map) return;
    const shown = () => {
      const { lat, lng } = map.getCenter().wrap();
      const view = { center: { lat, lng }, zoom: map.getZoom() };
      map.getContainer().dataset.view = [lat.toFixed(5), lng.toFixed(5), view.zoom.toFixed(2), map.getBearing().toFixed()].join();
      keepLastPlace(view);
    };
    return onMoved(map, shown);
  }, [map]);
}

/** The camera, the buttons that move it, and the crosshair that picks by keyboard. */
function Steered(p: RideMapProps & { motion: Motion | null; summary: string; home: Home; geolocation: ReturnType<typeof useGeolocation> | null }) {
  const { t } = useTranslation('map');
  const { current: map } = useMap();
  const { astray, comeBack } = useCamera(p.camera, p.padding, p.home, p.motion);
  useShownView();
  const pad = { top: 0, right: 0, bottom: 0, left: 0, ...p.padding };
  usePickByKey(p.onPick);
  // MapLibre makes a landmark with the map's name of its canvas; the words that describe it are ours.
  useEffect(() => map?.getCanvas().setAttribute('aria-describedby', p.summary), [map, p.summary]);
  const found = p.geolocation?.point;
  const locate = p.geolocation && { ...p.geolocation, locate: () => {
    if (found) map?.easeTo({ center: [found.lng, found.lat], zoom: Math.max(15, map.getZoom()) });
    p.geolocation?.locate();
  } };
  return (
    <>
      <MapControls geolocation={locate} comeBack={astray ? comeBack : null} onPick={p.onPick} driving={p.camera?.drive === true} onDrive={p.onDrive} />
      {p.onPick && (
        <svg className={classes.crosshair} data-kind={p.picking} viewBox="0 0 44 44" role="img" aria-label={t('crosshair')}
          style={{ left: `calc(50% + ${(pad.left - pad.right) / 2}px)`, top: `calc(50% + ${(pad.top - pad.bottom) / 2}px)` }}>
          <g fill="none" stroke="currentColor" strokeWidth="3" strokeLinecap="round">
            <circle cx="22" cy="22" r="10" /><path d="M22 3v11M22 30v11M3 22h11M30 22h11" />
          </g>
        </svg>
      )}
    </>
  );
}
