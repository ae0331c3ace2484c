import { readFileSync } from 'node:fs';

import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';

import { comeAs, logIn, password, signUp } from '../src/account';
import { askToDo, confirm, goTo, Operator, rows, total } from '../src/console';
import { fillIn } from '../src/dialog';
import type { Person, Setting } from '../src/person';
import { accept, askButton, callOff, driverAt, dropoff, goOnline, pickup, plan } from '../src/ride';
import { english, stage, type Stage } from '../src/stage';
import { anyOf } from '../src/words';

const night: Setting = { language: 'ko', scheme: 'dark', device: 'desktop' };

/** What is done to people who are live reaches them without a reload. How soon is tested without browsers. */
const soon = { timeout: 60_000 };

async function rider(on: Stage, username: string, firstName: string, setting = english): Promise<Person> {
  const p = await on.enter(setting, pickup);
  await comeAs(p, 'rider', username, firstName);
  return p;
}

async function driver(on: Stage, username: string, firstName: string, setting = english): Promise<Person> {
  const p = await on.enter(setting, driverAt);
  await comeAs(p, 'driver', username, firstName);
  return p;
}

async function driverWithPhoto(on: Stage, username: string, firstName: string): Promise<Person> {
  const p = await on.enter(english, driverAt);
  await signUp(p, 'driver', username, firstName, 'HX-77');
  return p;
}

async function ask(p: Person): Promise<void> {
  await plan(p);
  await askButton(p).click();
  await p.heading(p.t('rider:searching.title')).waitFor();
}

describe('the console of a demonstration', () => {
  const on = stage('demo', '--headless', '--drivers=80');

  it('shows the city as it moves', async () => {
    const operator = await on.enter(english);
    const { page, t } = operator;
    await page.goto('/');
    await page.getByRole('region', { name: anyOf(t, 'account:demo.title', 'city') })
      .getByRole('button', { name: t('account:demo.operatorAct'), exact: true }).click();
    await page.waitForURL('**/ops/map');

    await expect.poll(() => total(operator, 'online'), { timeout: 60_000 }).toBeGreaterThan(40);
    await expect.poll(() => total(operator, 'riding'), { timeout: 60_000 }).toBeGreaterThan(0);
    const before = await numbers(operator);
    await expect.poll(() => numbers(operator), { timeout: 60_000 }).not.toEqual(before);
    await operator.checkAccess('map');

    // A driver on a trip moves.
    await page.getByRole('list', { name: t('ops:map.panel.driversInView') })
      .getByRole('button').filter({ hasText: t('ops:map.state.on_trip') }).first().click();
    const panel = page.getByRole('complementary', { name: t('ops:map.panel.label') });
    const position = panel.locator('dd', { hasText: /^-?\d+\.\d{5}, -?\d+\.\d{5}$/ });
    const was = await position.textContent();
    await expect.poll(() => position.textContent(), { timeout: 60_000 }).not.toBe(was);
    await operator.checkAccess('map, a driver');

    // The ring is where a driver is said to be; the driver is drawn in it. Four of them, as half could be missing.
    for (let i = 0; i < 4; i++) {
      await page.getByRole('button', { name: t('ops:map.details.close') }).click();
      await page.getByRole('list', { name: t('ops:map.panel.driversInView') }).getByRole('button').nth(i).click();
      await expect.poll(() => coloured(operator), { timeout: 60_000 }).toBe(true);
    }
  });

  it('stays live in two windows of one person, and with somebody else', async () => {
    const [first, second] = [await on.enter(english), await on.enter(english)];
    for (const { page, t } of [first, second]) {
      await page.goto('/');
      await page.getByRole('region', { name: anyOf(t, 'account:demo.title', 'city') })
        .getByRole('button', { name: t('account:demo.operatorAct'), exact: true }).click();
      await page.waitForURL('**/ops/map');
    }
    const window = await first.tab();
    await window.goto('/ops/map');
    const screens = [first.page, window, second.page];
    const t = first.t;
    for (const page of screens) {
      // A list that fills is a feed that runs.
      await page.getByRole('list', { name: t('ops:map.panel.driversInView') }).getByRole('button').first().waitFor({ timeout: 60_000 });
    }
    for (const page of screens) expect(await page.getByText(t('ops:map.feed.replaced')).count()).toBe(0);
  });
});

