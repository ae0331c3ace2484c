import type { Layer } from '@deck.gl/core';
import { MapLibreOverlay, type MapLibreOverlayProps } from '@deck.gl/maplibre';
import type { Device } from '@luma.gl/core';
import type { Map as MapLibreMap } from 'maplibre-gl';

import type { CityStore } from '../live/store';
import type { Scheme } from '../mapColors';
import { hit, type MapView, type Selected } from '../mapView';
import { arrowsFromZoom, Cars } from './Cars';
import { cellLayers, inkOf, markLayers, marksOf, outlineLayers, tripLayers } from './layers';

/** Half the side of what a click takes in, in pixels. */
const fingerPx = 14;
/** A new picture is worth its cost once cars have moved this far since the last one, in pixels and in the mean. */
const visiblePx = 0.3;
/** Even slow cars are redrawn after this time, in milliseconds. */
const longestStillMs = 500;

type Part = 'drivers' | 'cells' | 'trips' | 'selected';

/** A canvas above the map, which moves with it. Clicks are looked up in the columns: no second picture is drawn for them. */
function overlay(props: Pick<MapLibreOverlayProps, 'onDeviceInitialized'>): MapLibreOverlay {
  const made: MapLibreOverlay = new MapLibreOverlay({
    // What is above changes without a redraw of the map beneath.
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

/**
 * Draws the city over a map, once per frame at most, and only what has changed. It subscribes to the store: React says
 * what to show and hears nothing back.
 */
export class MapPainter {
  readonly #map: MapLibreMap;
  readonly #store: CityStore;
  /** Cells and trips, which change once a second at most, on a canvas of their own: ways take longest to draw. */
  readonly #ground: MapLibreOverlay;
  /** Cars and what is selected, above. */
  readonly #traffic: MapLibreOverlay;
  readonly #ends: (() => void)[] = [];
  /** Null until there is a graphics card to draw with. */
  #cars: Cars | null = null;
  #view: MapView;
  #scheme: Scheme;
  #selected: Selected | null = null;
  #layers: Record<Part, Layer[]> = { drivers: [], cells: [], trips: [], selected: [] };
  #stale = new Set<Part>(['drivers', 'cells', 'trips', 'selected']);
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
        this.#cars = new Cars(device, store);
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
    const drawn = this.#cars?.drawn ?? { rows: new Uint32Array(), positions: new Float32Array(), count: 0 };
    return hit(this.#store.city, this.#view, this.#map.unproject([point.x, point.y]).wrap(), box, drawn, resolution);
  }

  remove(): void {
    cancelAnimationFrame(this.#frame);
    for (const end of this.#ends) end();
    // The map may be gone already, and its controls with it.
    for (const canvas of [this.#traffic, this.#ground]) if (this.#map.hasControl(canvas)) this.#map.removeControl(canvas);
    this.#cars?.free();
    this.#cars = null;
  }

  #outdated(...parts: Part[]): void {
    for (const part of parts) this.#stale.add(part);
    this.#wake();
  }

  #wake(): void {
    if (this.#frame === 0 && this.#cars) this.#frame = requestAnimationFrame((now) => this.#draw(now));
  }

  #draw(now: number): void {
    this.#frame = 0;
    if (!this.#cars) return;
    // From afar the move of a car within a sixtieth of a second is invisible.
    if (this.#stale.size === 0 && now < this.#dueAt) {
      this.#wake();
      return;
    }
    const changed = this.#stale.size > 0;
    const below = this.#stale.has('cells') || this.#stale.has('trips');
    this.#renew(this.#cars);
    const speed = this.#cars.place(now);
    const { drivers, cells, trips, selected } = this.#layers;
    if (below) this.#ground.setProps({ layers: [...cells, ...trips] });
    if (changed) this.#traffic.setProps({ layers: [...drivers, ...selected] });
    else for (const layer of [...drivers, ...selected]) layer.setNeedsRedraw();
    const pxPerDegree = (512 * 2 ** this.#map.getZoom()) / 360;
    this.#dueAt = now + Math.min(longestStillMs, visiblePx / Math.max(1e-12, speed * pxPerDegree));
    if (speed > 0) this.#wake();
  }

  /** Makes the layers that have changed. */
  #renew(cars: Cars): void {
    const { city } = this.#store;
    const zoom = this.#map.getZoom();
    if (this.#stale.has('drivers')) this.#layers.drivers = cars.rebuild(this.#view, this.#scheme, zoom);
    if (this.#turned || this.#stale.has('drivers')) cars.turn();
    this.#turned = false;
    if (this.#stale.has('cells')) this.#layers.cells = cellLayers(city, this.#view, this.#scheme);
    if (this.#stale.has('trips')) this.#layers.trips = tripLayers(city, this.#view, this.#scheme, zoom >= arrowsFromZoom);
    // A selected trip or driver may have changed with any of them.
    if (this.#stale.size > 0) this.#layers.selected = this.#marks(cars);
    this.#stale.clear();
  }

  #marks(cars: Cars): Layer[] {
    const selected = this.#selected;
    const ink = inkOf(this.#scheme);
    if (selected && selected.kind !== 'cell') {
      const marks = marksOf(this.#store.city, selected);
      return [...markLayers(marks, ink), ...cars.ring(marks.driver, ink)];
    }
    cars.ring(null, ink);
    return selected ? outlineLayers(selected.id, ink) : [];
  }
}
