import type { TablerIcon } from '@tabler/icons-react';
import { IconChartLine, IconCar, IconCoin, IconHistory, IconListDetails, IconMap2, IconMapPin, IconRoute, IconTopologyStar3, IconUserCheck, IconUsers } from '@tabler/icons-react';

import type { Role } from '../api/http';

/** One entry of the navigation. `text` is a key under "nav". */
export interface NavigationEntry {
  readonly to: '/ride' | '/drive' | '/trips' | '/earnings' | '/ops' | '/ops/map' | '/ops/trips' | '/ops/people' | '/ops/approvals' | '/ops/actors' | '/ops/audit';
  readonly text: 'ride' | 'drive' | 'trips' | 'earnings' | 'opsOverview' | 'opsMap' | 'opsTrips' | 'opsPeople' | 'opsApprovals' | 'opsActors' | 'opsAudit';
  readonly icon: TablerIcon;
}

/** Where people of each role can go. Pages of the console are in the frame's header, too. */
export const navigation: Readonly<Record<Role, readonly NavigationEntry[]>> = {
  rider: [
    { to: '/ride', text: 'ride', icon: IconMapPin },
    { to: '/trips', text: 'trips', icon: IconHistory },
  ],
  driver: [
    { to: '/drive', text: 'drive', icon: IconCar },
    { to: '/trips', text: 'trips', icon: IconHistory },
    { to: '/earnings', text: 'earnings', icon: IconCoin },
  ],
  operator: [
    { to: '/ops', text: 'opsOverview', icon: IconChartLine },
    { to: '/ops/map', text: 'opsMap', icon: IconMap2 },
    { to: '/ops/trips', text: 'opsTrips', icon: IconRoute },
    { to: '/ops/people', text: 'opsPeople', icon: IconUsers },
    { to: '/ops/approvals', text: 'opsApprovals', icon: IconUserCheck },
    { to: '/ops/actors', text: 'opsActors', icon: IconTopologyStar3 },
    { to: '/ops/audit', text: 'opsAudit', icon: IconListDetails },
  ],
};
