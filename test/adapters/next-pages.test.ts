import { describe, expect, jest, test } from '@jest/globals';
import { createNextTarget, type NextTarget, type NextTargetOptions } from '../../src/adapters/next.js';
import type { TargetClient, TargetClientConfig } from '../../src/index.js';
import { flagsArtifact, HERO } from '../fixtures/flags.js';
import { listeningLogger, targetErrorOf } from '../with-edge.js';
import { inRequest, type Scope } from './next-stand-in.js';
import { open, VISIT_COOKIES, withServing } from './serving.js';

jest.mock(
  'next/headers.js',
  () => jest.requireActual<typeof import('./next-stand-in.js')>('./next-stand-in').headersModule,
  { virtual: true },
);
jest.mock(
  'next/server.js',
  () => jest.requireActual<typeof import('./next-stand-in.js')>('./next-stand-in').serverModule,
  { virtual: true },
);

const { connect, edge, serve } = withServing();

function targetOf(
  options: Partial<NextTargetOptions> = {},
  config: Partial<TargetClientConfig> = {},
): NextTarget {
  const client = connect(config);
  return createNextTarget({ client: () => client, ...options });
}

const PAGE = { host: 'shop.example', 'user-agent': 'Mozilla/5.0 Chrome/126.0.0.0' };

describe('the Pages Router', () => {
  const serving = (target: NextTarget) =>
    serve(async (request, response) => {
      const visit = target.visitOf(request, response);
      expect(target.visitOf(request, response)).toBe(visit);
      response.setHeader('Set-Cookie', 'theirs=1');
      response.end(await visit.offer('url', 'none'));
    });

  test('has the visit of its request, whose cookies are written with the answer', async () => {
    const url = await serving(targetOf());
    const page = await open(`${url}/sale?q=1`);
    expect(page.body).toBe(`${url}/sale?q=1`);
    expect(page.headers['set-cookie']).toEqual(['theirs=1', ...VISIT_COOKIES]);
    expect(page.headers['cache-control']).toBe('private, no-store');
  });

  test('has the URL of the page for a request for its data', async () => {
    const url = await serving(targetOf());
    expect((await open(`${url}/_next/data/b-1_x/sale/shoes.json?q=1`)).body).toBe(`${url}/sale/shoes?q=1`);
    expect((await open(`${url}/_next/data/b-1_x/index.json`)).body).toBe(`${url}/`);
    expect((await open(`${url}/_next/data.json`)).body).toBe(`${url}/_next/data.json`);
  });

  test('has the URL that the proxy names', async () => {
    const url = await serving(targetOf());
    const named = { 'x-target-url': `${url}/named` };
    expect((await open(`${url}/other`, named)).body).toBe(`${url}/named`);
    const forged = { 'x-target-url': 'https://evil.example/' };
    expect((await open(`${url}/other`, forged)).body).toBe(`${url}/other`);
  });
});

describe('a handler with a request', () => {
  test('has one visit for it', () => {
    const target = targetOf();
    const request = new Request('http://localhost:3000/a', { headers: PAGE });
    expect(target.visitOf(request)).toBe(target.visitOf(request));
    expect(target.visitOf(new Request(request))).not.toBe(target.visitOf(request));
  });

  test('has its URL, with the host of the page', async () => {
    const request = new Request('http://localhost:3000/a?b=1', { headers: PAGE });
    expect(await targetOf().visitOf(request).offer('url', 'none')).toBe('http://shop.example/a?b=1');
    // A handler gets its URL without the basePath, and as the proxy has rewritten it.
    const named = { ...PAGE, 'x-target-url': 'http://shop.example/base/a?b=1', 'x-target-request': 'GET' };
    const behind = new Request(request.url, { headers: named });
    expect(await targetOf().visitOf(behind).offer('url', 'none')).toBe('http://shop.example/base/a?b=1');
    const forged = { ...PAGE, 'x-target-url': 'http://evil.example/a' };
    const past = new Request(request.url, { headers: forged });
    expect(await targetOf().visitOf(past).offer('url', 'none')).toBe('http://shop.example/a?b=1');
    const bare = new Request('https://shop.example/a');
    expect(await targetOf().visitOf(bare).offer('url', 'none')).toBe('https://shop.example/a');
  });
});

