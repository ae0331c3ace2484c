import type { Person } from './person';

export const password = 'seven brave otters';

/** Signs a person up through the form, with a photo, and waits for their first page. */
export async function signUp(p: Person, role: 'rider' | 'driver', username: string, firstName: string, plate = ''): Promise<void> {
  const { page, t } = p;
  await page.goto(`/signup?role=${role}`);
  await page.getByLabel(t('account:firstName')).fill(firstName);
  await page.getByLabel(t('account:lastName')).fill('Kim');
  await page.getByLabel(t('account:username')).fill(username);
  await page.getByLabel(t('account:password'), { exact: false }).and(page.locator('input')).first().fill(password);
  await choosePhoto(p);
  if (role === 'driver') {
    await page.getByRole('radio', { name: new RegExp(t('shell:vehicle.standard')) }).click();
    await page.getByLabel(t('account:plate')).fill(plate);
  }
  await p.checkAccess(`sign-up as a ${role}`);
  await p.button(t('account:signUp.send')).click();
  await page.waitForURL(role === 'rider' ? '**/ride' : '**/drive');
}

/**
 * Makes an account over HTTP and logs its person in, for tests of what comes after: the page is the person's first.
 * Takes a tenth of the time of the form.
 */
export async function comeAs({ page, network }: Person, role: 'rider' | 'driver', username: string, firstName: string): Promise<void> {
  const session = await makeAccount(network.url, role, username, firstName);
  await page.goto('/early.js'); // of the app's origin, and no page of the app's
  await page.evaluate((s) => localStorage.setItem('hexhail.session', s), session);
  await page.goto(role === 'rider' ? '/ride' : '/drive');
}

/** Makes an account over HTTP, and returns what the server answered. */
export async function makeAccount(url: string, role: 'rider' | 'driver', username: string, firstName: string): Promise<string> {
  const vehicle = role === 'driver' ? { vehicle_class: 'standard', plate: 'HX-7' } : {};
  const answer = await fetch(`${url}/v1/accounts`, {
    method: 'POST', headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ role, username, password, first_name: firstName, last_name: 'Kim', ...vehicle }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`no account for ${username}: ${text}`);
  return text;
}

/** Chooses a photo and crops it; a picture of the page itself is at hand. */
async function choosePhoto({ page, t }: Person): Promise<void> {
  const picture = await page.screenshot({ clip: { x: 0, y: 0, width: 300, height: 300 } });
  const chooser = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: t('account:photo.add') }).click();
  await (await chooser).setFiles({ name: 'me.png', mimeType: 'image/png', buffer: picture });
  const dialog = page.getByRole('dialog', { name: t('account:photo.crop') });
  await dialog.getByRole('button', { name: t('account:photo.use') }).click();
  await dialog.waitFor({ state: 'hidden' });
}

export async function logIn({ page, t }: Person, username: string, secret = password): Promise<void> {
  await page.goto('/login');
  await page.getByLabel(t('account:username')).fill(username);
  await page.getByLabel(t('account:password'), { exact: false }).and(page.locator('input')).first().fill(secret);
  await page.getByRole('main').getByRole('button', { name: t('account:logIn.send') }).click();
  await page.waitForURL((url) => url.pathname !== '/login');
}
