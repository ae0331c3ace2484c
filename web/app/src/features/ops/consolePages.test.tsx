import type { ActorKind, CityDriver, CityTrip } from '@hexhail/client';
import type { RouteComponent } from '@tanstack/react-router';
import { act, cleanup, screen, waitFor, within } from '@testing-library/react';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { http } from '../../api/auth';
import type { Schemas } from '../../api/http';
import { answerGets, preparePages, showPage, type Answer, type Gets } from '../../test/page';
import OpsActorsPage from './Actors';
import { Charts } from './Charts';
import { LiveCityContext } from './live/hooks';
import { LiveCity } from './live/LiveCity';
import { NodesBanner } from './live/NodesBanner';
import type { Nodes } from './live/nodes';
import { CityStore } from './live/store';
import { MapTotals } from './MapTotals';
import { RideTimes } from './RideTimes';
import OpsPersonPage from './Person';
import OpsTripPage from './Trip';

// Neither draws in jsdom; what they show stands beside them in words.
vi.mock('../../lib/map', () => ({ RideMap: () => null }));
vi.mock('./Chart', () => ({ Chart: ({ label }: { label: string }) => <div role="img" aria-label={label} /> }));
vi.mock('./live/store', async (real) => {
  const { CityStore: Real } = await real<{ CityStore: typeof CityStore }>();
  return { CityStore: class extends Real { constructor() { super({ now: () => 0, soon: (run) => run() }); } } };
});

beforeAll(preparePages);
afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
});

/** The console's session, connected, and heard from. */
let live: LiveCity;
const hear = (nodes: Nodes) => vi.spyOn(live, 'feed', 'get').mockReturnValue({ connection: { status: 'connected' } as never, heard: true, resolution: 8, startedAt: '2026-11-22T09:00:00Z', nodes });
beforeEach(() => {
  live = new LiveCity();
  hear([]);
});

const nothing = { reset: false, drivers: [], drivers_gone: [], moves: [], trips: [], trips_gone: [], cells: [], cells_gone: [], actors: [], samples: [] };
const push = (change: object) => act(() => live.store.take({ ...nothing, ...change } as never));

function show(path: string, at: string, Page: () => React.ReactNode, answer: (path: string, query: Record<string, unknown>) => Answer | undefined) {
  const page: RouteComponent = () => <LiveCityContext value={live}><Page /></LiveCityContext>;
  return { get: answerGets(answer), ...showPage(path, at, page) };
}
const calls = (get: Gets, path: string) => get.mock.calls.filter(([called]) => called === path);
const plain = (text: string | null | undefined) => (text ?? '').replaceAll(/\s/g, ' ');
/** What stands under a name in a list of facts. */
const fact = (name: string) => plain(screen.getByText(name, { selector: 'dt' }).nextElementSibling?.textContent);

const at = (s: number) => new Date(Date.UTC(2026, 10, 22, 12, 0, 0) + s * 1000).toISOString();
const rideOf = (id: string, more: Partial<Schemas['Trip']> = {}) => ({
  id, version: 4, status: 'completed', vehicle_class: 'standard', passengers: 2, note: '', pickup: { lat: 40.7, lng: -74 }, dropoff: { lat: 40.8, lng: -74 },
  pickup_address: 'Union Square', dropoff_address: 'City Hall', rider: { id: 'r1', first_name: 'Mina' }, driver: { id: 'd1', first_name: 'Bo', plate: 'HX 1' },
  requested_at: at(0), matched_at: at(14), estimate: { distance_m: 4000, duration_s: 600, fare: { minor: 1100, currency: 'USD' } },
  ...more,
}) as Schemas['Trip'];

