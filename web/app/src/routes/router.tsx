import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';

import { approvalsSearch, auditSearch, peopleSearch, tripsSearch } from '../features/ops/table/search';
import { only, returnPath, strangersOnly } from './guards';
import { ErrorPage, NotFoundPage } from './ErrorPages';
import { Frame } from './Frame';
import { Loading } from './Loading';
import { queries } from './queryClient';
import { loadTexts, type Namespace } from '../lib/i18n';
import { askAhead } from '../lib/map/ahead';

// Every page is its own chunk, loaded when someone opens it or is about to.

const root = createRootRoute({ component: Frame, notFoundComponent: NotFoundPage, errorComponent: ErrorPage });

const page = <P extends string>(path: P) => ({ getParentRoute: () => root, path });

/** The page of a map, with what the page itself would only then begin to load: the map, and the texts of both. */
function withMap<T>(load: () => Promise<T>, ...texts: Namespace[]): () => Promise<T> {
  return () => {
    const page = load();
    loadTexts('map', ...texts);
    import('../lib/map/RideMap').catch(() => undefined);
    askAhead(queries);
    return page;
  };
}

const landing = createRoute({
  ...page('/'),
  beforeLoad: strangersOnly,
  component: lazyRouteComponent(() => import('../features/account/Landing')),
});
const signUp = createRoute({
  ...page('/signup'),
  validateSearch: (s: Record<string, unknown>) => ({
    ...returnPath(s),
    ...(s.role === 'rider' || s.role === 'driver' ? { role: s.role } : {}),
  }),
  beforeLoad: strangersOnly,
  component: lazyRouteComponent(() => import('../features/account/SignUp')),
});
const logIn = createRoute({
  ...page('/login'),
  validateSearch: returnPath,
  beforeLoad: strangersOnly,
  component: lazyRouteComponent(() => import('../features/account/LogIn')),
});
const profile = createRoute({
  ...page('/profile'),
  beforeLoad: only('rider', 'driver', 'operator'),
  component: lazyRouteComponent(() => import('../features/account/Profile')),
});

const ride = createRoute({
  ...page('/ride'),
  staticData: { screen: true, map: true },
  beforeLoad: only('rider'),
  component: lazyRouteComponent(withMap(() => import('../features/rider'), 'rider', 'trips')),
});
const drive = createRoute({
  ...page('/drive'),
  staticData: { screen: true, map: true },
  beforeLoad: only('driver'),
  component: lazyRouteComponent(withMap(() => import('../features/driver'), 'driver', 'trips')),
});
const earnings = createRoute({
  ...page('/earnings'),
  beforeLoad: only('driver'),
  component: lazyRouteComponent(() => import('../features/driver/Earnings')),
});
const trips = createRoute({
  ...page('/trips'),
  beforeLoad: only('rider', 'driver'),
  component: lazyRouteComponent(() => import('../features/trips')),
});
const trip = createRoute({
  ...page('/trips/$id'),
  beforeLoad: only('rider', 'driver'),
  component: lazyRouteComponent(() => import('../features/trips/Detail')),
});

const ops = createRoute({
  ...page('/ops'),
  staticData: { screen: true },
  beforeLoad: only('operator'),
  component: lazyRouteComponent(() => import('../features/ops')),
});
const opsPage = <P extends string>(path: P) => ({ getParentRoute: () => ops, path, staticData: { screen: true } });
const opsHome = createRoute({ ...opsPage('/'), component: lazyRouteComponent(() => import('../features/ops/Overview')) });
const opsMap = createRoute({ ...opsPage('map'), component: lazyRouteComponent(() => import('../features/ops/Map')) });
const opsTrips = createRoute({ ...opsPage('trips'), validateSearch: tripsSearch, component: lazyRouteComponent(() => import('../features/ops/Trips')) });
const opsTrip = createRoute({ ...opsPage('trips/$id'), component: lazyRouteComponent(() => import('../features/ops/Trip')) });
const opsPeople = createRoute({ ...opsPage('people'), validateSearch: peopleSearch, component: lazyRouteComponent(() => import('../features/ops/People')) });
const opsPerson = createRoute({ ...opsPage('people/$id'), component: lazyRouteComponent(() => import('../features/ops/Person')) });
const opsApprovals = createRoute({ ...opsPage('approvals'), validateSearch: approvalsSearch, component: lazyRouteComponent(() => import('../features/ops/Approvals')) });
const opsActors = createRoute({ ...opsPage('actors'), component: lazyRouteComponent(() => import('../features/ops/Actors')) });
const opsAudit = createRoute({ ...opsPage('audit'), validateSearch: auditSearch, component: lazyRouteComponent(() => import('../features/ops/Audit')) });

export const router = createRouter({
  routeTree: root.addChildren([
    landing, signUp, logIn, profile, ride, drive, earnings, trips, trip,
    ops.addChildren([opsHome, opsMap, opsTrips, opsTrip, opsPeople, opsPerson, opsApprovals, opsActors, opsAudit]),
  ]),
  defaultPreload: 'intent',
  // What is there within a blink shows no skeleton first.
  defaultPendingComponent: Loading,
  defaultPendingMs: 150,
  defaultPendingMinMs: 0,
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
  interface StaticDataRouteOption {
    /** The page fills everything below the header and has its own scrolling, as maps do. */
    screen?: boolean;
    /** It is a map with a panel or sheet: toasts lie over the map. */
    map?: boolean;
  }
}
