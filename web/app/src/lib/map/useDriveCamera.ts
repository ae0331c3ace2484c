import { useMap, type MapRef } from '@vis.gl/react-maplibre';
import { useEffect, useRef } from 'react';

import { between, distanceBetween } from './geo';
import { turn, type Pose } from './glide';
import type { Motion } from './motion';
import type { Padding } from './types';
import { useReducedMotion } from './useReducedMotion';

/** How steeply the road ahead is looked at, in degrees from straight down. */
const pitch = 45;
/** The zoom of a slow car and of a fast one, and their speeds in metres per second. */
const zooms = { slow: 17.2, fast: 15.4, slowMps: 6, fastMps: 28 };
/** How low on the map the car stands, as a share of the height that is free: the road ahead matters. */
const carAt = 0.7;
/** How long the camera takes to get behind the car, in milliseconds. */
const comingMs = 800;
/** From farther away it does not fly, in metres. */
const flightM = 20_000;
/** How quickly direction, zoom and speed give in to new ones: so long for two thirds of it, in milliseconds. */
const lag = { bearing: 260, zoom: 1500, speed: 2000 };
/** How long after a wheel's turn its own movement goes on, in milliseconds. */
const wheelMs = 300;

/** After a pause of so long, what was known of the drive is old, in milliseconds. */
const pauseMs = 2000;

/** Where the camera is. */
interface View {
  readonly lat: number;
  readonly lng: number;
  readonly zoom: number;
  readonly bearing: number;
  readonly pitch: number;
}

/**
 * While `on`, the camera drives behind the car: the map turns with it, is tilted, and the closer the slower the car is.
 * People who want less movement get a flat map with north above that keeps the car in its middle. A person's own touch
 * is never fought with.
 */
export function useDriveCamera(motion: Motion | null, on: boolean, padding: Required<Padding>): void {
  const { current: map } = useMap();
  const still = useReducedMotion();
  const known = useRef<Known>({ before: null, speed: 0, zoom: zooms.slow, bearing: 0 });
  useEffect(() => {
    if (!map || !motion || !on) return;
    const hold = holding(map);
    const lower = () => setPadding(map, low(map, padding));
    lower();
    map.on('resize', lower);
    const end = still ? jump(map, motion, hold) : drive(map, motion, hold, known.current);
    return () => {
      end();
      hold.end();
      map.off('resize', lower);
      setPadding(map, padding);
    };
  }, [map, motion, on, still, padding]);
}

/** The padding with which the car stands low. */
function low(map: MapRef, p: Required<Padding>): Required<Padding> {
  const free = Math.max(0, map.getContainer().clientHeight - p.top - p.bottom);
  return { ...p, top: p.top + free * (2 * carAt - 1) };
}

/** Changes the padding without moving what is seen. */
function setPadding(map: MapRef, p: Required<Padding>): void {
  const { clientWidth: w, clientHeight: h } = map.getContainer();
  map.jumpTo({ center: map.unproject([(p.left + w - p.right) / 2, (p.top + h - p.bottom) / 2]), padding: p });
}

/** Says whether a person's fingers are on the map, or have just been. */
function holding(map: MapRef): { readonly now: () => boolean; readonly end: () => void } {
  const box = map.getCanvasContainer();
  const pointers = new Set<number>();
  let wheeled = -Infinity;
  const ended = new AbortController();
  const listen = { signal: ended.signal, passive: true };
  box.addEventListener('pointerdown', (e) => pointers.add(e.pointerId), listen);
  box.addEventListener('wheel', () => { wheeled = performance.now(); }, listen);
  for (const name of ['pointerup', 'pointercancel'] as const) window.addEventListener(name, (e) => pointers.delete(e.pointerId), listen);
  return { now: () => pointers.size > 0 || performance.now() - wheeled < wheelMs, end: () => ended.abort() };
}

type Hold = ReturnType<typeof holding>;

function jump(map: MapRef, motion: Motion, hold: Hold): () => void {
  return motion.subscribe((pose) => {
    if (pose && !hold.now()) map.jumpTo({ center: [pose.point.lng, pose.point.lat], zoom: 16, bearing: 0, pitch: 0 });
  });
}

/** What the camera knows of the drive; it outlives a change of what covers the map. */
interface Known {
  before: { readonly pose: Pose; readonly at: number } | null;
  speed: number;
  zoom: number;
  bearing: number;
}

function drive(map: MapRef, motion: Motion, hold: Hold, known: Known): () => void {
  const { lat, lng } = map.getCenter();
  const start: View = { lat, lng, zoom: map.getZoom(), bearing: map.getBearing(), pitch: map.getPitch() };
  const began = performance.now();
  let shown = start;
  const draw = (now: number) => {
    frame = requestAnimationFrame(draw);
    const { pose } = motion;
    if (!pose) return;
    learn(known, pose, now);
    if (hold.now()) return;
    const wanted = behind(start, { ...pose.point, zoom: known.zoom, bearing: known.bearing, pitch }, (now - began) / comingMs);
    if (same(wanted, shown)) return;
    shown = wanted;
    map.jumpTo({ center: [wanted.lng, wanted.lat], zoom: wanted.zoom, bearing: wanted.bearing, pitch: wanted.pitch });
  };
  let frame = requestAnimationFrame(draw);
  return () => cancelAnimationFrame(frame);
}

/** Takes in where the car is drawn now. */
function learn(known: Known, pose: Pose, now: number): void {
  const { before } = known;
  const passed = before ? now - before.at : Infinity;
  known.before = { pose, at: now };
  if (!before || passed > pauseMs) {
    known.bearing = pose.headingDeg;
    return;
  }
  if (passed <= 0) return;
  known.speed += share(passed, lag.speed) * ((1000 * distanceBetween(before.pose.point, pose.point)) / passed - known.speed);
  known.zoom += share(passed, lag.zoom) * (zoomAt(known.speed) - known.zoom);
  known.bearing = turn(known.bearing, pose.headingDeg, share(passed, lag.bearing));
}

/** The part of a difference that is gone after `ms`, with a lag. */
const share = (ms: number, lagMs: number): number => 1 - Math.exp(-ms / lagMs);

/** The closest zoom for slow cars; fast ones see farther. */
function zoomAt(speedMps: number): number {
  const fast = Math.min(1, Math.max(0, (speedMps - zooms.slowMps) / (zooms.fastMps - zooms.slowMps)));
  return zooms.slow + fast * (zooms.fast - zooms.slow);
}

/** The view on the way from where the camera was to behind the car. */
function behind(start: View, car: View, passed: number): View {
  if (passed >= 1 || distanceBetween(start, car) > flightM) return car;
  const k = passed * passed * (3 - 2 * passed);
  const mix = (a: number, b: number) => a + (b - a) * k;
  return { ...between(start, car, k), zoom: mix(start.zoom, car.zoom), bearing: turn(start.bearing, car.bearing, k), pitch: mix(start.pitch, car.pitch) };
}

/** Whether the difference cannot be seen. */
function same(a: View, b: View): boolean {
  return Math.abs(a.lat - b.lat) < 1e-7 && Math.abs(a.lng - b.lng) < 1e-7 && Math.abs(a.zoom - b.zoom) < 0.002 &&
    Math.abs(a.bearing - b.bearing) < 0.05 && Math.abs(a.pitch - b.pitch) < 0.05;
}
