import { describe, expect, test } from '@jest/globals';
import type { GetAttributesOptions } from '../src/index.js';
import { AttributesProvider } from '../src/index.js';
import type { LocationOffers } from '../src/testing/edge.js';
import { html, json } from '../src/testing/edge.js';
import { targetErrorOf, withEdge } from './with-edge.js';

const HOSTILE = '{"__proto__":{"polluted":true},"constructor":"c","toString":"t","hasOwnProperty":1}';
const bench = withEdge({
  offers: {
    mboxes: new Map<string, LocationOffers>([
      [
        'flags',
        json({
          beta: true,
          limit: 10,
          label: 'blue',
          nothing: null,
          list: [1],
          nested: { a: 1 },
          zero: 0,
          no: false,
          empty: '',
        }),
      ],
      ['layered', [json({ a: 'first', b: 'first' }), html('<b>'), json({ b: 'second' })]],
      ['markup', html('{"a":1}')],
      ['odd', [json('text'), json(5), json([1, 2]), json(null), json({ ok: 1 })]],
      ['hostile', json(JSON.parse(HOSTILE))],
      ['__proto__', json({ a: 'proto' })],
      ['constructor', json({ a: 'constructor' })],
      ['toString', json({ a: 'toString' })],
    ]),
  },
});
const { connect, sent } = bench;

interface Schema {
  readonly [mbox: string]: object;
  readonly flags: {
    beta: boolean;
    limit: number;
    label: string;
    nothing: null;
    list: number[];
    nested: { a: number };
    zero: number;
    no: boolean;
    empty: string;
    missing?: string;
  };
}

