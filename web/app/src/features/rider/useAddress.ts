import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';

import { keys, useServerConfig } from '../../api/queries';
import { addressBytes, type End } from './draft';
import { nameOf, reverseUrl } from '../../lib/geocode';
import { clip } from '../../lib/trip/text';
import { nameWords } from '../../lib/trip/words';
import type { Plan } from './usePlan';

/**
 * Fills in what people call an end that was tapped on the map, where a geocoder is configured. It does so once for each
 * point, so that who wipes the name out is not contradicted.
 */
export function useAddress(plan: Plan, end: End): void {
  const { t, i18n } = useTranslation('trips');
  const geocoder = useServerConfig().data?.map.geocoder_url ?? '';
  const place = plan.draft[end];
  const url = geocoder !== '' && place?.address === '' ? reverseUrl(geocoder, place.point, i18n.language) : '';
  const { data: name } = useQuery({
    queryKey: keys.nameOfPlace(url),
    queryFn: ({ signal }) => nameOf(url, nameWords(t), signal),
    enabled: url !== '',
    staleTime: Infinity,
    retry: 1,
  });
  const named = useRef('');
  useEffect(() => {
    if (place?.address !== '' || !name || named.current === url) return;
    named.current = url;
    plan.set({ [end]: { ...place, address: clip(name, addressBytes) } });
  }, [plan, end, place, name, url]);
}
