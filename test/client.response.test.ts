import { describe, expect, jest, test } from '@jest/globals';
import { actions, html, json, redirect } from '../src/testing/edge.js';
import { targetErrorOf, withEdge } from './with-edge.js';

const bench = withEdge({
  offers: {
    mboxes: {
      hero: {
        options: html('<h1>', { responseTokens: { mbox: 'hero' } }),
        metrics: [{ selector: '#buy' }],
        analytics: { pe: 'tnt', tnta: 'hero' },
      },
      twice: [
        json({ a: 1 }, { responseTokens: { mbox: 'twice 1' } }),
        json({ a: 2 }, { responseTokens: { mbox: 'twice 2' } }),
      ],
      away: redirect('https://example.com/'),
    },
    views: {
      home: {
        options: actions([{ type: 'setHtml' }], { responseTokens: { view: 'home' } }),
        analytics: { tnta: 'home' },
      },
    },
    pageLoad: ({ mode }) => ({
      options: html(mode, { responseTokens: { pageLoad: mode } }),
      analytics: { tnta: mode },
    }),
  },
});
const { connect, detour, sent } = bench;
const REQUEST = { execute: { mboxes: [{ name: 'hero' }] } };

/** A 200 with this body instead of the edge's. */
function answer(body: unknown): void {
  bench.edge.fault({ kind: 'body', body: typeof body === 'string' ? body : JSON.stringify(body) });
}

