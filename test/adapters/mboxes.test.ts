import { runInNewContext } from 'node:vm';
import { describe, expect, test } from '@jest/globals';
import { type } from 'arktype';
import * as v from 'valibot';
import { z } from 'zod';
import { createVisit, fromFetchRequest } from '../../src/adapters/http.js';
import { defineMboxes, type StandardSchema } from '../../src/adapters/mboxes.js';
import type { TargetEvents } from '../../src/index.js';
import { html, json, type LocationOffers, redirect } from '../../src/testing/edge.js';
import { flagsArtifact } from '../fixtures/flags.js';
import { deepFreeze, listeningLogger, targetErrorOf, withEdge } from '../with-edge.js';

const {
  connect,
  edge: _edge,
  ...bench
} = withEdge({
  offers: {
    mboxes: new Map<string, LocationOffers>([
      ['hero', json({ title: 'Free delivery', color: 'blue', limit: '5' })],
      ['wrong', json({ title: 12345, color: 'SECRET-COLOR', limit: [1] })],
      ['layered', [json({ title: 'first', color: 'red' }), html('<b>'), json({ title: 'second' })]],
      ['list', json([{ name: 'a' }, { name: 'b' }])],
      ['listed', json([{ name: 'a' }, { name: 77_001 }])],
      ['scalar', json('plain')],
      ['nothing', json(null)],
      ['markup', html('<p>')],
      ['elsewhere', redirect('https://shop.example/')],
      ['__proto__', json(JSON.parse('{"__proto__":{"polluted":true},"title":"own"}'))],
      ['constructor', json({ title: 'constructor' })],
    ]),
    pageLoad: json({ title: 'page' }),
  },
});

const libraries = {
  zod: z.object({ title: z.string(), color: z.enum(['blue', 'red']), limit: z.coerce.number() }),
  valibot: v.object({
    title: v.string(),
    color: v.picklist(['blue', 'red']),
    limit: v.pipe(v.string(), v.transform(Number)),
  }),
  arktype: type({ title: 'string', color: "'blue' | 'red'", limit: 'string.numeric.parse' }),
} as const;
const DEFAULT = { title: 'Welcome', color: 'red', limit: 1 } as const;

/** A schema that is made by hand, and takes what its function returns. */
function schemaOf(validate: StandardSchema['~standard']['validate']): StandardSchema {
  return { '~standard': { version: 1, vendor: 'test', validate } };
}
const ANYTHING = schemaOf((value) => ({ value }));
const failing = (act: () => never) => schemaOf(act);

describe.each(Object.entries(libraries))('a schema of %s', (_, schema) => {
  test('gives the offer in its own form', async () => {
    const page = defineMboxes({ hero: schema }, { hero: DEFAULT });
    const { values, invalid, failure, answer } = await page.get(connect());
    expect(values).toEqual({ hero: { title: 'Free delivery', color: 'blue', limit: 5 } });
    expect(invalid).toEqual([]);
    expect(failure).toBeUndefined();
    expect(answer?.targetCookie.name).toBe('mbox');
  });

  test('refuses an offer, says where and why, and never shows the offer', async () => {
    const { lines, logger } = listeningLogger();
    const heard: TargetEvents['invalidContent'][] = [];
    const client = connect({ logger, events: { invalidContent: (event) => heard.push(event) } });
    const page = defineMboxes({ wrong: schema }, { wrong: DEFAULT });
    const { values, invalid, answer } = await page.get(client);
    expect(values.wrong).toEqual(DEFAULT);
    expect(answer).toBeDefined();
    expect(invalid.map(({ mbox }) => mbox)).toEqual(['wrong']);
    expect(invalid[0]?.issues.map(({ path }) => path).toSorted()).toEqual(
      invalid[0]?.issues.length === 3 ? ['color', 'limit', 'title'] : ['color', 'title'],
    );
    expect(heard).toEqual([{ type: 'invalidContent', mbox: 'wrong', issues: invalid[0]?.issues }]);
    const written = JSON.stringify([invalid, heard, lines.warn, lines.error, lines.info]);
    expect(written).not.toMatch(/SECRET|12345/);
    expect(lines.warn.length).toBe(invalid[0]?.issues.length);
    expect(lines.warn[0]).toContain("mbox 'wrong' has its default, because its offer is invalid: ");
  });

  test('warns once for each mbox and message, and raises the event each time', async () => {
    const { lines, logger } = listeningLogger();
    let raised = 0;
    const client = connect({ logger });
    client.on('invalidContent', () => {
      raised += 1;
    });
    const page = defineMboxes({ wrong: schema }, { wrong: DEFAULT });
    await page.get(client);
    const { length } = lines.warn;
    await page.get(client);
    expect(lines.warn).toHaveLength(length);
    expect(raised).toBe(2);
  });
});

