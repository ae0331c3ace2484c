import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';

import { startBrowser, type Graphics } from './browser';
import { Person, type Setting } from './person';
import { Server } from './server';

/** What the tests of one file play on: a browser, a server, and the people of the test that runs. */
export interface Stage {
  readonly browser: Browser;
  readonly server: Server;
  /** Brings in a person with a browser of their own, who leaves with the test. */
  enter(setting: Setting, at?: { latitude: number; longitude: number }): Promise<Person>;
}

export const english: Setting = { language: 'en', scheme: 'light', device: 'desktop' };

/** Sets the stage for a file, or a part of it. After each test none of its people may have found a fault. */
export function stage(what: 'serve' | 'demo', ...flags: string[]): Stage {
  return stageWith('drawn by the processor', what, ...flags);
}

/** The same, with a browser that draws in this way. */
export function stageWith(graphics: Graphics, what: 'serve' | 'demo', ...flags: string[]): Stage {
  let browser: Browser;
  let server: Server;
  let people: Person[] = [];
  beforeAll(async () => {
    [browser, server] = await Promise.all([startBrowser(graphics), Server.start(what, ...flags)]);
  });
  afterAll(async () => {
    await browser.close();
    await server.close();
  });
  afterEach(async ({ task }) => {
    const left = people;
    people = [];
    if (task.result?.state === 'fail') {
      const seen = await Promise.all(left.map((p, i) => p.photograph(`${task.name.replace(/\W+/g, '-')}-${p.setting.language}-${i}`)));
      process.stderr.write(`${[...seen, `the server's last lines\n${server.log.slice(-3000)}`].join('\n\n')}\n`); // where the pictures do not come along
    }
    await Promise.all(left.map((p) => p.close()));
    expect(left.flatMap((p) => p.faults)).toEqual([]);
  });
  return {
    get browser() { return browser; },
    get server() { return server; },
    async enter(setting, at) {
      const person = await Person.with(browser, server, setting, at);
      people.push(person);
      return person;
    },
  };
}
