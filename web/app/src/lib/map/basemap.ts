import { layers as protomapsLayers, namedFlavor } from '@protomaps/basemaps';
import type { LayerSpecification, StyleSpecification } from 'maplibre-gl';
import { addProtocol } from 'maplibre-gl';
import { PMTiles, Protocol } from 'pmtiles';

import { plainStyle, type Scheme } from './plainStyle';
import { loadStreets } from './streetsStyle';

/** What `GET /v1/config` says about maps; empty texts: nothing is set up. */
export interface MapSettings {
  readonly style_url: string;
  readonly pmtiles_url: string;
  readonly attribution: string;
  /** The server's own map of the streets, where there is one. */
  readonly streets?: StreetsSettings | undefined;
}

export interface StreetsSettings {
  /** Changes with the streets. */
  readonly id: string;
  readonly attribution: string;
  readonly attribution_url: string;
}

/**
 * How long tiles may take to show that they are there, in milliseconds. The server's own come from where the page is from, so
 * that only a slow device or network keeps them waiting.
 */
export const patienceMs = (settings: Pick<MapSettings, 'style_url' | 'pmtiles_url'>): number =>
  settings.style_url || settings.pmtiles_url ? 4000 : 20_000;

/** What the map is drawn on. `plain` needs no network. */
export interface Basemap {
  readonly kind: 'plain' | 'tiles';
  readonly style: StyleSpecification;
}

export const plain = (scheme: Scheme): Basemap => ({ kind: 'plain', style: plainStyle(scheme) });

let archives: Protocol | null = null;

/**
 * Fetches the style of the operator's tiles, or else of the server's own streets. Rejects when it, or the tiles' archive, cannot be had in time: a style
 * that cannot be drawn must not replace the plain one.
 */
export async function loadTiles(settings: MapSettings, scheme: Scheme, language: string, signal: AbortSignal): Promise<Basemap> {
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(patienceMs(settings))]);
  if (settings.style_url) return { kind: 'tiles', style: await fetchStyle(settings.style_url, bounded) };
  if (!settings.pmtiles_url) {
    return { kind: 'tiles', style: await loadStreets(scheme, bounded) };
  }
  return { kind: 'tiles', style: await archiveStyle(settings.pmtiles_url, scheme, language, bounded) };
}

/** Whether there are any tiles: those that the operator has set up, or the server's own. */
export const hasTiles = (settings: MapSettings | undefined): settings is MapSettings =>
  !!settings && (settings.style_url !== '' || settings.pmtiles_url !== '' || settings.streets !== undefined);

async function fetchStyle(url: string, signal: AbortSignal): Promise<StyleSpecification> {
  const answer = await fetch(url, { signal });
  if (!answer.ok) throw new Error(`the map's style: HTTP ${answer.status}`);
  return (await answer.json()) as StyleSpecification;
}

async function archiveStyle(url: string, scheme: Scheme, language: string, signal: AbortSignal): Promise<StyleSpecification> {
  if (!archives) {
    archives = new Protocol();
    addProtocol('pmtiles', archives.tile);
  }
  const archive = new PMTiles(url);
  const aborted = new Promise<never>((_, fail) => {
    signal.addEventListener('abort', () => fail(new Error('the map tiles did not answer in time')), { once: true });
  });
  await Promise.race([archive.getHeader(), aborted]);
  archives.add(archive);
  // The archive has neither icons nor fonts; the map draws letters with the device's own.
  const layers = protomapsLayers('tiles', namedFlavor(scheme), { lang: language }).filter(
    (layer) => layer.type !== 'symbol' || !('icon-image' in (layer.layout ?? {})) || 'text-field' in (layer.layout ?? {}),
  );
  for (const layer of layers) {
    if (layer.type === 'symbol' && layer.layout) delete layer.layout['icon-image'];
  }
  // The basemap's layers are typed by another release of the same style specification.
  return { version: 8, sources: { tiles: { type: 'vector', url: `pmtiles://${url}` } }, layers: layers as LayerSpecification[] };
}
