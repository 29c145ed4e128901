import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { TargetClient } from '../../src/index.js';
import { html } from '../../src/testing/edge.js';
import {
  type Browser,
  chromiumPath,
  isChromiumMissing,
  launchChromium,
  type Page,
  type Visitor,
} from '../examples/chromium.js';
import { withEdge } from '../with-edge.js';
import { type Shop, startShop } from './shop.js';

const bench = withEdge({
  offers: {
    mboxes: {
      hero: { options: html('hero'), metrics: [{}] },
      box: { options: html('box'), metrics: [{}] },
    },
  },
});

if (isChromiumMissing) {
  test.skip(`beacons in a browser: skipped, there is no ${chromiumPath}; CHROMIUM_PATH can name another`, () =>
    undefined);
} else {
  describe('the beacon script in Chromium, under a Content Security Policy', inBrowser);
}

/** Keeps what the page sends, and stops the page's timers. */
const WATCH = `
  window.sent = [];
  const send = navigator.sendBeacon;
  if (send) {
    navigator.sendBeacon = (url, body) => (window.sent.push(...JSON.parse(body)), send.call(navigator, url, body));
  }
  addEventListener('pageshow', ({ persisted }) => persisted && fetch('/restored'));
`;
const LONG_MS = 60_000;

function inBrowser(): void {
  let browser: Browser;
  let visitor: Visitor;
  let page: Page;
  let client: TargetClient;
  let shop: Shop;
  const faults: string[] = [];

  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    client = bench.connect();
    shop = await startShop(client);
    visitor = await browser.newContext();
    page = await visitor.newPage();
    faults.length = 0;
    page.on('console', (message) => {
      if (message.type() === 'error') {
        faults.push(message.text());
      }
    });
    page.on('pageerror', (error) => faults.push(error.message));
    await page.clock.install({ time: Date.now() });
    await page.addInitScript({ content: WATCH });
    await page.clock.pauseAt(Date.now() + 1000);
  });
  afterEach(async () => {
    await visitor.close();
    await shop.close();
  });

  /** Waits until the browser has looked which elements are in view. The script has been told before this observer. */
  const looked = () =>
    page.evaluate<void>(
      `new Promise((resolve) => new IntersectionObserver(() => resolve()).observe(document.body))`,
    );
  const scrollTo = async (id: string) => {
    await page.evaluate(`document.getElementById('${id}').scrollIntoView()`);
    await looked();
    await looked();
  };
  const sent = () => page.evaluate<{ type: string; mbox: { name: string } }[]>('window.sent');
  const marksSent = async () => (await sent()).map(({ type, mbox }) => `${type} ${mbox.name}`);
  const open = async (path = '/') => {
    await page.goto(shop.url + path);
    await looked();
    await looked();
  };
  const addNotifications = (list: string) =>
    page.evaluate(`{
      const added = document.createElement('div');
      added.dataset.targetBeacon = JSON.stringify(${list});
      document.body.append(added);
    }`);
  /** The notifications that the edge got, when so many beacons have arrived. */
  const reported = async (beacons: number) => {
    await shop.arrived('/target/beacon', beacons);
    await client.flush();
    return bench.edge.requests
      .flatMap(({ delivery }) => delivery?.notifications ?? [])
      .map(({ type, mbox }) => `${type} ${mbox?.name}`);
  };

  test('reports once what is in view for a second, and nothing below it', async () => {
    await open();
    await page.clock.runFor(900);
    expect(await marksSent()).toEqual([]);
    await page.clock.runFor(2000);
    expect(await marksSent()).toEqual(['display hero']);
    await page.clock.runFor(LONG_MS);
    expect(await reported(1)).toEqual(['display hero']);
    expect(shop.beacons).toEqual([
      { site: 'same-origin', contentType: 'text/plain;charset=UTF-8', status: 204 },
    ]);
    expect(bench.received().violations).toEqual([]);
    expect(faults).toEqual([]);
  });

  test('reports what is scrolled into view, but no glimpse of it', async () => {
    await open();
    await scrollTo('box');
    await page.clock.runFor(300);
    await scrollTo('hero');
    await page.clock.runFor(LONG_MS);
    expect(await marksSent()).toEqual(['display hero']);
    await scrollTo('box');
    await page.clock.runFor(LONG_MS);
    await scrollTo('hero');
    await page.clock.runFor(LONG_MS);
    expect(await marksSent()).toEqual(['display hero', 'display box']);
    expect(await reported(2)).toEqual(['display hero', 'display box']);
  });

  test('finds elements and notifications that come later', async () => {
    await open();
    await page.evaluate(
      `document.body.insertAdjacentHTML('afterbegin', '<div id="late" data-target-display="late">Late</div>')`,
    );
    await addNotifications(`[{ id: '1', type: 'display', mbox: { name: 'late' }, targetDisplay: ['late'] }]`);
    await page.clock.runFor(1000);
    await looked();
    await looked();
    await page.clock.runFor(2000);
    expect((await marksSent()).toSorted()).toEqual(['display hero', 'display late']);
  });

  test('reports what is in view already when its notifications come, and not what has left', async () => {
    await open();
    await page.clock.runFor(3000);
    expect(await marksSent()).toEqual(['display hero']);
    await addNotifications(
      `[{ id: 'again', type: 'display', mbox: { name: 'hero' }, targetDisplay: ['hero'] }]`,
    );
    await page.clock.runFor(2000);
    expect(await marksSent()).toEqual(['display hero', 'display hero']);
    await scrollTo('box');
    await addNotifications(
      `[{ id: 'gone', type: 'display', mbox: { name: 'hero' }, targetDisplay: ['hero'] }]`,
    );
    await page.clock.runFor(LONG_MS);
    expect(await marksSent()).toEqual(['display hero', 'display hero', 'display box']);
  });

  test('reports what was in view for little more than a second, also when a router has removed it', async () => {
    await open();
    await page.clock.runFor(1200);
    await page.evaluate(`document.body.replaceChildren()`);
    await looked();
    await page.clock.runFor(2000);
    expect(await marksSent()).toEqual(['display hero']);
  });

  test('reports an element that gets another name while it is in view', async () => {
    await open();
    await page.clock.runFor(3000);
    await page.evaluate(
      `for (const { dataset } of document.querySelectorAll('[data-target-display="hero"]')) dataset.targetDisplay = 'box'`,
    );
    await page.clock.runFor(2000);
    expect(await marksSent()).toEqual(['display hero', 'display box']);
  });

  test.each([
    ['an empty text', `''`],
    ['no JSON', `'{'`],
    ['an object', `'{}'`],
    ['null', `'[null]'`],
  ])('is not stopped by an element whose notifications are %s', async (_, text) => {
    await open();
    await page.evaluate(`{
      const wrong = document.createElement('div');
      wrong.dataset.targetBeacon = ${text};
      document.body.prepend(wrong);
    }`);
    await page.locator('#claim').click();
    await page.clock.runFor(3000);
    expect((await marksSent()).toSorted()).toEqual(['click hero', 'display hero']);
    expect(faults).toEqual([]);
  });

  test('runs once in a page that has it twice, or that runs it again', async () => {
    await open('/?twice');
    await page.evaluate(`{
      const again = document.createElement('script');
      const [script] = [...document.scripts].filter(({ text }) => text.includes('sendBeacon'));
      again.nonce = script.nonce;
      again.text = script.text;
      document.body.append(again);
    }`);
    await page.locator('#claim').click();
    await page.clock.runFor(LONG_MS);
    expect((await marksSent()).toSorted()).toEqual(['click hero', 'display hero']);
    expect(faults).toEqual([]);
  });

  test('reports each click once, wherever in the element it is', async () => {
    await open('/?executed');
    await page.locator('#claim').click();
    await page.locator('#claim').click();
    await page.evaluate(`addEventListener('click', (event) => event.stopImmediatePropagation(), true)`);
    await page.clock.runFor(LONG_MS);
    expect(await marksSent()).toEqual(['click hero']);
    expect(await reported(1)).toEqual(['click hero']);
    expect(shop.uncounted).toBe(0);
  });

  test('sends what is left when the page is left', async () => {
    await open('/?executed');
    await page.locator('#next').click();
    expect(await reported(1)).toEqual(['click box']);
  });

  test('uses fetch where there is no sendBeacon', async () => {
    await page.addInitScript({
      content: 'delete Navigator.prototype.sendBeacon; delete navigator.sendBeacon;',
    });
    await open();
    expect(await page.evaluate('typeof navigator.sendBeacon')).toBe('undefined');
    await page.clock.runFor(3000);
    expect(await reported(1)).toEqual(['display hero']);
    expect(shop.beacons).toMatchObject([{ site: 'same-origin', status: 204 }]);
    expect(faults).toEqual([]);
  });

  test('waits until a page that is made in advance is shown', async () => {
    await page.addInitScript({
      content: `Object.defineProperty(document, 'prerendering', { value: true, configurable: true })`,
    });
    await open();
    await page.locator('#claim').click();
    await page.clock.runFor(LONG_MS);
    expect(await marksSent()).toEqual([]);
    await page.evaluate(`document.dispatchEvent(new Event('prerenderingchange'))`);
    await looked();
    await looked();
    await page.clock.runFor(3000);
    expect(await marksSent()).toEqual(['display hero']);
  });

  test('counts a page that was loaded in advance when it is shown, exactly once', async () => {
    await open('/?executed&speculating');
    await shop.arrived('/next');
    expect(shop.uncounted).toBe(2);
    await page.clock.runFor(LONG_MS);
    expect(bench.edge.requests.filter(({ delivery }) => delivery?.execute)).toHaveLength(1);
    expect(shop.beacons).toEqual([]);
    await page.locator('#next').click();
    expect(await reported(1)).toEqual(['click box']);
    while (await looked().then(() => page.url().endsWith('/'), Boolean)) {
      await new Promise(setImmediate);
    }
    await looked();
    await page.clock.runFor(3000);
    expect(await marksSent()).toEqual(['display hero']);
    expect(await reported(2)).toEqual(['click box', 'display hero']);
    expect(bench.edge.requests.filter(({ delivery }) => delivery?.execute)).toHaveLength(1);
  });

  test('counts nothing of a page in a tab that nobody sees', async () => {
    await open();
    await page.evaluate(`Object.defineProperty(document, 'hidden', { value: true, configurable: true })`);
    await page.clock.runFor(LONG_MS);
    expect(await marksSent()).toEqual([]);
    await page.evaluate('delete document.hidden');
    await page.clock.runFor(1000);
    await looked();
    await looked();
    await page.clock.runFor(900);
    expect(await marksSent()).toEqual([]);
    await page.clock.runFor(2000);
    expect(await marksSent()).toEqual(['display hero']);
  });

  test('counts nothing twice when the visitor comes back to a page', async () => {
    await open();
    await page.clock.runFor(3000);
    expect(await reported(1)).toEqual(['display hero']);
    await page.goto(`${shop.url}/next?executed`);
    await page.evaluate('history.back()').catch(() => undefined);
    await shop.arrived('/restored');
    // Playwright hears of the page that is back a little later.
    while (await looked().then(Boolean, () => true)) {
      await new Promise(setImmediate);
    }
    await page.clock.runFor(LONG_MS);
    expect(await marksSent()).toEqual(['display hero']);
    expect(shop.beacons).toHaveLength(1);
  });

  test('is refused from the page of another site', async () => {
    await open();
    await page.clock.runFor(3000);
    const body = JSON.stringify(await sent());
    expect(await reported(1)).toHaveLength(1);
    const forger = createServer((_, response) => {
      response.setHeader('Content-Type', 'text/html');
      response.end('<link rel="icon" href="data:,">');
    });
    forger.listen(0);
    await once(forger, 'listening');
    const { port } = forger.address() as AddressInfo;
    await page.goto(`http://localhost:${port}`);
    await page.evaluate(`navigator.sendBeacon('${shop.url}/target/beacon', ${JSON.stringify(body)})`);
    expect(await reported(2)).toHaveLength(1);
    expect(shop.beacons[1]).toMatchObject({ site: 'cross-site', status: 403 });
    forger.closeAllConnections();
    forger.close();
  });
}
