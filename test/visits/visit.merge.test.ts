import { afterEach, describe, expect, test } from '@jest/globals';
import { createVisit, type VisitOptions } from '../../src/adapters/http.js';
import { html, json } from '../../src/testing/edge.js';
import { targetErrorOf, withEdge } from '../with-edge.js';
import { Browser } from './browser.js';

const echo = html('<p>hello</p>');
const bench = withEdge({
  offers: {
    mboxes: Object.fromEntries([
      ['hero', { ...html('<p>hero</p>'), responseTokens: { 'activity.name': 'hero' } }],
      ['menu', { ...html('<p>menu</p>'), responseTokens: { 'activity.name': 'menu' } }],
      ['flags', json({ beta: true, sizes: [1, 2] })],
      ...Array.from({ length: 60 }, (_, at) => [`m${at}`, echo]),
    ]),
  },
});

const visitOf = (options?: VisitOptions) => createVisit(bench.connect(), new Browser().request(), options);
const execute = (...names: string[]) => ({
  request: { execute: { mboxes: names.map((name) => ({ name })) } },
});
/** The names of the mboxes of each request that arrived, in either part. */
const arrived = () =>
  bench.edge.requests.map(({ delivery }) =>
    [...(delivery?.execute?.mboxes ?? []), ...(delivery?.prefetch?.mboxes ?? [])].map((mbox) => mbox?.name),
  );

afterEach(() => bench.edge.clearFaults());

describe('calls of one turn', () => {
  test('ask for an mbox once, and each caller gets its own answer, with its own indexes', async () => {
    const visit = visitOf();
    const [one, two] = await Promise.all([
      visit.getOffers({
        request: {
          execute: {
            mboxes: [
              { name: 'flags', index: 7 },
              { name: 'hero', index: 0 },
            ],
          },
        },
      }),
      visit.getOffers({ request: { execute: { mboxes: [{ name: 'menu' }, { name: 'flags', index: 3 }] } } }),
    ]);
    expect(arrived()).toEqual([['flags', 'hero', 'menu']]);
    expect(one.response.execute?.mboxes?.map(({ name, index }) => [name, index])).toEqual([
      ['flags', 7],
      ['hero', 0],
    ]);
    expect(two.response.execute?.mboxes?.map(({ name, index }) => [name, index])).toEqual([
      ['menu', 0],
      ['flags', 3],
    ]);
    expect(one.request.execute?.mboxes?.map(({ name, index }) => [name, index])).toEqual([
      ['flags', 7],
      ['hero', 0],
    ]);
    expect(one.responseTokens).toEqual([{ 'activity.name': 'hero' }]);
    expect(two.responseTokens).toEqual([{ 'activity.name': 'menu' }]);
    expect(one.targetCookie).toEqual(two.targetCookie);
    Object.assign(one.response.execute?.mboxes?.[0]?.options?.[0] ?? {}, { content: 'changed' });
    expect(two.response.execute?.mboxes?.[1]?.options?.[0]?.content).toEqual({ beta: true, sizes: [1, 2] });
  });

  test('ask once for mboxes whose fields are equal in another order', async () => {
    const visit = visitOf();
    await Promise.all([
      visit.offer({ name: 'hero', parameters: { a: '1', b: '2' } }, ''),
      visit.offer({ parameters: { b: '2', a: 1 }, name: 'hero' }, ''),
    ]);
    expect(arrived()).toEqual([['hero']]);
  });

  test('send a second request for an mbox with other parameters', async () => {
    const visit = visitOf();
    const answers = await Promise.all([
      visit.offer({ name: 'hero', parameters: { a: '1' } }, ''),
      visit.offer({ name: 'hero', parameters: { a: '2' } }, ''),
      visit.offer('menu', ''),
    ]);
    expect(arrived()).toEqual([['hero', 'menu'], ['hero']]);
    expect(answers).toEqual(['<p>hero</p>', '<p>hero</p>', '<p>menu</p>']);
  });

  test('merge prefetched mboxes too', async () => {
    const visit = visitOf();
    const [one, two] = await Promise.all([
      visit.getOffers({ request: { prefetch: { mboxes: [{ name: 'hero' }] } } }),
      visit.getOffers(execute('hero')),
    ]);
    expect(arrived()).toEqual([['hero', 'hero']]);
    expect(one.response.prefetch?.mboxes?.[0]?.state).toBeDefined();
    expect(one.response.execute).toBeUndefined();
    expect(two.response.prefetch).toBeUndefined();
    expect(two.response.execute?.mboxes).toHaveLength(1);
  });

  test('are at most fifty mboxes a request', async () => {
    const visit = visitOf();
    const names = Array.from({ length: 60 }, (_, at) => `m${at}`);
    const offers = await Promise.all(names.map((name) => visit.offer(name, 'none')));
    expect(new Set(offers)).toEqual(new Set(['<p>hello</p>']));
    expect(arrived().map((mboxes) => mboxes.length)).toEqual([50, 10]);
  });

  test.each<[string, object]>([
    ['a timeout', { timeout: 5000 }],
    ['customer ids', { customerIds: { crm: 'customer-7' } }],
    ['a consumer id', { consumerId: 'header' }],
    ['a decisioning method', { decisioningMethod: 'server-side' }],
  ])('go alone with an option of their own: %s', async (_, own) => {
    const visit = visitOf();
    await Promise.all([
      visit.getOffers(execute('menu')),
      visit.getOffers({ ...execute('hero'), ...own }),
      visit.getOffers(execute('flags')),
    ]);
    expect(arrived().toSorted()).toEqual([['hero'], ['menu', 'flags']].toSorted());
  });

  test.each<[string, object]>([
    ['a page load', { execute: { pageLoad: {}, mboxes: [{ name: 'hero' }] } }],
    ['a context', { execute: { mboxes: [{ name: 'hero' }] }, context: { browser: { host: 'a.example' } } }],
    ['an id', { execute: { mboxes: [{ name: 'hero' }] }, id: { thirdPartyId: '7' } }],
    ['an mbox twice', { execute: { mboxes: [{ name: 'hero' }, { name: 'hero', parameters: { a: '1' } }] } }],
  ])('go alone when they ask for more than mboxes: %s', async (_, request) => {
    const visit = visitOf();
    await Promise.all([visit.getOffers({ request }), visit.getOffers(execute('menu'))]);
    expect(bench.edge.requests).toHaveLength(2);
  });

  test('an invalid one rejects alone, with the path in its own request', async () => {
    const visit = visitOf();
    const [error, ...rest] = await Promise.all([
      targetErrorOf(() =>
        visit.getOffers({ request: { execute: { mboxes: [{ name: 'hero', index: -1.5 }] } } }),
      ),
      visit.getOffers(execute('menu')),
      visit.getOffers(execute('flags')),
    ]);
    expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_REQUEST', path: 'execute.mboxes[0].index' });
    expect(rest).toHaveLength(2);
    expect(arrived()).toEqual([['menu', 'flags']]);
  });

  test('are what they were when they were made', async () => {
    const visit = visitOf();
    const mbox = { name: 'hero' };
    const offer = visit.getOffers({ request: { execute: { mboxes: [mbox] } } });
    mbox.name = 'menu';
    await Promise.all([offer, visit.getOffers(execute('flags'))]);
    expect(arrived()).toEqual([['hero', 'flags']]);
  });

  test('all reject when their request fails', async () => {
    bench.edge.fault({ kind: 'status', status: 403 });
    const visit = visitOf();
    const errors = await Promise.all(
      ['hero', 'menu'].map((name) => targetErrorOf(() => visit.getOffers(execute(name)))),
    );
    expect(errors.map(({ code, status }) => [code, status])).toEqual([
      ['ERR_TARGET_RESPONSE', 403],
      ['ERR_TARGET_RESPONSE', 403],
    ]);
    expect(bench.edge.requests).toHaveLength(1);
  });
});

