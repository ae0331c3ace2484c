import type { Locator } from 'playwright-core';

import { logIn } from './account';
import { fillIn } from './dialog';
import type { Person, Setting } from './person';
import type { Stage } from './stage';
import { anyOf } from './words';

/** The operator of a server: made once, logged in by as many browsers as there are tests. */
export class Operator {
  readonly username = 'opal';
  #password: string | null = null;

  constructor(private readonly on: Stage) {}

  /** Comes in, logs in, and is at the map. */
  async enter(setting: Setting): Promise<Person> {
    this.#password ??= this.on.server.createOperator(this.username);
    const operator = await this.on.enter(setting);
    await logIn(operator, this.username, this.#password);
    await operator.page.waitForURL('**/ops/map');
    return operator;
  }
}

/** Goes to another page of the console by its own menu, so that the connection stays. */
export async function goTo({ page, t }: Person, name: 'Map' | 'Trips' | 'People' | 'Actors' | 'Audit'): Promise<void> {
  await page.getByRole('navigation', { name: t('nav.label') }).getByRole('link', { name: t(`nav.ops${name}`), exact: true }).click();
  await page.waitForURL(`**/ops/${name.toLowerCase()}**`);
}

/** The rows of the table that hold a text, without its head. */
export function rows({ page }: Person, text: string | RegExp): Locator {
  return page.getByRole('grid').getByRole('row').filter({ hasText: text });
}

/** Chooses from a row's menu what is to be done to its trip, and returns the dialog that asks why. */
export async function askToDo(p: Person, row: Locator, item: string): Promise<Locator> {
  await row.getByRole('button', { name: anyOf(p.t, 'ops:trips.actions.menu', 'id') }).click();
  await p.page.getByRole('menuitem', { name: item }).click();
  const dialog = p.page.getByRole('dialog');
  await dialog.waitFor();
  await p.page.getByRole('menu').waitFor({ state: 'hidden' }); // it fades out meanwhile
  return dialog;
}

/** Says why, and confirms. */
export async function confirm(p: Person, dialog: Locator, reason: string, button: string): Promise<void> {
  await fillIn([dialog.getByLabel(p.t('ops:trips.dialog.reason')), reason]);
  await dialog.getByRole('button', { name: button, exact: true }).click();
}

/** One of the numbers above the map. */
export async function total({ page, t }: Person, name: 'online' | 'available' | 'searching' | 'pickup' | 'riding'): Promise<number> {
  const line = page.getByLabel(t('ops:map.totals.label'));
  const text = await line.locator('div').filter({ has: page.getByText(t(`ops:map.totals.${name}`), { exact: true }) }).locator('dd').textContent();
  return Number((text ?? '').replace(/\D/g, '') || NaN);
}