describe('the page of a person', () => {
  const account: Schemas['AccountView'] = {
    id: 'd1', role: 'driver', status: 'active', username: 'bo', first_name: 'Bo', last_name: 'Kim', photo_url: '', rating_x100: 487, ratings: 1204, created_at: '2026-01-05T08:00:00Z',
    vehicle: { class: 'van', plate: 'HX 1', make: 'Kia', model: 'EV9', colour: 'white' },
  };
  const person = (more: Partial<Schemas['AdminAccountView']> = {}): Schemas['AdminAccountView'] => ({ account, issuer: '', updated_at: at(0), ...more });
  const open = (of: () => Answer, trips: () => Answer = () => ({ data: { items: [], next_cursor: '' } })) => show('/ops/people/$id', '/ops/people/d1', OpsPersonPage,
    (path) => (path === '/v1/admin/accounts/{id}' ? of() : path === '/v1/admin/trips' ? trips() : undefined));

  it('says who it is and what they are doing', async () => {
    open(() => ({ data: person({ active_trip: 't9' }) }));
    push({ drivers: [{ key: 1, id: 'd1', state: 'on_trip', vehicle_class: 'van', trip_id: 't9', heading_deg: 0 } as unknown as CityDriver] });
    expect(await screen.findByRole('heading', { name: 'Bo Kim' })).toBeInTheDocument();
    expect(fact('Rating')).toBe('★ 4.87 (1,204)');
    expect(fact('Vehicle')).toBe('HX 1 · Van');
    expect(fact('Log-in')).toBe('With a password');
    expect(screen.getByText('On a trip')).toBeInTheDocument();
    expect(screen.getByRole('link', { name: 'Trip details' })).toHaveAttribute('href', '/ops/trips/t9');
  });

  it('lists the newest trips with what each cost: the fare, an estimate while it lives, nothing without a ride', async () => {
    const { get } = open(() => ({ data: person() }), () => ({ data: { items: [
      rideOf('a', { fare: { total: { minor: 12_505, currency: 'USD' } } } as never), rideOf('b', { status: 'in_progress' }), rideOf('c', { status: 'cancelled' }),
    ], next_cursor: '' } }));
    await screen.findByText('In progress');
    expect(screen.getAllByRole('listitem').map((row) => /(≈ )?\$[\d.]+$|–$/.exec(plain(row.textContent))?.[0])).toEqual(['$125.05', '≈ $11.00', '–']);
    expect(calls(get, '/v1/admin/trips')[0]?.[1]).toMatchObject({ params: { query: { account: 'd1', limit: 15 } } });
  });

  it('reads again when the feed shows that one of their trips has changed, and only then', async () => {
    const { get } = open(() => ({ data: person() }));
    await screen.findByText('No trips yet.');
    const trip = (id: string, version: number, driver_id: string) => ({ id, version, status: 'matched', vehicle_class: 'van', rider_id: 'r', driver_id }) as CityTrip;
    push({ trips: [trip('t1', 1, 'd1')] });
    push({ trips: [trip('t2', 7, 'someone')] });
    expect(calls(get, '/v1/admin/accounts/{id}')).toHaveLength(1);
    push({ trips: [trip('t1', 2, 'd1')] });
    await waitFor(() => expect(calls(get, '/v1/admin/accounts/{id}')).toHaveLength(2));
  });

  it('shows no trips of an operator, but what they did', async () => {
    const { get } = open(() => ({ data: person({ account: { ...account, id: 'd1', role: 'operator' } }) }));
    expect(await screen.findByRole('link', { name: 'Actions by this operator' })).toHaveAttribute('href', '/ops/audit?actor=d1');
    expect(screen.queryByText('Recent trips')).not.toBeInTheDocument();
    expect(calls(get, '/v1/admin/trips')).toHaveLength(0);
  });

  it('says that there is none, and tries again after a failure alone', async () => {
    let answer: Answer = { status: 404, code: 'not_found' };
    const { user } = open(() => answer);
    expect(await screen.findByRole('alert')).toHaveTextContent('Person not found');
    expect(screen.queryByRole('button', { name: 'Try again' })).not.toBeInTheDocument();
    cleanup();
    answer = { status: 503, code: 'unavailable' };
    open(() => answer);
    expect(await screen.findByRole('alert')).toHaveTextContent('The server is busy. Try again soon.');
    answer = { data: person() };
    await user.click(screen.getByRole('button', { name: 'Try again' }));
    expect(await screen.findByRole('heading', { name: 'Bo Kim' })).toBeInTheDocument();
  });
});

