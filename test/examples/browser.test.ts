import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { demoOffers } from '../../examples/express/demo-offers.js';
import { startTargetEdge, type TargetEdge } from '../../src/testing/edge.js';
import {
  type Browser,
  chromiumPath,
  isChromiumMissing,
  launchChromium,
  type Page,
  type Visitor,
} from './chromium.js';
import { accountOf, type ExampleServer, killExamples, startExpressExample } from './express-server.js';

if (isChromiumMissing) {
  test.skip(`the Express example in a browser: skipped, there is no ${chromiumPath}; CHROMIUM_PATH can name another`, () =>
    undefined);
} else {
  describe('the Express example in a browser', inBrowser);
  describe.each([true, false])('the demo in a browser, with JavaScript: %s', demoInBrowser);
}

function demoInBrowser(javaScriptEnabled: boolean): void {
  test('stops its edge, shows default content, starts the edge again and shows offers', async () => {
    const server = await startExpressExample();
    const browser = await launchChromium();
    try {
      const page = await (await browser.newContext({ javaScriptEnabled })).newPage();
      await page.goto(server.url);
      await page.getByText('The local Target edge is running.').waitFor();
      await page.getByRole('button', { name: 'Stop the edge' }).click();
      await page.getByText('The local Target edge is stopped', { exact: false }).waitFor();
      const heading = page.getByRole('heading', { level: 1 });
      expect(await heading.innerText()).toBe('Fresh coffee from the harbour');
      await page.getByRole('button', { name: 'Claim this offer' }).click();
      await page.getByText('Claimed.', { exact: true }).waitFor();
      await page.getByRole('button', { name: 'Start the edge again' }).click();
      await page.getByText('The local Target edge is running.').waitFor();
      expect(await heading.innerText()).not.toBe('Fresh coffee from the harbour');
    } finally {
      await browser.close();
      expect(await server.stop()).toBe(0);
    }
  });
}

function inBrowser(): void {
  let edge: TargetEdge;
  let server: ExampleServer;
  let browser: Browser;
  let visitor: Visitor;
  let page: Page;

  beforeAll(async () => {
    edge = await startTargetEdge({ offers: demoOffers });
    server = await startExpressExample(accountOf(edge));
    browser = await launchChromium();
  });
  beforeEach(async () => {
    visitor = await browser.newContext();
    page = await visitor.newPage();
    await page.goto(server.url);
  });
  afterEach(async () => {
    edge.clearFaults();
    edge.clearRequests();
    await visitor?.close();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    await edge?.close();
    killExamples();
  });

  const cell = (name: string) => page.getByRole('row', { name }).getByRole('cell').innerText();

  test('shows offers and flags', async () => {
    const heading = await page.getByRole('heading', { level: 1 }).innerText();
    const expected = {
      'Free delivery': 'Free delivery on every bag',
      'Second bag': 'The second bag is on us',
    };
    expect(Object.entries(expected)).toContainEqual([await cell('Experience'), heading]);
    expect(await page.locator('#note').innerText()).toMatch(/^Order before noon/);
    const showsStock = (await cell('showStock')) === 'true';
    expect(await page.getByText('12 left').count()).toBe(showsStock ? 1 : 0);
    expect(await page.getByRole('searchbox').getAttribute('placeholder')).toBe(await cell('searchHint'));
  });

  test('keeps the visitor and the session over a reload, and forgets them with the cookies', async () => {
    const before = [await cell('tntId'), await cell('Session'), await cell('Experience')];
    expect(before[0]).toMatch(/^\w+\.35_0$/);
    await page.reload();
    expect([await cell('tntId'), await cell('Session'), await cell('Experience')]).toEqual(before);
    await visitor.clearCookies();
    await page.reload();
    expect(await cell('tntId')).not.toBe(before[0]);
    expect(await cell('Session')).not.toBe(before[1]);
  });

  test('reports a click to Target, and says so', async () => {
    const token = JSON.parse(await page.locator('#click').innerText()).token;
    edge.clearRequests();
    await page.getByRole('button', { name: 'Claim this offer' }).click();
    await page.getByText('Claimed. Target has counted your click.').waitFor();
    expect(edge.requests).toHaveLength(1);
    expect(edge.lastRequest?.delivery?.notifications).toMatchObject([
      { type: 'click', mbox: { name: 'hero' }, tokens: [token] },
    ]);
    expect(edge.lastRequest?.delivery?.id?.tntId).toBe(await cell('tntId'));
    expect(await page.getByRole('button', { name: 'Claim this offer' }).isDisabled()).toBe(true);
  });

  test('lets the visitor claim the default content when the edge is down, and says nothing of Target', async () => {
    edge.fault({ kind: 'reset' });
    await page.reload();
    expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe('Fresh coffee from the harbour');
    await page.getByRole('button', { name: 'Claim this offer' }).click();
    await page.getByText('Claimed.', { exact: true }).waitFor();
  });

  test('counts an order, and says so', async () => {
    edge.clearRequests();
    await page.getByRole('button', { name: 'Buy Kenya Karatina' }).click();
    await page.getByText('Thank you for your order.').waitFor();
    const ordered = await edge.waitForRequests(1, {
      where: ({ delivery }) => delivery?.execute?.mboxes?.[0]?.order !== undefined,
    });
    expect(ordered.map(({ delivery }) => delivery?.execute?.mboxes?.[0]?.order?.total)).toEqual([14]);
    expect(ordered[0]?.delivery?.id?.tntId).toBe(await cell('tntId'));
  });

  test('lets one be another visitor', async () => {
    const before = [await cell('tntId'), await cell('Session')];
    const button = page.getByRole('button', { name: 'Be another visitor' });
    await Promise.all([page.waitForEvent('load'), button.click()]);
    expect(await cell('tntId')).toMatch(/^\w+\.35_0$/);
    expect(await cell('tntId')).not.toBe(before[0]);
    expect(await cell('Session')).not.toBe(before[1]);
  });

  test('has no buttons for an edge that is not its own', async () => {
    expect(await page.getByRole('button', { name: 'Stop the edge' }).count()).toBe(0);
  });

  test('reports a click without JavaScript too, and says so on the page that comes back', async () => {
    const scriptless = await browser.newContext({ javaScriptEnabled: false });
    page = await scriptless.newPage();
    await page.goto(server.url);
    const tntId = await cell('tntId');
    edge.clearRequests();
    await page.getByRole('button', { name: 'Claim this offer' }).click();
    await page.getByText('Claimed. Target has counted your click.').waitFor();
    expect(page.url()).toBe(`${server.url}/?claimed=counted`);
    expect(edge.requests[0]?.delivery?.notifications).toMatchObject([
      { type: 'click', mbox: { name: 'hero' } },
    ]);
    expect(edge.requests[0]?.delivery?.id?.tntId).toBe(tntId);
    expect(await cell('tntId')).toBe(tntId);
    await scriptless.close();
  });

  test('fits a phone without scrolling sideways', async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    const box = await page.locator('main').boundingBox();
    for (const part of await page.locator('main *').all()) {
      const { x = 0, width = 0 } = (await part.boundingBox()) ?? {};
      expect(x + width).toBeLessThanOrEqual((box?.x ?? 0) + (box?.width ?? 0) + 1);
    }
  });

  test('is written without errors in the console', async () => {
    const errors: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error') {
        errors.push(message.text());
      }
    });
    page.on('pageerror', (error) => errors.push(error.message));
    await page.reload({ waitUntil: 'networkidle' });
    expect(errors).toEqual([]);
  });
}
