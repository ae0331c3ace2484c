import 'i18next';

import type account from './locales/en/account.json';
import type driver from './locales/en/driver.json';
import type map from './locales/en/map.json';
import type ops from './locales/en/ops.json';
import type rider from './locales/en/rider.json';
import type shell from './locales/en/shell.json';
import type trips from './locales/en/trips.json';

// Keys are checked against the English texts; a test checks that the Korean ones match.
declare module 'i18next' {
  interface CustomTypeOptions {
    defaultNS: 'shell';
    contextSeparator: '~';
    resources: {
      account: typeof account;
      driver: typeof driver;
      map: typeof map;
      ops: typeof ops;
      rider: typeof rider;
      shell: typeof shell;
      trips: typeof trips;
    };
  }
}