describe('the page of a trip', () => {
  const policy = { kind: 'broadcast', exclusive: false, place: 'cell', max_eta_s: 600, award: 'best_eta', award_window_ms: 2000, cap: 5, ring_start: 1, ring_step: 1, ring_max: 4, wave_every_ms: 4000, offer_ttl_ms: 12_000, asks_per_driver: 2, search_for_ms: 120_000 };
  const offer = (driver: string, wave: number, state: string) => ({ id: `${driver}${wave}`, driver_id: driver, driver_name: driver, wave, state, reason: '', distance_m: 900, eta_s: 100, made_at: at(wave * 4), expires_at: at(wave * 4 + 12), ended_at: at(wave * 4 + 3) });
  const candidate = (driver: string, outcome: string) => ({ driver_id: driver, driver_name: driver, plate: `HX ${driver}`, located: true, lat: 40.7, lng: -74, straight_m: 800, distance_m: 900, eta_s: 100, by: 'streets', offered: outcome !== '', outcome, reason: outcome === '' ? 'busy' : 'offered' });
  const explain = (trip: Schemas['Trip'], more: object = {}) => ({
    trip, policy, estimate_by: 'streets', events: [{ kind: 'requested', version: 1, at: at(0) }],
    offers: [offer('Ana', 1, 'declined'), offer('Bo', 2, 'won')],
    waves: [
      { wave: 1, ring: 1, at: at(4), cells: 7, offered: 1, more: 0, windows: 0, why: '', candidates: [candidate('Ana', 'declined'), candidate('Cho', '')] },
      { wave: 2, ring: 2, at: at(8), cells: 19, offered: 1, more: 3, windows: 0, why: '', candidates: [candidate('Ana', ''), candidate('Bo', 'won')] },
    ],
    ...more,
  });
  const open = (of: () => Answer) => show('/ops/trips/$id', '/ops/trips/t1', OpsTripPage, (path) => {
    if (path === '/v1/admin/trips/{id}/explain') return of();
    if (path === '/v1/config') return { data: { vehicle_classes: [], map: {}, support_contact: '', cell_ring_m: 400 } };
    return path === '/v1/admin/trips/{id}' ? { data: { trip: rideOf('t1'), track: [] } } : undefined;
  });

  it('says in a sentence why it went so, opens the wave that decided, and puts the winner first', async () => {
    const { user } = open(() => ({ data: explain(rideOf('t1', { driver: { id: 'Bo', first_name: 'Bo', plate: 'HX Bo' } as never })) }));
    expect(await screen.findByText('Matched with Bo in wave 2 after 14 sec: 2 drivers were notified, 1 declined or let it expire.')).toBeInTheDocument();
    const rows = () => within(screen.getByRole('region', { name: /^Candidates in wave/ })).getAllByRole('row').slice(1).map((row) => plain(within(row).getByRole('link').textContent));
    await waitFor(() => expect(rows()).toEqual(['Bo', 'Ana']));
    expect(screen.getByText('3 more candidates were not recorded.')).toBeInTheDocument();
    await user.click(screen.getByRole('button', { name: /Wave 1/ }));
    await waitFor(() => expect(rows()).toEqual(['Ana', 'Cho']));
    expect(screen.getByRole('button', { name: /Wave 1/ })).toHaveTextContent('after 4 sec · ring 1 (about 600 m) · 7 cells searched · 1 offer');
  });

  it('shows the policy and the parties', async () => {
    open(() => ({ data: explain(rideOf('t1')) }));
    await screen.findByText('Policy at the time of the request');
    expect(fact('Award')).toBe('Best ETA within 2 sec');
    expect(fact('Rings')).toBe('from 1 by 1 to 4');
    expect(fact('Class')).toBe('Standard, 2 passengers');
    expect(screen.getByRole('link', { name: 'Mina' })).toHaveAttribute('href', '/ops/people/r1');
  });

  it.each([['requested', ['Search again now', 'Cancel trip']], ['matched', ['Re-dispatch', 'Cancel trip']], ['in_progress', ['Cancel trip']], ['completed', []]] as const)('offers for a %s trip what can be done', async (status, actions) => {
    open(() => ({ data: explain(rideOf('t1', { status })) }));
    await screen.findByRole('link', { name: 'Audit log of this trip' });
    expect(['Search again now', 'Re-dispatch', 'Cancel trip'].filter((name) => screen.queryByRole('button', { name }))).toEqual(actions);
  });

  it('is cancelled with a reason, and then read again', async () => {
    const post = vi.spyOn(http, 'POST').mockResolvedValue({ data: { trip: rideOf('t1', { status: 'cancelled', version: 5 }) }, response: new Response(null, { headers: { 'Content-Type': 'application/json' } }) });
    let status: Schemas['Trip']['status'] = 'matched';
    const { user } = open(() => ({ data: explain(rideOf('t1', { status })) }));
    await user.click(await screen.findByRole('button', { name: 'Cancel trip' }));
    const dialog = within(await screen.findByRole('dialog'));
    await user.type(dialog.getByRole('textbox', { name: /Reason/ }), 'flooded street');
    status = 'cancelled';
    await user.click(dialog.getByRole('button', { name: 'Cancel trip' }));
    expect(await screen.findByText('Cancelled')).toBeInTheDocument();
    expect(post).toHaveBeenCalledExactlyOnceWith('/v1/admin/trips/{id}/cancel', { params: { path: { id: 't1' } }, body: { reason: 'flooded street' } });
  });

  it('reads again for a newer version of this trip, and not for an older one', async () => {
    const { get } = open(() => ({ data: explain(rideOf('t1', { version: 4 })) }));
    await screen.findByText('Policy at the time of the request');
    const fed = (id: string, version: number) => ({ id, version, status: 'matched', vehicle_class: 'standard', rider_id: 'r1', driver_id: '' }) as CityTrip;
    push({ trips: [fed('t1', 4), fed('t2', 9)] });
    expect(calls(get, '/v1/admin/trips/{id}/explain')).toHaveLength(1);
    push({ trips: [fed('t1', 5)] });
    await waitFor(() => expect(calls(get, '/v1/admin/trips/{id}/explain')).toHaveLength(2));
  });

  it('says that there is none', async () => {
    open(() => ({ status: 404, code: 'not_found' }));
    expect(await screen.findByRole('alert')).toHaveTextContent('Trip not found');
    expect(screen.queryByRole('button', { name: 'Try again' })).not.toBeInTheDocument();
  });
});

