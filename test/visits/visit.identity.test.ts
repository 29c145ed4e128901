import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { createVisit, type Visit, type VisitOptions } from '../../src/adapters/http.js';
import type { DeliveryRequest, TargetClient } from '../../src/index.js';
import { html, json } from '../../src/testing/edge.js';
import { flagsArtifact } from '../fixtures/flags.js';
import { targetErrorOf, withEdge } from '../with-edge.js';
import { Browser } from './browser.js';

const NAMES = ['hero', 'menu', 'teaser', 'prices', 'footer', 'flags'];
const bench = withEdge({
  artifact: flagsArtifact(),
  offers: {
    mboxes: Object.fromEntries(
      NAMES.map((name) => [name, name === 'flags' ? json({ beta: true }) : html(`<p>${name}</p>`)]),
    ),
  },
});

const ask = (name: string) => ({ request: { execute: { mboxes: [{ name }] } } });

function visitOf(client: TargetClient, browser: Browser, options?: VisitOptions) {
  return createVisit(client, browser.request(), options);
}

/** The visitors and sessions that the edge has seen. */
function seen() {
  const { requests } = bench.edge;
  return {
    calls: requests.length,
    sessions: new Set(requests.map(({ query }) => query.sessionId)).size,
    tntIds: requests.map(({ delivery }) => delivery?.id?.tntId),
  };
}

