/** The page of every framework: it asks as the query of its URL says, and shows what its visit was answered. */
import { once } from 'node:events';
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises';
import type { Visit } from 'target-node-sdk/http';
import { currentExchange } from './preload.js';

const MBOXES = ['q1', 'q2', 'q3', 'q4'];
const MAX_DELAY_MS = 4;

/** What was asked for after the headers of an answer were sent, or why that failed. */
let lastAfterwards: Promise<readonly unknown[]> = Promise.resolve([]);

type Wait = () => Promise<unknown>;

/** Six parts of a page, each of which asks by itself: four offers, an attribute, and a request of several mboxes. */
function six(visit: Visit, before: Wait): Promise<unknown[]> {
  const offers = MBOXES.map(async (name) => {
    await before();
    return visit.offer(name, 'default');
  });
  const attribute = before()
    .then(() => visit.getAttributes<{ flags: { seen: string } }>(['flags']))
    .then((attributes) => attributes.getString('flags', 'seen', 'default'));
  const several = before()
    .then(() => visit.getOffers({ request: { execute: { mboxes: [{ name: 'q5' }, { name: 'q6' }] } } }))
    .then(({ response }) => response.execute?.mboxes?.map(({ options }) => options?.[0]?.content));
  return Promise.all([...offers, attribute, several]);
}

const at = {
  once: async () => undefined,
  random: () => {
    const ms = Math.floor(Math.random() * MAX_DELAY_MS);
    return ms === 0 ? turn() : wait(ms);
  },
};

/** What a page does, by `do` in the query. */
const PAGES: Readonly<Record<string, (visit: Visit) => Promise<unknown>>> = {
  plain: async () => [],
  one: async (visit) => [await visit.offer('q1', 'default')],
  six: (visit) => six(visit, at.once),
  late: async (visit) => {
    const together = await six(visit, at.once);
    await turn();
    return [...together, await visit.offer('late', 'default')];
  },
  random: (visit) => six(visit, at.random),
  track: async (visit) => {
    visit.track('order-confirm', { order: { id: 'o1', total: 12 } });
    return [];
  },
  rejects: async (visit) => {
    const execute = { mboxes: [{ name: 'q1' }] };
    return visit.getOffers({ request: { execute } }).then(
      () => ['answered'],
      ({ code }) => [code],
    );
  },
  early: async (visit) => {
    const { response } = currentExchange();
    lastAfterwards = once(response, 'finish').then(async () => {
      const answers = await Promise.all([visit.offer('q1', 'default'), six(visit, at.random)]);
      // Nobody takes these any more, and they must not throw.
      visit.headers();
      visit.headersSent();
      return [...answers, visit.headers()];
    });
    return [];
  },
  afterwards: async () => lastAfterwards.catch((error: unknown) => [`failed: ${error}`]),
};

/** Makes the page of a visit. */
export async function page(visit: Visit): Promise<string> {
  const { request, response } = currentExchange();
  const { searchParams } = new URL(request.url ?? '/', 'http://localhost');
  if (searchParams.has('theirs')) {
    response.setHeader('Set-Cookie', 'theirs=1');
  }
  const answers = await PAGES[searchParams.get('do') ?? 'plain']?.(visit);
  return JSON.stringify(answers);
}