describe('the actors', () => {
  const kind = (name: string, more: Partial<ActorKind> = {}): ActorKind => ({ kind: name, alive: 0, started: 0, stopped: 0, panics: 0, waiting: 0, deepest_mailbox: 0, messages: 0, messages_per_s: 0, mean_us: 0, p50_us: 0, p99_us: 0, slowest: [], ...more });
  const cells = (name: string) => within(screen.getByRole('row', { name: new RegExp(`^${name}`) })).getAllByRole('cell').map((cell) => plain(cell.textContent));

  it('wait for the first figures', async () => {
    show('/ops/actors', '/ops/actors', OpsActorsPage, () => undefined);
    expect(await screen.findByRole('status')).toHaveTextContent('Loading actors…');
    push({ actors: [kind('trip')] });
    expect(screen.queryByRole('status')).not.toBeInTheDocument();
    expect(screen.getByText('No message took longer than 0.1 ms.')).toBeInTheDocument();
    expect(screen.queryByRole('alert')).not.toBeInTheDocument();
  });

  it('are shown by kind, each figure in its unit, also a kind of a newer server', async () => {
    show('/ops/actors', '/ops/actors', OpsActorsPage, () => undefined);
    await screen.findByRole('status');
    push({ actors: [
      kind('trip', { alive: 1234, started: 2000, stopped: 766, waiting: 3, deepest_mailbox: 17, messages_per_s: 8.25, mean_us: 84, p99_us: 2500, slowest: [{ message: 'AcceptOffer', took_us: 12_400, at: at(0) }] }),
      kind('zone', { alive: 5, panics: 2, messages_per_s: 310.4 }),
    ] });
    expect(cells('Trips')).toEqual(['1,234', '2,000', '766', '0', '3', '17', '8.3', '', '84μs', '2.5ms', '12ms']);
    expect(cells('zone')).toEqual(['5', '0', '0', '2', '0', '0', '310', '', '0μs', '0μs', '–']);
    expect(screen.getByRole('alert')).toHaveTextContent('2 panics were contained.');
  });

  it('have their slowest messages over all kinds, the slowest first', async () => {
    show('/ops/actors', '/ops/actors', OpsActorsPage, () => undefined);
    await screen.findByRole('status');
    push({ actors: [
      kind('trip', { slowest: [{ message: 'AcceptOffer', took_us: 12_000 }, { message: 'Cancel', took_us: 300 }] }), kind('driver', { slowest: [{ message: 'Locate', took_us: 4000 }] }),
    ] });
    const rows = within(screen.getByRole('region', { name: 'Slowest messages' })).getAllByRole('row').slice(1);
    expect(rows.map((row) => within(row).getAllByRole('cell').slice(0, 3).map((cell) => plain(cell.textContent)))).toEqual([['AcceptOffer', 'Trips', '12ms'], ['Locate', 'Drivers', '4ms'], ['Cancel', 'Trips', '300μs']]);
  });
});