describe('the content of an mbox', () => {
  const contentsOf = async (...names: string[]) => {
    const schemas = Object.fromEntries(names.map((name) => [name, ANYTHING]));
    const defaults = Object.fromEntries(names.map((name) => [name, 'default']));
    return (await defineMboxes(schemas, defaults).get(connect())).values;
  };

  test('joins the keys of several JSON offers, as attributes do', async () => {
    expect(await contentsOf('layered')).toEqual({ layered: { title: 'second', color: 'red' } });
  });

  test('may be a list, a scalar or null', async () => {
    const values = await contentsOf('list', 'scalar', 'nothing');
    expect(values).toEqual({ list: [{ name: 'a' }, { name: 'b' }], scalar: 'plain', nothing: null });
  });

  test('is the default without a JSON offer, which is not invalid', async () => {
    const page = defineMboxes(
      { markup: ANYTHING, elsewhere: ANYTHING, unknown: ANYTHING },
      { markup: 1, elsewhere: 2, unknown: undefined },
    );
    const { values, invalid } = await page.get(connect());
    expect(values).toEqual({ markup: 1, elsewhere: 2, unknown: undefined });
    expect(invalid).toEqual([]);
  });

  test('is plain data under any name', async () => {
    const values = await contentsOf('__proto__', 'constructor');
    expect(Object.keys(values)).toEqual(['__proto__', 'constructor']);
    const own = Object.getOwnPropertyDescriptor(values, '__proto__')?.value;
    expect(Object.keys(own)).toEqual(['__proto__', 'title']);
    expect(values).not.toHaveProperty('polluted');
  });

  test('of a page load belongs to the global mbox', async () => {
    const page = defineMboxes({ 'target-global-mbox': ANYTHING }, { 'target-global-mbox': 0 });
    const client = connect();
    const { values } = await page.get(client, { request: { execute: { pageLoad: {} } } });
    expect(values['target-global-mbox']).toEqual({ title: 'page' });
    const answer = await client.getOffers({ request: { execute: { pageLoad: {} } } });
    expect((await page.parse(answer)).values['target-global-mbox']).toEqual({ title: 'page' });
  });
});

