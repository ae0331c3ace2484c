import type { Point } from '@hexhail/client';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';

import { keys, useServerConfig } from '../../../api/queries';
import { reverseUrl } from '../../../lib/geocode';

/**
 * What people call the area around a point; empty where there is no geocoder, or no name. Only the centre of a cell may be
 * given: it goes to the operator's geocoder, and the exact pickup is not disclosed yet.
 */
export function useAreaName(center: Point | undefined): string {
  const { i18n } = useTranslation();
  const geocoder = useServerConfig().data?.map.geocoder_url ?? '';
  const url = geocoder !== '' && center ? reverseUrl(geocoder, center, i18n.language) : '';
  const { data } = useQuery({
    queryKey: keys.nameOfArea(url), enabled: url !== '', staleTime: Infinity, retry: 1,
    queryFn: async ({ signal }) => {
      const answer = await fetch(url, { signal, credentials: 'omit', referrerPolicy: 'origin' });
      if (!answer.ok) throw new Error(`the geocoder answered ${answer.status}`);
      return areaIn(await answer.json());
    },
  });
  return data ?? '';
}

/** The parts of an address that name an area, the smallest first. */
const areaParts = ['locality', 'neighbourhood', 'quarter', 'suburb', 'district', 'city_district', 'borough', 'town', 'village', 'city'] as const;

/** Reads the name of an area from an answer of Photon or Nominatim: its district rather than the shop next door. */
export function areaIn(answer: unknown): string {
  if (!isObject(answer)) return '';
  const feature: unknown = Array.isArray(answer.features) ? answer.features[0] : undefined;
  const photon = isObject(feature) && isObject(feature.properties) ? feature.properties : undefined;
  const address = photon ?? (isObject(answer.address) ? answer.address : {});
  for (const part of areaParts) {
    const name = text(address[part]);
    if (name) return name;
  }
  if (photon) return text(photon.name) || text(photon.street);
  return text(answer.display_name).split(', ')[0] ?? '';
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
