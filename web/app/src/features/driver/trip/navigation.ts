import type { LatLng } from '../../../lib/map';

/** An app that leads to a place. */
export interface Navigator {
  readonly name: string;
  readonly href: string;
}

/** Links that open a navigation app at a place. Korea's own come first in Korean: the others hardly lead there. */
export function navigators(to: LatLng, label: string, language: string): readonly Navigator[] {
  const at = `${to.lat.toFixed(6)},${to.lng.toFixed(6)}`;
  const name = encodeURIComponent(label.replaceAll(',', ' '));
  const world = [
    { name: 'Google Maps', href: `https://www.google.com/maps/dir/?api=1&travelmode=driving&destination=${at}` },
    { name: 'Apple Maps', href: `https://maps.apple.com/?dirflg=d&daddr=${at}` },
    { name: 'Waze', href: `https://waze.com/ul?navigate=yes&ll=${at}` },
  ];
  const korea = [{ name: 'KakaoMap', href: `https://map.kakao.com/link/to/${name},${at}` }];
  return language.startsWith('ko') ? [...korea, ...world] : [...world, ...korea];
}
