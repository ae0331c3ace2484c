import type { Layer } from '@deck.gl/core';
import { IconLayer, ScatterplotLayer } from '@deck.gl/layers';
import type { Buffer, Device, Texture } from '@luma.gl/core';

import { driverStates } from '../live/drivers';
import type { CityStore } from '../live/store';
import { rgb, stateColor, type Scheme } from '../mapColors';
import { visibleRows, type MapView } from '../mapView';

/** From this zoom on cars have a direction; further out they are dots. */
export const arrowsFromZoom = 12.5;

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
 * The cars and the ring around one of them: all that moves. Where they are is written into buffers on the graphics card, so
 * that a frame makes no objects.
 */
export class Cars {
  readonly #device: Device;
  readonly #store: CityStore;
  readonly #arrow: Texture;
  #columns: Columns | null = null;
  #count = 0;
  /** The driver with the ring around it, and where that is. */
  #ringed: { readonly id: string; readonly buffer: Buffer } | null = null;

  constructor(device: Device, store: CityStore) {
    this.#device = device;
    this.#store = store;
    this.#arrow = arrowTexture(device);
  }

  /** The cars that are drawn, for looking up clicks. */
  get drawn(): { rows: Uint32Array; positions: Float32Array; count: number } {
    return { rows: this.#columns?.rows ?? new Uint32Array(), positions: this.#columns?.positions ?? new Float32Array(), count: this.#count };
  }

  /** Chooses the cars to draw and their colours. */
  rebuild(view: MapView, scheme: Scheme, zoom: number): Layer[] {
    const { city } = this.#store;
    if (!this.#columns || this.#columns.capacity < city.drivers.size) {
      this.#freeColumns();
      this.#columns = makeColumns(this.#device, Math.max(1024, 2 ** Math.ceil(Math.log2(city.drivers.size + 1))));
    }
    const { rows, colors, onCard, attributes } = this.#columns;
    this.#count = visibleRows(city, view, rows);
    const palette = driverStates.map((state) => rgb(stateColor(scheme, state)));
    for (let i = 0; i < this.#count; i++) {
      const row = rows[i] ?? 0;
      const color = palette[city.drivers.state[row] ?? 0] ?? [0, 0, 0];
      colors.set(color, 4 * i);
      colors[4 * i + 3] = 235;
    }
    onCard.colors.write(colors.subarray(0, 4 * this.#count));
    const { getPosition, getAngle, getColor, getFillColor } = attributes;
    const length = this.#count;
    return zoom >= arrowsFromZoom
      ? [new IconLayer({
        id: 'drivers-arrows', data: { length, attributes: { getPosition, getAngle, getColor } }, iconAtlas: this.#arrow,
        iconMapping: arrowMapping, getIcon: () => 'arrow', getSize: zoom >= 14 ? 22 : 16, alphaCutoff: 0.1,
      })]
      : [new ScatterplotLayer({
        id: 'drivers-dots', data: { length, attributes: { getPosition, getFillColor } }, radiusUnits: 'pixels',
        getRadius: zoom >= 10.5 ? 3 : 2.2, antialiasing: true,
      })];
  }

  /** Writes where cars are now. Returns how fast they go, in degrees per millisecond. */
  place(now: number): number {
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
  turn(): void {
    const columns = this.#columns;
    if (!columns || this.#count === 0) return;
    const { heading } = this.#store.city.drivers;
    // deck.gl turns icons against the clock.
    for (let i = 0; i < this.#count; i++) columns.angles[i] = -(heading[columns.rows[i] ?? 0] ?? 0);
    columns.onCard.angles.write(columns.angles.subarray(0, this.#count));
  }

  /** Puts the ring around a driver, or around none. */
  ring(id: string | null, ink: [number, number, number, number]): Layer[] {
    if (id !== (this.#ringed?.id ?? null)) {
      this.#ringed?.buffer.destroy();
      this.#ringed = id === null ? null : { id, buffer: this.#device.createBuffer({ byteLength: 8 }) };
    }
    return this.#ringed ? [new ScatterplotLayer({
      id: 'selected-driver', data: { length: 1, attributes: { getPosition: positionsIn(this.#ringed.buffer) } },
      filled: false, stroked: true, radiusUnits: 'pixels', lineWidthUnits: 'pixels', getLineWidth: 2.5, getRadius: 15, getLineColor: ink,
    })] : [];
  }

  /** Frees what lies on the graphics card. Nothing may be called afterwards. */
  free(): void {
    this.#freeColumns();
    this.#ringed?.buffer.destroy();
    this.#ringed = null;
    this.#arrow.destroy();
  }

  #freeColumns(): void {
    if (!this.#columns) return;
    for (const buffer of Object.values(this.#columns.onCard)) buffer.destroy();
    this.#columns = null;
    this.#count = 0;
  }
}

/**
 * Positions in a buffer, as deck.gl wants them. Without the stride it takes positions for doubles, and
 * draws every other car in the colour of another one.
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
