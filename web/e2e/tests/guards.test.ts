import { describe, it } from 'vitest';

import { comeAs, logIn, password, signUp } from '../src/account';
import { pickup } from '../src/ride';
import { english, stage } from '../src/stage';

const on = stage('serve');

describe('the app', () => {
  it('lets riders in where they belong, after a log-in that leads back', async () => {
    const rider = await on.enter(english, pickup);
    const { page, t } = rider;
    await page.goto('/');
    await page.getByRole('heading', { name: t('account:landing.title') }).waitFor();
    await rider.checkAccess('landing');
    await signUp(rider, 'rider', 'mina', 'Mina');
    await page.goto('/ops/map');
    await page.waitForURL('**/ride');
    await page.goto('/nowhere');
    await page.getByRole('heading', { name: t('notFound.title') }).waitFor();
    await page.goto('/profile');
    await page.getByRole('heading', { name: t('account:profile.title') }).waitFor();
    await rider.checkAccess('profile');
    await page.goto('/trips');
    await page.getByText(t('trips:empty.title')).waitFor();
    await rider.checkAccess('no trips');

    // The server no longer knows this log-in: the page asks for another one and comes back.
    await page.evaluate(async () => {
      const { tokens } = JSON.parse(localStorage.getItem('hexhail.session') ?? '') as { tokens: { access_token: string } };
      await fetch('/v1/logout', { method: 'POST', headers: { Authorization: `Bearer ${tokens.access_token}` } });
    });
    await page.waitForURL('**/login?next=%2Ftrips');
    await rider.checkAccess('log-in');
    await page.getByLabel(t('account:username')).fill('mina');
    await page.getByLabel(t('account:password')).first().fill(password);
    await page.getByRole('main').getByRole('button', { name: t('account:logIn.send') }).click();
    await page.waitForURL('**/trips');
  });

  it('logs out in all tabs at once', async () => {
    const rider = await on.enter(english, pickup);
    await comeAs(rider, 'rider', 'noor', 'Noor');
    const other = await rider.tab();
    await other.goto('/trips');
    await other.getByText(rider.t('trips:empty.title')).waitFor();
    await rider.button(rider.t('account', { name: 'Noor' })).click();
    await rider.page.getByRole('menuitem', { name: rider.t('logOut') }).click();
    await Promise.all([rider.page, other].map((p) => p.waitForURL((url) => ['/', '/login'].includes(url.pathname))));
  });

  it('goes on where it was used last, and comes back when asked to', async () => {
    const [here, there] = [await on.enter(english, pickup), await on.enter(english, pickup)];
    await comeAs(here, 'rider', 'omar', 'Omar');
    await here.heading(here.t('rider:plan.tap.dropoff')).waitFor(); // it is connected, so the other is the later one
    await logIn(there, 'omar');
    await there.heading(there.t('rider:plan.tap.dropoff')).waitFor();
    await here.page.getByText(here.t('connection.replaced')).waitFor();
    await here.checkAccess('replaced');
    await here.button(here.t('connection.useHere')).click();
    await there.page.getByText(there.t('connection.replaced')).waitFor();
    await here.page.getByText(here.t('connection.replaced')).waitFor({ state: 'hidden' });
    await here.heading(here.t('rider:plan.tap.dropoff')).waitFor();
  });
});
