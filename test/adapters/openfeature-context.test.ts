import { beforeEach, describe, expect, test } from '@jest/globals';
import type { EvaluationContext } from '@openfeature/server-sdk';
import { createVisit } from '../../src/adapters/http.js';
import { type TargetProviderOptions, withVisit } from '../../src/adapters/openfeature.js';
import { type FetchApi, TargetClient } from '../../src/index.js';
import { html, json, type OfferFunction } from '../../src/testing/edge.js';
import { flagsArtifact } from '../fixtures/flags.js';
import { incomingOf } from '../visits/incoming.js';
import { deepFreeze, listeningLogger, withEdge } from '../with-edge.js';
import { withOpenFeature } from './openfeature-serving.js';

const bench = withEdge();
const { serve } = withOpenFeature();

const visitor: OfferFunction = (_, { visitor: id }) => json({ id });

beforeEach(() => {
  const some = Object.fromEntries(Array.from({ length: 120 }, (_, n) => [`m${n}`, json({ color: `c${n}` })]));
  bench.edge.setOffers({ mboxes: { ...some, visitor, hero: html('Hello') } });
});

const deliveries = () => bench.edge.requestsTo(({ delivery }) => delivery !== undefined);

/** What is sent for a context. */
async function sentFor(context: EvaluationContext, options?: TargetProviderOptions) {
  const client = await serve(bench.connect(), options);
  await client.getStringValue('m1.color', 'default', deepFreeze(context));
  const { id, context: sent, execute, prefetch } = bench.sent();
  return { id, context: sent, mboxes: execute?.mboxes, prefetch };
}

