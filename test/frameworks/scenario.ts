/** What holds in every framework: checked over HTTP, by what a browser is given and what arrives at the local edge. */
import { deepEqual, equal, match, notEqual, ok } from 'node:assert/strict';
import { parseCookie } from 'cookie';
import type { EdgeOffers, ReceivedRequest, TargetEdge } from 'target-node-sdk/testing';
import type { Report } from '../package/report.js';
import { Browser, type Page } from './browser.js';
import type { FrameworkServer } from './server.js';

type Testing = typeof import('target-node-sdk/testing');

/** A request to a page counts as one of these, whatever the framework. */
interface Ids {
  readonly session: string;
  readonly tntId: string;
}

/** Offers that name the visitor of the call that asked for them. */
export function offersOf({ html, json }: Testing): EdgeOffers {
  const names = ['q1', 'q2', 'q3', 'q4', 'q5', 'q6', 'late', 'order-confirm'];
  return {
    mboxes: Object.fromEntries([
      ...names.map((name) => [name, (_: unknown, call: Call) => html(`${call.sessionId} ${call.tntId}`)]),
      ['flags', (_: unknown, call: Call) => json({ seen: `${call.sessionId} ${call.tntId}` })],
    ]),
  };
}

type Call = { readonly sessionId: string; readonly tntId: string };

/** The ids in the cookie `mbox` of a browser. */
function idsOf(browser: Browser): Ids {
  const { mbox = '' } = parseCookie(`mbox=${browser.cookie('mbox')}`);
  const [, session = ''] = /session#([^#]+)#/.exec(mbox) ?? [];
  const [, tntId = ''] = /PC#([^#]+)#/.exec(mbox) ?? [];
  return { session, tntId };
}

/** Everything that a page shows, without the lists that it is in. */
function textsOf({ shown }: Page): string[] {
  return (shown as unknown[]).flat(3).map(String);
}

function delivered(edge: TargetEdge): readonly ReceivedRequest[] {
  return edge.requestsTo(({ delivery }) => delivery !== undefined);
}

/** How a scenario runs. */
export interface ScenarioOptions {
  /** The name of the framework with its version. */
  readonly name: string;
  readonly server: FrameworkServer;
  readonly edge: TargetEdge;
  readonly report: Report;
  /** The number of requests that two browsers send in parallel. */
  readonly requests: number;
}

/** The checks of a server whose edge answers. */
export async function playScenario(options: ScenarioOptions): Promise<void> {
  const { name, server, edge, report, requests } = options;
  const check = async (what: string, run: (browser: Browser) => Promise<void>) => {
    const browser = new Browser(server.url);
    edge.clearRequests();
    edge.clearFaults();
    await report.check(`${name}: ${what}`, () => run(browser));
    browser.close();
  };
  const checks = { ...identityChecks(edge), ...consentChecks(edge), ...countingChecks(edge) };
  for (const [what, run] of Object.entries(checks)) {
    await check(what, run);
  }
  await check('after the headers are sent, calls are answered and nothing throws', async (browser) => {
    await browser.open('do=early');
    const { shown } = await browser.open('do=afterwards');
    const texts = (shown as unknown[]).flat(3).map(String);
    equal(texts.length, 8, texts.join());
    equal(texts.filter((text) => !/^\S+ \S+$/.test(text)).join(), '');
  });
  await check(`two browsers share nothing in ${requests} requests`, (browser) =>
    playTwoBrowsers([browser, browser.other()], requests),
  );
  await report.check(`${name}: the server still runs, and has printed no error`, () => {
    ok(server.isRunning(), 'its process has ended');
    equal(server.errors().replace(/^.*(ExperimentalWarning|--trace-warnings).*\n/gm, ''), '');
  });
}

type Checks = Readonly<Record<string, (browser: Browser) => Promise<void>>>;

function identityChecks(edge: TargetEdge): Checks {
  return {
    'six parallel questions of a new visitor are one visitor, one session and one call': async (browser) => {
      const page = await browser.open('do=six');
      const { session, tntId } = idsOf(browser);
      deepEqual(textsOf(page), Array(7).fill(`${session} ${tntId}`));
      equal(delivered(edge).length, 1);
      equal(page.setCookies.length, 2);
    },
    'a question in a later turn is a second call of the same visitor': async (browser) => {
      const page = await browser.open('do=late');
      const { session, tntId } = idsOf(browser);
      deepEqual(textsOf(page), Array(8).fill(`${session} ${tntId}`));
      equal(delivered(edge).length, 2);
    },
    'a visitor who comes back keeps the ids': async (browser) => {
      await browser.open('do=one');
      const before = idsOf(browser);
      const page = await browser.open('do=six');
      deepEqual(textsOf(page), Array(7).fill(`${before.session} ${before.tntId}`));
      deepEqual(idsOf(browser), before);
    },
    'two new visitors are two': async (browser) => {
      const other = browser.other();
      await Promise.all([browser.open('do=six'), other.open('do=six')]);
      notEqual(idsOf(browser).session, idsOf(other).session);
      notEqual(idsOf(browser).tntId, idsOf(other).tntId);
    },
    'a page that asks for nothing sets no cookies': async (browser) => {
      const page = await browser.open('do=plain');
      deepEqual(page.setCookies, []);
      equal(edge.requests.length, 0);
    },
    'Target learns the address and the user agent of the page': async (browser) => {
      await browser.open('do=one&coffee=kenya');
      const { context } = delivered(edge)[0]?.delivery ?? {};
      match(String(context?.address?.url), /^https?:\/\/127\.0\.0\.1:\d+\/\?do=one&coffee=kenya$/);
      match(String(context?.userAgent), /^Mozilla/);
    },
  };
}