const node = (name: string, state = 'answering', more: Partial<Nodes[number]> = {}) => ({ name, state, version: '1.4.0', ...more }) as Nodes[number];

describe('the actors of several servers', () => {
  const kind = (of: string, name: string, more: Partial<ActorKind> = {}): ActorKind => ({ kind: name, alive: 0, started: 0, stopped: 0, panics: 0, waiting: 0, deepest_mailbox: 0, messages: 0, messages_per_s: 0, mean_us: 0, p50_us: 0, p99_us: 0, slowest: [], node: { name: of }, ...more });
  const region = (name: string) => within(screen.getByRole('region', { name }));
  const cells = (name: string) => within(region('Actors by kind').getByRole('row', { name: new RegExp(`^${name}`) })).getAllByRole('cell').map((cell) => plain(cell.textContent));

  it('are added up, or those of one', async () => {
    hear([node('n1'), node('n2')]);
    const { user } = show('/ops/actors', '/ops/actors', OpsActorsPage, () => undefined);
    await screen.findByRole('heading', { name: 'Actors of all servers' });
    push({ actors: [
      kind('n1', 'trip', { alive: 3, deepest_mailbox: 9, messages_per_s: 1, mean_us: 10, p99_us: 40 }), kind('n2', 'trip', { alive: 4, panics: 1, deepest_mailbox: 2, messages_per_s: 3, mean_us: 30, p99_us: 20 }),
    ] });
    expect(cells('Trips')).toEqual(['7', '0', '0', '1', '0', '9', '4', '', '25μs', '40μs', '–']);
    await user.selectOptions(screen.getByRole('combobox', { name: 'Show actors of' }), 'n2');
    expect(cells('Trips')).toEqual(['4', '0', '0', '1', '0', '2', '3', '', '30μs', '20μs', '–']);
  });

  it('stand below the servers, with version, uptime, and who does not answer', async () => {
    hear([
      node('n1', 'answering', { started_at: new Date(Date.now() - 65 * 60_000).toISOString() }), node('n2', 'missing', { heard_at: at(0) }), node('n3', 'gone', { version: '' }), node('n4', 'missing', { version: '' }),
    ]);
    show('/ops/actors', '/ops/actors', OpsActorsPage, () => undefined);
    await screen.findByRole('heading', { name: 'Actors of all servers' });
    const rows = region('Servers').getAllByRole('row').slice(1).map((row) => [...row.children].map((cell) => plain(cell.textContent)));
    expect(rows.map((row) => row.slice(0, 4))).toEqual([['n1', 'Answering', '1.4.0', '1 hr 5 min'], ['n2', 'Not answering', '1.4.0', '–'], ['n3', 'Gone', '–', '–'], ['n4', 'Not answering', '–', '–']]);
    expect(rows.map((row) => row[4])).toEqual(['Now', expect.stringMatching(/^\d\d:\d\d:\d\d$/), '–', 'Never']);
    expect(screen.getAllByRole('option').map((option) => option.textContent)).toEqual(['All servers', 'n1', 'n2', 'n4']);
  });

  it('are not divided when there is one', async () => {
    show('/ops/actors', '/ops/actors', OpsActorsPage, () => undefined);
    expect(await screen.findByRole('heading', { name: 'Actors of this server' })).toBeInTheDocument();
    expect(screen.queryByRole('combobox')).not.toBeInTheDocument();
    expect(screen.queryByRole('region', { name: 'Servers' })).not.toBeInTheDocument();
  });
});