describe('work after the answer', () => {
  /** Shows a hero that is decided in the process, and returns what `after` was given for it. */
  const show = async (options: Partial<NextTargetOptions>, config: Partial<TargetClientConfig> = {}) => {
    const local = {
      decisioningMethod: 'on-device',
      artifactPayload: flagsArtifact(),
      pollingInterval: 0,
    } as const;
    const target = targetOf(options, { ...local, ...config });
    await target.client().ready();
    const flush = jest.spyOn(target.client(), 'flush');
    const scope = await inRequest(PAGE, async (own) => {
      const visit = await target.visit();
      await visit.getOffers({ request: HERO });
      await new Promise((resolve) => setImmediate(resolve));
      await visit.getOffers({ request: HERO });
      await new Promise((resolve) => setImmediate(resolve));
      return own;
    });
    return { scope, flush };
  };
  const functionsIn = ({ after }: Scope) => after.filter((work) => typeof work === 'function');

  test('is waited for by Next.js', async () => {
    const { scope } = await show({});
    expect(scope.after.length).toBeGreaterThan(0);
    await Promise.all(scope.after);
    expect(edge().requests.at(-1)?.delivery?.notifications).toHaveLength(1);
  });

  test('is flushed once a visit, when the program or the platform wants it', async () => {
    expect(functionsIn((await show({})).scope)).toEqual([]);
    const { scope, flush } = await show({ flush: 'after' });
    expect(functionsIn(scope)).toHaveLength(1);
    expect(flush).not.toHaveBeenCalled();
    (functionsIn(scope)[0] as () => unknown)();
    expect(flush).toHaveBeenCalledTimes(1);
    for (const name of ['VERCEL', 'AWS_LAMBDA_FUNCTION_NAME']) {
      process.env[name] = '1';
      try {
        expect(functionsIn((await show({})).scope)).toHaveLength(1);
        expect(functionsIn((await show({ flush: 'never' })).scope)).toEqual([]);
      } finally {
        delete process.env[name];
      }
    }
  });

  test('is given to the waitUntil of the program, which wins', async () => {
    const works: unknown[] = [];
    const waitUntil = (work: Promise<unknown>) => void works.push(work);
    const { scope } = await show({ waitUntil });
    expect(works.length).toBeGreaterThan(0);
    expect(scope.after).toEqual([]);
  });

  test('goes on without Next.js where there is no request of the App Router, with one warning', async () => {
    const { lines, logger } = listeningLogger();
    const local = {
      decisioningMethod: 'on-device',
      artifactPayload: flagsArtifact(),
      pollingInterval: 0,
    } as const;
    const ask = async (options: Partial<NextTargetOptions>) => {
      const target = targetOf(options, { ...local, logger });
      await target.client().ready();
      const request = new Request('http://localhost:3000/a', { headers: PAGE });
      await target.visitOf(request).getOffers({ request: HERO });
      await target.client().flush();
      await new Promise((resolve) => setImmediate(resolve));
    };
    await ask({});
    await ask({ flush: 'after', waitUntil: () => undefined });
    // The local edge does not know the tokens of this artifact, and that is worth a warning of its own.
    const warnings = () => lines.warn.filter((line) => line.includes('flush'));
    expect(warnings()).toEqual([]);
    expect(lines.debug.join('\n')).toContain('Next.js does not wait for it');
    await ask({ flush: 'after' });
    await ask({ flush: 'after' });
    const reports = edge().requests.flatMap(({ delivery }) => delivery?.notifications ?? []);
    expect(reports).toHaveLength(4);
    expect(warnings()).toEqual([expect.stringMatching(/Pages Router.*waitUntil.*client\.flush\(\)/)]);
  });
});

