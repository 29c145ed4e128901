import { describe, expect, test } from '@jest/globals';
import { createVisit, type VisitOptions } from '../../src/adapters/http.js';
import type { ResolvedDeliveryRequest } from '../../src/index.js';
import { flagsArtifact } from '../fixtures/flags.js';
import { withEdge } from '../with-edge.js';
import { Browser, type Browsing } from './browser.js';

const bench = withEdge({ artifact: flagsArtifact() });
const execute = (...names: string[]) => ({
  request: { execute: { mboxes: names.map((name) => ({ name })) } },
});
const html = (name: string, content = name) => ({ name, options: [{ type: 'html', content }] });

/** A visit whose calls are answered by a function, and the requests that it has got. */
function answered(
  answer: (request: ResolvedDeliveryRequest, count: number) => object,
  options: VisitOptions = {},
  browsing: Browsing = {},
) {
  const requests: ResolvedDeliveryRequest[] = [];
  const client = bench.connect({
    fetchApi: async (_url, init) => {
      const request = JSON.parse(String(init.body)) as ResolvedDeliveryRequest;
      requests.push(request);
      const body = { status: 200, requestId: request.requestId, ...answer(request, requests.length) };
      return new Response(JSON.stringify(body));
    },
  });
  return { requests, visit: createVisit(client, new Browser().request(browsing), options) };
}

describe('an answer that names nobody', () => {
  test('lets the next call go first: one page is never two visitors', async () => {
    const { visit, requests } = answered(
      ({ id }, count) => (count === 1 ? {} : { id: { tntId: id?.tntId ?? `visitor-${count}.35_0` } }),
      { merge: false },
    );
    const answers = await Promise.all(['a', 'b', 'c', 'd'].map((name) => visit.getOffers(execute(name))));
    expect(answers.map(({ response }) => response.id?.tntId)).toEqual([
      undefined,
      'visitor-2.35_0',
      'visitor-2.35_0',
      'visitor-2.35_0',
    ]);
    expect(requests.map(({ id }) => id?.tntId)).toEqual([
      undefined,
      undefined,
      'visitor-2.35_0',
      'visitor-2.35_0',
    ]);
  });

  test('may be a decision of this process for an id of the request alone', async () => {
    const client = bench.connect({ decisioningMethod: 'on-device' });
    await client.ready();
    const visit = createVisit(client, new Browser().request());
    const { request } = execute('hero');
    await visit.getOffers({ request: { ...request, id: { thirdPartyId: 'customer-7' } } });
    const answers = await Promise.all(['hero', 'flags'].map((name) => visit.getOffers(execute(name))));
    const [tntId, other] = answers.map(({ response }) => response.id?.tntId);
    expect(tntId).toMatch(/^[\da-f]{32}/);
    expect(other).toBe(tntId);
  });
});

describe('offer', () => {
  test.each<[string, object | null]>([
    ['no mbox', { mboxes: [] }],
    ['null for its mboxes', { mboxes: null }],
    ['null for all locations', null],
    ['another mbox', { mboxes: [html('other')] }],
    ['an mbox with null for its options', { mboxes: [{ name: 'hero', options: null }] }],
  ])('gives the default for an answer with %s, alone and merged', async (_, executed) => {
    const { visit } = answered(() => ({ execute: executed }));
    expect(await visit.offer('hero', 'default')).toBe('default');
    expect(await Promise.all([visit.offer('hero', 'a'), visit.offer('menu', 'b')])).toEqual(['a', 'b']);
  });

  test('finds its mbox by the name', async () => {
    const { visit } = answered(() => ({
      execute: { mboxes: [html('other'), html('hero'), html('hero', '2')] },
    }));
    expect(await visit.offer('hero', 'default')).toBe('hero');
    expect(await Promise.all([visit.offer('hero', ''), visit.offer('other', '')])).toEqual(['hero', 'other']);
  });
});

describe('the answer to a request that counts nothing', () => {
  const unseen = (prefetch: unknown) => answered(() => ({ prefetch }), {}, { method: 'HEAD' }).visit;
  const indexed = {
    request: {
      execute: {
        mboxes: [
          { name: 'a', index: 3 },
          { name: 'b', index: 4 },
        ],
      },
    },
  };

  test.each<[string, unknown]>([
    ['null for its mboxes', { mboxes: null, pageLoad: null }],
    ['null for all locations', null],
  ])('may have %s', async (_, prefetch) => {
    const { response } = await unseen(prefetch).getOffers(indexed);
    expect(response.execute).toEqual({ mboxes: [] });
    expect(response.prefetch).toBeUndefined();
  });

  test('may lack the indexes: its mboxes are found by their names', async () => {
    const { response } = await unseen({ mboxes: [html('b'), html('a')] }).getOffers(indexed);
    expect(response.execute?.mboxes?.map(({ name, index }) => [name, index])).toEqual([
      ['b', 4],
      ['a', 3],
    ]);
  });

  test('may have an mbox of each part, and one that nobody asked for', async () => {
    const visit = unseen({ mboxes: [{ ...html('a'), index: 0 }, html('stray'), { ...html('a'), index: 1 }] });
    const { response } = await visit.getOffers({
      request: {
        execute: { mboxes: [{ name: 'a', index: 7 }] },
        prefetch: { mboxes: [{ name: 'a', index: 5 }] },
      },
    });
    expect(response.prefetch?.mboxes?.map(({ name, index }) => [name, index])).toEqual([['a', 5]]);
    expect(response.execute?.mboxes?.map(({ name, index }) => [name, index])).toEqual([
      ['stray', undefined],
      ['a', 7],
    ]);
  });
});

test('the cost of merged answers does not grow with the square of their number', async () => {
  const content = 'x'.repeat(1000);
  const { visit } = answered(({ execute: asked }) => ({
    execute: { mboxes: asked?.mboxes?.map(({ name }) => html(name, content)) },
  }));
  const { stringify } = JSON;
  let written = 0;
  JSON.stringify = ((...given: Parameters<typeof stringify>) => {
    const text = stringify(...given);
    written += text?.length ?? 0;
    return text;
  }) as typeof stringify;
  try {
    await Promise.all(Array.from({ length: 40 }, (_, at) => visit.offer(`m${at}`, '')));
  } finally {
    JSON.stringify = stringify;
  }
  // The answer of 40 mboxes is written once by the edge, and each share once by the visit.
  expect(written).toBeLessThan(40 * 40 * content.length * 0.25);
});