describe('which mboxes are asked for', () => {
  const indexes = () => sent().execute?.mboxes?.map(({ name, index }) => [name, index]);
  const ask = (names: string[], request: GetAttributesOptions['request']) =>
    connect().getAttributes(names, { request });

  test('names count from 1', async () => {
    await connect().getAttributes(['a', 'b']);
    expect(indexes()).toEqual([
      ['a', 1],
      ['b', 2],
    ]);
  });

  test('names count on from the highest index in execute', async () => {
    await ask(['a', 'b'], {
      execute: {
        mboxes: [
          { name: 'x', index: 7 },
          { name: 'y', index: 3 },
        ],
      },
    });
    expect(indexes()).toEqual([
      ['x', 7],
      ['y', 3],
      ['a', 8],
      ['b', 9],
    ]);
  });

  test('names that the request has, in execute or prefetch, are not added', async () => {
    await ask(['a', 'b', 'c'], {
      execute: { mboxes: [{ name: 'a', index: 4 }] },
      prefetch: { mboxes: [{ name: 'b', index: 20 }] },
    });
    expect(indexes()).toEqual([
      ['a', 4],
      ['c', 5],
    ]);
    expect(sent().prefetch?.mboxes).toEqual([{ name: 'b', index: 20 }]);
  });

  test('when the request has them all, it goes out as it is', async () => {
    await ask(['b'], { prefetch: { mboxes: [{ name: 'b' }] } });
    expect(sent()).not.toHaveProperty('execute');
  });

  test('numbers are names, and empty entries are left out', async () => {
    await ask([5, '', 'a', null, undefined] as string[], undefined);
    expect(indexes()).toEqual([
      ['5', 1],
      ['a', 2],
    ]);
  });

  test.each<GetAttributesOptions['request']>([
    { context: { channel: 'web' } },
    { id: { tntId: 'abc.35_0' } },
    { execute: null, prefetch: undefined, notifications: [] },
  ])('no name is an error where the request asks for nothing: %j', async (request) => {
    const error = await targetErrorOf(() => ask([], request));
    expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_REQUEST', path: 'mboxNames' });
    expect(bench.edge.requests).toHaveLength(0);
  });

  test.each<[string, NonNullable<GetAttributesOptions['request']>]>([
    ['execute', { execute: { mboxes: [{ name: 'flags' }] } }],
    ['prefetch', { prefetch: { mboxes: [{ name: 'flags' }] } }],
  ])('no name is enough where the request has some in %s', async (_, request) => {
    expect((await ask([], request)).getValue('flags', 'beta')).toBe(true);
  });

  test('a name asked for twice is added once', async () => {
    await connect().getAttributes(['a', 'a']);
    expect(indexes()).toEqual([['a', 1]]);
  });

  test('what else the request executes stays', async () => {
    await ask(['a'], { execute: { pageLoad: { parameters: { p: '1' } } } });
    expect(sent().execute).toEqual({
      pageLoad: { parameters: { p: '1' } },
      mboxes: [{ name: 'a', index: 1 }],
    });
  });

  test('mboxes without an index keep their positions', async () => {
    await connect().getAttributes(['b'], {
      request: { execute: { mboxes: [{ name: 'p' }, { name: 'q' }] } },
    });
    expect(indexes()).toEqual([
      ['p', 0],
      ['q', 1],
      ['b', 2],
    ]);
  });

  test('indexes never meet those of mboxes that have none', async () => {
    await ask(['a', 'b'], { execute: { mboxes: [{ name: 'x' }, { name: 'y' }, { name: 'z' }] } });
    const given = sent().execute?.mboxes?.map(({ index }) => index);
    expect(new Set(given).size).toBe(5);
    expect(bench.edge.lastRequest?.status).toBe(200);
  });

  test.each<[string, unknown]>([
    ['execute', { execute: '' }],
    ['execute', { execute: null }],
    ['mboxes', { execute: { mboxes: '' } }],
    ['mboxes', { execute: { mboxes: null, pageLoad: {} } }],
    ['prefetch', { prefetch: '' }],
  ])('an empty %s counts as absent, so no name is lost: %j', async (_, request) => {
    await ask(['a'], request as GetAttributesOptions['request']);
    expect(indexes()).toEqual([['a', 1]]);
  });

  test.each(['prefetch', 'notifications'])('%s of a class, which is not copied, is named', async (part) => {
    class Request {
      readonly context = { channel: 'web' as const };
      get prefetch() {
        return part === 'prefetch' ? { mboxes: [{ name: 'p' }] } : undefined;
      }
      get notifications() {
        return part === 'notifications' ? [{ id: 'n', type: 'click' as const, timestamp: 1 }] : undefined;
      }
    }
    const error = await targetErrorOf(() => ask(['a'], new Request()));
    expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_REQUEST', path: part });
  });

  test.each(['__proto__', 'constructor', 'toString'])('an mbox may be called %s', async (name) => {
    const attributes = await connect().getAttributes([name]);
    expect(indexes()).toEqual([[name, 1]]);
    expect(attributes.getValue(name, 'a')).toBe(name === '__proto__' ? 'proto' : name);
    expect(Object.keys(attributes.asObject())).toEqual([name]);
  });

  test.each([
    ['request', 'flags'],
    ['request', 5],
    ['request', [{ name: 'flags' }]],
    ['execute', { execute: 'flags' }],
    ['execute', { execute: [{ name: 'flags' }] }],
    ['execute.mboxes', { execute: { mboxes: 'flags' } }],
    ['execute.mboxes', { execute: { mboxes: { name: 'flags' } } }],
    ['execute.mboxes[0]', { execute: { mboxes: ['flags'] } }],
    ['prefetch.mboxes', { prefetch: { mboxes: 'flags' } }],
  ])('a malformed %s is named, not papered over: %j', async (path, request) => {
    const error = await targetErrorOf(() => ask(['a'], request as GetAttributesOptions['request']));
    expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_REQUEST', path });
    expect(bench.edge.requests).toHaveLength(0);
  });

  test.each<[string, unknown, string]>([
    ['nothing', undefined, 'mboxNames'],
    ['a string', 'flags', 'mboxNames'],
    ['an object in it', ['flags', {}], 'mboxNames[1]'],
    ['a number that is none', ['flags', Number.NaN], 'mboxNames[1]'],
    ['an empty list', [], 'mboxNames'],
    ['an empty name', [''], 'mboxNames[0]'],
    ['a hole', [null], 'mboxNames[0]'],
  ])('names cannot be %s', async (_, names, path) => {
    const error = await targetErrorOf(() => connect().getAttributes(names as unknown as string[]));
    expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_REQUEST', path });
    expect(bench.edge.requests).toHaveLength(0);
  });
});