describe('an issue', () => {
  const issuesOf = async (mbox: string, schema: StandardSchema) =>
    (await defineMboxes({ [mbox]: schema }, { [mbox]: 0 }).get(connect())).invalid[0]?.issues;

  test('has the path of a value inside a list', async () => {
    const named = [
      z.array(z.object({ name: z.string() })),
      v.array(v.object({ name: v.string() })),
      type({ name: 'string' }).array(),
    ];
    for (const schema of named) {
      const issues = await issuesOf('listed', schema);
      expect(issues?.map(({ path }) => path)).toEqual(['[1].name']);
      expect(JSON.stringify(issues)).not.toContain('77001');
    }
  });

  test('does not show a value that the program puts into a message of its own', async () => {
    const say = (issue: { input?: unknown }) =>
      `no: ${String(issue.input)} and ${JSON.stringify(issue.input)}`;
    const schema = z.object({ color: z.string().refine(() => false, { error: say }) }).loose();
    expect(await issuesOf('wrong', schema)).toEqual([{ message: 'no: … and …', path: 'color' }]);
  });

  test('of the whole offer does not show any value in it', async () => {
    const schema = schemaOf((value) => ({ issues: [{ message: `bad: ${JSON.stringify(value)}` }] }));
    const [issue] = (await issuesOf('wrong', schema)) ?? [];
    expect(issue?.path).toBe('');
    expect(issue?.message).toBe('bad: {"title":…,"color":…,"limit":[…]}');
  });

  test('keeps words and numbers that are not values of the offer', async () => {
    const message = 'Too small: at least 8 words of "blue"';
    expect(
      await issuesOf(
        'wrong',
        schemaOf(() => ({ issues: [{ message, path: ['color'] }] })),
      ),
    ).toEqual([{ message, path: 'color' }]);
  });

  test('is short, and in one line', async () => {
    const message = `first\nsecond\u2028${'x'.repeat(5000)}`;
    const issues = await issuesOf(
      'wrong',
      schemaOf(() => ({ issues: [{ message }] })),
    );
    expect(issues?.[0]?.message).toMatch(/^first second x+$/);
    expect(issues?.[0]?.message.length).toBe(200);
    const many = schemaOf(() => ({ issues: Array.from({ length: 5000 }, () => ({ message: 'm' })) }));
    expect(await issuesOf('wrong', many)).toHaveLength(100);
  });

  const odd: Record<string, StandardSchema> = {
    'throws an error': failing(() => {
      throw new RangeError('SECRET-COLOR');
    }),
    'throws something else': failing(() => {
      throw 'SECRET-COLOR';
    }),
    rejects: schemaOf(() => Promise.reject(new TypeError('SECRET-COLOR'))),
    'returns nothing': schemaOf(() => undefined as never),
    'gives no issues': schemaOf(() => ({ issues: [] })),
    'gives issues that cannot be read': schemaOf(() => ({
      issues: [
        {
          get message(): string {
            throw new Error('SECRET-COLOR');
          },
        },
      ],
    })),
    'gives an issue without a message': schemaOf(() => ({ issues: [{} as never] })),
    'names a path that is not in the offer': schemaOf(() => ({
      issues: [{ message: 'SECRET-COLOR', path: ['a', { key: Symbol('s') }, 0] }],
    })),
  };

  test.each(Object.keys(odd))('comes of a validator that %s', async (name) => {
    const page = defineMboxes({ wrong: odd[name] ?? ANYTHING, hero: ANYTHING }, { wrong: 'safe', hero: 0 });
    const { values, invalid, failure } = await page.get(connect());
    expect(values.wrong).toBe('safe');
    expect(values.hero).toMatchObject({ title: 'Free delivery' });
    expect(failure).toBeUndefined();
    expect(invalid).toHaveLength(1);
    expect(invalid[0]?.issues.length).toBe(1);
    expect(JSON.stringify(invalid)).not.toContain('SECRET');
  });
});

