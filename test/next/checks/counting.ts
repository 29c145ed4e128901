import { deepEqual, equal, ok } from 'node:assert/strict';
import type { Tab } from '../browser.js';
import { type Checks, callsTo, impressionsOf, inBrowser, PATIENT_MS, type Stage } from '../stage.js';
import { Visitor } from '../visitor.js';

/** Waits until the edge has counted so many impressions of an mbox. */
async function waitForImpressions({ edge }: Stage, mbox: string, count: number): Promise<void> {
  const late = Date.now() + PATIENT_MS;
  for (let calls = 1; impressionsOf(edge, mbox).length < count; calls = callsTo(edge).length + 1) {
    await edge.waitForRequests(calls, {
      where: ({ delivery }) => delivery !== undefined,
      timeoutMs: late - Date.now(),
    });
  }
}

/**
 * Leaves the page, which sends what it still has to report, and opens the shelf again. When the display of that page has
 * arrived, everything that was reported before it has arrived too.
 */
async function settle(stage: Stage, tab: Tab): Promise<void> {
  const before = impressionsOf(stage.edge, 'above').length;
  await tab.goto('about:blank');
  await tab.goto(`${stage.server.url}/shelf`);
  await waitForImpressions(stage, 'above', before + 1);
}

/** The questions for an mbox that count nothing. */
function prefetchesOf({ edge }: Stage, mbox: string): number {
  return callsTo(edge).filter(({ delivery }) => delivery?.prefetch?.mboxes?.some(({ name }) => name === mbox))
    .length;
}

/** Opens the shelf, and waits until the page has reported what is in view, and its router has loaded pages ahead. */
async function openShelf(stage: Stage, tab: Tab): Promise<void> {
  await tab.goto(`${stage.server.url}/shelf`, { waitUntil: 'networkidle' });
  await waitForImpressions(stage, 'above', 1);
}

/** Impressions are counted when somebody has seen the offer, each once. */
export const countingChecks: Checks = {
  'an offer in view counts once, and one below the fold when it is scrolled to': (stage) =>
    inBrowser(stage, async (tab) => {
      await openShelf(stage, tab);
      deepEqual(impressionsOf(stage.edge, 'below'), []);
      await tab.locator('[data-target-display=below]').scrollIntoViewIfNeeded();
      await waitForImpressions(stage, 'below', 1);
      await settle(stage, tab);
      deepEqual(impressionsOf(stage.edge, 'above'), ['display', 'display']);
      deepEqual(impressionsOf(stage.edge, 'below'), ['display']);
    }),
  'a page that the router loads ahead counts nothing, and once when it is shown': (stage) =>
    inBrowser(stage, async (tab) => {
      await openShelf(stage, tab);
      ok(prefetchesOf(stage, 'tip') > 0, 'the router has loaded no page ahead');
      deepEqual(impressionsOf(stage.edge, 'tip'), []);
      await showPage(stage, tab, ['Loaded ahead', 'Kenya Karatina']);
    }),
  'a link that is hovered counts nothing, and its page once when it is shown': (stage) =>
    inBrowser(stage, async (tab) => {
      await openShelf(stage, tab);
      await tab.getByRole('link', { name: 'Loaded on hover' }).hover();
      await tab.waitForLoadState('networkidle');
      deepEqual(impressionsOf(stage.edge, 'tip'), []);
      await showPage(stage, tab, ['Loaded on hover', 'Colombia Huila']);
    }),
  'a page that the browser loads ahead counts nothing, and once when it is shown': (stage) =>
    inBrowser(stage, async (tab) => {
      await openShelf(stage, tab);
      const before = callsTo(stage.edge).length;
      await tab.evaluate(PREFETCH);
      await stage.edge.waitForRequests(before + 1, {
        where: ({ delivery }) => delivery !== undefined,
        timeoutMs: PATIENT_MS,
      });
      deepEqual(impressionsOf(stage.edge, 'tip'), []);
      await showPage(stage, tab, ['Loaded by the browser', 'Ethiopia Guji']);
    }),
  'a page that a browser prerenders sets no cookies of a new visitor and counts nothing': async (stage) => {
    const visitor = new Visitor(stage.server.url);
    const headers = { 'Sec-Purpose': 'prefetch;prerender' };
    const { setCookies } = await visitor.open('/coffee/kenya', { headers });
    deepEqual(setCookies, []);
    deepEqual(impressionsOf(stage.edge, 'tip'), []);
    equal(prefetchesOf(stage, 'tip'), 1);
  },
};

/** Runs in the page: the browser loads a page that a link leads to. */
const PREFETCH = `
  const link = document.createElement('link');
  link.rel = 'prefetch';
  link.href = '/coffee/ethiopia';
  document.head.append(link);
`;

/** Follows a link, and proves that what is shown then counts once. */
async function showPage(stage: Stage, tab: Tab, [link, heading]: readonly [string, string]): Promise<void> {
  await tab.getByRole('link', { name: link }).click();
  await tab.getByRole('heading', { name: heading, level: 1 }).waitFor();
  await waitForImpressions(stage, 'tip', 1);
  await settle(stage, tab);
  equal(impressionsOf(stage.edge, 'tip').length, 1, impressionsOf(stage.edge, 'tip').join());
}