describe('the endpoint of the beacon', () => {
  const report = {
    type: 'display',
    id: 'n1',
    impressionId: 'i1',
    timestamp: Date.now(),
    mbox: { name: 'hero', state: 's' },
    tokens: ['t'],
  };
  const post = (body: string | ReadableStream<Uint8Array>, headers: Record<string, string> = {}) =>
    new Request('http://localhost:3000/target/beacon', {
      method: 'POST',
      body,
      headers: {
        ...PAGE,
        'sec-fetch-site': 'same-origin',
        cookie: `mbox=${encodeURIComponent(`session#s1#${Math.floor(Date.now() / 1000) + 100}|PC#t1.35_0#${Math.floor(Date.now() / 1000) + 1000}`)}`,
        ...headers,
      },
      ...({ duplex: 'half' } as object),
    });

  test('reports what was shown, and prolongs the session', async () => {
    const target = targetOf({ beacon: '/target/beacon' });
    const { POST } = target.beacon;
    const answer = await inRequest(PAGE, async ({ after }) => {
      const answered = await POST(post(JSON.stringify([report])));
      await new Promise((resolve) => setImmediate(resolve));
      expect(after.length).toBeGreaterThan(0);
      return answered;
    });
    expect(answer.status).toBe(204);
    expect(answer.headers.getSetCookie()).toEqual([
      expect.stringMatching(/^mbox=session%23s1%23/),
      expect.stringMatching(/^mboxEdgeCluster=35;/),
    ]);
    await target.client().flush();
    expect(edge().lastRequest?.delivery?.notifications).toMatchObject([{ id: 'n1', tokens: ['t'] }]);
    expect(edge().lastRequest?.delivery?.id?.tntId).toBe('t1.35_0');
  });

  test('refuses what no page of the site has sent, and what is no report', async () => {
    const { POST } = targetOf().beacon;
    const statuses = [];
    for (const request of [
      post('[]', { 'sec-fetch-site': 'cross-site' }),
      post('no json'),
      post('x'.repeat(64 * 1024 + 1)),
      post('é'.repeat(40 * 1024)),
    ]) {
      statuses.push((await POST(request)).status);
    }
    expect(statuses).toEqual([403, 400, 413, 413]);
  });

  test('reads no more of a body than it needs, and outlives one that breaks off', async () => {
    const { POST } = targetOf().beacon;
    let sent = 0;
    let isEnded = false;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        sent += 1;
        controller.enqueue(new TextEncoder().encode('x'.repeat(16 * 1024)));
      },
      cancel: () => {
        isEnded = true;
      },
    });
    expect((await POST(post(endless))).status).toBe(413);
    expect(isEnded).toBe(true);
    expect(sent).toBeLessThan(10);
    const broken = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.error(new Error('gone')),
    });
    expect((await POST(post(broken))).status).toBe(400);
    expect(
      (
        await POST(
          new Request('http://localhost/b', {
            method: 'POST',
            headers: { ...PAGE, 'sec-fetch-site': 'same-origin' },
          }),
        )
      ).status,
    ).toBe(400);
  });
});

describe('a value that is no request', () => {
  const node = { method: 'GET', url: '/', headers: { host: 'shop.example' } };
  const fetched = new Request('http://localhost/', { headers: PAGE });
  const wrong: [string, unknown, unknown, string][] = [
    ['nothing', undefined, undefined, 'request'],
    ['null', null, undefined, 'request'],
    ['a text', 'text', undefined, 'request'],
    ['an empty object', {}, undefined, 'request'],
    ['a request of Node without its response', node, undefined, 'request'],
    ['a request of Node with something else', node, { params: {} }, 'response'],
    ['a Request with the context of a route handler', fetched, { params: Promise.resolve() }, 'response'],
  ];
  test.each(wrong)('%s is refused, and the next request works', async (_, request, response, path) => {
    const target = targetOf();
    const visitOf: (request: never, response: never) => unknown = target.visitOf;
    const { code, path: named } = await targetErrorOf(() => visitOf(request as never, response as never));
    expect([code, named]).toEqual(['ERR_TARGET_INVALID_CONFIG', path]);
    expect(response ?? {}).not.toHaveProperty('writeHead');
    for (const act of [target.begin, target.proxy, target.beacon.POST]) {
      if (response === undefined) {
        expect((await targetErrorOf(() => act(request as never))).path).toBe('request');
      }
    }
    expect((await target.proxy(fetched)).status).toBe(200);
  });

  test('is refused with the response of Node too', async () => {
    const answer = { headersSent: false, writeHead: () => undefined };
    const { visitOf } = targetOf();
    for (const request of ['text', null, {}]) {
      const error = await targetErrorOf(() => visitOf(request as never, answer as never));
      expect([error.code, error.path]).toEqual(['ERR_TARGET_INVALID_CONFIG', 'request']);
    }
  });
});

test('functions can be taken off a target', async () => {
  const { proxy, visit, client }: Pick<NextTarget, 'proxy' | 'visit'> & { client(): TargetClient } =
    targetOf();
  expect((await proxy(new Request('http://localhost/', { headers: PAGE }))).status).toBe(200);
  await inRequest(PAGE, async () => expect(await visit()).toBeDefined());
  expect(client()).toBeDefined();
});
