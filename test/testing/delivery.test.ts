import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { DeliveryRequest } from '../../src/delivery-api.js';
import type { EdgeCall, EdgeLocation, EdgeOffers, TargetEdge } from '../../src/testing/edge.js';
import { actions, dynamic, html, json, redirect, startTargetEdge } from '../../src/testing/edge.js';
import { CONTEXT, deliver } from './deliver.js';

const OFFERS: EdgeOffers = {
  mboxes: {
    hero: html('<h1>Hello</h1>', { responseTokens: { 'activity.name': 'Summer' } }),
    flags: [json({ beta: true }), json({ limit: 3 })],
    away: redirect('https://example.com/'),
    later: dynamic('https://example.com/offer'),
    buy: {
      options: html('<button>'),
      metrics: [{ selector: '#buy', analytics: { pe: 'tnt', tnta: '2' } }, { type: 'display' }],
      analytics: { pe: 'tnt', tnta: '1' },
    },
    chosen: html('mine', { eventToken: 'my+token/=' }),
  },
  views: {
    home: actions([{ type: 'setHtml', selector: '#a', content: 'A' }]),
    cart: { options: [html('cart')], metrics: [{ selector: '#pay' }] },
  },
  pageLoad: [html('one'), html('two')],
};

let edge: TargetEdge;
beforeEach(async () => {
  edge = await startTargetEdge({ offers: OFFERS });
});
afterEach(() => edge.close());

