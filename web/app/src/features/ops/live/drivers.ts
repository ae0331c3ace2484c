import type { CityDriver, CityDriverState } from '@hexhail/client';

/** What a driver does; the numbers are those of `DriverTable.state`. */
export const driverStates = ['available', 'offered', 'on_trip', 'unreachable'] as const;
export type DriverState = (typeof driverStates)[number];

/** One driver, copied out of the table. */
export interface Driver {
  readonly id: string;
  readonly state: DriverState;
  readonly vehicleClass: string;
  readonly tripId: string;
  /** Null while no position is known. */
  readonly point: { readonly lat: number; readonly lng: number } | null;
  readonly heading: number;
}

// A driver who reports every second is drawn one second behind, one who reports every three seconds three.
const shortestGlideMs = 200;
const longestGlideMs = 4000;
/** No car drives further than this between two reports: it jumps there instead of gliding. About 3 km. */
const longestGlideDegrees = 0.03;

/**
 * The drivers of a city, in columns. Row numbers are below `size` and change when drivers leave: they are for one pass
 * over the table, ids are for keeping.
 */
export class DriverTable {
  size = 0;
  /** Indices into `driverStates`. */
  state = new Uint8Array(256);
  /** Indices into `classes`. */
  vehicleClass = new Uint8Array(256);
  /** Degrees clockwise from north. */
  heading = new Float32Array(256);
  readonly classes: string[] = [];
  readonly ids: string[] = [];
  readonly tripIds: string[] = [];
  readonly #keys: number[] = [];
  // Longitude and latitude by turns; NaN while no position is known.
  #from = new Float64Array(512);
  #to = new Float64Array(512);
  // When the last report came and for how long the car glides towards it, in milliseconds.
  #since = new Float64Array(256);
  #glide = new Float64Array(256);
  readonly #rowOfKey = new Map<number, number>();
  readonly #rowOfId = new Map<string, number>();

  /** Takes a driver who is new or has changed. `now` is in milliseconds, by any clock that does not go back. */
  put(driver: CityDriver, now: number): void {
    // A key that comes with another id has changed hands; an id with another key has come back in between.
    const keyed = this.#rowOfKey.get(driver.key);
    if (keyed !== undefined && this.ids[keyed] !== driver.id) this.removeKey(driver.key);
    const known = this.#rowOfId.get(driver.id);
    const row = known ?? this.#add(driver.id);
    if (known !== undefined) this.#rowOfKey.delete(this.#keys[row] ?? -1);
    this.#keys[row] = driver.key;
    this.#rowOfKey.set(driver.key, row);
    this.state[row] = stateNumber(driver.state);
    this.vehicleClass[row] = this.#classNumber(driver.vehicle_class);
    this.tripIds[row] = driver.trip_id;
    if (driver.point) this.#moveRow(row, driver.point.lng, driver.point.lat, driver.heading_deg, now);
  }

  /** Takes a new position. A key that is not known is ignored: its driver left this watch. */
  move(key: number, lng: number, lat: number, heading: number, now: number): void {
    const row = this.#rowOfKey.get(key);
    if (row !== undefined) this.#moveRow(row, lng, lat, heading, now);
  }

  removeKey(key: number): void {
    const row = this.#rowOfKey.get(key);
    if (row === undefined) return;
    this.#rowOfKey.delete(key);
    this.#rowOfId.delete(this.ids[row] ?? '');
    const last = --this.size;
    if (row !== last) this.#copyRow(last, row);
    this.ids.length = this.tripIds.length = this.#keys.length = last;
  }

  clear(): void {
    this.size = this.ids.length = this.tripIds.length = this.#keys.length = 0;
    this.#rowOfKey.clear();
    this.#rowOfId.clear();
  }

  rowOf(id: string): number | undefined {
    return this.#rowOfId.get(id);
  }

