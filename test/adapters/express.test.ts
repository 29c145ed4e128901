import type { ServerResponse } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import express, { type Express } from 'express';
import { currentVisit, type TargetOptions, target, visitOf } from '../../src/adapters/express.js';
import type { Visit } from '../../src/adapters/http.js';
import type { TargetClient } from '../../src/index.js';
import { targetErrorOf } from '../with-edge.js';
import { open, VISIT_COOKIES, withServing } from './serving.js';

const { connect, edge, serve } = withServing();

/** An app with visits, whose page does what the test says. */
function appOf(page: (visit: Visit, response: ServerResponse) => unknown, options?: TargetOptions): Express {
  const app = express();
  app.use(target(connect(), options));
  app.get('/', async (request, response) => {
    await page(request.target, response);
  });
  return app;
}

describe('a page', () => {
  test('has the offers of its visit, and cookies that no cache keeps', async () => {
    const app = appOf(async (visit, response) => response.end(await visit.offer('hero', 'default')));
    const page = await open(await serve(app));
    expect(page.body).toBe('<h1>Hero</h1>');
    expect(page.headers['set-cookie']).toEqual(VISIT_COOKIES);
    expect(page.headers['cache-control']).toBe('private, no-store');
  });

  test('has no header of a visit that asked for nothing', async () => {
    const page = await open(await serve(appOf((_, response) => response.end('plain'))));
    expect(page.body).toBe('plain');
    expect(page.headers['set-cookie']).toBeUndefined();
    expect(page.headers['cache-control']).toBeUndefined();
    expect(edge().requests).toEqual([]);
  });

  const pairs = [
    ['Set-Cookie', 'theirs=1'],
    ['Cache-Control', 'public'],
  ];
  const writers: Record<string, (response: ServerResponse, body: string) => unknown> = {
    'end alone': (response, body) => {
      response.setHeader('Set-Cookie', 'theirs=1');
      response.setHeader('Cache-Control', 'public, max-age=60');
      response.end(body);
    },
    'writeHead with an object': (response, body) =>
      response.writeHead(200, { 'Set-Cookie': 'theirs=1', 'cache-control': 'public' }).end(body),
    'writeHead with a reason and an object': (response, body) =>
      response.writeHead(200, 'Fine', { 'set-cookie': ['theirs=1'], 'Cache-Control': 'public' }).end(body),
    'writeHead with a flat list': (response, body) => response.writeHead(200, pairs.flat()).end(body),
    'writeHead with pairs': (response, body) => {
      Reflect.apply(response.writeHead, response, [200, pairs]);
      response.end(body);
    },
    'flushHeaders, then pieces': (response, body) => {
      response.setHeader('Set-Cookie', 'theirs=1');
      response.flushHeaders();
      response.write(body.slice(0, 3));
      response.end(body.slice(3));
    },
  };

  test.each(Object.keys(writers))('keeps the cookies of others when it is sent by %s', async (name) => {
    const app = appOf(async (visit, response) =>
      writers[name]?.(response, await visit.offer('hero', 'default')),
    );
    const page = await open(await serve(app));
    expect(page.status).toBe(200);
    expect(page.body).toBe('<h1>Hero</h1>');
    expect(page.headers['set-cookie']).toEqual(['theirs=1', ...VISIT_COOKIES]);
    expect(page.headers['cache-control']).toBe('private, no-store');
  });

  test('replaces a header that writeHead is given, and keeps all of its values', async () => {
    const app = appOf(async (visit, response) => {
      await visit.offer('hero', 'default');
      response.setHeader('X-Part', 'old');
      response.setHeader('Set-Cookie', 'old=1');
      response.writeHead(200, ['X-Part', 'a', 'Set-Cookie', 'new=1', 'X-Part', 'b', 'Set-Cookie', 'new=2']);
      response.end();
    });
    const { headers } = await open(await serve(app));
    expect(headers['x-part']).toBe('a, b');
    expect(headers['set-cookie']).toEqual(['new=1', 'new=2', ...VISIT_COOKIES]);
  });

  test('fails as it would without a visit when writeHead is given what is no header', async () => {
    const app = appOf(async (visit, response) => {
      await visit.offer('hero', 'default');
      expect(() => response.writeHead(200, { 'not a name': '1' })).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_HTTP_TOKEN' }),
      );
      response.end('sent');
    });
    expect((await open(await serve(app))).body).toBe('sent');
  });
});

test('a request of a connection that has ended is read as far as it can be', () => {
  const gone = () => {
    throw new Error('the session has ended');
  };
  const request = {
    method: 'GET',
    originalUrl: '/',
    headers: { host: 'shop.example' },
    hostname: 'shop.example',
    get ip() {
      return gone();
    },
    get protocol() {
      return gone();
    },
  };
  const response = {
    headersSent: false,
    writeHead: () => undefined,
    setHeader: () => undefined,
    appendHeader: () => undefined,
    removeHeader: () => undefined,
  };
  const errors: unknown[] = [];
  target(connect())(request, response, (error) => errors.push(error));
  expect(errors).toEqual([undefined]);
  expect(visitOf(request as { target?: unknown })).toBeDefined();
});