describe('getValue', () => {
  test.each([
    ['beta', true],
    ['limit', 10],
    ['label', 'blue'],
    ['nothing', null],
    ['list', [1]],
    ['nested', { a: 1 }],
    ['zero', 0],
    ['no', false],
    ['empty', ''],
  ])('reads %s', async (key, value) => {
    const attributes = await connect().getAttributes(['flags']);
    expect(attributes.getValue('flags', key)).toEqual(value);
    expect(attributes.getValue('flags', key, 'default')).toEqual(value);
  });

  test('throws ERR_TARGET_ATTRIBUTE_NOT_FOUND for a key or mbox that is not there', async () => {
    const attributes = await connect().getAttributes(['flags']);
    expect(await targetErrorOf(() => attributes.getValue('flags', 'missing'))).toMatchObject({
      code: 'ERR_TARGET_ATTRIBUTE_NOT_FOUND',
      message: "Attribute 'missing' does not exist for mbox 'flags'",
    });
    expect((await targetErrorOf(() => attributes.getValue('other', 'a'))).message).toBe(
      "Attribute 'a' does not exist for mbox 'other'",
    );
  });

  test('with a default never throws, whatever the default', async () => {
    const attributes = await connect().getAttributes(['flags']);
    for (const value of ['x', 0, false, null, undefined, '']) {
      expect(attributes.getValue('flags', 'missing', value)).toBe(value);
      expect(attributes.getValue('other', 'missing', value)).toBe(value);
    }
  });

  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf'])(
    'finds no %s where no offer has one',
    async (name) => {
      const attributes = await connect().getAttributes(['flags']);
      expect(attributes.getValue('flags', name, 'none')).toBe('none');
      expect(attributes.getValue(name, 'a', 'none')).toBe('none');
      expect(attributes.asObject(name)).toEqual({});
    },
  );

  test('reads keys such as __proto__ as plain data', async () => {
    const attributes = await connect().getAttributes(['hostile']);
    expect(attributes.getValue('hostile', '__proto__')).toEqual({ polluted: true });
    expect(attributes.getValue('hostile', 'constructor')).toBe('c');
    expect(JSON.stringify(attributes)).toBe(`{"hostile":${HOSTILE}}`);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    expect((attributes.asObject('hostile') as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe('getBoolean, getString and getNumber', () => {
  test('read their own type', async () => {
    const attributes = await connect().getAttributes<Schema>(['flags']);
    expect(attributes.getBoolean('flags', 'beta')).toBe(true);
    expect(attributes.getBoolean('flags', 'no', true)).toBe(false);
    expect(attributes.getString('flags', 'label')).toBe('blue');
    expect(attributes.getString('flags', 'empty', 'x')).toBe('');
    expect(attributes.getNumber('flags', 'limit')).toBe(10);
    expect(attributes.getNumber('flags', 'zero', 5)).toBe(0);
  });

  test('give the default for another type, and for what is not there', async () => {
    const attributes = await connect().getAttributes(['flags']);
    expect(attributes.getBoolean('flags', 'limit', false)).toBe(false);
    expect(attributes.getString('flags', 'beta', 'x')).toBe('x');
    expect(attributes.getNumber('flags', 'label', -1)).toBe(-1);
    expect(attributes.getNumber('flags', 'nothing', 0)).toBe(0);
    expect(attributes.getBoolean('flags', 'missing', true)).toBe(true);
  });

  test('without a default throw for another type, without showing the value', async () => {
    const attributes = await connect().getAttributes(['flags']);
    expect(await targetErrorOf(() => attributes.getNumber('flags', 'label'))).toMatchObject({
      code: 'ERR_TARGET_ATTRIBUTE_NOT_FOUND',
      message: "Attribute 'label' of mbox 'flags' is a string of 4 characters, not a number",
    });
    expect((await targetErrorOf(() => attributes.getString('flags', 'nothing'))).message).toContain(
      'is null, not a string',
    );
    expect((await targetErrorOf(() => attributes.getBoolean('flags', 'missing'))).message).toBe(
      "Attribute 'missing' does not exist for mbox 'flags'",
    );
  });
});

describe('which offers count', () => {
  test('later keys win, and only json counts', async () => {
    const attributes = await connect().getAttributes(['layered', 'markup']);
    expect(attributes.asObject()).toEqual({ layered: { a: 'first', b: 'second' } });
    expect(attributes.asObject('markup')).toEqual({});
  });

  test('an mbox without a JSON offer is not listed, and one whose JSON has no keys is', async () => {
    bench.edge.fault({
      kind: 'body',
      body: JSON.stringify({
        status: 200,
        prefetch: { mboxes: [{ name: 'nothing' }, { name: 'empty', options: [] }] },
        execute: {
          mboxes: [
            { name: 'object', options: [{ type: 'json', content: {} }] },
            { name: 'scalar', options: [{ type: 'json', content: 5 }] },
            { name: 'markup', options: [{ type: 'html', content: '<b>' }] },
          ],
        },
      }),
    });
    const attributes = await connect().getAttributes(['object']);
    expect(attributes.asObject()).toEqual({ object: {}, scalar: {} });
    expect(JSON.stringify(attributes)).toBe('{"object":{},"scalar":{}}');
  });

  test('of several answers to one mbox the first wins, of an mbox that was asked for twice the later', async () => {
    const answer = (index: number, ...contents: object[]) => ({
      name: 'm',
      index,
      options: contents.map((content) => ({ type: 'json', content })),
    });
    bench.edge.fault({
      kind: 'body',
      body: JSON.stringify({
        status: 200,
        prefetch: { mboxes: [answer(0, { a: 'p', p: 'p1' }), answer(0, { p: 'p2', q: 'p2' })] },
        execute: {
          mboxes: [
            answer(0, { a: 'one', b: 'one' }, { b: 'one, later' }),
            answer(0, { b: 'two', c: 'two' }),
            answer(1, { c: 'three', d: 'three' }),
            answer(1, { d: 'four', e: 'four' }),
          ],
        },
      }),
    });
    const attributes = await connect().getAttributes(['m']);
    const expected = { a: 'one', b: 'one, later', c: 'three', d: 'three', e: 'four', p: 'p1', q: 'p2' };
    expect(attributes.asObject('m')).toEqual(expected);
    for (const [key, value] of Object.entries(expected)) {
      expect(attributes.getValue('m', key)).toBe(value);
    }
  });

  test('execute wins over prefetch', async () => {
    bench.edge.fault({
      kind: 'body',
      body: JSON.stringify({
        status: 200,
        prefetch: { mboxes: [{ name: 'm', options: [{ type: 'json', content: { a: 'p', b: 'p' } }] }] },
        execute: { mboxes: [{ name: 'm', options: [{ type: 'json', content: { b: 'e' } }] }] },
      }),
    });
    const attributes = await connect().getAttributes(['m']);
    expect(attributes.asObject('m')).toEqual({ a: 'p', b: 'e' });
  });

  test('JSON that is no object has no keys', async () => {
    const attributes = await connect().getAttributes(['odd']);
    expect(attributes.asObject('odd')).toEqual({ ok: 1 });
  });

  test.each(['html', 'redirect', 'dynamic', 'actions', undefined])(
    'an object that is of type %s has none',
    async (type) => {
      bench.edge.fault({
        kind: 'body',
        body: JSON.stringify({
          status: 200,
          execute: { mboxes: [{ name: 'm', options: [{ type, content: { a: 1 } }] }] },
        }),
      });
      expect((await connect().getAttributes(['m'])).asObject('m')).toEqual({});
    },
  );

  test('page loads have the attributes of the global mbox, views have none', async () => {
    bench.edge.fault({
      kind: 'body',
      body: JSON.stringify({
        status: 200,
        execute: { pageLoad: { options: [{ type: 'json', content: { a: 1 } }] } },
        prefetch: { views: [{ name: 'v', options: [{ type: 'json', content: { a: 1 } }] }] },
      }),
    });
    const attributes = await connect().getAttributes(['m']);
    expect(attributes.asObject()).toEqual({ 'target-global-mbox': { a: 1 } });
    expect(attributes.getValue('target-global-mbox', 'a')).toBe(1);
  });

  test('a page load of execute wins over one of prefetch, and the global mbox itself over both', async () => {
    const pageLoad = (content: object) => ({ options: [{ type: 'json', content }] });
    bench.edge.fault({
      kind: 'body',
      body: JSON.stringify({
        status: 200,
        prefetch: { pageLoad: pageLoad({ a: 'p', b: 'p', c: 'p' }) },
        execute: {
          pageLoad: pageLoad({ b: 'e', c: 'e' }),
          mboxes: [{ name: 'target-global-mbox', index: 0, ...pageLoad({ c: 'm' }) }],
        },
      }),
    });
    const attributes = await connect().getAttributes(['m']);
    expect(attributes.asObject('target-global-mbox')).toEqual({ a: 'p', b: 'e', c: 'm' });
  });
});

describe('asObject, toJSON and getResponse', () => {
  test('asObject of an mbox that is not there is empty', async () => {
    const attributes = await connect().getAttributes(['flags']);
    expect(attributes.asObject('other')).toEqual({});
  });

  test('toJSON is what asObject gives of all', async () => {
    const attributes = await connect().getAttributes(['flags', 'layered']);
    expect(attributes.toJSON()).toEqual(attributes.asObject());
    expect(JSON.parse(JSON.stringify(attributes))).toEqual(attributes.asObject());
  });

  test('a new object comes each time, the caller’s to change', async () => {
    const attributes = await connect().getAttributes(['flags']);
    const all = attributes.asObject() as Record<string, Record<string, unknown>>;
    delete all.flags?.beta;
    delete (attributes.asObject('flags') as Record<string, unknown>).limit;
    expect(attributes.getValue('flags', 'beta')).toBe(true);
    expect(attributes.getValue('flags', 'limit')).toBe(10);
  });

  test('getResponse is what getOffers would have returned', async () => {
    const attributes = await connect().getAttributes(['flags']);
    expect(attributes).toBeInstanceOf(AttributesProvider);
    expect(attributes.getResponse()).toMatchObject({
      request: sent(),
      response: { status: 200 },
      targetCookie: { name: 'mbox' },
    });
  });
});
