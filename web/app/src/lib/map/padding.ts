import type { CSSProperties } from 'react';

import type { Padding } from './types';

/** What something else covers of the map, as the variables that map.module.css reads. */
export function paddingStyle({ top = 0, right = 0, bottom = 0, left = 0 }: Padding = {}): CSSProperties {
  return {
    '--map-pad-top': `${top}px`, '--map-pad-right': `${right}px`, '--map-pad-bottom': `${bottom}px`, '--map-pad-left': `${left}px`,
  } as CSSProperties;
}
