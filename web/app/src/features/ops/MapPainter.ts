import type { Layer } from '@deck.gl/core';
import { IconLayer, LineLayer, ScatterplotLayer, SolidPolygonLayer } from '@deck.gl/layers';
import { MapLibreOverlay, type MapLibreOverlayProps } from '@deck.gl/maplibre';
import type { CityCell, CityTrip } from '@hexhail/client';
import type { Buffer, Device, Texture } from '@luma.gl/core';
import type { Map as MapLibreMap } from 'maplibre-gl';

import { driverStates } from './live/drivers';
import type { CityStore } from './live/store';
import { rampOf, rgb, stateColor, stepOf, tripColor, type Scheme } from './mapColors';
import { cellValue, hit, outlineOf, visibleRows, visibleTrips, type MapView, type Selected } from './mapView';

/** From this zoom on cars have a direction; further out they are dots. */
const arrowsFromZoom = 12.5;
/** Half the side of what a click takes in, in pixels. */
const fingerPx = 14;
/** A new picture is worth its cost once cars have moved this far since the last one, in pixels and in the mean. */
const visiblePx = 0.3;
/** Even slow cars are drawn anew after this time, in milliseconds. */
const longestStillMs = 500;

/** A canvas above the map, which moves with it. Clicks are looked up in the columns: no second picture is drawn for them. */
function overlay(props: Pick<MapLibreOverlayProps, 'onDeviceInitialized'>): MapLibreOverlay {
  const made: MapLibreOverlay = new MapLibreOverlay({
    // What is above changes without the map beneath being drawn anew.
    interleaved: false,
    // The layers smooth their own edges. Multisampling is what software renderers spend most of their time on.
    deviceProps: { type: 'webgl', webgl: { antialias: false } },
    layers: [],
    onLoad: () => makeSilent(made.getCanvas()),
    ...props,
  });
  return made;
}

/**
 * Takes a canvas that only draws out of the tab order and from what is read aloud: the map beneath has the name, and what
 * is drawn stands in the lists beside it.
 */
export function makeSilent(canvas: HTMLElement | null): void {
  canvas?.setAttribute('aria-hidden', 'true');
  // The element that deck.gl hears keys on may be the canvas or one around it.
  for (let e = canvas; e && !e.classList.contains('maplibregl-map'); e = e.parentElement) if (e.tabIndex === 0) e.tabIndex = -1;
}

/** Columns of the drivers who are drawn, here and on the graphics card. */
interface Columns {
  readonly capacity: number;
  readonly rows: Uint32Array;
  readonly positions: Float32Array;
  readonly angles: Float32Array;
  readonly colors: Uint8Array;
  readonly onCard: { readonly positions: Buffer; readonly angles: Buffer; readonly colors: Buffer };
  readonly attributes: {
    readonly getPosition: object; readonly getAngle: object; readonly getColor: object; readonly getFillColor: object;
  };
}

/**
 * Draws the city over a map. It follows the store by itself: where cars are is written into buffers on the graphics
 * card, once per frame at most, and only while a car moves. React tells it what to show and hears nothing back.
 */
export class MapPainter {
  readonly #map: MapLibreMap;
  readonly #store: CityStore;
  /** Cells and trips, which change once a second at most, on a canvas of their own: ways are what takes longest to draw. */
  readonly #ground: MapLibreOverlay;
  /** Cars and what is selected, above. */
  readonly #traffic: MapLibreOverlay;
  readonly #ends: (() => void)[] = [];
  #device: Device | null = null;
  #arrow: Texture | null = null;
  #view: MapView;
  #scheme: Scheme;
  #selected: Selected | null = null;
  #columns: Columns | null = null;
  #count = 0;
  /** The driver with the ring around it, and where that is. */
  #ringed: { readonly id: string; readonly buffer: Buffer } | null = null;
  #drivers: Layer[] = [];
  #others = new Map<'cells' | 'trips' | 'selected', Layer[]>();
  #stale = new Set<'drivers' | 'cells' | 'trips' | 'selected'>(['drivers', 'cells', 'trips', 'selected']);
  #frame = 0;
  /** Whether cars may point elsewhere than they are drawn. */
  #turned = false;
  /** When cars will have moved visibly, in milliseconds. */
  #dueAt = 0;

