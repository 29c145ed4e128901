import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { createVisit } from '../../src/adapters/http.js';
import { type FetchApi, TargetClient } from '../../src/index.js';
import { Browser } from './browser.js';

/** A sequence of numbers that looks random and is the same in each run. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const pick = numbers(7);
/** The session of each visitor who was named, by tntId. */
const sessions = new Map<string, string>();
let calls = 0;

/** An edge that answers after some turns, in another order than it was asked, with the visitor as content. */
const fetchApi: FetchApi = async (url, init) => {
  const session = new URL(String(url)).searchParams.get('sessionId') ?? '';
  const { id, requestId, execute, context } = JSON.parse(String(init?.body));
  calls += 1;
  const tntId = id?.tntId ?? `visitor${calls}.35_0`;
  sessions.set(tntId, session);
  for (let turns = pick(8); turns > 0; turns -= 1) {
    await turn();
  }
  const seen = { tntId, session, host: context.browser.host, customer: id?.customerIds?.[0]?.id };
  const mboxes = execute.mboxes.map(({ name, index }: { name: string; index: number }) => ({
    name,
    index,
    options: [{ type: 'json', content: { ...seen, name } }],
  }));
  return new Response(
    JSON.stringify({ status: 200, requestId, id: { ...id, tntId }, client: 'demo', execute: { mboxes } }),
    { headers: { 'content-type': 'application/json' } },
  );
};

interface Seen {
  readonly tntId: string;
  readonly session: string;
  readonly host: string;
  readonly customer: string;
  readonly name: string;
}

/** Asks for one page, whose parts ask in different turns, and returns what each of them was shown. */
async function visitPage(client: TargetClient, browser: Browser, host: string): Promise<Seen[]> {
  const visit = createVisit(client, browser.request({ url: `https://${host}/` }), {
    customerIds: { crm: host },
    merge: pick(4) > 0,
  });
  const parts = Array.from({ length: 1 + pick(4) }, async (_, at) => {
    for (let turns = pick(3); turns > 0; turns -= 1) {
      await turn();
    }
    return visit.offer<Seen | undefined>(`${host}-${at}`, undefined);
  });
  const seen = await Promise.all(parts);
  browser.keep(visit);
  return seen.filter((one) => one !== undefined);
}

function createClient(): TargetClient {
  return TargetClient.create({
    client: 'demo',
    organizationId: 'DEMO@AdobeOrg',
    fetchApi,
    telemetryEnabled: false,
    timeout: 60_000,
  });
}

test('two browsers never share anything in 10 000 requests with random delays', async () => {
  const client = createClient();
  const hosts = ['one.example', 'other.example'];
  const browsers = hosts.map((host) => ({ host, browser: new Browser(), ids: new Set<string>() }));
  const mixed: Seen[] = [];
  const visitOnce = async ({ host, browser, ids }: (typeof browsers)[number]) => {
    const seen = await visitPage(client, browser, host);
    for (const one of seen) {
      if (one.host !== host || one.customer !== host || !one.name.startsWith(host)) {
        mixed.push(one);
      }
      ids.add(`${one.tntId} ${one.session}`);
    }
  };
  await Promise.all(browsers.map(visitOnce));
  for (let pages = 2; pages < 10_000; pages += 100) {
    await Promise.all(Array.from({ length: 50 }, () => browsers.map(visitOnce)).flat());
  }
  expect(mixed).toEqual([]);
  expect(browsers.map(({ ids }) => ids.size)).toEqual([1, 1]);
  expect(new Set(browsers.flatMap(({ ids }) => [...ids])).size).toBe(2);
  await client.close();
});

test('new browsers that come at the same time are one visitor each', async () => {
  const client = createClient();
  const pages = await Promise.all(
    Array.from({ length: 500 }, (_, at) => visitPage(client, new Browser(), `h${at}.example`)),
  );
  const visitors = pages.map((seen) => new Set(seen.map(({ tntId, session }) => `${tntId} ${session}`)));
  expect(visitors.filter(({ size }) => size !== 1)).toEqual([]);
  expect(new Set(visitors.flatMap((ids) => [...ids])).size).toBe(500);
  await client.close();
});