describe('the context', () => {
  test('of nobody asks for the mbox alone', async () => {
    expect(await sentFor({})).toEqual({ context: { channel: 'web' }, mboxes: [{ name: 'm1', index: 1 }] });
  });

  test('names the visitor, the page and the place, and gives the rest as parameters', async () => {
    const sent = await sentFor({
      targetingKey: 'user-7',
      tntId: 'visitor.35_0',
      ecid: '12345678901234567890123456789012345678',
      url: 'https://shop.example/',
      userAgent: 'Mozilla/5.0',
      ipAddress: '203.0.113.7',
      plan: 'gold',
      age: 42,
      isMember: false,
      empty: '',
      since: new Date(0),
      nothing: null,
      list: [1],
      object: { a: 1 },
      never: new Date(Number.NaN),
    });
    expect(sent).toEqual({
      id: {
        thirdPartyId: 'user-7',
        tntId: 'visitor.35_0',
        marketingCloudVisitorId: '12345678901234567890123456789012345678',
      },
      context: {
        channel: 'web',
        address: { url: 'https://shop.example/' },
        userAgent: 'Mozilla/5.0',
        geo: { ipAddress: '203.0.113.7' },
      },
      mboxes: [
        {
          name: 'm1',
          index: 1,
          parameters: {
            plan: 'gold',
            age: '42',
            isMember: 'false',
            empty: '',
            since: '1970-01-01T00:00:00.000Z',
          },
        },
      ],
    });
  });

  test('takes cookies and customer ids', async () => {
    const first = bench.connect();
    const { targetCookie } = await first.getOffers({ request: { execute: { mboxes: [{ name: 'hero' }] } } });
    const sessionId = bench.received().query.sessionId;
    const { id, mboxes } = await sentFor({
      targetCookie: targetCookie.value,
      targetLocationHint: '35',
      visitorCookie: 'MCMID|12345678901234567890123456789012345678',
      customerIds: { crm: { id: 'c-1', authState: TargetClient.AuthState.AUTHENTICATED } },
    });
    expect(id).toMatchObject({
      tntId: expect.any(String),
      marketingCloudVisitorId: '12345678901234567890123456789012345678',
      customerIds: [{ id: 'c-1', integrationCode: 'crm', authenticatedState: 'authenticated' }],
    });
    expect(mboxes).toEqual([{ name: 'm1', index: 1 }]);
    expect(bench.received().query.sessionId).toBe(sessionId);
  });

  test.each<[string, TargetProviderOptions['targetingKey'], object]>([
    ['thirdPartyId', undefined, { thirdPartyId: 'key' }],
    ['tntId', 'tntId', { tntId: 'key' }],
    [
      'a function',
      (key) => ({ marketingCloudVisitorId: key.padStart(38, '1') }),
      { marketingCloudVisitorId: 'key'.padStart(38, '1') },
    ],
  ])('gives the targeting key as %s', async (_, targetingKey, id) => {
    expect((await sentFor({ targetingKey: 'key' }, { targetingKey })).id).toEqual(id);
  });

  test('may have names that objects have', async () => {
    const { mboxes } = await sentFor(JSON.parse('{ "__proto__": "a", "constructor": "b", "visit": "c" }'));
    expect(JSON.stringify(mboxes?.[0]?.parameters)).toBe('{"__proto__":"a","constructor":"b","visit":"c"}');
  });

  test('is what `toCall` makes of it', async () => {
    const sent = await sentFor(
      { targetingKey: 'user-7', plan: 'gold' },
      {
        toCall: ({ targetingKey, plan }) => ({
          request: {
            id: { tntId: `${targetingKey}` },
            context: { userAgent: 'test' },
            prefetch: { mboxes: [{ name: 'm1', parameters: { own: 1 } }] },
          },
          parameters: { plan: String(plan).toUpperCase() },
        }),
      },
    );
    expect(sent).toEqual({
      id: { tntId: 'user-7' },
      context: { channel: 'web', userAgent: 'test' },
      prefetch: { mboxes: [{ name: 'm1', index: 0, parameters: { plan: 'GOLD', own: '1' } }] },
    });
  });

  test('has nothing of what somebody has put on Object.prototype', async () => {
    const root: Record<string, unknown> = Object.prototype as never;
    const names = ['tntId', 'ecid', 'targetingKey', 'targetCookie', 'visit', 'userAgent', 'mbox', 'orderId'];
    const bodies: string[] = [];
    const answer = {
      status: 200,
      execute: { mboxes: [{ index: 1, name: 'm1', options: [json({ color: 'c1' })] }] },
    };
    let tellSent: () => void = () => undefined;
    const bothSent = new Promise<void>((resolve) => {
      tellSent = resolve;
    });
    const fetchApi: FetchApi = async (_, { body }) => {
      if (bodies.push(String(body)) === 2) {
        tellSent();
      }
      return { status: 200, headers: { get: () => null }, text: async () => JSON.stringify(answer) };
    };
    const client = await serve(bench.connect({ fetchApi }), { flag: () => ({ mbox: 'm1', key: 'color' }) });
    let color: string;
    try {
      for (const name of names) {
        root[name] = { getAttributes: () => 'forged' };
      }
      color = await client.getStringValue('any', 'default', { size: 1 });
      client.track('signup', {}, {});
      await bothSent;
    } finally {
      for (const name of names) {
        delete root[name];
      }
    }
    expect(color).toBe('c1');
    const [read, track] = bodies.map((body) => JSON.parse(body));
    expect([read.id, track.id]).toEqual([undefined, undefined]);
    expect(read.execute).toEqual({ mboxes: [{ name: 'm1', index: 1, parameters: { size: '1' } }] });
    expect(track.execute).toEqual({ mboxes: [{ name: 'signup', index: 0 }] });
  });

  test('leaves attributes out with one debug line, which has no value', async () => {
    const { lines, logger } = listeningLogger();
    const client = await serve(bench.connect({ logger }));
    await client.getStringValue('m1.color', '', {
      secret: ['s3cret'],
      other: { of: 's3cret' },
      plan: 'gold',
    });
    expect(lines.debug.filter((line) => line.includes('not sent'))).toEqual([
      'AT: OpenFeature: attributes that are not sent: secret, other',
    ]);
    expect(lines.debug.join()).not.toContain('s3cret');
  });
});

