import { useState } from 'react';

import { readJson, writeJson } from '../position/stored';

/** Whether the map shows the road ahead, or the whole way. */
export interface Driving {
  readonly on: boolean;
  readonly choose: (on: boolean) => void;
}

const key = 'hexhail.drive.ahead';

/** What the driver chose last; at first the road ahead, unless the device is asked for less movement. Without a way there is no road. */
export function useDriving(way: boolean): Driving {
  const [wanted, setWanted] = useState(() => {
    const kept = readJson(localStorage, key);
    return typeof kept === 'boolean' ? kept : !matchMedia('(prefers-reduced-motion: reduce)').matches;
  });
  const choose = (on: boolean) => {
    writeJson(localStorage, key, on);
    setWanted(on);
  };
  return { on: way && wanted, choose };
}