  constructor(map: MapLibreMap, store: CityStore, view: MapView, scheme: Scheme) {
    this.#map = map;
    this.#store = store;
    this.#view = view;
    this.#scheme = scheme;
    this.#ground = overlay({});
    this.#traffic = overlay({
      onDeviceInitialized: (device: Device) => {
        this.#device = device;
        this.#arrow = arrowTexture(device);
        this.#wake();
      },
    });
    map.addControl(this.#ground);
    map.addControl(this.#traffic);
    for (const slice of ['drivers', 'cells', 'trips'] as const) this.#ends.push(store.subscribe(slice, () => this.#outdated(slice)));
    this.#ends.push(store.subscribe('moves', () => {
      this.#turned = true;
      if (this.#selected && this.#selected.kind !== 'cell') this.#outdated('selected');
      else this.#wake();
    }));
    const zoomed = () => this.#outdated('drivers', 'trips', 'selected');
    map.on('zoomend', zoomed);
    this.#ends.push(() => void map.off('zoomend', zoomed));
  }

  show(view: MapView, scheme: Scheme): void {
    this.#view = view;
    this.#scheme = scheme;
    this.#outdated('drivers', 'cells', 'trips', 'selected');
  }

  select(selected: Selected | null): void {
    this.#selected = selected;
    this.#outdated('selected');
  }

  /** What lies at a point of the canvas. */
  at(point: { x: number; y: number }, resolution: number): Selected | null {
    const a = this.#map.unproject([point.x - fingerPx, point.y + fingerPx]);
    const b = this.#map.unproject([point.x + fingerPx, point.y - fingerPx]);
    const box = { west: a.lng, south: a.lat, east: b.lng, north: b.lat };
    const drawn = { rows: this.#columns?.rows ?? new Uint32Array(), positions: this.#columns?.positions ?? new Float32Array(), count: this.#count };
    return hit(this.#store.city, this.#view, this.#map.unproject([point.x, point.y]).wrap(), box, drawn, resolution);
  }

  remove(): void {
    cancelAnimationFrame(this.#frame);
    for (const end of this.#ends) end();
    // The map may be gone already, and its controls with it.
    for (const canvas of [this.#traffic, this.#ground]) if (this.#map.hasControl(canvas)) this.#map.removeControl(canvas);
    this.#freeColumns();
    this.#ringDriver(null);
    this.#arrow?.destroy();
    this.#device = null;
  }

  #outdated(...parts: ('drivers' | 'cells' | 'trips' | 'selected')[]): void {
    for (const part of parts) this.#stale.add(part);
    this.#wake();
  }

  #wake(): void {
    if (this.#frame === 0 && this.#device) this.#frame = requestAnimationFrame((now) => this.#draw(now));
  }

  #draw(now: number): void {
    this.#frame = 0;
    if (!this.#device) return;
    // From afar nobody sees what a car does within a sixtieth of a second.
    if (this.#stale.size === 0 && now < this.#dueAt) {
      this.#wake();
      return;
    }
    const changed = this.#stale.size > 0;
    const below = this.#stale.has('cells') || this.#stale.has('trips');
    if (this.#stale.has('drivers')) this.#rebuildDrivers(this.#device);
    if (this.#turned) this.#turn();
    if (this.#stale.has('cells')) this.#others.set('cells', this.#cells());
    if (this.#stale.has('trips')) this.#others.set('trips', this.#trips());
    // A selected trip or driver may have changed with any of them.
    if (changed) this.#others.set('selected', this.#ring());
    this.#stale.clear();
    const speed = this.#place(now);
    if (below) this.#ground.setProps({ layers: [...this.#of('cells'), ...this.#of('trips')] });
    if (changed) this.#traffic.setProps({ layers: [...this.#drivers, ...this.#of('selected')] });
    else for (const layer of [...this.#drivers, ...this.#of('selected')]) layer.setNeedsRedraw();
    const pxPerDegree = (512 * 2 ** this.#map.getZoom()) / 360;
    this.#dueAt = now + Math.min(longestStillMs, visiblePx / Math.max(1e-12, speed * pxPerDegree));
    if (speed > 0) this.#wake();
  }

  #of(part: 'cells' | 'trips' | 'selected'): Layer[] {
    return this.#others.get(part) ?? [];
  }

  /** Writes where cars are now. Returns how fast they go, in degrees per millisecond. */
  #place(now: number): number {
    const columns = this.#columns;
    const { drivers } = this.#store.city;
    const row = this.#ringed ? drivers.rowOf(this.#ringed.id) : undefined;
    let ringSpeed = 0;
    if (this.#ringed && row !== undefined) {
      const at = new Float32Array(2);
      ringSpeed = drivers.positionsAt(Uint32Array.of(row), 1, now, at);
      this.#ringed.buffer.write(at);
    }
    if (!columns || this.#count === 0) return ringSpeed;
    const speed = drivers.positionsAt(columns.rows, this.#count, now, columns.positions);
    columns.onCard.positions.write(columns.positions.subarray(0, 2 * this.#count));
    return Math.max(speed, ringSpeed);
  }

  /** Writes where cars point to. */
  #turn(): void {
    this.#turned = false;
    const columns = this.#columns;
    if (!columns || this.#count === 0) return;
    const { heading } = this.#store.city.drivers;
    // deck.gl turns icons against the clock.
    for (let i = 0; i < this.#count; i++) columns.angles[i] = -(heading[columns.rows[i] ?? 0] ?? 0);
    columns.onCard.angles.write(columns.angles.subarray(0, this.#count));
  }

  #rebuildDrivers(device: Device): void {
    const { city } = this.#store;
    if (!this.#columns || this.#columns.capacity < city.drivers.size) {
      this.#freeColumns();
      this.#columns = makeColumns(device, Math.max(1024, 2 ** Math.ceil(Math.log2(city.drivers.size + 1))));
    }
    const { rows, colors, onCard, attributes } = this.#columns;
    this.#count = visibleRows(city, this.#view, rows);
    const palette = driverStates.map((state) => rgb(stateColor(this.#scheme, state)));
    for (let i = 0; i < this.#count; i++) {
      const row = rows[i] ?? 0;
      const color = palette[city.drivers.state[row] ?? 0] ?? [0, 0, 0];
      colors.set(color, 4 * i);
      colors[4 * i + 3] = 235;
    }
    this.#turned = true;
    onCard.colors.write(colors.subarray(0, 4 * this.#count));
    const zoom = this.#map.getZoom();
    const { getPosition, getAngle, getColor, getFillColor } = attributes;
    const length = this.#count;
    this.#drivers = zoom >= arrowsFromZoom && this.#arrow
      ? [new IconLayer({
        id: 'drivers-arrows', data: { length, attributes: { getPosition, getAngle, getColor } }, iconAtlas: this.#arrow,
        iconMapping: arrowMapping, getIcon: () => 'arrow', getSize: zoom >= 14 ? 22 : 16, alphaCutoff: 0.1,
      })]
      : [new ScatterplotLayer({
        id: 'drivers-dots', data: { length, attributes: { getPosition, getFillColor } }, radiusUnits: 'pixels',
        getRadius: zoom >= 10.5 ? 3 : 2.2, antialiasing: true,
      })];
  }

  #cells(): Layer[] {
    const { measure, layers } = this.#view;
    if (!layers.cells) return [];
    const ramp = rampOf(this.#scheme, measure).map(rgb);
    const colored = [...this.#store.city.cells.values()].filter((cell) => stepOf(measure, cellValue(cell, measure)) !== null);
    return [new SolidPolygonLayer<CityCell>({
      id: 'cells', data: colored, getPolygon: ({ cell }) => outlineOf(cell), opacity: 1,
      getFillColor: (cell) => [...(ramp[stepOf(measure, cellValue(cell, measure)) ?? 0] ?? [0, 0, 0]), this.#scheme === 'light' ? 150 : 165] as [number, number, number, number],
    })];
  }

  #trips(): Layer[] {
    const trips = visibleTrips(this.#store.city, this.#view);
    if (trips.length === 0) return [];
    // From afar, hundreds of ways on top of each other would hide the city, and take most of the time of a picture.
    const near = this.#map.getZoom() >= arrowsFromZoom;
    const color = (trip: CityTrip, alpha: number) => [...rgb(tripColor(this.#scheme, trip.status)), alpha] as [number, number, number, number];
    return [
      new LineLayer<CityTrip>({
        id: 'trips-ways', data: trips.filter(({ pickup, dropoff, status }) => pickup && dropoff && (near || status === 'requested')), getWidth: 1.2, widthUnits: 'pixels',
        getSourcePosition: ({ pickup }) => [pickup?.lng ?? 0, pickup?.lat ?? 0],
        getTargetPosition: ({ dropoff }) => [dropoff?.lng ?? 0, dropoff?.lat ?? 0],
        getColor: (trip) => color(trip, trip.status === 'in_progress' ? 55 : 110),
      }),
      new ScatterplotLayer<CityTrip>({
        id: 'trips-pickups', data: trips.filter(({ pickup, status }) => pickup && status !== 'in_progress'), radiusUnits: 'pixels', stroked: true, lineWidthUnits: 'pixels', getLineWidth: 1.5,
        getPosition: ({ pickup }) => [pickup?.lng ?? 0, pickup?.lat ?? 0],
        getRadius: ({ status }) => (status === 'requested' ? 7 : 4), getFillColor: (trip) => color(trip, 230),
        getLineColor: this.#scheme === 'light' ? [255, 255, 255, 220] : [12, 18, 20, 220],
      }),
    ];
  }

  /** What shows the selected thing. */
  #ring(): Layer[] {
    const { city } = this.#store;
    const selected = this.#selected;
    const ink: [number, number, number, number] = this.#scheme === 'light' ? [16, 24, 28, 255] : [255, 255, 255, 255];
    if (!selected || selected.kind === 'cell') this.#ringDriver(null);
    if (!selected) return [];
    if (selected.kind === 'cell') {
      const outline = outlineOf(selected.id);
      const sides = outline.map((corner, i) => ({ from: corner, to: outline[(i + 1) % outline.length] ?? corner }));
      return [new LineLayer<(typeof sides)[number]>({
        id: 'selected-cell', data: sides, getSourcePosition: ({ from }) => from, getTargetPosition: ({ to }) => to, getColor: ink, getWidth: 3, widthUnits: 'pixels',
      })];
    }
    const driverId = selected.kind === 'driver' ? selected.id : (city.trips.get(selected.id)?.driver_id ?? '');
    const driver = city.drivers.get(driverId);
    const trip = city.trips.get(selected.kind === 'trip' ? selected.id : (driver?.tripId ?? ''));
    const rings: { at: [number, number]; radius: number }[] = [];
    const ways: { from: [number, number]; to: [number, number] }[] = [];
    const place = (point: { lng: number; lat: number } | null | undefined): [number, number] | null => (point ? [point.lng, point.lat] : null);
    const [at, pickup, dropoff] = [place(driver?.point), place(trip?.pickup), place(trip?.dropoff)];
    this.#ringDriver(at ? driverId : null);
    if (pickup) rings.push({ at: pickup, radius: 9 });
    if (dropoff) rings.push({ at: dropoff, radius: 6 });
    if (pickup && dropoff) ways.push({ from: pickup, to: dropoff });
    const next = trip?.status === 'in_progress' ? dropoff : pickup;
    if (at && next) ways.push({ from: at, to: next });
    return [
      new LineLayer<(typeof ways)[number]>({
        id: 'selected-ways', data: ways, getSourcePosition: ({ from }) => from, getTargetPosition: ({ to }) => to, getColor: ink, getWidth: 2.5, widthUnits: 'pixels',
      }),
      new ScatterplotLayer<(typeof rings)[number]>({
        id: 'selected-rings', data: rings, filled: false, stroked: true, radiusUnits: 'pixels', lineWidthUnits: 'pixels', getLineWidth: 2.5,
        getPosition: (r) => r.at, getRadius: (r) => r.radius, getLineColor: ink,
      }),
      ...(this.#ringed ? [new ScatterplotLayer({
        id: 'selected-driver', data: { length: 1, attributes: { getPosition: positionsIn(this.#ringed.buffer) } },
        filled: false, stroked: true, radiusUnits: 'pixels', lineWidthUnits: 'pixels', getLineWidth: 2.5, getRadius: 15, getLineColor: ink,
      })] : []),
    ];
  }

  #ringDriver(id: string | null): void {
    if (id === (this.#ringed?.id ?? null)) return;
    this.#ringed?.buffer.destroy();
    this.#ringed = id === null || !this.#device ? null : { id, buffer: this.#device.createBuffer({ byteLength: 8 }) };
  }

  #freeColumns(): void {
    if (!this.#columns) return;
    for (const buffer of Object.values(this.#columns.onCard)) buffer.destroy();
    this.#columns = null;
    this.#count = 0;
  }
}

/**
 * Positions in a buffer, as deck.gl wants them. It takes positions for doubles unless it is told how far apart they are, and
 * would then draw every other car, in the colour of another one.
 */
const positionsIn = (buffer: Buffer): object => ({ buffer, size: 2, type: 'float32', stride: 2 * Float32Array.BYTES_PER_ELEMENT });

function makeColumns(device: Device, capacity: number): Columns {
  const onCard = {
    positions: device.createBuffer({ byteLength: capacity * 8 }),
    angles: device.createBuffer({ byteLength: capacity * 4 }),
    colors: device.createBuffer({ byteLength: capacity * 4 }),
  };
  const color = { buffer: onCard.colors, size: 4, type: 'unorm8' };
  return {
    capacity, onCard,
    rows: new Uint32Array(capacity), positions: new Float32Array(2 * capacity), angles: new Float32Array(capacity), colors: new Uint8Array(4 * capacity),
    attributes: {
      getPosition: positionsIn(onCard.positions),
      getAngle: { buffer: onCard.angles, size: 1, type: 'float32' },
      getColor: color, getFillColor: color,
    },
  };
}

const arrowMapping = { arrow: { x: 0, y: 0, width: 64, height: 64, mask: true } };

/** An arrow that points north, as a mask. */
function arrowTexture(device: Device): Texture {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 64;
  const pen = canvas.getContext('2d');
  if (!pen) throw new Error('no canvas to draw on');
  pen.fillStyle = '#fff';
  pen.beginPath();
  pen.moveTo(32, 4);
  pen.lineTo(54, 56);
  pen.lineTo(32, 45);
  pen.lineTo(10, 56);
  pen.closePath();
  pen.fill();
  const texture = device.createTexture({ width: 64, height: 64, sampler: { minFilter: 'linear', magFilter: 'linear' } });
  texture.copyExternalImage({ image: canvas });
  return texture;
}
