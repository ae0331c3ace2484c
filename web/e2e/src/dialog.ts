import type { Locator } from 'playwright-core';
import { expect } from 'vitest';

/**
 * Fills fields of a dialog that has just opened. A dialog takes the focus a moment after it is there, and a
 * text that is being put in goes where the focus is: on a busy machine into another field. People see that
 * and correct it, and so does this.
 */
export async function fillIn(...fields: (readonly [Locator, string])[]): Promise<void> {
  await expect.poll(async () => {
    for (const [field, text] of fields) await field.fill(text);
    return Promise.all(fields.map(([field]) => field.inputValue()));
  }, { timeout: 60_000 }).toEqual(fields.map(([, text]) => text));
}
