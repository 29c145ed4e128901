import { deepEqual, equal, match } from 'node:assert/strict';
import { type Checks, callsTo, inBrowser, PATIENT_MS, type Stage } from '../stage.js';

/** Clicks and orders in a browser, with and without JavaScript. */
export const actionChecks: Checks = {
  'the hero is there at once and stays, and no script complains': heroStays,
  'an action counts a click': (stage) => countClick(stage, true),
  'an action counts a click without JavaScript': (stage) => countClick(stage, false),
  'an action counts an order': (stage) => countOrder(stage, true),
  'an action counts an order without JavaScript': (stage) => countOrder(stage, false),
};

function heroStays(stage: Stage): Promise<void> {
  return inBrowser(stage, async (tab) => {
    const complaints: string[] = [];
    tab.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) {
        complaints.push(message.text());
      }
    });
    tab.on('pageerror', (error) => complaints.push(error.message));
    await tab.addInitScript(RECORD_HEROES);
    await tab.goto(stage.server.url, { waitUntil: 'networkidle' });
    const heading = await tab.getByRole('heading', { level: 1 }).innerText();
    deepEqual(await tab.evaluate('window.heroes'), [heading]);
    await tab.reload();
    equal(await tab.getByRole('heading', { level: 1 }).innerText(), heading);
    deepEqual(complaints, []);
  });
}

/** Runs in the page: keeps every text that the hero's heading has had, from the first one. */
const RECORD_HEROES = `
  window.heroes = [];
  new MutationObserver(() => {
    const text = document.querySelector('#hero h1')?.innerText;
    if (text && window.heroes.at(-1) !== text) window.heroes.push(text);
  }).observe(document, { childList: true, subtree: true, characterData: true });
`;

function countClick(stage: Stage, javaScriptEnabled: boolean): Promise<void> {
  const { edge, server } = stage;
  return inBrowser(
    stage,
    async (tab) => {
      await tab.goto(server.url);
      const facts = await tab.locator('#visit').innerText();
      await tab.getByRole('button', { name: 'Claim this offer' }).click();
      await tab.getByText('Claimed. Target has counted your click.').waitFor();
      const clicks = callsTo(edge).filter(({ delivery }) =>
        delivery?.notifications?.some(({ type }) => type === 'click'),
      );
      deepEqual(
        clicks.map(({ delivery }) => delivery?.notifications?.map(({ mbox }) => mbox?.name)),
        [['hero']],
      );
      match(facts, new RegExp(`Session\\s+${clicks[0]?.query.sessionId}`));
    },
    { javaScriptEnabled },
  );
}

function countOrder(stage: Stage, javaScriptEnabled: boolean): Promise<void> {
  const { edge, server } = stage;
  return inBrowser(
    stage,
    async (tab) => {
      await tab.goto(server.url);
      const experience = await tab.locator('#visit').innerText();
      await tab.getByRole('button', { name: 'Buy Kenya Karatina' }).click();
      await tab.getByText('Thank you for your order.').waitFor();
      equal(await tab.locator('#visit').innerText(), experience);
      const ordered = await edge.waitForRequests(1, {
        where: ({ delivery }) => delivery?.execute?.mboxes?.[0]?.order !== undefined,
        timeoutMs: PATIENT_MS,
      });
      deepEqual(
        ordered.map(({ delivery }) => delivery?.execute?.mboxes?.[0]?.order?.total),
        [14],
      );
      match(experience, new RegExp(`Session\\s+${ordered[0]?.query.sessionId}`));
    },
    { javaScriptEnabled },
  );
}