/** Whether the middle of the map, where the selected driver is kept, holds a colour that the legend has for drivers. */
async function coloured({ page, t }: Person): Promise<boolean> {
  const box = await page.getByRole('region', { name: t('ops:map.label') }).boundingBox();
  if (!box) throw new Error('no map');
  const size = 20;
  const clip = { x: box.x + (box.width - size) / 2, y: box.y + (box.height - size) / 2, width: size, height: size };
  const states = await page.getByRole('region', { name: t('ops:map.legend.label') }).getByRole('list').nth(1).locator('span')
    .evaluateAll((keys) => keys.map((key) => (getComputedStyle(key).backgroundColor.match(/\d+/g) ?? []).map(Number)));
  const picture = (await page.screenshot({ clip })).toString('base64');
  return page.evaluate(async ({ picture, states }) => {
    const image = await createImageBitmap(new Blob([Uint8Array.from(atob(picture), (c) => c.charCodeAt(0))], { type: 'image/png' }));
    const context = new OffscreenCanvas(image.width, image.height).getContext('2d');
    if (!context) throw new Error('no canvas');
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, image.width, image.height);
    let alike = 0;
    for (let i = 0; i < data.length; i += 4) {
      if (states.some((state) => state.length === 3 && state.every((part, k) => Math.abs(part - (data[i + k] ?? 0)) < 30))) alike++;
    }
    return alike > 15;
  }, { picture, states });
}

const numbers = (p: Person): Promise<number[]> => Promise.all((['available', 'searching', 'pickup', 'riding'] as const).map((n) => total(p, n)));