describe('reads of a server-side client', () => {
  const keys = ['m1.color', 'm2.color', 'm3.color', 'm1.size', 'm1'];

  test('share a call when they are made in one turn with equal contexts', async () => {
    const client = await serve(bench.connect());
    const context = () => ({ targetingKey: 'user-7', since: new Date(5), customerIds: { crm: { id: 'c' } } });
    await Promise.all(keys.map((key) => client.getObjectDetails(key, {}, context())));
    expect(deliveries()).toHaveLength(1);
    expect(bench.sent().execute?.mboxes?.map(({ name }) => name)).toEqual(['m1', 'm2', 'm3']);
  });

  test('share nothing with those of another turn', async () => {
    const client = await serve(bench.connect());
    await client.getStringValue('m1.color', '');
    await client.getStringValue('m1.color', '');
    expect(deliveries()).toHaveLength(2);
  });

  test('share nothing with those of another visitor', async () => {
    const client = await serve(bench.connect());
    const ids = ['a', 'b', 'c', 'a'];
    const answers = await Promise.all(
      ids.map((targetingKey) => client.getStringValue('visitor.id', '', { targetingKey })),
    );
    expect(answers).toEqual(ids);
    expect(deliveries()).toHaveLength(3);
  });

  test.each<[string, () => unknown]>([
    ['an object of a class', () => new (class Session {})()],
    ['an object with a method', () => ({ id: () => 1 })],
    ['a map', () => new Map([['id', 1]])],
    ['a function', () => () => 1],
    ['another text', counter((count) => `text ${count}`)],
    ['a text like a number', counter((count) => (count === 1 ? '1' : 1))],
    ['another date', counter((count) => new Date(count))],
    ['another list', counter((count) => [count])],
    ['a list and an object', counter((count) => (count === 1 ? [1] : { 0: 1 }))],
    ['a field more', counter((count) => (count === 1 ? { a: 1 } : { a: 1, b: undefined }))],
  ])('share nothing when nobody knows if the contexts are equal: %s', async (_, make) => {
    const client = await serve(bench.connect(), { toCall: () => ({}) });
    const reads = [make(), make()].map((session) =>
      client.getStringValue('m1.color', '', { session } as never),
    );
    await Promise.all(reads);
    expect(deliveries()).toHaveLength(2);
  });

  test('share a call when they have the same object', async () => {
    const client = await serve(bench.connect(), { toCall: () => ({}) });
    const session = new Map();
    await Promise.all(keys.map((key) => client.getObjectValue(key, {}, { session } as never)));
    expect(deliveries()).toHaveLength(1);
  });

  test('survive a context that refers to itself', async () => {
    const context: Record<string, unknown> = { plan: 'gold' };
    context.self = context;
    const client = await serve(bench.connect());
    expect(await client.getStringValue('m1.color', '', context as never)).toBe('c1');
  });

  test('are as many calls as the edge needs for them', async () => {
    const client = await serve(bench.connect(), {
      toCall: () => ({ request: { execute: { mboxes: [{ name: 'hero' }] } } }),
    });
    const all = Array.from({ length: 120 }, (_, n) => n);
    const colors = await Promise.all(all.map((n) => client.getStringValue(`m${n}.color`, '')));
    expect(colors).toEqual(all.map((n) => `c${n}`));
    expect(deliveries().map(({ delivery }) => delivery?.execute?.mboxes?.length)).toEqual([50, 50, 23]);
  });

  test('all fail with their call', async () => {
    bench.edge.fault({ kind: 'status', status: 400 }, { times: 1 });
    const client = await serve(bench.connect());
    const details = await Promise.all(keys.map((key) => client.getObjectDetails(key, {})));
    expect(details.map(({ errorCode }) => errorCode)).toEqual(keys.map(() => 'GENERAL'));
    expect(await client.getStringValue('m1.color', '')).toBe('c1');
  });

  test('that were made before the client is closed are answered', async () => {
    const target = bench.connect();
    const client = await serve(target);
    const read = client.getStringValue('m1.color', 'default');
    // OpenFeature calls the provider a few microtasks later.
    for (let turns = 0; turns < 20; turns += 1) {
      await Promise.resolve();
    }
    const ended: string[] = [];
    await Promise.all([
      read.then((color) => ended.push(color)),
      target.close().then(() => ended.push('closed')),
    ]);
    expect(ended).toEqual(['c1', 'closed']);
  });

  test('warn once of their cost', async () => {
    const { lines, logger } = listeningLogger();
    const client = await serve(bench.connect({ logger }));
    await client.getStringValue('m1.color', '');
    await client.getStringValue('m2.color', '');
    expect(lines.warn).toEqual([expect.stringContaining('context attribute `visit`')]);
  });

  test('of rules share the decision of their mbox, and no cost is told', async () => {
    const { lines, logger } = listeningLogger();
    const target = bench.connect({
      decisioningMethod: 'on-device',
      artifactPayload: flagsArtifact(),
      pollingInterval: 0,
      logger,
    });
    const client = await serve(target);
    const reads = ['flags.release', 'flags.beta'].map((key) =>
      client.getObjectDetails(key, {}, { targetingKey: 'user-7' }),
    );
    await Promise.all(reads);
    expect(target.stats().decisions).toBe(1);
    expect(lines.warn).toEqual([]);
  });
});

