import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startTargetEdge, type TargetEdge } from '../../src/testing/edge.js';
import {
  type Browser,
  chromiumPath,
  isChromiumMissing,
  launchChromium,
  type Page,
} from '../examples/chromium.js';
import { flagsArtifact } from '../fixtures/flags.js';
import { allocated, artifactOf, rule } from '../fixtures/rules.js';

const VIEWS = [
  'live',
  'visitor?mbox=members&parameters=plan%3Dsilver',
  'visitor?mbox=flags',
  'visitor?mbox=evil',
  'allocation?mbox=flags',
  'rules',
  'changes',
  'faults',
] as const;
const EVIL =
  '<script>parent.postMessage("script", "*")</script><img src="/image" onerror="parent.postMessage(1, \'*\')">' +
  '<style>@import url(/style)</style><iframe src="/frame"></iframe>' +
  '<meta http-equiv="refresh" content="0;url=/gone"><p>Hello</p>';
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

if (isChromiumMissing) {
  test.skip(`the workbench in a browser: skipped, there is no ${chromiumPath}; CHROMIUM_PATH can name another`, () =>
    undefined);
} else {
  describe('the workbench in a browser', inBrowser);
}

function artifact(release: string) {
  const { rules, ...rest } = flagsArtifact({ release });
  const half = (at: number) =>
    rule('evil', { activity: 77, experience: at, when: allocated(at * 50, at * 50 + 50), shows: EVIL });
  const evil = artifactOf({ evil: [half(0), half(1)] });
  return {
    ...rest,
    localMboxes: [...(rest.localMboxes ?? []), 'evil'],
    rules: { ...rules, mboxes: { ...rules.mboxes, ...evil.rules.mboxes } },
  };
}