describe('a validator', () => {
  test('may be asynchronous, and all run at once', async () => {
    const started: string[] = [];
    let release: () => void = () => undefined;
    const both = new Promise<void>((resolve) => {
      release = resolve;
    });
    const waiting = (name: string) =>
      schemaOf(async (value) => {
        started.push(name);
        if (started.length === 2) {
          release();
        }
        await both;
        return { value };
      });
    const page = defineMboxes(
      { hero: waiting('hero'), layered: waiting('layered') },
      { hero: 0, layered: 0 },
    );
    const { values } = await page.get(connect());
    expect(values).toMatchObject({ hero: { color: 'blue' }, layered: { color: 'red' } });
  });

  test('that is asynchronous in zod and in valibot', async () => {
    const asyncZod = z.object({ color: z.string().refine(async (color) => color === 'blue') });
    const asyncValibot = v.objectAsync({
      color: v.pipeAsync(
        v.string(),
        v.checkAsync(async (color) => color === 'red'),
      ),
    });
    const { values, invalid } = await defineMboxes(
      { hero: asyncZod, layered: asyncValibot, wrong: asyncZod },
      { hero: { color: '' }, layered: { color: '' }, wrong: { color: 'default' } },
    ).get(connect());
    expect(values).toEqual({
      hero: { color: 'blue' },
      layered: { color: 'red' },
      wrong: { color: 'default' },
    });
    expect(invalid.map(({ mbox }) => mbox)).toEqual(['wrong']);
  });

  test('may add defaults of its own to a part of an offer', async () => {
    const schema = z.object({ title: z.string(), size: z.number().default(3) });
    const { values } = await defineMboxes({ hero: schema }, { hero: { title: '', size: 0 } }).get(connect());
    expect(values.hero).toEqual({ title: 'Free delivery', size: 3 });
  });

  test('changes nothing in the answer', async () => {
    const schema = schemaOf((value) => ({ value: Object.assign(value as object, { added: true }) }));
    const { values, answer } = await defineMboxes({ hero: schema }, { hero: 0 }).get(connect());
    expect(values.hero).toMatchObject({ added: true });
    expect(JSON.stringify(answer?.response)).not.toContain('added');
  });
});

describe('defaults', () => {
  const fallbackOf = async (fallback: unknown) =>
    (await defineMboxes({ markup: ANYTHING }, { markup: fallback }).get(connect())).values.markup;

  test('are copied for each answer, so that a program may change its values', async () => {
    const given = deepFreeze({ markup: { list: [{ a: 1 }], when: new Date(0) } });
    const page = defineMboxes(
      { markup: schemaOf((value) => ({ value })) as StandardSchema<typeof given.markup> },
      given,
    );
    const [one, other] = [await page.get(connect()), await page.get(connect())];
    one.values.markup.list.push({ a: 2 });
    one.values.markup.when.setTime(1);
    expect(other.values).toEqual({ markup: { list: [{ a: 1 }], when: new Date(0) } });
    expect((await page.get(connect())).values).toEqual(other.values);
    expect(given.markup.list).toEqual([{ a: 1 }]);
  });

  test('are those of the definition, whatever happens to the given ones later', async () => {
    const given = { markup: { list: [{ a: 1 }] } };
    const page = defineMboxes({ markup: ANYTHING }, given);
    given.markup.list.push({ a: 2 });
    expect((await page.get(connect())).values.markup).toEqual({ list: [{ a: 1 }] });
  });

  test('of an offer that does not fit are copies too', async () => {
    const page = defineMboxes({ wrong: libraries.zod }, { wrong: DEFAULT });
    const [one, other] = [await page.get(connect()), await page.get(connect())];
    one.values.wrong.title = 'changed';
    expect(other.values.wrong).toEqual(DEFAULT);
  });

  test('are JSON, or what schemas make of it: dates, big integers and undefined', async () => {
    const hostile: unknown = JSON.parse('{"__proto__":{"a":1}}');
    const shared = { a: 1 };
    for (const form of [
      hostile,
      null,
      undefined,
      5n,
      '',
      [],
      { a: undefined, b: [new Date(5)] },
      [shared, shared],
    ]) {
      expect(await fallbackOf(form)).toEqual(form);
    }
    expect(Object.keys((await fallbackOf(hostile)) as object)).toEqual(['__proto__']);
    expect(await fallbackOf(runInNewContext('({ list: [new Date(7)] })'))).toEqual({ list: [new Date(7)] });
  });

  const circular: Record<string, unknown> = {};
  circular.self = circular;
  class Money {
    amount = 5;
  }
  test.each<[string, unknown, string, string]>([
    ['a map', new Map([[1, 2]]), 'defaults.hero', 'must be JSON, or a date, not a Map'],
    ['a set', { list: [new Set()] }, 'defaults.hero.list[0]', 'not a Set'],
    ['a function', { act: () => 1 }, 'defaults.hero.act', 'not a Function'],
    ['a symbol', Symbol('s'), 'defaults.hero', 'not a Symbol'],
    ['an expression', /x/, 'defaults.hero', 'not a RegExp'],
    [
      'an object of a class',
      { price: new Money() },
      'defaults.hero.price',
      'not an object of a class or one that holds itself',
    ],
    ['a URL', new URL('https://shop.example/'), 'defaults.hero', 'not a URL'],
    ['an error', new Error('x'), 'defaults.hero', 'not a Error'],
    ['a promise', Promise.resolve(1), 'defaults.hero', 'not a Promise'],
    ['bytes', new Uint8Array(1), 'defaults.hero', 'not a Uint8Array'],
    ['a circle', circular, 'defaults.hero.self', 'an object of a class or one that holds itself'],
  ])('are not %s', (_, fallback, path, message) => {
    expect(() => defineMboxes({ hero: ANYTHING }, { hero: fallback })).toThrow(
      expect.objectContaining({
        code: 'ERR_TARGET_INVALID_CONFIG',
        path,
        message: expect.stringContaining(message),
      }),
    );
  });
});