describe('request and response', () => {
  test('are what was sent and what came back', async () => {
    const { request, response } = await connect().getOffers({ request: REQUEST });
    expect(request).toEqual(sent());
    expect(response).toEqual({
      status: 200,
      requestId: request.requestId,
      client: 'demo',
      id: { tntId: expect.stringMatching(/^[0-9a-f]{32}\.35_0$/) },
      edgeHost: 'mboxedge35.tt.omtrdc.net',
      telemetryServerToken: expect.any(String),
      execute: {
        mboxes: [
          {
            index: 0,
            name: 'hero',
            options: [{ type: 'html', content: '<h1>', responseTokens: { mbox: 'hero' } }],
            metrics: [{ type: 'click', selector: '#buy', eventToken: expect.any(String) }],
          },
        ],
      },
    });
  });

  test('request is what was sent, without the telemetry that went along', async () => {
    const client = connect({ telemetryEnabled: true });
    await client.getOffers({ request: REQUEST });
    const { request } = await client.getOffers({ request: REQUEST });
    const { telemetry, ...others } = sent();
    expect(telemetry?.entries).toHaveLength(1);
    expect(request).toEqual(others);
  });

  test('unknown fields of the response pass through untouched, at every depth', async () => {
    const body = {
      status: 200,
      client: 'demo',
      future: { nested: [1, null, { deep: true }] },
      id: { tntId: 'a.35_0', newId: 'x' },
      execute: {
        news: 1,
        pageLoad: { options: [{ type: 'hologram', content: { x: null }, extra: [] }], more: 'a' },
        mboxes: [{ index: 0, name: 'hero', state: 's', options: [], surprise: false }],
      },
      prefetch: { metrics: [{ type: 'impossible' }], views: [{ name: 'v', options: null }] },
      notifications: [{ id: 'n', trace: {}, z: 0 }],
    };
    answer(body);
    const { response } = await connect().getOffers({ request: REQUEST });
    expect(response).toEqual(body);
  });

  test('keys such as __proto__ in offers are data', async () => {
    answer(
      '{"status":200,"client":"demo","execute":{"mboxes":[{"name":"hero","options":[{"type":"json","content":{"__proto__":{"polluted":1},"constructor":2}}]}]}}',
    );
    const { response } = await connect().getOffers({ request: REQUEST });
    const content = response.execute?.mboxes?.[0]?.options?.[0]?.content;
    expect(Object.keys(content as object)).toEqual(['__proto__', 'constructor']);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  test('the caller may change what it got without harm to the next call', async () => {
    const client = connect();
    const first = await client.getOffers({ request: REQUEST });
    first.response.execute = {};
    first.response.edgeHost = 'mboxedge99.tt.omtrdc.net';
    first.meta.remoteMboxes.push('x');
    first.status.remoteMboxes.push('y');
    const second = await client.getOffers({ request: REQUEST });
    expect(second.response.execute?.mboxes).toHaveLength(1);
    expect(second.meta.remoteMboxes).toEqual([]);
    expect(second.status.remoteMboxes).toEqual([]);
    expect(first.status.remoteMboxes).toEqual(['y']);
  });

  test('prefetched locations carry state and event tokens to be echoed', async () => {
    const { response } = await connect().getOffers({
      request: { prefetch: { pageLoad: {}, views: [{ name: 'home' }], mboxes: [{ name: 'hero' }] } },
    });
    const { pageLoad, views, mboxes } = response.prefetch ?? {};
    for (const location of [pageLoad, views?.[0], mboxes?.[0]]) {
      expect(location?.state).toEqual(expect.any(String));
      expect(location?.options?.[0]?.eventToken).toEqual(expect.any(String));
    }
  });
});

describe('targetCookie', () => {
  const NOW = 1_700_000_000_000;
  const sessionExpires = NOW / 1000 + 1860;
  const pcExpires = NOW / 1000 + 63_244_800;

  async function cookieAt(options: Parameters<ReturnType<typeof connect>['getOffers']>[0]) {
    jest.useFakeTimers({
      now: NOW,
      doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance'],
    });
    try {
      const { targetCookie } = await connect({ fetchApi: detour().fetchApi }).getOffers(options);
      return targetCookie;
    } finally {
      jest.useRealTimers();
    }
  }

  test('holds session and tntId, and lives as long as the longer of both', async () => {
    answer({ status: 200, id: { tntId: 'new tnt.35_0' } });
    expect(await cookieAt({ request: REQUEST, sessionId: 'a#b|c' })).toEqual({
      name: 'mbox',
      value: `session#a%23b%7Cc#${sessionExpires}|PC#new%20tnt.35_0#${pcExpires}`,
      maxAge: 63_244_800,
    });
  });

  test('without a tntId in answer or request holds the session alone', async () => {
    answer({ status: 200 });
    expect(await cookieAt({ request: REQUEST, sessionId: 's' })).toEqual({
      name: 'mbox',
      value: `session#s#${sessionExpires}`,
      maxAge: 1860,
    });
  });

  test.each([{}, { id: { tntId: '' } }])(
    'keeps the tntId of the request when the answer has none',
    async (body) => {
      answer({ status: 200, ...body });
      const { value } = await cookieAt({
        request: REQUEST,
        sessionId: 's',
        targetCookie: `PC#old.28_0#${pcExpires}`,
      });
      expect(value).toBe(`session#s#${sessionExpires}|PC#old.28_0#${pcExpires}`);
    },
  );

  test('takes the tntId of the answer over that of the request', async () => {
    answer({ status: 200, id: { tntId: 'merged.28_1' } });
    const { value } = await cookieAt({ request: { ...REQUEST, id: { tntId: 'old' } }, sessionId: 's' });
    expect(value).toContain('|PC#merged.28_1#');
  });

  test('fed back, keeps session and tntId for good', async () => {
    const client = connect();
    const first = await client.getOffers({ request: REQUEST });
    const second = await client.getOffers({ request: REQUEST, targetCookie: first.targetCookie.value });
    const third = await client.getOffers({
      request: REQUEST,
      targetCookie: encodeURIComponent(second.targetCookie.value),
    });
    const [one, two, three] = bench.edge.requests;
    expect(two?.query.sessionId).toBe(one?.query.sessionId);
    expect(three?.query.sessionId).toBe(one?.query.sessionId);
    expect(two?.delivery?.id?.tntId).toBe(first.response.id?.tntId);
    expect(third.response.id?.tntId).toBe(first.response.id?.tntId);
  });
});

describe('targetLocationHintCookie', () => {
  test('holds the digits of edgeHost for 1860 seconds', async () => {
    const { targetLocationHintCookie } = await connect().getOffers({ request: REQUEST });
    expect(targetLocationHintCookie).toEqual({ name: 'mboxEdgeCluster', value: '35', maxAge: 1860 });
  });

  test("holds the visitor's hint where there is one", async () => {
    const client = connect();
    const byOption = await client.getOffers({ request: REQUEST, targetLocationHint: '28' });
    expect(byOption.targetLocationHintCookie?.value).toBe('28');
    const byCookie = await client.getOffers({ request: REQUEST, targetCookie: `PC#a.29_0#${2 ** 40}` });
    expect(byCookie.targetLocationHintCookie?.value).toBe('29');
  });

  test.each([
    undefined,
    '',
    'evil.example/#',
    'mboxedge35.tt.omtrdc.net.evil.example',
    'mboxedge35.evil.omtrdc.net',
    'mboxedge.tt.omtrdc.net',
    'mboxedge12345.tt.omtrdc.net',
    'mboxedge3x.tt.omtrdc.net',
    'MBOXEDGE35.tt.omtrdc.net\n',
  ])('is absent for the edgeHost %j', async (edgeHost) => {
    answer({ status: 200, edgeHost });
    const result = await connect().getOffers({ request: REQUEST });
    expect(result).not.toHaveProperty('targetLocationHintCookie');
  });
});

describe('flat lists', () => {
  test('hold every location in order: execute page load, mboxes, prefetch page load, views, mboxes', async () => {
    const result = await connect().getOffers({
      request: {
        trace: { authorizationToken: 'token' },
        experienceCloud: { analytics: { logging: 'client_side' } },
        execute: { pageLoad: {}, mboxes: [{ name: 'hero' }, { name: 'twice' }] },
        prefetch: { mboxes: [{ name: 'twice' }], views: [{ name: 'home' }], pageLoad: {} },
      },
    });
    expect(result.responseTokens).toEqual([
      { pageLoad: 'execute' },
      { mbox: 'hero' },
      { mbox: 'twice 1' },
      { mbox: 'twice 2' },
      { pageLoad: 'prefetch' },
      { view: 'home' },
      { mbox: 'twice 1' },
      { mbox: 'twice 2' },
    ]);
    expect(result.analyticsDetails).toEqual(
      ['execute', 'hero', 'prefetch', 'home'].map((tnta) => ({ payload: expect.objectContaining({ tnta }) })),
    );
    expect(result.trace).toHaveLength(6);
    expect(result.trace?.[0]).toMatchObject({ request: { pageLoad: { type: 'execute' } } });
    expect(result.trace?.[5]).toMatchObject({ request: { mbox: { name: 'twice', type: 'prefetch' } } });
  });

  test('are absent when empty', async () => {
    const result = await connect().getOffers({ request: { execute: { mboxes: [{ name: 'away' }] } } });
    expect(Object.keys(result).sort()).toEqual([
      'decisioningMethod',
      'meta',
      'request',
      'response',
      'status',
      'targetCookie',
      'targetLocationHintCookie',
      'visitorState',
    ]);
  });

  test('bear null where a list or a location might be', async () => {
    answer({
      status: 200,
      id: null,
      edgeHost: null,
      execute: { pageLoad: null, mboxes: [{ name: 'a', options: null, metrics: null }] },
      prefetch: null,
      notifications: null,
    });
    const result = await connect().getOffers({ request: REQUEST });
    expect(result).not.toHaveProperty('responseTokens');
    expect(result.targetCookie.value).not.toContain('PC');
  });
});

describe('meta, status and decisioningMethod', () => {
  test('say how it was decided', async () => {
    const result = await connect().getOffers({ request: REQUEST });
    expect(result).toMatchObject({
      meta: { decisioningMethod: 'server-side', remoteMboxes: [], remoteViews: [] },
      status: { status: 200, message: 'OK', remoteMboxes: [], remoteViews: [] },
      decisioningMethod: 'server-side',
    });
  });

  test('a beacon is answered with 204 and no body', async () => {
    const result = await connect().getOffers({
      request: { requestId: 'mine', context: { channel: 'web', beacon: true }, execute: { pageLoad: {} } },
      sessionId: 'session1',
      targetCookie: `PC#abc.28_0#${2 ** 40}`,
    });
    expect(bench.edge.lastRequest?.status).toBe(204);
    expect(result.response).toEqual({ status: 204, requestId: 'mine', client: 'demo' });
    expect(result.status).toMatchObject({ status: 204, message: 'No content' });
    expect(result.targetCookie.value).toMatch(/^session#session1#\d+\|PC#abc\.28_0#\d+$/);
    expect(result.targetLocationHintCookie?.value).toBe('28');
  });
});

test('a body may begin with a byte order mark', async () => {
  answer('\ufeff{"status":200}');
  expect((await connect().getOffers({ request: REQUEST })).response).toEqual({ status: 200 });
});

describe('a body of the wrong shape is ERR_TARGET_INVALID_RESPONSE, asked for once', () => {
  test.each([
    ['', 'an empty body'],
    ['<html>', 'a body that is not JSON'],
    ['{"status":200', 'a body that is not JSON'],
    ['null', 'not an object'],
    ['[]', 'not an object'],
    ['"text"', 'not an object'],
    ['{"hello":"world"}', 'no field of a delivery response'],
    ['{"__proto__":{"status":200}}', 'no field of a delivery response'],
    ['{"status":"200"}', 'status is not a number'],
    ['{"id":"x"}', 'id is not an object'],
    ['{"id":{"tntId":5}}', 'id.tntId is not a string'],
    ['{"edgeHost":35}', 'edgeHost is not a string'],
    ['{"notifications":{}}', 'notifications is not a list of objects'],
    ['{"notifications":[null]}', 'notifications is not a list of objects'],
    ['{"execute":[]}', 'execute is not an object'],
    ['{"execute":{"mboxes":{}}}', 'execute.mboxes is not a list of objects'],
    ['{"execute":{"mboxes":[null]}}', 'execute.mboxes is not a list of objects'],
    ['{"execute":{"mboxes":[{"options":{}}]}}', 'the options in execute.mboxes are not lists of objects'],
    ['{"prefetch":{"views":[{"options":[null]}]}}', 'the options in prefetch.views are not lists of objects'],
    ['{"prefetch":{"pageLoad":[]}}', 'prefetch.pageLoad is malformed'],
  ])('%s', async (body, result) => {
    answer(body);
    const error = await targetErrorOf(() => connect().getOffers({ request: REQUEST }));
    expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_RESPONSE', status: 200, attempts: 1 });
    expect(error.message).toContain(result);
    expect(error.body).toBe(body);
    expect(error.requestId).toBe(bench.edge.lastRequest?.headers['x-request-id']);
  });

  test('keeps the first kilobyte of the body', async () => {
    answer('é'.repeat(5000));
    const error = await targetErrorOf(() => connect().getOffers({ request: REQUEST }));
    expect(error.body).toHaveLength(1024);
  });
});