describe('an operator', () => {
  const on = stage('serve');
  const opal = new Operator(on);

  it('finds trips, cancels one, sends another back, and sees why it went as it did', async () => {
    const [operator, mina, dana, eli] = await Promise.all([
      opal.enter(night), rider(on, 'mina', 'Mina'), driver(on, 'dana', 'Dana'), driver(on, 'eli', 'Eli'),
    ]);
    const { page, t } = operator;
    await goTo(operator, 'Trips');
    await page.getByText(t('ops:trips.empty')).waitFor();
    const asked = requestsOf(page);
    await ask(mina);

    // No driver is online to take it. An empty list shows new trips without a click.
    const searching = rows(operator, t('ops:trips.status.requested'));
    await searching.waitFor();
    const cancelling = await askToDo(operator, searching, `${t('ops:trips.actions.cancel')}…`);
    await cancelling.getByRole('button', { name: t('ops:trips.actions.cancel'), exact: true }).click();
    await cancelling.getByText(t('ops:trips.dialog.reasonMissing')).waitFor();
    await operator.checkAccess('cancelling');
    await confirm(operator, cancelling, 'A flooded street', t('ops:trips.actions.cancel'));
    await mina.heading(mina.t('rider:cancelled.title')).waitFor(soon);
    await mina.page.getByText('A flooded street').waitFor();
    await rows(operator, t('ops:trips.status.cancelled')).waitFor();
    await mina.button(mina.t('rider:cancelled.again')).click();
    await askButton(mina).click();

    // What comes into a list that is being read is announced, and waits.
    const news = page.getByRole('status').filter({ hasText: t('ops:trips.list.new', { count: 1, number: '1' }) });
    await news.getByRole('button', { name: t('ops:trips.list.show') }).click();
    await searching.waitFor();
    await news.waitFor({ state: 'hidden' });
    await goOnline(dana);
    await accept(dana);
    await mina.heading(mina.t('rider:coming.title', { name: 'Dana' })).waitFor();
    // From here on the row changes where it is.
    await rows(operator, 'Dana').filter({ hasText: t('ops:trips.status.matched') }).waitFor(soon);
    await goOnline(eli);
    const matched = rows(operator, t('ops:trips.status.matched'));
    const again = await askToDo(operator, matched, `${t('ops:trips.actions.redispatch')}…`);
    await confirm(operator, again, 'The driver does not move', t('ops:trips.actions.redispatch'));
    await mina.page.getByText(mina.t('rider:searching.again.title'), { exact: true }).waitFor(soon);
    await dana.heading(dana.t('driver:trip.title.matched')).waitFor({ state: 'hidden', ...soon });
    await rows(operator, 'Dana').waitFor({ state: 'detached', ...soon });
    await accept(eli);
    await mina.heading(mina.t('rider:coming.title', { name: 'Eli' })).waitFor();
    await ride(eli);
    await mina.heading(mina.t('rider:completed.title')).waitFor();
    await rows(operator, 'Eli').filter({ hasText: t('ops:trips.status.completed') }).filter({ hasText: /\$\s?\d/ }).waitFor(soon);
    // Nothing was asked again and again: the list twice, each action, a driver's name, what a ride cost.
    expect(asked.filter((url) => url.endsWith('/v1/admin/trips?limit=100')).length).toBe(2);
    expect(asked.length).toBeLessThan(12);

    // Filters: by status, and by a text.
    await operator.checkAccess('trips');
    const statuses = page.getByRole('textbox', { name: t('ops:trips.statusLabel') });
    await statuses.click();
    await page.getByRole('option', { name: t('ops:trips.status.cancelled') }).click();
    await statuses.press('Escape');
    await rows(operator, 'Eli').waitFor({ state: 'detached' });
    await rows(operator, t('ops:trips.status.cancelled')).waitFor();
    await page.getByRole('button', { name: t('ops:trips.list.clearAll') }).click();
    await page.getByRole('searchbox', { name: t('ops:trips.search') }).fill('eli');
    await rows(operator, t('ops:trips.status.cancelled')).waitFor({ state: 'detached' });
    await explains(operator);
  });

  it('downloads the trips that its filters select', async () => {
    const [operator, vera] = await Promise.all([opal.enter(night), rider(on, 'vera', 'Vera')]);
    const { page, t } = operator;
    await ask(vera);
    await callOff(vera);
    await page.goto('/ops/trips?q=vera');
    await rows(operator, 'Vera').waitFor();

    const csv = page.getByRole('menuitem', { name: t('ops:trips.export.csv') });
    await page.getByRole('button', { name: t('ops:trips.export.button') }).click();
    await csv.waitFor();
    await operator.checkAccess('trips export');
    const download = page.waitForEvent('download');
    await csv.click();
    const file = await download;
    expect(file.suggestedFilename()).toMatch(/^hexhail-trips-.*\.csv$/);
    const lines = readFileSync(await file.path(), 'utf8').trim().split('\n');
    expect(lines.map((line) => line.split(',').slice(0, 2).join())).toEqual(['trip_id,status', expect.stringMatching(/,cancelled$/)]);
    expect(lines[1]).toContain(',Vera,');
    await page.getByText(t('ops:trips.export.done')).waitFor();

    await goTo(operator, 'Audit');
    await rows(operator, t('ops:audit.action.trips_export')).filter({ hasText: 'csv, 1 trips' }).waitFor();
  });

  it('finds people, and what it does to them reaches them at once', async () => {
    const [operator, finn, ruth] = await Promise.all([opal.enter(english), driverWithPhoto(on, 'finn', 'Finn'), rider(on, 'ruth', 'Ruth')]);
    const { page, t } = operator;
    await goOnline(finn);
    await openPerson(operator, 'Finn Kim');
    // The photo is silent beside the name, so it has no role.
    const photo = page.getByRole('main').locator('img[src*="/v1/photos/"]');
    await expect.poll(() => photo.evaluate((img: HTMLImageElement) => img.naturalWidth)).toBeGreaterThan(0);
    await page.getByText(t('ops:map.state.available'), { exact: true }).waitFor(soon);
    await page.getByText(t('ops:people.role.driver'), { exact: true }).first().waitFor();
    await page.getByText('HX-77').first().waitFor();
    await operator.checkAccess('a person');

    await act(operator, 'suspend', 'Drove without a licence');
    await finn.page.getByText(finn.t('connection.suspended')).waitFor(soon);
    await page.getByText(t('ops:people.status.suspended'), { exact: true }).first().waitFor();
    await page.getByText(t('ops:map.state.available'), { exact: true }).waitFor({ state: 'hidden', ...soon });
    expect(await finn.heading(finn.t('driver:duty.online')).count()).toBe(0);
    expect(await finn.button(finn.t('driver:duty.goOnline')).isDisabled()).toBe(true);
    await finn.checkAccess('suspended');
    await finn.page.reload();
    await finn.page.getByText(finn.t('connection.suspended')).waitFor();
    const elsewhere = await on.enter(english, driverAt);
    await elsewhere.page.goto('/login');
    await tryLogIn(elsewhere, 'finn', password);
    await elsewhere.page.getByText(elsewhere.t('problem.suspended')).waitFor();
    await act(operator, 'reinstate', 'Showed the licence');
    await page.getByText(t('ops:people.status.active'), { exact: true }).first().waitFor();
    await tryLogIn(elsewhere, 'finn', password);
    // Who comes back soon is on duty still, as after any other break.
    await elsewhere.heading(elsewhere.t('driver:duty.online')).waitFor();

    await goTo(operator, 'People');
    await operator.checkAccess('people');
    await openPerson(operator, 'Ruth Kim');
    await act(operator, 'logout', 'Lost the phone');
    await ruth.page.waitForURL('**/login**', soon);
    await logIn(ruth, 'ruth');
    await act(operator, 'password', 'Forgot it');
    await ruth.page.waitForURL('**/login**', soon);
    const told = page.getByRole('dialog', { name: t('ops:people.newPassword.title', { name: 'Ruth Kim' }) });
    const fresh = await told.getByLabel(t('ops:people.newPassword.label')).textContent() ?? '';
    await operator.checkAccess('new password');
    await told.getByRole('button', { name: t('ops:people.newPassword.done') }).click();
    await tryLogIn(ruth, 'ruth', password);
    await ruth.page.getByText(ruth.t('account:logIn.wrong')).waitFor();
    await logIn(ruth, 'ruth', fresh);
    await ruth.heading(ruth.t('rider:plan.tap.dropoff')).waitFor();

    await goTo(operator, 'Audit');
    const done = { suspend: 'Drove without a licence', reinstate: 'Showed the licence', logout: 'Lost the phone', password: 'Forgot it' } as const;
    for (const [action, reason] of Object.entries(done)) {
      const entry = rows(operator, reason);
      expect(await entry.textContent()).toContain(t(`ops:audit.action.account_${action as keyof typeof done}`));
      await entry.getByText('opal').waitFor();
      await entry.getByRole('link', { name: /^(Finn|Ruth) Kim$/ }).waitFor();
    }
    await operator.checkAccess('audit');
  });

  it('hears that something is no longer possible, which the audit keeps as well', async () => {
    const [operator, noor] = await Promise.all([opal.enter(night), rider(on, 'noor', 'Noor')]);
    const { t } = operator;
    await ask(noor);
    await goTo(operator, 'Trips');
    const row = rows(operator, 'Noor');
    const late = await askToDo(operator, row, `${t('ops:trips.actions.cancel')}…`);
    await callOff(noor);
    await confirm(operator, late, 'Too late', t('ops:trips.actions.cancel'));
    await late.getByText(t('ops:trips.problem.wrong_status')).waitFor();
    await operator.checkAccess('too late');
    await late.getByRole('button', { name: t('ops:trips.dialog.back') }).click();

    await goTo(operator, 'Audit');
    await rows(operator, 'Too late').waitFor();
    const failed = rows(operator, t('ops:audit.action.trip_cancel')).filter({ hasText: t('ops:audit.failed') });
    await failed.getByText(t('ops:trips.problem.wrong_status')).waitFor();
    await failed.getByText('opal').waitFor();
    await operator.checkAccess('audit');
  });

  it('sees an actor come with each driver, without asking for it', async () => {
    const operator = await opal.enter(night);
    const { page, t } = operator;
    await goTo(operator, 'Actors');
    await operator.heading(t('ops:actors.heading')).waitFor();
    const alive = async () => Number(await page.getByRole('row').filter({ has: page.getByRole('rowheader', { name: t('ops:actors.kinds.driver'), exact: true }) })
      .getByRole('cell').first().textContent());
    await expect.poll(alive).toBeGreaterThanOrEqual(0);
    const before = await alive();
    const asked = requestsOf(page);
    const gus = await driver(on, 'gus', 'Gus', night);
    await gus.button(gus.t('driver:duty.goOnline')).waitFor();
    await expect.poll(alive, soon).toBe(before + 1);
    await operator.checkAccess('actors');
    expect(asked).toEqual([]);

    await gus.page.goto('/earnings');
    await gus.heading(gus.t('driver:earnings.title')).waitFor();
    await gus.page.getByText(gus.t('driver:earnings.none')).waitFor();
    await gus.checkAccess('earnings');
  });
});