describe('from a client', () => {
  const page = defineMboxes({ hero: libraries.zod, markup: ANYTHING }, { hero: DEFAULT, markup: 'none' });

  test('one call asks for all mboxes, beside those of the request', async () => {
    const request = deepFreeze({ prefetch: { mboxes: [{ name: 'other' }, { name: 'hero' }] } });
    const { values, answer } = await page.get(connect(), { request, sessionId: 'abc' });
    expect(values.hero.title).toBe('Free delivery');
    expect(bench.sent().execute?.mboxes?.map(({ name }) => name)).toEqual(['markup']);
    expect(bench.received().path).toContain('/rest/v1/delivery');
    expect(answer?.response.prefetch?.mboxes?.[0]?.name).toBe('other');
  });

  test('a failed call gives the defaults and the failure', async () => {
    const down = connect({ serverDomain: '127.0.0.1:1', secure: false, retry: { retries: 0 } });
    const { values, invalid, failure, answer } = await page.get(down);
    expect(values).toEqual({ hero: DEFAULT, markup: 'none' });
    expect(invalid).toEqual([]);
    expect(failure?.code).toBe('ERR_TARGET_NETWORK');
    expect(answer).toBeUndefined();
    const signal = AbortSignal.abort();
    expect((await page.get(connect(), { signal })).failure?.code).toBe('ERR_TARGET_ABORTED');
  });

  test('a mistake of the program rejects', async () => {
    const client = connect();
    const request = { execute: { mboxes: [{ name: 'a', index: 'first' }] } } as never;
    const wrong = await targetErrorOf(() => page.get(client, { request }));
    expect([wrong.code, wrong.path]).toEqual(['ERR_TARGET_INVALID_REQUEST', 'execute.mboxes[0].index']);
    await client.close();
    expect((await targetErrorOf(() => page.get(client))).code).toBe('ERR_TARGET_CLOSED');
    for (const from of [undefined, null, {}, 5, 'client']) {
      const error = await targetErrorOf(() => page.get(from as never));
      expect([error.code, error.path]).toEqual(['ERR_TARGET_INVALID_REQUEST', 'from']);
    }
  });

  test('its methods can be taken out', async () => {
    const { get, parse } = page;
    const { answer } = await get(connect());
    expect((await parse(answer as never)).values.hero.title).toBe('Free delivery');
  });

  test('a listener or a logger that throws harms nothing', async () => {
    const fail = () => {
      throw new Error('mine');
    };
    const client = connect({ logger: { warn: fail }, events: { invalidContent: fail } });
    const { values } = await defineMboxes({ wrong: libraries.zod }, { wrong: DEFAULT }).get(client);
    expect(values.wrong).toEqual(DEFAULT);
  });
});

