import { equal, ok } from 'node:assert/strict';
import { type Checks, callsTo, inBrowser } from '../stage.js';
import { Visitor } from '../visitor.js';
import { seenOf } from './pages.js';

/** Pages that a visitor opens. */
const PAGES = 30;
/** Visitors at the same time. */
const VISITORS = 6;

/** Opens pages, and proves that each shows one visitor: the one of the cookie, who stays the same. */
async function browse(url: string): Promise<string> {
  const visitor = new Visitor(url);
  let session: string | undefined;
  for (let page = 0; page < PAGES; page += 1) {
    const seen = seenOf(await visitor.open('/six'));
    equal(seen.length, 6);
    session ??= visitor.ids.session;
    for (const who of seen) {
      const [asked, tntId = ''] = who.split(' ');
      equal(asked, session);
      equal(tntId.split('.')[0], visitor.ids.tntId?.split('.')[0]);
    }
  }
  return session ?? '';
}

/** Visitors at the same time share nothing. */
export const isolationChecks: Checks = {
  [`${VISITORS} visitors who open ${PAGES} pages each at the same time share nothing`]: async ({
    server,
  }) => {
    const sessions = await Promise.all(Array.from({ length: VISITORS }, () => browse(server.url)));
    equal(new Set(sessions).size, VISITORS);
  },
  'two browsers at the same time are two visitors, and keep their experiences': async (stage) => {
    const { server, edge } = stage;
    const open = () =>
      inBrowser(stage, async (tab, profile) => {
        const shown = new Set<string>();
        for (let load = 0; load < 5; load += 1) {
          await tab.goto(server.url);
          const html = await tab.locator('#visit').innerText();
          shown.add(html);
        }
        equal(shown.size, 1, [...shown].join('\n'));
        const mbox = (await profile.cookies()).find(({ name }) => name === 'mbox')?.value ?? '';
        return decodeURIComponent(mbox).split('#')[1];
      });
    const [one, two] = await Promise.all([open(), open()]);
    ok(one && two && one !== two);
    const sessions = new Set(callsTo(edge).map(({ query }) => query.sessionId));
    equal(sessions.size, 2);
  },
};