/** Looks for a person by name in the list of people, and opens their page. */
async function openPerson(operator: Person, name: string): Promise<void> {
  const { page, t } = operator;
  await goTo(operator, 'People');
  await fillIn([page.getByRole('searchbox', { name: t('ops:people.search') }), name.split(' ')[0] ?? '']); // a new page takes the focus
  await expect.poll(() => page.getByRole('grid').getByRole('row').count()).toBe(2);
  await rows(operator, name).getByRole('link', { name, exact: true }).click();
  await operator.heading(name).waitFor();
}

/** Does something to the person whose page is open. */
async function act(operator: Person, action: 'suspend' | 'reinstate' | 'logout' | 'password', reason: string): Promise<void> {
  const { page, t } = operator;
  await page.getByRole('main').getByRole('button', { name: t(`ops:people.actions.${action}.button`), exact: true }).click();
  const dialog = page.getByRole('dialog');
  await confirm(operator, dialog, reason, t(`ops:people.actions.${action}.confirm`));
  if (action !== 'password') await dialog.waitFor({ state: 'hidden' });
}

/** Fills in the log-in page, whatever comes of it. */
async function tryLogIn({ page, t }: Person, username: string, secret: string): Promise<void> {
  await page.getByLabel(t('account:username')).fill(username);
  await page.getByLabel(t('account:password'), { exact: false }).and(page.locator('input')).first().fill(secret);
  await page.getByRole('main').getByRole('button', { name: t('account:logIn.send') }).click();
}