  /** Whether a position of the driver is known. */
  placed(row: number): boolean {
    return !Number.isNaN(this.#to[2 * row] ?? NaN);
  }

  /** Where the driver reported to be last. */
  lng(row: number): number {
    return this.#to[2 * row] ?? NaN;
  }
  lat(row: number): number {
    return this.#to[2 * row + 1] ?? NaN;
  }

  /**
   * Writes where rows are drawn at `now` into `out`, by turns longitude and latitude. Returns how fast those go that still
   * glide, in the mean, in degrees per millisecond; 0 when all have arrived.
   */
  positionsAt(rows: Uint32Array, count: number, now: number, out: Float32Array): number {
    const from = this.#from;
    const to = this.#to;
    let moving = 0;
    let speed = 0;
    for (let i = 0; i < count; i++) {
      const row = rows[i] ?? 0;
      const t = this.#progress(row, now);
      const x = from[2 * row] ?? NaN;
      const y = from[2 * row + 1] ?? NaN;
      const dx = (to[2 * row] ?? NaN) - x;
      const dy = (to[2 * row + 1] ?? NaN) - y;
      out[2 * i] = x + dx * t;
      out[2 * i + 1] = y + dy * t;
      if (t >= 1) continue;
      moving += 1;
      speed += (Math.abs(dx) + Math.abs(dy)) / (this.#glide[row] ?? 1);
    }
    return moving > 0 ? speed / moving : 0;
  }

  get(id: string): Driver | undefined {
    const row = this.#rowOfId.get(id);
    return row === undefined ? undefined : this.at(row);
  }

  at(row: number): Driver {
    return {
      id: this.ids[row] ?? '',
      state: driverStates[this.state[row] ?? 0] ?? 'unreachable',
      vehicleClass: this.classes[this.vehicleClass[row] ?? 0] ?? '',
      tripId: this.tripIds[row] ?? '',
      point: this.placed(row) ? { lat: this.lat(row), lng: this.lng(row) } : null,
      heading: this.heading[row] ?? 0,
    };
  }

  #progress(row: number, now: number): number {
    const glide = this.#glide[row] ?? 0;
    return glide > 0 ? Math.min(1, (now - (this.#since[row] ?? 0)) / glide) : 1;
  }

  #moveRow(row: number, lng: number, lat: number, heading: number, now: number): void {
    const x = 2 * row;
    const y = x + 1;
    const t = this.#progress(row, now);
    const fromLng = (this.#from[x] ?? NaN) + ((this.#to[x] ?? NaN) - (this.#from[x] ?? NaN)) * t;
    const fromLat = (this.#from[y] ?? NaN) + ((this.#to[y] ?? NaN) - (this.#from[y] ?? NaN)) * t;
    // Not so for a first position, which has no way to it (NaN), nor across the antimeridian.
    const glides = Math.abs(lng - fromLng) + Math.abs(lat - fromLat) < longestGlideDegrees;
    this.#from[x] = glides ? fromLng : lng;
    this.#from[y] = glides ? fromLat : lat;
    this.#to[x] = lng;
    this.#to[y] = lat;
    this.#glide[row] = glides ? Math.min(longestGlideMs, Math.max(shortestGlideMs, now - (this.#since[row] ?? 0))) : 0;
    this.#since[row] = now;
    this.heading[row] = heading;
  }

  #add(id: string): number {
    const row = this.size++;
    if (row === this.state.length) this.#grow();
    this.#from.fill(NaN, 2 * row, 2 * row + 2);
    this.#to.fill(NaN, 2 * row, 2 * row + 2);
    this.#since[row] = this.#glide[row] = this.heading[row] = 0;
    this.ids.push(id);
    this.tripIds.push('');
    this.#keys.push(-1);
    this.#rowOfId.set(id, row);
    return row;
  }

  #grow(): void {
    const rows = this.state.length * 2;
    const bigger = <T extends Uint8Array | Float32Array | Float64Array>(made: T, old: T): T => {
      made.set(old);
      return made;
    };
    this.state = bigger(new Uint8Array(rows), this.state);
    this.vehicleClass = bigger(new Uint8Array(rows), this.vehicleClass);
    this.heading = bigger(new Float32Array(rows), this.heading);
    this.#since = bigger(new Float64Array(rows), this.#since);
    this.#glide = bigger(new Float64Array(rows), this.#glide);
    this.#from = bigger(new Float64Array(2 * rows), this.#from);
    this.#to = bigger(new Float64Array(2 * rows), this.#to);
  }

  #copyRow(source: number, target: number): void {
    for (const column of [this.state, this.vehicleClass, this.heading, this.#since, this.#glide]) {
      column.copyWithin(target, source, source + 1);
    }
    for (const column of [this.#from, this.#to]) column.copyWithin(2 * target, 2 * source, 2 * source + 2);
    const id = this.ids[source] ?? '';
    const key = this.#keys[source] ?? -1;
    this.ids[target] = id;
    this.tripIds[target] = this.tripIds[source] ?? '';
    this.#keys[target] = key;
    this.#rowOfId.set(id, target);
    this.#rowOfKey.set(key, target);
  }

  #classNumber(name: string): number {
    const known = this.classes.indexOf(name);
    return known >= 0 ? known : this.classes.push(name) - 1;
  }
}

/** A word of a newer server reads as unreachable: of such a driver nothing is known. */
function stateNumber(state: CityDriverState): number {
  const number = (driverStates as readonly string[]).indexOf(state);
  return number < 0 ? driverStates.indexOf('unreachable') : number;
}