describe('the signal of a merged call', () => {
  test('releases its caller alone', async () => {
    bench.edge.fault({ kind: 'delay', ms: 100 });
    const visit = visitOf();
    const controller = new AbortController();
    const [error, answer] = await Promise.all([
      targetErrorOf(() => visit.getOffers({ ...execute('hero'), signal: controller.signal })),
      visit.getOffers(execute('menu')),
      bench.edge.waitForRequests(1).then(() => controller.abort()),
    ]);
    expect(error.code).toBe('ERR_TARGET_ABORTED');
    expect(answer.response.execute?.mboxes).toHaveLength(1);
  });

  test('ends the request when nobody waits for it', async () => {
    const fault = bench.edge.fault({ kind: 'hang' });
    const visit = visitOf();
    const controllers = [new AbortController(), new AbortController()];
    const errors = controllers.map(({ signal }, at) =>
      targetErrorOf(() => visit.getOffers({ ...execute(`m${at}`), signal })),
    );
    await bench.edge.waitForRequests(1);
    for (const controller of controllers) {
      controller.abort();
    }
    expect((await Promise.all(errors)).map(({ code }) => code)).toEqual([
      'ERR_TARGET_ABORTED',
      'ERR_TARGET_ABORTED',
    ]);
    expect(fault).toBeDefined();
  });

  test('sends nothing when it was aborted before', async () => {
    const visit = visitOf();
    const signal = AbortSignal.abort('gone');
    const error = await targetErrorOf(() => visit.getOffers({ ...execute('hero'), signal }));
    expect(error).toMatchObject({ code: 'ERR_TARGET_ABORTED', cause: 'gone' });
    await visit.getOffers(execute('menu'));
    expect(arrived()).toEqual([['menu']]);
  });

  test.each([
    ['a text', 'soon'],
    ['an object', {}],
  ])('is refused when it is %s', async (_, signal) => {
    const visit = visitOf();
    const options = { ...execute('hero'), signal: signal as unknown as AbortSignal };
    const error = await targetErrorOf(() => visit.getOffers(options));
    expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_REQUEST', path: 'signal' });
    expect(bench.edge.requests).toHaveLength(0);
  });
});