/** What a page asks the server for from now on, besides the number of drivers who wait, which the console asks for every 20 s. */
function requestsOf(page: Page): readonly string[] {
  const asked: string[] = [];
  page.on('request', (request) => {
    const { pathname } = new URL(request.url());
    if (pathname.startsWith('/v1/') && pathname !== '/v1/admin/waiting-drivers') asked.push(request.url());
  });
  return asked;
}

/** Drives from the pickup to the dropoff. */
async function ride(p: Person): Promise<void> {
  await p.context.setGeolocation(pickup);
  await p.heading(p.t('driver:trip.title.atPickup')).waitFor(); // a step elsewhere would ask for a reason
  await p.button(p.t('driver:trip.arrived')).click();
  await p.heading(p.t('driver:trip.title.arrived')).waitFor();
  await p.button(p.t('driver:trip.start')).click();
  await p.heading(p.t('driver:trip.title.riding')).waitFor();
  await p.context.setGeolocation(dropoff);
  await p.heading(p.t('driver:trip.title.atDropoff')).waitFor();
  await p.button(p.t('driver:trip.complete')).click();
  await p.heading(p.t('driver:ended.title')).waitFor();
}

/** Opens the only trip that is listed, which Dana had and Eli drove, and reads why. */
async function explains(operator: Person): Promise<void> {
  const { page, t } = operator;
  await rows(operator, 'Eli').press('Enter');
  await page.waitForURL('**/ops/trips/*');
  await page.getByRole('heading', { name: t('ops:explain.waves') }).waitFor();
  await operator.checkAccess('explained');
  const waves = page.getByRole('button', { name: anyOf(t, 'ops:explain.wave', 'wave') });
  expect(await waves.count()).toBeGreaterThan(1);
  // The wave that decided is open: Eli was asked, Dana was not any more.
  const candidates = page.getByRole('table', { name: anyOf(t, 'ops:explain.candidates', 'wave') });
  const eli = candidates.getByRole('row').filter({ hasText: 'Eli' });
  expect(await eli.textContent()).toContain(t('ops:explain.reason.offered'));
  expect(await eli.textContent()).toContain(t('ops:explain.outcome.won'));
  expect(await eli.getByRole('cell').nth(1).textContent()).toMatch(/\d+\s?m/);
  expect(await eli.getByRole('cell').nth(2).textContent()).toMatch(/\d/);
  expect(await candidates.getByRole('row').filter({ hasText: 'Dana' }).textContent()).toContain(t('ops:explain.reason.excluded'));
  const offers = page.getByRole('table', { name: t('ops:explain.timeline') });
  expect(await offers.getByRole('row').count()).toBe(3);
  const log = page.getByRole('list').filter({ hasText: t('ops:explain.event.released') });
  const events = await log.getByRole('listitem').allTextContents();
  const order = (['requested', 'matched', 'released', 'matched', 'arrived', 'started', 'completed'] as const).map((kind) => t(`ops:explain.event.${kind}`));
  // What is said about an event may hold the name of another, so the first name in the text counts.
  const nameIn = (text: string) => order.filter((name) => text.includes(name)).sort((a, b) => text.indexOf(a) - text.indexOf(b))[0];
  expect(events.flatMap((text) => nameIn(text) ?? [])).toEqual(order);
  expect(events.join()).toContain('The driver does not move');
}
