import type { Client, Position } from '@hexhail/client';
import { useCallback, useEffect, useRef, useState } from 'react';

import type { LatLng, PositionStore, Way } from '../../../lib/map';
import type { Source } from './choice';
import { watchGps, type GpsState } from './gps';
import { SimulatedDrive } from './simulated';
import { readJson, writeJson } from './stored';

/** A rider watches the car each second; no rider sees a driver who waits. In milliseconds. */
const sendEveryMs = { onTrip: 1000, waiting: 4000 };
const tickMs = 1000;
const placeKey = 'hexhail.drive.place';

interface FeedOptions {
  readonly session: Client;
  readonly source: Source;
  /** Whether the server should know: online, or on a trip. */
  readonly live: boolean;
  /** Where a simulated car has to go. */
  readonly target: LatLng | null;
  /** The planned way there; null: straight. */
  readonly way: Way | null;
  readonly onTrip: boolean;
  readonly pace: number;
  /** Where a simulated car begins when it has been nowhere yet. */
  readonly start: LatLng | undefined;
  /** What the map draws the car from. */
  readonly store: PositionStore;
}

export interface Feed {
  /** How the device's position does; `fix` for a simulated car that has a place. */
  readonly state: GpsState;
  /** The position to go online with; undefined while there is none. */
  readonly latest: () => Position | undefined;
  /** Puts a simulated car somewhere. */
  readonly placeAt: (point: LatLng) => void;
}

/** Feeds the driver's position, from the device or a simulated car, to the map and the server. */
export function useFeed(o: FeedOptions): Feed {
  const { session, source, live, target, way, onTrip, pace, start, store } = o;
  const [gps, setGps] = useState<GpsState>('starting');
  const latest = useRef<Position | undefined>(undefined);
  const sent = useRef(-Infinity);
  const every = onTrip ? sendEveryMs.onTrip : sendEveryMs.waiting;
  const now = useRef({ live, every, pace });
  useEffect(() => {
    now.current = { live, every, pace };
  });

  /** Sends the position, if it is time to. */
  const send = useCallback((position: Position) => {
    latest.current = position;
    const at = performance.now(); // no clock that may be set back
    if (!now.current.live || at - sent.current < now.current.every - tickMs / 4) return;
    sent.current = at;
    session.sendLocation(position);
  }, [session]);

  useBrowser(source === 'browser', store, send, setGps);
  const sim = useSimulated(source === 'simulated', start, target, way, now, store, send);

  // A driver who has just gone online, or was given a trip, sends at once.
  useEffect(() => {
    if (!live) return;
    sent.current = -Infinity;
    if (latest.current) send(latest.current);
  }, [live, onTrip, send]);

  return {
    state: source === 'browser' ? gps : sim.placed ? 'fix' : 'starting',
    latest: useCallback(() => latest.current, []),
    placeAt: sim.placeAt,
  };
}

function useBrowser(on: boolean, store: PositionStore, send: (p: Position) => void, setGps: (s: GpsState) => void): void {
  useEffect(() => {
    if (!on) return;
    let fix: Position | undefined;
    let lost = false;
    const end = watchGps(
      (f) => {
        fix = f;
        store.set({ lat: f.lat, lng: f.lng, headingDeg: f.heading_deg ?? null, accuracyM: f.accuracy_m });
        send(f);
      },
      (state) => {
        lost = state !== 'fix';
        setGps(state);
      },
    );
    // A car that stands still is where it was: the last fix, sent again with the current time.
    const again = setInterval(() => {
      if (fix && !lost) send({ ...fix, speed_mps: 0, takenAt: Date.now() });
    }, tickMs);
    return () => {
      end();
      clearInterval(again);
      store.set(null);
    };
  }, [on, store, send, setGps]);
}

function useSimulated(
  on: boolean, start: LatLng | undefined, target: LatLng | null, way: Way | null,
  now: React.RefObject<{ live: boolean; pace: number }>, store: PositionStore, send: (p: Position) => void,
) {
  const drive = useRef<SimulatedDrive | null>(null);
  const [placed, setPlaced] = useState(false);
  const show = useCallback((seconds: number, pace: number) => {
    const p = drive.current?.advance(seconds, pace);
    if (!p) return;
    store.set({ lat: p.lat, lng: p.lng, headingDeg: p.headingDeg, accuracyM: null });
    send({ lat: p.lat, lng: p.lng, heading_deg: p.headingDeg, speed_mps: p.speedMps, accuracy_m: 5, takenAt: Date.now() });
  }, [store, send]);

  const placeAt = useCallback((point: LatLng) => {
    if (drive.current) drive.current.placeAt(point);
    else drive.current = new SimulatedDrive(point);
    writeJson(localStorage, placeKey, point);
    setPlaced(true);
    show(0, 1);
  }, [show]);

  const [startLat, startLng] = [start?.lat, start?.lng];
  useEffect(() => {
    if (!on || drive.current) return;
    const last = readJson(localStorage, placeKey) as LatLng | null;
    const from = isPlace(last) ? last : startLat !== undefined && startLng !== undefined ? { lat: startLat, lng: startLng } : null;
    if (from) queueMicrotask(() => placeAt(from));
  }, [on, startLat, startLng, placeAt]);

  const [toLat, toLng] = [target?.lat, target?.lng];
  useEffect(() => {
    if (drive.current) drive.current.target = toLat !== undefined && toLng !== undefined ? { lat: toLat, lng: toLng } : null;
  }, [toLat, toLng, placed]);
  useEffect(() => {
    if (drive.current) drive.current.way = way;
  }, [way, placed]);

  useEffect(() => {
    if (!on) return;
    show(0, 1);
    let before = Date.now();
    let kept = before;
    const ticking = setInterval(() => {
      const at = Date.now();
      // A page that slept does not leap: the server would hold such a jump back.
      const seconds = Math.min(3, (at - before) / 1000);
      before = at;
      if (!now.current.live) return;
      show(seconds, now.current.pace);
      if (at - kept > 5000 && drive.current) {
        kept = at;
        const { lat, lng } = drive.current.position;
        writeJson(localStorage, placeKey, { lat, lng });
      }
    }, tickMs);
    return () => {
      clearInterval(ticking);
      store.set(null);
    };
  }, [on, now, show, store]);

  return { placed, placeAt };
}

function isPlace(p: LatLng | null): p is LatLng {
  return p !== null && Number.isFinite(p.lat) && Number.isFinite(p.lng) && Math.abs(p.lat) <= 90 && Math.abs(p.lng) <= 180;
}
