import type { TFunction } from 'i18next';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';

import { findingsOf } from './axe';
import { Network } from './network';
import type { Server } from './server';
import { wordsOf, type Language } from './words';

/** Where a person sits, and what with. */
export interface Setting {
  readonly language: Language;
  readonly scheme: 'light' | 'dark';
  readonly device: 'desktop' | 'tablet' | 'phone';
  /** Whether things move, which takes a third of the time of a machine that draws by its processor. Without a word they do not. */
  readonly motion?: 'full';
}

const devices = {
  desktop: { viewport: { width: 1280, height: 800 } },
  tablet: { viewport: { width: 820, height: 1180 }, hasTouch: true, isMobile: true },
  phone: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 },
} as const;

/** What the console may say while a network is cut on purpose. */
const ofTheCut = /ERR_CONNECTION|ERR_EMPTY_RESPONSE|WebSocket connection|ERR_NETWORK|ERR_SOCKET|the server responded with a status of 4\d\d/;

/** A person with a browser of their own, who notes whatever is wrong with a page. */
export class Person {
  readonly faults: string[] = [];
  /** What the console may say in a test in which something else fails on purpose. */
  tolerated: RegExp | null = null;

  private constructor(
    readonly context: BrowserContext,
    readonly page: Page,
    readonly network: Network,
    readonly t: TFunction,
    readonly setting: Setting,
    /** Whether the browser tells the page where the person is. */
    readonly located: boolean,
  ) {}

  static async with(browser: Browser, server: Pick<Server, 'port'>, setting: Setting, at?: { latitude: number; longitude: number }): Promise<Person> {
    const network = await Network.to(server.port);
    const context = await browser.newContext({
      ...devices[setting.device], baseURL: network.url, locale: setting.language === 'ko' ? 'ko-KR' : 'en-US',
      colorScheme: setting.scheme, reducedMotion: setting.motion === 'full' ? 'no-preference' : 'reduce', timezoneId: 'America/New_York',
      ...(at ? { geolocation: at, permissions: ['geolocation'] } : {}),
    });
    context.setDefaultTimeout(60_000);
    const page = await context.newPage();
    const person = new Person(context, page, network, await wordsOf(setting.language), setting, at !== undefined);
    person.#watch(page);
    context.on('request', (request) => {
      const url = new URL(request.url());
      if (/^(https?|wss?):$/.test(url.protocol) && url.hostname !== '127.0.0.1') person.faults.push(`asks another machine: ${url.href}`);
    });
    return person;
  }

  /** Another tab of the same browser. */
  async tab(): Promise<Page> {
    const page = await this.context.newPage();
    this.#watch(page);
    return page;
  }

  #watch(page: Page): void {
    page.on('console', (message) => {
      if (message.type() === 'error' && !ofTheCut.test(message.text()) && !this.tolerated?.test(message.text())) this.faults.push(`console: ${message.text()}`);
      // Violations of the policy are logged as errors; older Chromiums only report them.
      else if (/Content Security Policy|violates the following/.test(message.text())) this.faults.push(`policy: ${message.text()}`);
    });
    page.on('pageerror', (error) => this.faults.push(`error: ${error.message}`));
  }

  button(name: string | RegExp): Locator {
    return this.page.getByRole('button', { name });
  }

  heading(name: string | RegExp): Locator {
    return this.page.getByRole('heading', { name });
  }

  /** Looks for what keeps people with a disability out, here and now. */
  async checkAccess(where: string): Promise<void> {
    const findings = await findingsOf(this.page);
    for (const f of findings) this.faults.push(`${where} (${this.setting.language}, ${this.setting.device}, ${this.setting.scheme}): ${f}`);
  }

  /** Keeps what the person saw when a test failed: a picture as a file, and the page's tree as the failure's text. */
  async photograph(name: string): Promise<string> {
    await this.page.screenshot({ path: new URL(`../failures/${name}.png`, import.meta.url).pathname });
    const tree = await this.page.locator('body').ariaSnapshot();
    return `${name} at ${this.page.url()}\n${tree.slice(0, 4000)}`;
  }

  async close(): Promise<void> {
    await this.context.close();
    await this.network.close();
  }
}