/** Makes a function that knows how often it was called. */
function counter<Value>(make: (count: number) => Value): () => Value {
  let count = 0;
  return () => {
    count += 1;
    return make(count);
  };
}

describe('a visit in the context', () => {
  const browser = incomingOf('https://shop.example/', { 'user-agent': 'Mozilla/5.0' });

  test('answers flags and offers with one call', async () => {
    const { lines, logger } = listeningLogger();
    const target = bench.connect({ logger });
    const client = await serve(target);
    const visit = createVisit(target, browser);
    const context = withVisit(visit, { targetingKey: 'user-7', plan: 'gold', url: 'https://other.example/' });
    const [color, size, hero] = await Promise.all([
      client.getStringValue('m1.color', 'default', context),
      client.getNumberValue('m2.size', 5, context),
      visit.offer('hero', 'default'),
    ]);
    expect([color, size, hero]).toEqual(['c1', 5, 'Hello']);
    expect(deliveries()).toHaveLength(1);
    expect(bench.sent()).toMatchObject({
      context: { address: { url: 'https://shop.example/' }, userAgent: 'Mozilla/5.0' },
      execute: {
        mboxes: [{ name: 'hero' }, { name: 'm1', parameters: { plan: 'gold' } }, { name: 'm2' }],
      },
    });
    expect(bench.sent().id).toBeUndefined();
    expect(lines.warn).toEqual([]);
    expect(visit.setCookies).toHaveLength(2);
  });

  test('keeps its object through the contexts of OpenFeature', async () => {
    const target = bench.connect();
    const client = await serve(target);
    const visit = createVisit(target, browser);
    client.setContext(withVisit(visit));
    await Promise.all([client.getStringValue('m1.color', ''), client.getStringValue('m2.color', '')]);
    expect(deliveries()).toHaveLength(1);
    expect(visit.setCookies).toHaveLength(2);
  });

  test('without consent gives defaults, and no error', async () => {
    const target = bench.connect();
    const client = await serve(target);
    const visit = createVisit(target, browser, { consent: false });
    expect(await client.getStringDetails('m1.color', 'default', withVisit(visit))).toMatchObject({
      value: 'default',
      reason: 'DEFAULT',
    });
    expect(bench.edge.requests).toEqual([]);
  });

  test('that handles its errors gives them to the flag too', async () => {
    bench.edge.fault({ kind: 'status', status: 400 }, { times: 1 });
    const target = bench.connect();
    const client = await serve(target);
    const errors: unknown[] = [];
    const visit = createVisit(target, browser, { onError: (error) => errors.push(error) });
    expect(await client.getStringDetails('m1.color', 'default', withVisit(visit))).toMatchObject({
      value: 'default',
      errorCode: 'GENERAL',
    });
    expect(errors).toHaveLength(1);
  });
});