describe('a validator that is broken', () => {
  const endless = {
    *[Symbol.iterator]() {
      for (;;) {
        yield 'key';
      }
    },
  };
  test.each<[string, unknown, string]>([
    ['a list of reasons with holes', { issues: new Array(1e9) }, 'the validator failed: TypeError'],
    ['an endless path', { issues: [{ message: 'wrong', path: endless }] }, 'wrong'],
    ['a long path', { issues: [{ message: 'wrong', path: Array(100_000).fill('key') }] }, 'wrong'],
  ])('harms no other mbox: %s', async (_, result, message) => {
    const broken = schemaOf(() => result as never);
    const page = defineMboxes({ hero: broken, scalar: ANYTHING }, { hero: 'default', scalar: '' });
    const { values, invalid, failure } = await page.get(connect());
    expect([values, failure]).toEqual([{ hero: 'default', scalar: 'plain' }, undefined]);
    expect(invalid[0]?.issues.map((issue) => issue.message)).toEqual([message]);
    expect(invalid[0]?.issues[0]?.path.length).toBeLessThan(500);
  });
});

describe('an mbox that the on-device rules do not know', () => {
  const names = ['flags', 'other', 'members', 'far', 'misspelt'];
  const page = defineMboxes(
    Object.fromEntries(names.map((name) => [name, ANYTHING])),
    Object.fromEntries(names.map((name) => [name, 'default'])),
  );
  const lineOf = (name: string) =>
    `AT: mbox '${name}' has its default, because the on-device rules have no activity of it`;
  const debugLines = (lines: readonly string[]) => lines.filter((line) => line.includes('has its default'));
  const onDevice = { decisioningMethod: 'on-device', artifactPayload: flagsArtifact() } as const;

  test('is named in one debug line', async () => {
    const { lines, logger } = listeningLogger();
    const client = connect({ ...onDevice, logger });
    const { values } = await page.get(client, { request: { execute: { mboxes: [{ name: 'unasked' }] } } });
    expect(values).toMatchObject({ flags: { release: 'first' }, far: 'default', misspelt: 'default' });
    await page.get(client);
    expect(debugLines(lines.debug).toSorted()).toEqual([lineOf('far'), lineOf('misspelt')]);
    const visit = createVisit(client, fromFetchRequest(new Request('https://shop.example/page')));
    await page.get(visit);
    expect(debugLines(lines.debug)).toHaveLength(2);
    expect(lines.warn.filter((line) => line.includes('has its default'))).toEqual([]);
  });

  test('is named for each client, also when only a visit asks', async () => {
    for (const _ of [1, 2]) {
      const { lines, logger } = listeningLogger();
      const client = connect({ ...onDevice, logger });
      await page.get(createVisit(client, fromFetchRequest(new Request('https://shop.example/page'))));
      expect(debugLines(lines.debug).toSorted()).toEqual([lineOf('far'), lineOf('misspelt')]);
    }
  });

  test('is not named when the edge has decided', async () => {
    const { lines, logger } = listeningLogger();
    await page.get(connect({ logger }));
    await page.get(connect({ ...onDevice, decisioningMethod: 'hybrid', logger }));
    expect(debugLines(lines.debug)).toEqual([]);
  });
});

