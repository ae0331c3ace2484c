import { useMap } from '@vis.gl/react-maplibre';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';

import { maplibre } from './engine';
import type { LatLng } from './geo';
import type { Home } from './home';
import type { Motion } from './motion';
import type { Camera, Padding } from './types';
import { useDriveCamera } from './useDriveCamera';

/** How often a moving car may move the camera, in milliseconds. */
const followEveryMs = 2500;
/** Room around what is kept in view, in pixels, besides the padding. */
const room = 56;
/** The same above: toasts take a strip there, and a pin stands above its point. */
const roomAbove = 104;

interface Steering {
  /** Whether the person moved the map away from what it would show. */
  readonly astray: boolean;
  /** Goes back to it. */
  readonly comeBack: () => void;
}

/**
 * Keeps in view what the camera says, until the person moves the map. The camera looks again when its points change,
 * and when what it follows leaves the view. While there is nothing to look at it shows `home`, which may become known
 * later than the map is there: whatever comes last, the outcome is the same, unless a person moved the map.
 */
export function useCamera(camera: Camera | undefined, padding: Padding | undefined, home: Home, motion: Motion | null): Steering {
  const { current: map } = useMap();
  const key = camera ? JSON.stringify([camera.points, camera.maxZoom, camera.drive]) : '';
  // Which intention the person moved away from: with another one it counts no more.
  const [strayedFrom, setStrayedFrom] = useState<string | null>(null);
  const strayed = useRef<string | null>(null);
  const current = useRef(key);
  const looked = useRef(0);
  const padded = usePadding(padding);
  const wanted = useRef({ camera, home });
  // Whether home is no longer what to show: there was something to look at, or a person went elsewhere.
  const left = useRef(false);
  const ours = useRef(false);

  const move = useCallback((duration: number) => {
    const c = wanted.current.camera;
    if (!map) return;
    const moving = c?.with?.get();
    const points: LatLng[] = [...(c?.points ?? []), ...(moving ? [moving] : [])];
    const first = points[0];
    if (!c || !first) {
      const h = wanted.current.home;
      if (!left.current) map.jumpTo({ center: [h.center.lng, h.center.lat], zoom: h.zoom });
      return;
    }
    if (c.drive && moving) {
      left.current = true;
      return; // the camera drives with the car
    }
    if (!left.current) duration = 0; // a flight across the world helps no one
    left.current = true;
    looked.current = performance.now();
    const maxZoom = c.maxZoom ?? 15.5;
    // The map's own padding is set already; fitBounds adds to it.
    if (points.length === 1) {
      map.easeTo({ center: [first.lng, first.lat], zoom: (c.points ?? []).length === 0 && map.getZoom() > 12 ? map.getZoom() : maxZoom, bearing: 0, pitch: 0, duration });
      return;
    }
    map.fitBounds(boundsOf(points), { padding: fits(map.getContainer(), map.getPadding()) ? { top: roomAbove, right: room, bottom: room, left: room } : 8, maxZoom, bearing: 0, pitch: 0, duration });
  }, [map]);
  const look = useCallback((duration: number) => {
    ours.current = true;
    move(duration);
    ours.current = false;
  }, [move]);

  useEffect(() => {
    wanted.current = { camera, home };
    current.current = key;
  });

  // Home became known, or is another one.
  const homeKey = [home.center.lat, home.center.lng, home.zoom].join();
  useEffect(() => {
    if (!left.current) look(0);
  }, [homeKey, look]);

  // Other points are another intention: look there even if the person had moved the map.
  useEffect(() => {
    if (!map || key === '') return;
    look(700);
  }, [map, key, look]);

  // The same points behind another sheet.
  useEffect(() => {
    if (!map) return;
    ours.current = true;
    map.easeTo({ padding: padded, duration: 0 });
    ours.current = false;
    if (strayed.current !== current.current) look(300);
  }, [map, padded, look]);

  const source = camera?.with;
  useEffect(() => {
    if (!map || !source) return;
    if (source.get() && strayed.current !== current.current) look(looked.current === 0 ? 0 : 700);
    return source.subscribe(() => {
      if (strayed.current === current.current || performance.now() - looked.current < followEveryMs) return;
      const alone = (wanted.current.camera?.points ?? []).length === 0;
      if (alone || leaves(map, source.get())) look(1000);
    });
  }, [map, source, look]);

  useEffect(() => {
    if (!map) return;
    // Only what a person does has an original event.
    const stray = (e: { originalEvent?: unknown }) => {
      if (!ours.current) left.current = true; // a person, or a page that moves the map on its own
      if (!e.originalEvent) return;
      strayed.current = current.current;
      setStrayedFrom(current.current);
    };
    // The map's own size changed, as when a banner came.
    const resized = () => {
      if (strayed.current !== current.current) look(0);
    };
    map.on('resize', resized);
    map.on('dragstart', stray);
    map.on('zoomstart', stray);
    map.on('rotatestart', stray);
    const keyed = (e: KeyboardEvent) => {
      if (/^(Arrow|[+=-]$)/.test(e.key)) stray({ originalEvent: e });
    };
    const canvas = map.getCanvas();
    canvas.addEventListener('keydown', keyed);
    return () => {
      map.off('resize', resized);
      map.off('dragstart', stray);
      map.off('zoomstart', stray);
      map.off('rotatestart', stray);
      canvas.removeEventListener('keydown', keyed);
    };
  }, [map, look]);

  const comeBack = useCallback(() => {
    strayed.current = null;
    setStrayedFrom(null);
    look(700);
  }, [look]);
  const astray = camera !== undefined && strayedFrom === key;
  // After the padding of the other views, which it replaces.
  useDriveCamera(motion, camera?.drive === true && !astray, padded);
  return { astray, comeBack };
}

type Edges = Required<Padding>;

/** The same object while the numbers are the same. */
function usePadding(padding: Padding | undefined): Edges {
  const { top = 0, right = 0, bottom = 0, left = 0 } = padding ?? {};
  return useMemo(() => ({ top, right, bottom, left }), [top, right, bottom, left]);
}

/** Whether there is room enough left to keep things away from the edges. */
function fits(container: HTMLElement, p: Partial<Edges>): boolean {
  return container.clientHeight - (p.top ?? 0) - (p.bottom ?? 0) > 4 * room && container.clientWidth - (p.left ?? 0) - (p.right ?? 0) > 4 * room;
}

function boundsOf(points: readonly LatLng[]): maplibre.LngLatBounds {
  const bounds = new maplibre.LngLatBounds();
  for (const p of points) bounds.extend([p.lng, p.lat]);
  return bounds;
}

/** Whether a point is out of, or near the edge of, what can be seen. */
function leaves(map: { project(p: [number, number]): { x: number; y: number }; getContainer(): HTMLElement; getPadding(): Partial<Edges> }, p: LatLng | null): boolean {
  if (!p) return false;
  const { x, y } = map.project([p.lng, p.lat]);
  const c = map.getContainer();
  const pad = map.getPadding();
  const edge = 24;
  return x < (pad.left ?? 0) + edge || x > c.clientWidth - (pad.right ?? 0) - edge || y < (pad.top ?? 0) + edge || y > c.clientHeight - (pad.bottom ?? 0) - edge;
}