describe('after the headers are sent', () => {
  test('a visit still answers, and nothing throws', async () => {
    const app = appOf(async (visit, response) => {
      response.write('early ');
      response.end(await visit.offer('hero', 'default'));
      expect(() => response.writeHead(200)).toThrow(
        expect.objectContaining({ code: 'ERR_HTTP_HEADERS_SENT' }),
      );
    });
    const page = await open(await serve(app));
    expect(page.body).toBe('early <h1>Hero</h1>');
    expect(page.headers['set-cookie']).toBeUndefined();
  });

  test('a visit that is made then answers too', async () => {
    const app = express();
    app.use((_request, response, next) => {
      response.write('early ');
      next();
    });
    app.use(target(connect()));
    app.get('/', async (request, response) => {
      response.end(await request.target.offer('hero', 'default'));
    });
    expect((await open(await serve(app))).body).toBe('early <h1>Hero</h1>');
  });
});

describe('the address of the page', () => {
  const servePages = (trust: boolean) => {
    const app = express();
    app.set('trust proxy', trust);
    app.use(target(connect()));
    const pages = express.Router();
    pages.get('/{*rest}', async (request, response) => {
      response.send(await request.target.offer('url', 'none'));
    });
    app.use('/shop', pages);
    return serve(app);
  };
  const forwarded = {
    Host: 'inner.example:8080',
    'X-Forwarded-Host': 'shop.example:8443, inner.example',
    'X-Forwarded-Proto': 'https',
  };

  test('is the one that the browser asked for, in a router too', async () => {
    const url = await servePages(false);
    expect((await open(`${url}/shop/coffee?q=1`)).body).toBe(`${url}/shop/coffee?q=1`);
    expect((await open(`${url}/shop/a`, { Host: 'shop.example' })).body).toBe('http://shop.example/shop/a');
    expect((await open(`${url}/shop/a`, { Host: '[::1]:81' })).body).toBe('http://[::1]:81/shop/a');
  });

  test('is what a trusted proxy says', async () => {
    const url = await servePages(true);
    expect((await open(`${url}/shop/a`, forwarded)).body).toBe('https://shop.example:8443/shop/a');
  });

  test('is not what another one says', async () => {
    const url = await servePages(false);
    expect((await open(`${url}/shop/a`, forwarded)).body).toBe('http://inner.example:8080/shop/a');
  });
});

describe('the middleware', () => {
  test('makes one visit with the first options when it runs twice', async () => {
    const visits: Visit[] = [];
    const app = express();
    app.use(target(connect(), { cookies: { path: '/first' } }));
    app.use((request, _response, next) => {
      visits.push(request.target);
      next();
    });
    app.use(target(connect(), { cookies: { path: '/second' } }));
    app.get('/', async (request, response) => {
      visits.push(visitOf(request));
      response.send(await request.target.offer('hero', 'default'));
    });
    const page = await open(await serve(app));
    expect(visits[0]).toBe(visits[1]);
    expect(page.headers['set-cookie']).toHaveLength(2);
    expect(page.headers['set-cookie']?.[0]).toContain('Path=/first');
  });

  test('is named by the error of visitOf when it is missing', async () => {
    const app = express();
    app.get('/', (request) => {
      visitOf(request);
    });
    app.use((error: Error, _: express.Request, response: express.Response, _next: express.NextFunction) => {
      response.status(500).json(error);
    });
    const page = await open(await serve(app));
    expect(JSON.parse(page.body)).toMatchObject({
      code: 'ERR_TARGET_INVALID_CONFIG',
      path: 'request.target',
      message: expect.stringContaining('app.use(target(client))'),
    });
  });

  test('refuses wrong options when the program starts', async () => {
    const client = connect();
    const wrong: [unknown, unknown, string][] = [
      [undefined, {}, 'client'],
      [{}, {}, 'client'],
      [client, null, 'options'],
      [client, { asyncContext: 'yes' }, 'asyncContext'],
      [client, { consent: 'yes' }, 'consent'],
    ];
    for (const [givenClient, options, path] of wrong) {
      const error = await targetErrorOf(() => target(givenClient as TargetClient, options as TargetOptions));
      expect([error.code, error.path]).toEqual(['ERR_TARGET_INVALID_CONFIG', path]);
    }
  });

  test('gives its own errors to Express', () => {
    const errors: unknown[] = [];
    const request = { method: 'GET', originalUrl: '/', protocol: 'http', hostname: 'a', headers: {} };
    const response = { headersSent: false } as ServerResponse;
    target(connect())(Object.freeze(request), response, (error) => errors.push(error));
    expect(errors).toEqual([expect.objectContaining({ name: 'TypeError' })]);
  });
});

describe('the current visit', () => {
  test('is the one of the request, in all that the request leads to', async () => {
    const seen: boolean[] = [];
    const app = express();
    app.use(target(connect(), { asyncContext: true }));
    app.get('/', async (request, response) => {
      seen.push(currentVisit() === request.target);
      await new Promise((resolve) => setImmediate(resolve));
      seen.push(currentVisit() === request.target);
      response.end();
    });
    const url = await serve(app);
    await Promise.all(Array.from({ length: 5 }, () => open(url)));
    expect(seen).toEqual(Array(10).fill(true));
    expect(currentVisit()).toBeUndefined();
  });

  test('is undefined without the option', async () => {
    const app = appOf((_, response) => response.end(String(currentVisit())));
    expect((await open(await serve(app))).body).toBe('undefined');
  });
});