describe('a server that does not answer', () => {
  const Both = () => <><NodesBanner /><MapTotals /></>;
  const open = (nodes: Nodes) => {
    hear(nodes);
    return show('/ops', '/ops', Both, () => ({ data: { samples: [] } }));
  };
  const said = () => screen.getAllByRole('status').map((line) => plain(line.textContent)).filter(Boolean);
  const totals = { drivers_available: 12, drivers_offered: 0, drivers_on_trip: 3, drivers_unreachable: 0, trips_requested: 0, trips_matched: 0, trips_arrived: 0, trips_in_progress: 3, sessions: 20 };

  it('is named once, and what is counted is marked as incomplete', async () => {
    open([node('n1'), node('n2', 'missing', { heard_at: at(0) }), node('n3', 'missing', { heard_at: at(5) })]);
    push({ totals });
    await screen.findByText('Drivers online');
    expect(said()).toEqual([expect.stringMatching(/^Servers n2 and n3 aren’t answering\. Their drivers, trips and share of the numbers marked \* are as of \d\d:\d\d:\d\d\.$/)]);
    expect(fact('Drivers online')).toBe('15* (incomplete)');
    expect(fact('Requests/min')).toBe('–');
  });

  it('is missing altogether when it never answered', async () => {
    open([node('n1'), node('n2', 'missing')]);
    await screen.findByText('Drivers online');
    expect(said()).toEqual(['Server n2 isn’t answering. Its drivers and trips are missing here, also from the numbers marked *.']);
  });

  it('leaves whole numbers when it has gone, and a line that can be closed', async () => {
    const { user } = open([node('n1'), node('n2', 'gone', { heard_at: at(0) })]);
    push({ totals });
    await screen.findByText('Drivers online');
    expect(said()).toEqual([expect.stringMatching(/^Server n2 has gone\. Last heard from at/)]);
    expect(fact('Drivers online')).toBe('15');
    await user.click(screen.getByRole('button', { name: 'Dismiss' }));
    expect(said()).toEqual([]);
  });

  it('is not there when all answer', async () => {
    open([node('n1'), node('n2')]);
    push({ totals });
    await screen.findByText('Drivers online');
    expect(said()).toEqual([]);
    expect(fact('Drivers online')).toBe('15');
  });
});

describe('the charts', () => {
  const sample = (s: number, more: object = {}) => ({
    at: at(s), step_s: 10, requests: 0, matches: 0, completions: 0, cancellations: 0, expiries: 0, match_mean_ms: 0, match_p50_ms: 0, match_p90_ms: 0, drivers_online: 0, drivers_available: 0,
    trips_live: 0, sessions: 0, locations_per_s: 0, commit_mean_ms: 0, commit_max_ms: 0, trips_only: false, ...more,
  });
  const open = (series: (query: Record<string, unknown>) => Answer) => show('/ops', '/ops', Charts, (path, query) => (path === '/v1/admin/series' ? series(query) : undefined));
  const table = async (user: ReturnType<typeof open>['user'], title: string) => {
    await user.click(await screen.findByRole('button', { name: `Table: ${title}` }));
    return within(screen.getByRole('region', { name: title })).getAllByRole('row').map((row) => plain([...row.children].slice(1).map((cell) => cell.textContent).join(' | ')));
  };

  it('have the same numbers in a table, the newest first: rates per minute, and a dash for what is not known', async () => {
    const { user } = open(() => ({ data: { samples: [sample(0, { requests: 4, matches: 2, match_p50_ms: 1500, match_p90_ms: 8250 }), sample(10, { requests: 1, cancellations: 1 })] } }));
    expect(await table(user, 'Trips (per minute)')).toEqual(['Requests | Matches | Completed | Cancelled | Expired', '6 | 0 | 0 | 6 | 0', '24 | 12 | 0 | 0 | 0']);
    expect(await table(user, 'Time to match (seconds)')).toEqual(['Median | 90th percentile', '– | –', '1.5 | 8.25']);
    expect(screen.queryByRole('img', { name: 'Trips (per minute)' })).not.toBeInTheDocument();
    expect(screen.getByRole('img', { name: 'Drivers (drivers)' })).toBeInTheDocument();
  });

  it('ask for a longer range in longer steps', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: new Date(at(0)) });
    const { user, get } = open(() => ({ data: { samples: [] } }));
    expect(await screen.findByText('No data yet. The first point arrives within 10 seconds.')).toBeInTheDocument();
    await user.click(screen.getByRole('radio', { name: '24 hours' }));
    await waitFor(() => expect(calls(get, '/v1/admin/series')).toHaveLength(2));
    expect(calls(get, '/v1/admin/series').map(([, options]) => options?.params?.query)).toEqual([{ since: at(-3600), step: 10 }, { since: at(-86_400), step: 60 }]);
    vi.useRealTimers();
  });

  it('say where they begin with trips alone, and when they cannot be read', async () => {
    let answer: Answer = { data: { samples: [sample(0, { trips_only: true, sessions: 9 }), sample(10, { sessions: 3 })] } };
    const { user } = open(() => answer);
    expect(await screen.findByText('Only trip figures go back beyond the server’s last start.')).toBeInTheDocument();
    expect(await table(user, 'Live connections (sockets)')).toEqual(['Sockets', '3', '–']);
    cleanup();
    answer = { status: 503, code: 'unavailable' };
    open(() => answer);
    expect(await screen.findByRole('alert')).toHaveTextContent('The charts couldn’t be loaded.');
    answer = { data: { samples: [sample(0)] } };
    await user.click(screen.getByRole('button', { name: 'Try again' }));
    await waitFor(() => expect(screen.queryByRole('alert')).not.toBeInTheDocument());
  });
});

