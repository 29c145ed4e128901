import { deepEqual, equal, match, notEqual, ok } from 'node:assert/strict';
import type { Checks } from '../stage.js';
import { callsTo, factOf, textOf } from '../stage.js';
import { type Answer, Visitor } from '../visitor.js';

const HEROES: Readonly<Record<string, RegExp>> = {
  'Free delivery': /<h1>Free delivery on every bag<\/h1>/,
  'Second bag': /<h1>The second bag is on us<\/h1>/,
};

/** Everything that the page of six components shows. */
export function seenOf({ text }: Answer): string[] {
  return [...text.matchAll(/<li>([^<]*)<\/li>/g)].map(([, seen = '']) => seen);
}

/** What an HTTP client sees of the pages. */
export const pageChecks: Checks = {
  "the HTML of the first page has the hero of the visitor's experience": async ({ server }) => {
    const { status, text } = await new Visitor(server.url).open('/');
    equal(status, 200);
    const experience = factOf(text, 'Experience') ?? 'none';
    match(text, HEROES[experience] ?? /there is no such experience/);
  },
  'the HTML has the flags and the JSON offer': async ({ server }) => {
    const { text } = await new Visitor(server.url).open('/');
    const showsStock = /class="stock"/.test(text);
    match(text, showsStock ? /placeholder="Try “Kenya”"/ : /placeholder="What do you like\?"/);
    match(text, showsStock ? /repeat\(3,/ : /repeat\(2,/);
    equal(textOf(text, 'note'), 'Order before noon and it leaves today. Free delivery from €30.');
  },
  'a page whose components ask by themselves is one call': async ({ server, edge }) => {
    const visitor = new Visitor(server.url);
    await visitor.open('/');
    equal(callsTo(edge).length, 1);
    const names = callsTo(edge)[0]?.delivery?.execute?.mboxes?.map(({ name }) => name);
    deepEqual(names?.sort(), ['delivery-note', 'hero', 'shop-flags']);
    await visitor.open('/');
    equal(callsTo(edge).length, 2);
  },
  'six components of a new visitor are one call of one visitor, whom the cookie names': async ({
    server,
    edge,
  }) => {
    const visitor = new Visitor(server.url);
    const page = await visitor.open('/six');
    equal(callsTo(edge).length, 1);
    const seen = new Set(seenOf(page));
    equal(seen.size, 1, [...seen].join());
    const [session, tntId = ''] = [...seen][0]?.split(' ') ?? [];
    equal(visitor.ids.session, session);
    equal(visitor.ids.tntId?.split('.')[0], tntId.split('.')[0]);
  },
  'a visitor who comes back keeps ids and experience': async ({ server }) => {
    const visitor = new Visitor(server.url);
    const first = await visitor.open('/');
    const { session, tntId } = visitor.ids;
    ok(session && tntId, 'the first answer set no ids');
    for (let visit = 0; visit < 3; visit += 1) {
      const again = await visitor.open('/');
      deepEqual(
        [factOf(again.text, 'Session'), factOf(again.text, 'Experience')],
        [session, factOf(first.text, 'Experience')],
      );
      equal(visitor.ids.session, session);
      equal(visitor.ids.tntId?.split('.')[0], tntId.split('.')[0]);
    }
  },
  'Target learns the address of the page, with its query': async ({ server, edge }) => {
    await new Visitor(server.url).open('/coffee/kenya?from=newsletter');
    equal(callsTo(edge)[0]?.delivery?.context?.address?.url, `${server.url}/coffee/kenya?from=newsletter`);
  },
  'a visitor cannot name another address': async ({ server, edge }) => {
    await new Visitor(server.url).open('/coffee/kenya', {
      headers: { 'x-target-url': 'https://elsewhere.example/' },
    });
    equal(callsTo(edge)[0]?.delivery?.context?.address?.url, `${server.url}/coffee/kenya`);
  },
  'a static page has no cookies of a visitor where a cache may keep it': async ({ server }) => {
    const visitor = new Visitor(server.url);
    for (let visit = 0; visit < 3; visit += 1) {
      const { status, text } = await visitor.open('/fixed');
      equal(status, 200);
      match(text, /The same for everybody/);
      await visitor.open('/');
    }
    const outside = await new Visitor(server.url).open('/about');
    deepEqual(outside.setCookies, []);
  },
  'pages with offers are not kept by caches': async ({ server }) => {
    for (const path of ['/', '/coffee/kenya', '/six', '/receipt', '/probe']) {
      const { headers } = await new Visitor(server.url).open(path);
      match(headers.get('cache-control') ?? 'none', /no-store/, path);
    }
  },
  'a page that asks where the offer would be kept for all visitors fails, and the log names the remedy':
    async ({ server, edge }) => {
      for (const visitor of [new Visitor(server.url), new Visitor(server.url)]) {
        equal((await visitor.open('/kept')).status, 500);
      }
      equal(callsTo(edge).length, 0);
      match(
        server.output(),
        /Await visit\(\) in a dynamic server component.*outside of, 'use cache', unstable_cache/,
      );
    },
  'a QA link shows the experience that it names': async ({ server, edge }) => {
    const visitor = new Visitor(server.url);
    const { text } = await visitor.open('/?at_preview_token=abc&at_preview_index=1_3');
    match(text, /<h1>Free tasting on Saturday<\/h1>/);
    const { qaMode } = callsTo(edge)[0]?.delivery ?? {};
    equal(qaMode?.token, 'abc');
    deepEqual(qaMode?.previewIndexes, [{ activityIndex: 1, experienceIndex: 3 }]);
    notEqual(factOf((await visitor.open('/')).text, 'Experience'), 'Draft');
  },
  'a page of the Pages Router, an API route and a server component see the same visitor': async ({
    server,
    edge,
  }) => {
    const visitor = new Visitor(server.url);
    const { text } = await visitor.open('/receipt');
    match(text, /the next espresso is on us/);
    const { session } = visitor.ids;
    await visitor.open('/six');
    const { seen } = JSON.parse((await visitor.open('/api/probe')).text);
    equal(seen.split(' ')[0], session);
    deepEqual(new Set(callsTo(edge).map(({ query }) => query.sessionId)), new Set([session]));
  },
  'all bundles have one client, and know the errors of the package': async ({ server }) => {
    const visitor = new Visitor(server.url);
    const route = JSON.parse((await visitor.open('/probe')).text);
    const api = JSON.parse((await visitor.open('/api/probe')).text);
    const page = /client (?:<!-- -->)?(\d+)/.exec((await visitor.open('/probe-page')).text)?.[1];
    deepEqual([route.client, api.client, Number(page), route.isKnown], [1, 1, 1, true]);
  },
  'a route handler sets the cookies of a new visitor': async ({ server, edge }) => {
    const visitor = new Visitor(server.url);
    await visitor.open('/probe');
    equal(visitor.ids.session, callsTo(edge)[0]?.query.sessionId);
    ok(visitor.ids.tntId);
  },
  'without Target the page comes with default content': async ({ server, edge }) => {
    edge.fault({ kind: 'status', status: 400 });
    const { status, text } = await new Visitor(server.url).open('/');
    equal(status, 200);
    match(text, /<h1>Fresh coffee from the harbour<\/h1>/);
    equal(textOf(text, 'note'), 'We deliver within three days. Free delivery from €50.');
  },
};