describe('from a visit', () => {
  const incoming = () => fromFetchRequest(new Request('https://shop.example/page'));
  const page = defineMboxes({ hero: libraries.zod, wrong: libraries.zod }, { hero: DEFAULT, wrong: DEFAULT });

  test('the values come of its own call, and the event of its client', async () => {
    const heard: string[] = [];
    const client = connect({ events: { invalidContent: ({ mbox }) => heard.push(mbox) } });
    const visit = createVisit(client, incoming());
    const { values, invalid, answer } = await page.get(visit);
    expect(values.hero.limit).toBe(5);
    expect(invalid.map(({ mbox }) => mbox)).toEqual(['wrong']);
    expect(heard).toEqual(['wrong']);
    expect(bench.sent().context?.address?.url).toBe('https://shop.example/page');
    expect(visit.setCookies.length).toBeGreaterThan(0);
    expect(answer).toHaveProperty('isUncounted', false);
  });

  test('questions of one turn go as one request', async () => {
    const visit = createVisit(connect(), incoming());
    const other = defineMboxes({ list: ANYTHING }, { list: 0 });
    await Promise.all([page.get(visit), other.get(visit), visit.offer('markup', '')]);
    expect(bench.sent().execute?.mboxes?.map(({ name }) => name)).toEqual([
      'hero',
      'wrong',
      'list',
      'markup',
    ]);
  });

  test('without consent they are defaults, without a failure', async () => {
    const visit = createVisit(connect(), incoming(), { consent: false });
    const { values, failure, invalid } = await page.get(visit);
    expect([values.hero, failure, invalid]).toEqual([DEFAULT, undefined, []]);
  });

  test('the option onError leaves the failure with the answer', async () => {
    const errors: string[] = [];
    const down = connect({ serverDomain: '127.0.0.1:1', secure: false, retry: { retries: 0 } });
    const visit = createVisit(down, incoming(), { onError: ({ code }) => errors.push(code) });
    const { values, failure, answer } = await page.get(visit);
    expect([values.hero, failure?.code]).toEqual([DEFAULT, 'ERR_TARGET_NETWORK']);
    expect(answer?.response.status).toBe(204);
    expect(errors).toEqual(['ERR_TARGET_NETWORK']);
    expect((await page.get(createVisit(down, incoming()))).failure?.code).toBe('ERR_TARGET_NETWORK');
  });
});

describe('parse', () => {
  const page = defineMboxes({ hero: libraries.zod, wrong: libraries.zod }, { hero: DEFAULT, wrong: DEFAULT });

  test('checks the offers of an answer', async () => {
    const mboxes = [{ name: 'hero' }, { name: 'wrong' }];
    const answer = await connect().getOffers({ request: { prefetch: { mboxes } } });
    const outcome = await page.parse(answer);
    expect(outcome.values.hero.limit).toBe(5);
    expect(outcome.invalid.map(({ mbox }) => mbox)).toEqual(['wrong']);
    expect(outcome.answer).toBe(answer);
  });

  test('takes an answer that was stored as text', async () => {
    const answer = await connect().getOffers({ request: { execute: { mboxes: [{ name: 'hero' }] } } });
    const { values } = await page.parse(JSON.parse(JSON.stringify(answer)));
    expect(values.hero.color).toBe('blue');
  });

  test.each([[undefined], [null], ['answer'], [{}], [{ response: 5 }]])('refuses %j', async (answer) => {
    const error = await targetErrorOf(() => page.parse(answer as never));
    expect([error.code, error.path]).toEqual(['ERR_TARGET_INVALID_REQUEST', 'answer']);
  });
});

describe('defineMboxes refuses', () => {
  const cases: readonly (readonly [string, unknown, unknown])[] = [
    ['schemas', undefined, {}],
    ['schemas', [], {}],
    ['defaults', {}, null],
    ['schemas.hero', { hero: undefined }, { hero: 1 }],
    ['schemas.hero', { hero: {} }, { hero: 1 }],
    ['schemas.hero', { hero: { '~standard': {} } }, { hero: 1 }],
    ['defaults.hero', { hero: ANYTHING }, {}],
    ['defaults.toString', { toString: ANYTHING }, {}],
  ];

  test.each(cases)('a wrong %s', async (path, schemas, defaults) => {
    const error = await targetErrorOf(() => defineMboxes(schemas as never, defaults as never));
    expect([error.code, error.path]).toEqual(['ERR_TARGET_INVALID_CONFIG', path]);
  });
});