function inBrowser(): void {
  let edge: TargetEdge;
  let browser: Browser;
  const troubles: string[] = [];

  beforeAll(async () => {
    edge = await startTargetEdge({ artifact: artifact('first'), workbench: true });
    edge.setArtifact(artifact('second'));
    browser = await launchChromium();
    await deliver('hero');
  });

  afterAll(async () => {
    await browser.close();
    await edge.close();
    expect(troubles).toEqual([]);
  });

  async function deliver(name: string): Promise<void> {
    await fetch(`${edge.url}/rest/v1/delivery?client=demo&imsOrgId=DEMO@AdobeOrg&sessionId=s`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ context: { channel: 'web' }, execute: { mboxes: [{ index: 0, name }] } }),
    });
  }

  type Options = Parameters<Browser['newContext']>[0];

  /** Opens a tab that notes the troubles of its pages. */
  async function newTab(options: Options = {}): Promise<Page> {
    const page = await (await browser.newContext(options)).newPage();
    const view = () => page.url().split('/_workbench/')[1] ?? '';
    page.on('pageerror', (error) => troubles.push(`${view()}: ${error.message}`));
    page.on('console', (message) => {
      // The frame of the hostile offer says what is blocked, which is what it is for.
      const isExpected = view().includes('evil') && /sandboxed|Content Security Policy/.test(message.text());
      if (message.type() === 'error' && !isExpected) {
        troubles.push(`${view()}: ${message.text()}`);
      }
    });
    return page;
  }

  async function open(view: string, options: Options = {}): Promise<Page> {
    const page = await newTab(options);
    await page.goto(`${edge.url}/_workbench/${view}`);
    return page;
  }

  describe.each(['light', 'dark'] as const)('in %s', (colorScheme) => {
    test.each([1200, 390])(
      'axe finds nothing at a width of %i, and nothing scrolls sideways',
      async (width) => {
        const page = await newTab({ colorScheme, viewport: { width, height: 900 } });
        await page.addInitScript({ content: axe });
        for (const view of VIEWS) {
          await page.goto(`${edge.url}/_workbench/${view}`);
          const found = await page.evaluate<string[]>(
            'axe.run().then(({ violations }) => violations.map(({ id, nodes }) => [id, ...nodes.map((one) => one.html)].join(" ")))',
          );
          expect({ view, found }).toEqual({ view, found: [] });
          const overhang = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
          expect({ view, overhang: Math.max(0, overhang) }).toEqual({ view, overhang: 0 });
        }
      },
    );
  });

  test('the visitor form answers as it is filled, keeps the focus and the address', async () => {
    const page = await open('visitor?mbox=members');
    await page.evaluate('document.getElementById("parameters").focus()');
    await page.evaluate(
      '(field => { field.value = "plan=gold"; field.dispatchEvent(new Event("input", { bubbles: true })) })(document.getElementById("parameters"))',
    );
    await page.getByText('answered', { exact: true }).waitFor();
    expect(await page.evaluate<string>('document.activeElement.id')).toBe('parameters');
    expect(page.url()).toContain('parameters=plan%3Dgold');
  });

  test('the keyboard alone fills the form', async () => {
    const page = await open('visitor?mbox=members');
    const focused = () => page.evaluate<string>('document.activeElement.id');
    let tabs = 0;
    while ((await focused()) !== 'browser' && tabs < 20) {
      await page.keyboard.press('Tab');
      tabs += 1;
    }
    expect(tabs).toBeLessThanOrEqual(11);
    await page.keyboard.type('Firefox');
    await page.evaluate(
      'new Promise(done => { const look = () => location.search.includes("browser=Firefox") ? done() : setTimeout(look, 20); look() })',
    );
    expect(await focused()).toBe('browser');
  });

  test('the slider simulates more visitors', async () => {
    const page = await open('allocation?mbox=flags');
    await page.getByText('Visitors: 3,000', { exact: true }).waitFor();
    await page.evaluate(
      '(field => { field.value = 8; field.dispatchEvent(new Event("input", { bubbles: true })) })(document.getElementById("step"))',
    );
    await page.getByText('Visitors: 5,000', { exact: true }).waitFor();
    await page.getByText('5,000 visitors in', { exact: false }).waitFor();
  });

  test('requests appear by themselves, and wait while the list is paused', async () => {
    const page = await open('live');
    await deliver('flags');
    await page.getByText('execute flags', { exact: true }).waitFor();
    const pause = page.getByRole('button', { name: 'Pause' });
    await pause.click();
    await deliver('members');
    await page.getByText(`${edge.requests.length} requests`, { exact: true }).waitFor();
    expect(await page.getByText('execute members', { exact: true }).count()).toBe(0);
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.getByText('execute members', { exact: true }).waitFor();
  });

  test('everything works without script', async () => {
    const page = await open('visitor?mbox=members&parameters=plan%3Dgold', { javaScriptEnabled: false });
    await page.getByText('answered', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Decide' }).click();
    await page.getByText('answered', { exact: true }).waitFor();
    const faults = await open('faults', { javaScriptEnabled: false });
    await faults.getByRole('button', { name: 'Switch on' }).click();
    await faults.getByRole('button', { name: 'Switch off status 503' }).click();
    await faults.getByText('None.', { exact: true }).waitFor();
  });

  test('a hostile offer is shown, runs nothing, fetches nothing and leaves the page where it is', async () => {
    const before = edge.requests.length;
    const page = await open('visitor?mbox=evil');
    await page.addInitScript({
      content: 'window.heard = []; addEventListener("message", ({ data }) => heard.push(data));',
    });
    await page.reload();
    await page.locator('iframe').waitFor();
    // What the offer wants to do would happen before the answers to these.
    for (let round = 0; round < 5; round += 1) {
      await page.evaluate('fetch("/_workbench/live").then((answer) => answer.text())');
    }
    expect(await page.evaluate<unknown>('window.heard')).toEqual([]);
    expect(page.url()).toContain('/_workbench/visitor');
    expect(edge.requests.slice(before).map(({ path }) => path)).toEqual([]);
  });
}
