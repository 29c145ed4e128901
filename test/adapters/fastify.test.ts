import { Readable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import { currentVisit, type TargetPluginOptions, target, visitOf } from '../../src/adapters/fastify.js';
import type { Visit } from '../../src/adapters/http.js';
import type { TargetClient } from '../../src/index.js';
import { open, VISIT_COOKIES, withServing } from './serving.js';

const { connect, edge, add } = withServing();

async function listen(app: FastifyInstance): Promise<string> {
  add(() => app.close());
  return app.listen({ host: '127.0.0.1', port: 0 });
}

/** An app with visits, whose page does what the test says. */
async function appOf(
  page: (visit: Visit, reply: FastifyReply) => unknown,
  options: Partial<TargetPluginOptions> = {},
): Promise<FastifyInstance> {
  const app = Fastify({ forceCloseConnections: true });
  await app.register(target, { client: connect(), ...options });
  app.get('/', async (request, reply) => page(request.target, reply));
  return app;
}

describe('a page', () => {
  test('has the offers of its visit, and cookies that no cache keeps', async () => {
    const page = await open(await listen(await appOf((visit) => visit.offer('hero', 'default'))));
    expect(page.body).toBe('<h1>Hero</h1>');
    expect(page.headers['set-cookie']).toEqual(VISIT_COOKIES);
    expect(page.headers['cache-control']).toBe('private, no-store');
  });

  test('has no header of a visit that asked for nothing', async () => {
    const page = await open(await listen(await appOf(() => 'plain')));
    expect(page.body).toBe('plain');
    expect(page.headers['set-cookie']).toBeUndefined();
    expect(page.headers['cache-control']).toBeUndefined();
    expect(edge().requests).toEqual([]);
  });

  const writers: Record<string, (reply: FastifyReply, body: string) => unknown> = {
    'headers of the reply': (reply, body) =>
      reply.header('Set-Cookie', 'theirs=1').header('Cache-Control', 'public, max-age=60').send(body),
    'a stream': (reply, body) => reply.header('Set-Cookie', 'theirs=1').send(Readable.from([body])),
    'a Response of fetch': (reply, body) =>
      reply.send(new Response(body, { headers: { 'Set-Cookie': 'theirs=1', 'Cache-Control': 'public' } })),
    'the response of Node': (reply, body) => {
      reply.hijack();
      reply.raw.writeHead(200, { 'Set-Cookie': 'theirs=1', 'Cache-Control': 'public' });
      reply.raw.end(body);
    },
    'an error with its own status': (reply, body) => {
      reply.header('Set-Cookie', 'theirs=1');
      throw Object.assign(new Error(body), { statusCode: 400 });
    },
  };

  test.each(Object.keys(writers))('keeps the cookies of others when it is sent by %s', async (name) => {
    const app = await appOf(async (visit, reply) =>
      writers[name]?.(reply, await visit.offer('hero', 'default')),
    );
    const page = await open(await listen(app));
    expect(page.body).toContain('<h1>Hero</h1>');
    expect(page.headers['set-cookie']).toEqual(['theirs=1', ...VISIT_COOKIES]);
    expect(page.headers['cache-control']).toBe('private, no-store');
  });
});

test('after the headers are sent, a visit still answers, and nothing throws', async () => {
  const app = await appOf((visit, reply) => {
    const pieces = async function* () {
      yield 'early ';
      yield await visit.offer('hero', 'default');
    };
    return reply.send(Readable.from(pieces()));
  });
  const page = await open(await listen(app));
  expect(page.body).toBe('early <h1>Hero</h1>');
  expect(page.headers['set-cookie']).toBeUndefined();
});

describe('the address of the page', () => {
  const servePages = async (trustProxy: boolean) => {
    const app = Fastify({ trustProxy, forceCloseConnections: true });
    await app.register(target, { client: connect() });
    await app.register(
      async (pages) => {
        pages.get('/*', (request) => request.target.offer('url', 'none'));
      },
      { prefix: '/shop' },
    );
    return listen(app);
  };
  const forwarded = {
    Host: 'inner.example:8080',
    'X-Forwarded-Host': 'shop.example:8443',
    'X-Forwarded-Proto': 'https',
  };

  test('is the one that the browser asked for, under a prefix too', async () => {
    const url = await servePages(false);
    expect((await open(`${url}/shop/coffee?q=1`)).body).toBe(`${url}/shop/coffee?q=1`);
    expect((await open(`${url}/shop/a`, { Host: 'shop.example' })).body).toBe('http://shop.example/shop/a');
  });

  test('is what a trusted proxy says, and not what another one says', async () => {
    expect((await open(`${await servePages(true)}/shop/a`, forwarded)).body).toBe(
      'https://shop.example:8443/shop/a',
    );
    expect((await open(`${await servePages(false)}/shop/a`, forwarded)).body).toBe(
      'http://inner.example:8080/shop/a',
    );
  });
});

describe('the plugin', () => {
  test('makes one visit with the first options when it is registered twice, at whatever depth', async () => {
    const app = await appOf(() => 'outside', { cookies: { path: '/first' } });
    await app.register(target, { client: connect(), cookies: { path: '/second' } });
    await app.register(async (inner) => {
      await inner.register(target, { client: connect(), cookies: { path: '/third' } });
      inner.get('/inner', (request) => visitOf(request).offer('hero', 'default'));
    });
    const page = await open(`${await listen(app)}/inner`);
    expect(page.headers['set-cookie']).toHaveLength(2);
    expect(page.headers['set-cookie']?.[0]).toContain('Path=/first');
  });

  test('works for the routes of one part of an app alone', async () => {
    const app = Fastify({ forceCloseConnections: true });
    await app.register(async (inner) => {
      await inner.register(target, { client: connect() });
      inner.get('/inner', (request) => visitOf(request).offer('hero', 'default'));
    });
    app.get('/', async (request) => visitOf(request).offer('hero', 'default'));
    const url = await listen(app);
    expect((await open(`${url}/inner`)).body).toBe('<h1>Hero</h1>');
    const outside = await open(url);
    expect(outside.status).toBe(500);
    expect(JSON.parse(outside.body)).toMatchObject({
      code: 'ERR_TARGET_INVALID_CONFIG',
      message: expect.stringContaining('app.register(target, { client })'),
    });
  });

  test('fails to register with wrong options, and when another plugin has the name', async () => {
    const client = connect();
    const wrong: [unknown, string][] = [
      [{}, 'client'],
      [{ client: {} }, 'client'],
      [{ client, asyncContext: 1 }, 'asyncContext'],
      [{ client, consent: 'yes' }, 'consent'],
    ];
    for (const [options, path] of wrong) {
      const registered = Fastify().register(target, options as TargetPluginOptions);
      await expect(registered).rejects.toMatchObject({ code: 'ERR_TARGET_INVALID_CONFIG', path });
    }
    const taken = Fastify();
    taken.decorateRequest('target', null as unknown as Visit);
    await expect(taken.register(target, { client })).rejects.toMatchObject({
      code: 'FST_ERR_DEC_ALREADY_PRESENT',
    });
  });

  test('needs a client of this package', async () => {
    const client = { getOffers: () => undefined } as unknown as TargetClient;
    const app = Fastify({ forceCloseConnections: true });
    await app.register(target, { client });
    app.get('/', (request) => request.target.offer('hero', 'default'));
    expect((await open(await listen(app))).status).toBe(500);
  });
});

test('the current visit is the one of the request, behind the body of a request too', async () => {
  const app = Fastify({ forceCloseConnections: true });
  await app.register(target, { client: connect(), asyncContext: true });
  const isCurrent = async (request: { readonly target: Visit }) => {
    const before = currentVisit() === request.target;
    await new Promise((resolve) => setImmediate(resolve));
    return { before, after: currentVisit() === request.target };
  };
  app.get('/', isCurrent);
  app.post('/', isCurrent);
  const url = await listen(app);
  expect((await open(url)).body).toBe('{"before":true,"after":true}');
  const posted = await fetch(url, { method: 'POST', headers: { 'Content-Type': 'text/plain' }, body: 'a' });
  expect(await posted.json()).toEqual({ before: true, after: true });
  expect(currentVisit()).toBeUndefined();
});