describe('the frame of an answer', () => {
  test('names the client, the cluster and the request', async () => {
    const { status, response, headers } = await deliver(edge, { requestId: 'request1', context: CONTEXT });
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('application/json;charset=UTF-8');
    expect(response).toEqual({
      status: 200,
      requestId: 'request1',
      client: 'demo',
      id: { tntId: expect.stringMatching(/^[0-9a-f]{32}\.35_0$/) },
      edgeHost: 'mboxedge35.tt.omtrdc.net',
      telemetryServerToken: expect.stringMatching(/.+/),
    });
  });

  test('has a new requestId when the request has none', async () => {
    const first = await deliver(edge, { context: CONTEXT });
    const second = await deliver(edge, { context: CONTEXT });
    expect(first.response.requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(second.response.requestId).not.toBe(first.response.requestId);
  });

  test('echoes every id, and keeps a tntId with its hint', async () => {
    const id = {
      tntId: 'abc.28_1',
      thirdPartyId: 'customer 1',
      marketingCloudVisitorId: '12345',
      customerIds: [{ id: '7', integrationCode: 'crm', authenticatedState: 'authenticated' as const }],
    };
    expect((await deliver(edge, { id, context: CONTEXT })).response.id).toEqual(id);
  });

  test('adds its hint to a tntId that has none', async () => {
    const { response } = await deliver(edge, { id: { tntId: 'abc' }, context: CONTEXT });
    expect(response.id).toEqual({ tntId: 'abc.35_0' });
  });

  test('is 204 without a body for a beacon', async () => {
    const { status, text } = await deliver(edge, { context: { ...CONTEXT, beacon: true } });
    expect([status, text]).toEqual([204, '']);
    expect(edge.lastRequest?.delivery?.context?.beacon).toBe(true);
  });

  test('is given to any organization', async () => {
    const { status } = await deliver(edge, { context: CONTEXT }, { query: '?imsOrgId=other&sessionId=s' });
    expect(status).toBe(200);
  });
});

describe('options of the edge', () => {
  const frame = async (options: Parameters<typeof startTargetEdge>[0]) => {
    await edge.close();
    edge = await startTargetEdge(options);
    return (await deliver(edge, { context: CONTEXT })).response;
  };

  test('set the client and the cluster', async () => {
    const response = await frame({ client: 'acme', locationHint: '7' });
    expect(response).toMatchObject({ client: 'acme', edgeHost: 'mboxedge7.tt.omtrdc.net' });
    expect(response.id?.tntId).toMatch(/\.7_0$/);
  });

  test('send any edgeHost, however hostile', async () => {
    expect(await frame({ edgeHost: 'evil.example/#' })).toMatchObject({ edgeHost: 'evil.example/#' });
  });

  test('leave edgeHost out', async () => {
    expect(await frame({ edgeHost: false })).not.toHaveProperty('edgeHost');
  });

  test('make edgeHost depend on the call', async () => {
    const response = await frame({ edgeHost: ({ sessionId }: EdgeCall) => `${sessionId}.example` });
    expect(response.edgeHost).toBe('session1.example');
  });

  test('make config what a client needs', async () => {
    await frame({ client: 'acme', organizationId: 'ACME@AdobeOrg' });
    expect(edge.config).toEqual({
      client: 'acme',
      organizationId: 'ACME@AdobeOrg',
      serverDomain: `127.0.0.1:${edge.port}`,
      cdnBasePath: `127.0.0.1:${edge.port}`,
      secure: false,
    });
    expect([edge.url, edge.host]).toEqual([`http://${edge.host}`, edge.config.serverDomain]);
  });

  test.each(['', 'x', '35.evil', '12345'])('reject the location hint %j', async (locationHint) => {
    await expect(startTargetEdge({ locationHint })).rejects.toThrow('locationHint must be 1 to 4 digits');
  });
});

describe('execute', () => {
  const execute = async (names: readonly string[], more: DeliveryRequest = {}) => {
    const mboxes = names.map((name, position) => ({ index: position + 1, name }));
    return (await deliver(edge, { context: CONTEXT, execute: { mboxes }, ...more })).response;
  };

  test('answers each mbox under its index, without tokens of prefetch', async () => {
    const { execute: executed } = await execute(['hero', 'flags', 'away', 'later']);
    expect(executed).toEqual({
      mboxes: [
        {
          index: 1,
          name: 'hero',
          options: [
            { type: 'html', content: '<h1>Hello</h1>', responseTokens: { 'activity.name': 'Summer' } },
          ],
        },
        {
          index: 2,
          name: 'flags',
          options: [
            { type: 'json', content: { beta: true } },
            { type: 'json', content: { limit: 3 } },
          ],
        },
        { index: 3, name: 'away', options: [{ type: 'redirect', content: 'https://example.com/' }] },
        { index: 4, name: 'later', options: [{ type: 'dynamic', content: 'https://example.com/offer' }] },
      ],
    });
  });

  test.each(['nothing', 'constructor', '__proto__', 'toString'])(
    'answers the unknown mbox %s without options',
    async (name) => {
      expect((await execute([name])).execute).toEqual({ mboxes: [{ index: 1, name }] });
    },
  );

  test('answers the page load', async () => {
    const { response } = await deliver(edge, { context: CONTEXT, execute: { pageLoad: {} } });
    expect(response.execute).toEqual({
      pageLoad: {
        options: [
          { type: 'html', content: 'one' },
          { type: 'html', content: 'two' },
        ],
      },
    });
  });

  test('answers a page load that nothing is scripted for', async () => {
    edge.setOffers({});
    const { response } = await deliver(edge, { context: CONTEXT, execute: { pageLoad: {} } });
    expect(response.execute).toEqual({ pageLoad: {} });
  });

  test('gives click metrics only, with a token', async () => {
    const mbox = (await execute(['buy'])).execute?.mboxes?.[0];
    expect(mbox?.metrics).toEqual([{ type: 'click', selector: '#buy', eventToken: expect.any(String) }]);
  });

  test('sends analytics payloads with client-side logging alone', async () => {
    const logged = async (logging: 'client_side' | 'server_side') =>
      (await execute(['buy'], { experienceCloud: { analytics: { logging } } })).execute?.mboxes?.[0];
    const clientSide = await logged('client_side');
    expect(clientSide?.analytics).toEqual({ payload: { pe: 'tnt', tnta: '1' } });
    expect(clientSide?.metrics?.[0]?.analytics).toEqual({ payload: { pe: 'tnt', tnta: '2' } });
    expect(JSON.stringify(await logged('server_side'))).not.toContain('analytics');
  });

  test('adds a trace to each location when the request asks for it', async () => {
    const { execute: executed } = await execute(['hero', 'nothing'], { trace: { authorizationToken: 't' } });
    for (const mbox of executed?.mboxes ?? []) {
      expect(mbox.trace).toMatchObject({ request: { sessionId: 'session1', mbox: { name: mbox.name } } });
    }
    expect(executed?.mboxes).toHaveLength(2);
  });
});

describe('prefetch', () => {
  test('gives mboxes a state and options an event token', async () => {
    const mboxes = [
      { index: 5, name: 'flags' },
      { index: 6, name: 'nothing' },
      { index: 7, name: 'chosen' },
    ];
    const { response } = await deliver(edge, { context: CONTEXT, prefetch: { mboxes } });
    const [flags, nothing, chosen] = response.prefetch?.mboxes ?? [];
    expect(flags).toEqual({
      index: 5,
      name: 'flags',
      options: [
        { type: 'json', content: { beta: true }, eventToken: expect.any(String) },
        { type: 'json', content: { limit: 3 }, eventToken: expect.any(String) },
      ],
      state: expect.any(String),
    });
    expect(flags?.options?.[0]?.eventToken).not.toBe(flags?.options?.[1]?.eventToken);
    expect(nothing).toEqual({ index: 6, name: 'nothing' });
    expect(chosen?.options?.[0]?.eventToken).toBe('my+token/=');
  });

  test('gives display metrics as well', async () => {
    const { response } = await deliver(edge, {
      context: CONTEXT,
      prefetch: { mboxes: [{ index: 0, name: 'buy' }] },
    });
    expect(response.prefetch?.mboxes?.[0]?.metrics).toEqual([
      { type: 'click', selector: '#buy', eventToken: expect.any(String) },
      { type: 'display', eventToken: expect.any(String) },
    ]);
  });

  test('gives the page load a state', async () => {
    const { response } = await deliver(edge, { context: CONTEXT, prefetch: { pageLoad: {} } });
    expect(response.prefetch?.pageLoad).toMatchObject({
      state: expect.any(String),
      options: [{ eventToken: expect.any(String) }, { eventToken: expect.any(String) }],
    });
  });

  test('gives the view that was named, and leaves out one that nothing matches', async () => {
    const views = [{ name: 'home' }, { name: 'nowhere' }, { name: 'home' }];
    const { response } = await deliver(edge, { context: CONTEXT, prefetch: { views } });
    expect(response.prefetch?.views).toEqual([
      {
        name: 'home',
        options: [
          {
            type: 'actions',
            content: [{ type: 'setHtml', selector: '#a', content: 'A' }],
            eventToken: expect.any(String),
          },
        ],
        state: expect.any(String),
      },
    ]);
  });

  test('gives all views for a view without a name', async () => {
    const { response } = await deliver(edge, { context: CONTEXT, prefetch: { views: [{}] } });
    expect(response.prefetch?.views?.map(({ name }) => name)).toEqual(['home', 'cart']);
  });
});

describe('notifications', () => {
  const prefetched = async () => {
    const request = {
      pageLoad: {},
      views: [{ name: 'cart' }],
      mboxes: [
        { index: 1, name: 'hero' },
        { index: 2, name: 'chosen' },
      ],
    };
    const { prefetch } = (await deliver(edge, { context: CONTEXT, prefetch: request })).response;
    return {
      hero: prefetch?.mboxes?.[0],
      chosen: prefetch?.mboxes?.[1],
      cart: prefetch?.views?.[0],
      pageLoad: prefetch?.pageLoad,
    };
  };
  const notify = async (notifications: readonly object[]) => {
    const all = notifications.map((fields, position) => ({
      id: `n${position}`,
      type: 'display' as const,
      timestamp: 1,
      ...fields,
    }));
    const { response } = await deliver(edge, { context: CONTEXT, notifications: all });
    return response.notifications?.map(({ id }) => id);
  };

  test('with the tokens and states of a prefetch are processed', async () => {
    const { hero, chosen, cart, pageLoad } = await prefetched();
    const ids = await notify([
      { mbox: { name: 'hero', state: hero?.state }, tokens: [hero?.options?.[0]?.eventToken] },
      { mbox: { name: 'chosen', state: chosen?.state }, tokens: [chosen?.options?.[0]?.eventToken] },
      { view: { name: 'cart', state: cart?.state }, tokens: [cart?.options?.[0]?.eventToken] },
      { type: 'click', view: { state: cart?.state }, tokens: [cart?.metrics?.[0]?.eventToken] },
      { pageLoad: { state: pageLoad?.state }, tokens: [pageLoad?.options?.[1]?.eventToken] },
      { mbox: { name: 'visited without content' } },
    ]);
    expect(ids).toEqual(['n0', 'n1', 'n2', 'n3', 'n4', 'n5']);
  });

  test('with anything else are absent from the answer, and the others are not', async () => {
    const { hero, cart } = await prefetched();
    const token = hero?.options?.[0]?.eventToken ?? '';
    const altered = `${token.startsWith('A') ? 'B' : 'A'}${token.slice(1)}`;
    const ids = await notify([
      { mbox: { name: 'hero' }, tokens: ['unknown'] },
      { mbox: { name: 'hero' }, tokens: [altered] },
      { mbox: { name: 'hero' }, tokens: [`${token} `] },
      { mbox: { name: 'hero' }, tokens: [''] },
      { mbox: { name: 'hero' }, tokens: [token, 'unknown'] },
      { mbox: { name: 'hero', state: 'unknown' } },
      { mbox: { name: 'flags', state: hero?.state } },
      { mbox: { name: 'hero', state: cart?.state } },
      { view: { name: 'cart', state: hero?.state } },
      { pageLoad: { state: cart?.state } },
      { mbox: { name: 'hero' }, tokens: [hero?.state] },
      { mbox: { name: 'hero' }, tokens: [token] },
    ]);
    expect(ids).toEqual(['n11']);
  });

  test('with a token from before a restart of the edge are processed', async () => {
    const { hero } = await prefetched();
    const { port } = edge;
    await edge.close();
    edge = await startTargetEdge({ port });
    expect(await notify([{ tokens: [hero?.options?.[0]?.eventToken] }])).toEqual(['n0']);
  });

  test('with foreign tokens are processed where acceptToken says so', async () => {
    await edge.close();
    edge = await startTargetEdge({ acceptToken: (token) => token.startsWith('artifact-') });
    expect(
      await notify([
        { tokens: ['artifact-1'], mbox: { name: 'a', state: 'artifact-2' } },
        { tokens: ['other'] },
        { mbox: { name: 'a', state: 'other' } },
      ]),
    ).toEqual(['n0']);
  });
});

describe('offers', () => {
  test('can be a function of the location and the call', async () => {
    const seen: [EdgeLocation, EdgeCall][] = [];
    const record = (location: EdgeLocation, call: EdgeCall) => {
      seen.push([location, call]);
      return location.parameters?.tier === 'gold' ? html('gold') : undefined;
    };
    edge.setOffers({ mboxes: { hero: record }, views: { home: record }, pageLoad: record });
    const { response } = await deliver(edge, {
      id: { marketingCloudVisitorId: 'ecid1' },
      context: CONTEXT,
      execute: {
        mboxes: [
          { index: 1, name: 'hero', parameters: { tier: 'gold' } },
          { index: 2, name: 'hero' },
        ],
      },
      prefetch: {
        views: [{ parameters: { tier: 'gold' } }, { name: 'home' }],
        pageLoad: { parameters: { tier: 'gold' } },
      },
    });
    expect(response.execute?.mboxes).toEqual([
      { index: 1, name: 'hero', options: [{ type: 'html', content: 'gold' }] },
      { index: 2, name: 'hero' },
    ]);
    expect(response.prefetch).toMatchObject({
      views: [{ name: 'home', options: [{ content: 'gold' }] }],
      pageLoad: { options: [{ content: 'gold' }] },
    });
    expect(seen.map(([location]) => location)).toEqual([
      { kind: 'mbox', mode: 'execute', name: 'hero', index: 1, parameters: { tier: 'gold' } },
      { kind: 'mbox', mode: 'execute', name: 'hero', index: 2 },
      { kind: 'pageLoad', mode: 'prefetch', name: '', parameters: { tier: 'gold' } },
      { kind: 'view', mode: 'prefetch', name: 'home', parameters: { tier: 'gold' } },
    ]);
    const { tntId } = response.id ?? {};
    expect(seen[0]?.[1]).toMatchObject({
      organizationId: 'DEMO@AdobeOrg',
      sessionId: 'session1',
      tntId,
      visitor: 'ecid1',
    });
  });

  test('that throw are answered with 500 and what they said', async () => {
    edge.setOffers({
      pageLoad: () => {
        throw new Error('no offers today');
      },
    });
    const { status, text } = await deliver(edge, { context: CONTEXT, execute: { pageLoad: {} } });
    expect([status, JSON.parse(text)]).toEqual([500, { status: 500, message: 'no offers today' }]);
  });

  test('are found in a Map by any name', async () => {
    edge.setOffers({ mboxes: new Map([['__proto__', html('found')]]) });
    const { response } = await deliver(edge, {
      context: CONTEXT,
      execute: { mboxes: [{ index: 1, name: '__proto__' }] },
    });
    expect(response.execute?.mboxes?.[0]?.options).toEqual([{ type: 'html', content: 'found' }]);
  });

  test('of an unknown type are refused when they are set, by location', () => {
    const offers = JSON.parse('{"mboxes": {"hero": {"type": "htm", "content": ""}}}');
    expect(() => edge.setOffers(offers)).toThrow(
      'mboxes["hero"]: an offer\'s type must be one of html, json',
    );
  });

  test.each([
    [{ marketingCloudVisitorId: 'ecid', tntId: 'tnt.35_0', thirdPartyId: 'third' }, 'ecid'],
    [{ tntId: 'tnt.35_0', thirdPartyId: 'third' }, 'tnt'],
    [{ thirdPartyId: 'third' }, 'third'],
  ])('know the visitor %j as %s', async (id, visitor) => {
    let seen: string | undefined;
    edge.setOffers({
      pageLoad: (_location, call) => {
        seen = call.visitor;
        return undefined;
      },
    });
    await deliver(edge, { id, context: CONTEXT, execute: { pageLoad: {} } });
    expect(seen).toBe(visitor);
  });
});