describe('six parallel questions of a new visitor', () => {
  test('are one visitor, one session and one delivery call', async () => {
    const browser = new Browser();
    const visit = visitOf(bench.connect(), browser);
    const contents = await Promise.all(NAMES.map((name) => visit.offer(name, '')));
    expect(contents).toEqual([...NAMES.slice(0, 5).map((name) => `<p>${name}</p>`), { beta: true }]);
    expect(seen()).toMatchObject({ calls: 1, sessions: 1 });
    browser.keep(visit);
    expect(browser.cookies.get('mbox')).toMatch(/^session#[\da-f]{32}#\d+\|PC#[\w.]+#\d+$/);
  });

  test('are one visitor and two delivery calls when one comes in a later turn', async () => {
    const visit = visitOf(bench.connect(), new Browser());
    const asked = NAMES.slice(0, 5).map((name) => visit.offer(name, ''));
    await turn();
    await Promise.all([...asked, visit.offer('flags', {})]);
    const { calls, sessions, tntIds } = seen();
    expect({ calls, sessions }).toEqual({ calls: 2, sessions: 1 });
    expect(tntIds[0]).toBeUndefined();
    expect(tntIds[1]).toMatch(/^[\w-]+\.\d+_\d+$/);
  });

  test('are one visitor when nothing is merged: the first goes alone', async () => {
    const visit = visitOf(bench.connect(), new Browser(), { merge: false });
    const answers = await Promise.all(NAMES.map((name) => visit.getOffers(ask(name))));
    const { calls, sessions, tntIds } = seen();
    expect({ calls, sessions }).toEqual({ calls: 6, sessions: 1 });
    expect(tntIds[0]).toBeUndefined();
    expect(new Set(tntIds.slice(1)).size).toBe(1);
    expect(new Set(answers.map(({ response }) => response.id?.tntId)).size).toBe(1);
    expect(answers.map(({ response }) => response.execute?.mboxes?.[0]?.name)).toEqual(NAMES);
  });

  test('are one visitor when the first of them fails: the next goes first', async () => {
    const client = bench.connect({ retry: { retries: 0 } });
    bench.edge.fault({ kind: 'status', status: 500 }, { times: 2 });
    const visit = visitOf(client, new Browser(), { merge: false });
    const settled = await Promise.allSettled(NAMES.map((name) => visit.getOffers(ask(name))));
    expect(settled.map(({ status }) => status)).toEqual([
      'rejected',
      'rejected',
      ...NAMES.slice(2).map(() => 'fulfilled'),
    ]);
    const { sessions, tntIds } = seen();
    expect(sessions).toBe(1);
    expect(tntIds.slice(0, 3)).toEqual([undefined, undefined, undefined]);
    expect(new Set(tntIds.slice(3)).size).toBe(1);
  });

  test('draw one supplemental data id', async () => {
    const visit = visitOf(bench.connect(), new Browser(), { merge: false });
    await Promise.all(NAMES.map((name) => visit.getOffers(ask(name))));
    const ids = bench.edge.requests.map(
      ({ delivery }) => delivery?.experienceCloud?.analytics?.supplementalDataId,
    );
    expect(new Set(ids).size).toBe(1);
    expect(JSON.stringify(visit.visitor.getState())).toContain(String(ids[0]));
  });
});

describe('a returning visitor', () => {
  async function returning(client: TargetClient): Promise<Browser> {
    const browser = new Browser();
    const visit = visitOf(client, browser);
    await visit.offer('hero', '');
    browser.keep(visit);
    bench.edge.clearRequests();
    return browser;
  }

  test('has the session and the tntId of the first page', async () => {
    const client = bench.connect();
    const browser = await returning(client);
    const before = browser.cookies.get('mbox')?.split('#');
    const visit = visitOf(client, browser);
    await visit.offer('menu', '');
    browser.keep(visit);
    const after = browser.cookies.get('mbox')?.split('#');
    expect([after?.[1], after?.[3]]).toEqual([before?.[1], before?.[3]]);
    expect(seen().tntIds).toEqual([before?.[3]]);
  });

  /** Asks for mboxes of an edge that never answers, and resolves when all of them have arrived there. */
  async function arriveTogether(visit: Visit, requests: readonly DeliveryRequest[]): Promise<void> {
    bench.edge.fault({ kind: 'hang' });
    const controller = new AbortController();
    const { signal } = controller;
    const asked = requests.map((request) => visit.getOffers({ request, signal }));
    await bench.edge.waitForRequests(requests.length);
    controller.abort();
    await Promise.allSettled(asked);
  }

  const requests = NAMES.map((name) => ask(name).request);

  test('asks all at once, because each call finds the same visitor', async () => {
    const client = bench.connect();
    const browser = await returning(client);
    await arriveTogether(visitOf(client, browser, { merge: false }), requests);
    expect(new Set(seen().tntIds).size).toBe(1);
  });

  test('is known by an ECID', async () => {
    const browser = new Browser();
    const ecid = '12345678901234567890123456789012345678';
    browser.cookies.set(`AMCV_${bench.edge.config.organizationId}`, `MCMID|${ecid}`);
    await arriveTogether(visitOf(bench.connect(), browser, { merge: false }), requests);
    expect(bench.sent().id?.marketingCloudVisitorId).toBe(ecid);
  });

  test('is known by an id of the request alone, for that call', async () => {
    const request = { id: { thirdPartyId: 'customer-7' }, execute: { mboxes: [{ name: 'hero' }] } };
    const visit = visitOf(bench.connect(), new Browser(), { merge: false });
    await arriveTogether(visit, [ask('menu').request, request]);
    expect(seen().calls).toBe(2);
  });
});

describe('a call that waits for the visitor to be named', () => {
  test('fails within its own timeout', async () => {
    bench.edge.fault({ kind: 'hang' });
    const visit = visitOf(bench.connect(), new Browser(), { merge: false });
    const controller = new AbortController();
    const first = targetErrorOf(() => visit.getOffers({ ...ask('hero'), signal: controller.signal }));
    const error = await targetErrorOf(() => visit.getOffers({ ...ask('menu'), timeout: 20 }));
    expect(error.code).toBe('ERR_TARGET_TIMEOUT');
    expect(error.message).toMatch(/the call that names the visitor had no answer within 20 ms$/);
    controller.abort();
    expect(await first).toMatchObject({ code: 'ERR_TARGET_ABORTED' });
    expect(bench.edge.requests.length).toBeLessThanOrEqual(1);
  });

  test('is released by its signal', async () => {
    bench.edge.fault({ kind: 'hang' });
    const visit = visitOf(bench.connect(), new Browser(), { merge: false });
    const [one, other] = [new AbortController(), new AbortController()];
    const first = targetErrorOf(() => visit.getOffers({ ...ask('hero'), signal: one.signal }));
    const second = targetErrorOf(() => visit.getOffers({ ...ask('menu'), signal: other.signal }));
    await bench.edge.waitForRequests(1);
    other.abort(new Error('the browser went away'));
    expect(await second).toMatchObject({
      code: 'ERR_TARGET_ABORTED',
      cause: { message: 'the browser went away' },
    });
    one.abort();
    await first;
    expect(seen().calls).toBe(1);
  });
});

test('calls that wait for the visitor to be named are sent although the client closes', async () => {
  bench.edge.fault({ kind: 'delay', ms: 50 }, { times: 1 });
  const client = bench.connect();
  const visit = visitOf(client, new Browser(), { merge: false });
  const notifications = [
    { id: '1', type: 'display', timestamp: 1, mbox: { name: 'hero' }, tokens: ['a'] },
  ] as const;
  const calls = [
    visit.getOffers(ask('hero')),
    visit.getOffers(ask('menu')),
    visit.sendNotifications({ request: { notifications } }),
    visit.identify(),
  ];
  await bench.edge.waitForRequests(1);
  await client.close();
  const settled = await Promise.allSettled(calls);
  expect(settled.map(({ status }) => status)).toEqual(calls.map(() => 'fulfilled'));
  expect(seen().calls).toBe(3);
});

describe('identify', () => {
  test('names a new visitor without asking for offers', async () => {
    const browser = new Browser();
    const visit = visitOf(bench.connect(), browser);
    await Promise.all([visit.identify(), visit.identify()]);
    expect(seen().calls).toBe(1);
    expect(bench.sent().execute).toBeUndefined();
    browser.keep(visit);
    expect(browser.cookies.get('mbox')).toMatch(/PC#/);
  });

  test('asks nobody about a visitor who is known', async () => {
    const client = bench.connect();
    const visit = visitOf(client, new Browser());
    await visit.offer('hero', '');
    bench.edge.clearRequests();
    await visit.identify();
    expect(seen().calls).toBe(0);
  });

  test.each<[string, (visit: Visit) => Promise<unknown>]>([
    ['an offer', (visit) => visit.offer('hero', '')],
    ['attributes', (visit) => visit.getAttributes(['flags'])],
    ['a page load', (visit) => visit.getOffers({ request: { execute: { pageLoad: {} } } })],
    ['views', (visit) => visit.getOffers({ request: { prefetch: { views: [{}] } } })],
  ])('makes no call beside %s of one turn, whichever comes first', async (_, question) => {
    for (const isFirst of [true, false]) {
      bench.edge.clearRequests();
      const browser = new Browser();
      const visit = visitOf(bench.connect(), browser);
      const named = isFirst ? visit.identify() : undefined;
      const answer = question(visit);
      await (named ?? visit.identify());
      browser.keep(visit);
      expect(browser.cookies.get('mbox')).toMatch(/PC#/);
      await answer;
      expect(seen()).toMatchObject({ calls: 1, sessions: 1 });
    }
  });

  test('makes no call when the question follows in the same turn, a few promises later', async () => {
    const visit = visitOf(bench.connect(), new Browser());
    const named = visit.identify();
    await Promise.resolve();
    await Promise.resolve();
    await Promise.all([named, visit.offer('hero', '')]);
    expect(seen().calls).toBe(1);
  });

  test('asks itself when the question beside it fails', async () => {
    bench.edge.fault({ kind: 'status', status: 500 }, { times: 1 });
    const visit = visitOf(bench.connect({ retry: { retries: 0 } }), new Browser());
    const [, offer] = await Promise.all([visit.identify(), visit.offer('hero', 'default')]);
    expect(offer).toBe('default');
    expect(seen()).toMatchObject({ calls: 2, sessions: 1 });
    expect(visit.setCookies[0]).toMatch(/^mbox=.*PC/);
  });

  test('is sent although the client closes in the same turn', async () => {
    const client = bench.connect();
    const visit = visitOf(client, new Browser());
    const named = visit.identify();
    await Promise.all([named, client.close()]);
    expect(visit.setCookies[0]).toMatch(/^mbox=.*PC/);
    expect((await targetErrorOf(() => visitOf(client, new Browser()).identify())).code).toBe(
      'ERR_TARGET_CLOSED',
    );
  });
});

describe('the state of the visitor', () => {
  const stateOf = (answer: { readonly visitorState: unknown }) => JSON.stringify(answer.visitorState);

  test('does not grow with the calls of a visit, which all have one supplemental data id', async () => {
    const client = bench.connect({ decisioningMethod: 'on-device' });
    await client.ready();
    const visit = visitOf(client, new Browser());
    const first = await visit.getOffers(ask('hero'));
    const answers = await Promise.all(Array.from({ length: 500 }, () => visit.getOffers(ask('menu'))));
    expect(new Set([first, ...answers].map(stateOf)).size).toBe(1);
    const sdids = [first, ...answers].map(
      ({ request }) => request.experienceCloud?.analytics?.supplementalDataId,
    );
    expect(new Set(sdids).size).toBe(1);
    expect(stateOf(first)).toContain(`"supplementalDataIDCurrent":"${sdids[0]}"`);
  });

  test('has the consumers that a page names itself, and a second call of one gets another id', async () => {
    const visit = visitOf(bench.connect(), new Browser());
    const sdidOf = async (consumerId?: string) => {
      const { request } = await visit.getOffers({ ...ask('hero'), ...(consumerId && { consumerId }) });
      return request.experienceCloud?.analytics?.supplementalDataId;
    };
    const shared = await sdidOf();
    expect(await sdidOf('header')).toBe(shared);
    const next = await sdidOf('header');
    expect(next).not.toBe(shared);
    // The calls of the page stay with the id that they have.
    expect([await sdidOf(), await sdidOf()]).toEqual([shared, shared]);
    expect(JSON.stringify(visit.visitor.getState())).toContain('"payload:header":true');
  });

  test('has the id that a call brings, for the calls after it too', async () => {
    const visit = visitOf(bench.connect(), new Browser());
    const supplementalDataId = '0123456789ABCDEF-0123456789ABCDEF';
    const analytics = { supplementalDataId };
    await visit.getOffers({ request: { ...ask('hero').request, experienceCloud: { analytics } } });
    const { request, visitorState } = await visit.getOffers(ask('menu'));
    expect(request.experienceCloud?.analytics?.supplementalDataId).toBe(supplementalDataId);
    expect(JSON.stringify(visitorState)).toContain(supplementalDataId);
  });
});
