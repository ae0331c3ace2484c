import type { ReactNode } from 'react';

import type { LatLng } from './geo';
import type { PositionSource } from './positions';
import type { Way } from './way';

/** A place with a pin on it. */
export interface Place {
  readonly point: LatLng;
  /** What the pin is called aloud, such as the address. Default: its kind. */
  readonly label?: string;
  /** Makes the pin draggable (with the keyboard, too: arrow keys while it has the focus). */
  readonly onMove?: (point: LatLng) => void;
}

/** What the map keeps in view until the person moves it; then a button brings it back. */
export interface Camera {
  /** All of these are kept in view. */
  readonly points?: readonly LatLng[];
  /** Kept in view, too; alone it is followed. */
  readonly with?: PositionSource;
  /** The closest zoom to choose. Default: 15.5. */
  readonly maxZoom?: number;
  /** Drives behind the car of `with`, once its position is known, instead of keeping all of it in view. */
  readonly drive?: boolean;
}

/** Pixels of the map that something else covers, such as a bottom sheet. */
export interface Padding {
  readonly top?: number;
  readonly right?: number;
  readonly bottom?: number;
  readonly left?: number;
}

/** A circle on the ground. */
export interface Area {
  readonly id: string;
  readonly center: LatLng;
  readonly radiusM: number;
  /** Drawn stronger than the others. */
  readonly strong?: boolean;
}

/** The cells around a pickup in which drivers are asked. */
export interface SearchRings {
  readonly center: LatLng;
  /** Rings around the cell of the centre; it grows while the search widens. */
  readonly rings: number;
  /** The H3 resolution of the server's cells. */
  readonly resolution: number;
}

export interface RideMapProps {
  /** The map's name for those who cannot see it. */
  readonly label: string;
  readonly camera?: Camera;
  readonly padding?: Padding;
  readonly pickup?: Place | null;
  readonly dropoff?: Place | null;
  /** A car that moves smoothly. */
  readonly driver?: { readonly positions: PositionSource; readonly label?: string; readonly simulated?: boolean } | null;
  /** The planned way along streets, as the car drives it: what lies behind it fades. */
  readonly way?: Way | null;
  /** A line: two points for a straight one, which is dashed, or more. */
  readonly route?: readonly LatLng[] | null;
  /** Where the way begins, if that moves; `route` may then be the end alone. */
  readonly routeFrom?: PositionSource | null;
  /** The same, drawn fainter: what comes after `route`. */
  readonly nextRoute?: readonly LatLng[] | null;
  readonly searchRings?: SearchRings | null;
  readonly areas?: readonly Area[];
  /**
   * Called with a point that was chosen: by a tap, by Enter at the crosshair that appears once the map has the
   * keyboard's focus, or by typed coordinates.
   */
  readonly onPick?: (point: LatLng) => void;
  /** What is being picked, such as "pickup"; for the colour of the crosshair. */
  readonly picking?: 'pickup' | 'dropoff';
  /** Called when a person asks to drive along (`true`), or to see the whole way. Without it there is no such button. */
  readonly onDrive?: (drive: boolean) => void;
  /** Called when 'locate me' found the person. Without it there is no such button. */
  readonly onLocate?: (point: LatLng, accuracyM: number) => void;
  /** Further layers and markers (`Source`, `Layer`, `HtmlMarker`). */
  readonly children?: ReactNode;
}
