import type { QueryClient } from '@tanstack/react-query';
import type { StyleSpecification } from 'maplibre-gl';

import { demonstration, serverConfig } from '../../api/queries';
import type { Scheme } from './plainStyle';

/**
 * Asks for what a map will need, while the page that has it is still on its way: where it begins, and the style of the server's own
 * streets. Whatever cannot be had now the map asks for again by itself.
 */
export function askAhead(queries: QueryClient): void {
  queries.query(serverConfig).then((config) => {
    if (config.demo) queries.query(demonstration).catch(() => undefined);
    const { style_url, pmtiles_url, streets } = config.map;
    if (!style_url && !pmtiles_url && streets) fetchAhead(document.documentElement.dataset.mantineColorScheme === 'dark' ? 'dark' : 'light');
  }).catch(() => undefined);
}

const ahead = new Map<Scheme, Promise<StyleSpecification>>();

function fetchAhead(scheme: Scheme): void {
  const style = fetchStreets(scheme, AbortSignal.timeout(5000));
  style.catch(() => undefined);
  ahead.set(scheme, style);
}

/** The server's style of its streets: the one that was fetched ahead, for the first map that asks, or else a new one. */
export function streetsFor(scheme: Scheme, signal: AbortSignal): Promise<StyleSpecification> {
  const early = ahead.get(scheme);
  ahead.delete(scheme);
  return early ? early.catch(() => fetchStreets(scheme, signal)) : fetchStreets(scheme, signal);
}

async function fetchStreets(scheme: Scheme, signal: AbortSignal): Promise<StyleSpecification> {
  const answer = await fetch(`/v1/style.json?scheme=${scheme}`, { signal });
  if (!answer.ok) throw new Error(`the streets' style: HTTP ${answer.status}`);
  return (await answer.json()) as StyleSpecification;
}