describe('the times of rides', () => {
  const config = (streets: boolean) => ({ data: { vehicle_classes: [], support_contact: '', map: streets ? { streets: { id: 'a1' } } : {} } });
  const hours = [
    { day: 'weekday', hour: 8, rides: 140, planned_s: 600, actual_s: 690, factor: 1.1 },
    { day: 'weekday', hour: 17, rides: 25, planned_s: 540, actual_s: 543, factor: 1 },
  ];
  const known = { learning: true, time_zone: 'Asia/Seoul', rides: 320, used_from: 200, detour: 1.053, hours };
  const open = (times: () => Answer, streets = true) => show('/ops', '/ops', RideTimes,
    (path) => (path === '/v1/config' ? config(streets) : path === '/v1/admin/streets/times' ? times() : undefined));

  it('stand in a chart and in a table, by kind of day', async () => {
    const { user } = open(() => ({ data: known }));
    expect(await screen.findByRole('img', { name: 'Ride times by hour (minutes)' })).toBeInTheDocument();
    expect(screen.getByText(/Drivers drive 5.3 % farther than planned. Hours in Asia\/Seoul/)).toBeInTheDocument();
    await user.click(screen.getByRole('button', { name: 'Table: Ride times by hour (minutes)' }));
    const rows = within(screen.getByRole('region', { name: 'Ride times by hour (minutes)' })).getAllByRole('row');
    expect(rows.map((row) => [...row.children].map((cell) => cell.textContent).join(' | '))).toEqual(['Hour | Planned | Actual | Rides', '08:00 | 10 | 11.5 | 140', '17:00 | 9 | 9.1 | 25']);
    await user.click(screen.getByRole('radio', { name: 'Weekends' }));
    expect(screen.getByText('No hour has 20 rides on these days yet.')).toBeInTheDocument();
  });

  it('say how many rides are still missing, and when nothing is learned', async () => {
    open(() => ({ data: { ...known, rides: 12, detour: 1, hours: [] } }));
    expect(await screen.findByText(/12 of 200 rides so far/)).toBeInTheDocument();
    cleanup();
    open(() => ({ data: { ...known, learning: false, hours: [] } }));
    expect(await screen.findByText('This server doesn’t learn travel times from rides.')).toBeInTheDocument();
  });

  it('can be asked for again', async () => {
    let answer: Answer = { status: 503, code: 'unavailable' };
    const { user } = open(() => answer);
    expect(await screen.findByRole('alert')).toHaveTextContent('Ride times couldn’t be loaded.');
    answer = { data: known };
    await user.click(screen.getByRole('button', { name: 'Try again' }));
    expect(await screen.findByRole('img', { name: 'Ride times by hour (minutes)' })).toBeInTheDocument();
  });

  it('are not asked of a server without a map', async () => {
    const { get } = open(() => ({ data: known }), false);
    await waitFor(() => expect(calls(get, '/v1/config')).toHaveLength(1));
    expect(calls(get, '/v1/admin/streets/times')).toEqual([]);
    expect(screen.queryByRole('heading')).not.toBeInTheDocument();
  });
});