function consentChecks(edge: TargetEdge): Checks {
  return {
    'without consent nothing is sent, read or written': async (browser) => {
      for (const cookie of [undefined, 'session#abc#9999999999|PC#def.35_0#9999999999']) {
        if (cookie !== undefined) {
          browser.setCookie('mbox', encodeURIComponent(cookie));
        }
        for (const query of ['do=six', 'do=one', 'do=track', 'do=late']) {
          const page = await browser.open(query, { headers: { 'X-Consent': 'no' } });
          deepEqual(page.setCookies, []);
          deepEqual(
            textsOf(page).filter((text) => text.includes(' ')),
            [],
          );
        }
      }
      // A visit with consent comes last, so whatever was sent before it has arrived.
      await browser.open('do=one');
      equal(edge.requests.length, 1);
    },
    'a visitor who withdraws consent loses the cookies': async (browser) => {
      await browser.open('do=one');
      const page = await browser.open('do=six', { headers: { 'X-Consent': 'no', 'X-Forget': 'yes' } });
      equal(page.setCookies.length, 2);
      equal(browser.cookie('mbox') ?? browser.cookie('mboxEdgeCluster'), undefined);
      equal(edge.requests.length, 1);
    },
  };
}

function countingChecks(edge: TargetEdge): Checks {
  return {
    'HEAD and OPTIONS count nothing': async (browser) => {
      for (const method of ['HEAD', 'OPTIONS']) {
        await browser.open('do=six', { method });
      }
      const executed = delivered(edge).filter(({ delivery }) => delivery?.execute !== undefined);
      equal(executed.length, 0);
    },
    'a QA link is answered in QA mode, which counts nothing': async (browser) => {
      await browser.open('do=six&at_preview_token=abc&at_preview_index=1_2');
      const modes = delivered(edge).map(({ delivery }) => delivery?.qaMode);
      equal(modes.length, 1);
      deepEqual(modes[0], { ...modes[0], token: 'abc' });
    },
    'a conversion is one executed mbox with its order': async (browser) => {
      await browser.open('do=track');
      const [request] = await edge.waitForRequests(1);
      deepEqual(
        request?.delivery?.execute?.mboxes?.map(({ name, order }) => [name, order]),
        [['order-confirm', { id: 'o1', total: 12 }]],
      );
    },
  };
}

/** The number of requests of each browser that are under way at once. */
const IN_PARALLEL = 12;
/** One of so many requests comes from a visitor who has no cookies. */
const NEW_EVERY = 5;

/** Two visitors, and many new ones among them: each page shows its own visitor alone. */
async function playTwoBrowsers(browsers: readonly Browser[], requests: number): Promise<void> {
  for (const browser of browsers) {
    await browser.open('do=one');
  }
  const seen = new Set(browsers.map((browser) => idsOf(browser).tntId));
  equal(seen.size, browsers.length);
  let begun = 0;
  const work = async (known: Browser) => {
    const expected = idsOf(known);
    while (begun < requests) {
      begun += 1;
      const isNew = begun % NEW_EVERY === 0;
      const browser = isNew ? known.other() : known;
      const texts = textsOf(await browser.open('do=random'));
      const { session, tntId } = isNew ? idsOf(browser) : expected;
      deepEqual(texts, Array(7).fill(`${session} ${tntId}`));
      if (isNew) {
        ok(!seen.has(tntId), 'a new visitor has the id of another one');
        seen.add(tntId);
      }
    }
  };
  await Promise.all(browsers.flatMap((browser) => Array.from({ length: IN_PARALLEL }, () => work(browser))));
}

/** The checks of a server whose edge does not answer. The visits of the server have a short time limit. */
export async function playOutage(options: Omit<ScenarioOptions, 'requests'>): Promise<void> {
  const { name, server, edge, report } = options;
  for (const kind of ['hang', 'reset'] as const) {
    await report.check(`${name}: with an edge in trouble (${kind}), pages have default content`, async () => {
      const browser = new Browser(server.url);
      edge.clearFaults();
      edge.fault({ kind });
      const page = await browser.open('do=one');
      equal(page.status, 200);
      deepEqual(page.shown, ['default']);
      deepEqual(page.setCookies, []);
      const [code] = textsOf(await browser.open('do=rejects'));
      match(String(code), /^ERR_TARGET_(TIMEOUT|NETWORK|CIRCUIT_OPEN)$/);
      edge.clearFaults();
      browser.close();
    });
  }
}
