import { createContext, runInContext } from 'node:vm';
import { describe, expect, test } from '@jest/globals';
import {
  createVisit,
  type HandOver,
  type HandOverOptions,
  toHandOver,
  type VisitOptions,
} from '../../src/adapters/http.js';
import type { DeliveryRequest, TargetClientConfig } from '../../src/index.js';
import { actions, html } from '../../src/testing/edge.js';
import { flagsArtifact } from '../fixtures/flags.js';
import { listeningLogger, targetErrorOf, withEdge } from '../with-edge.js';
import { Browser, type Browsing } from './browser.js';

const EVIL = '</script><!--<script>\u2028\u2029"\\\'&amp;';
const bench = withEdge({
  artifact: flagsArtifact(),
  offers: {
    mboxes: { hero: html('hero'), menu: html('menu') },
    pageLoad: actions([{ type: 'setHtml', selector: '#hero', content: EVIL }]),
    views: { home: html('home') },
  },
});
const PAGE: DeliveryRequest = {
  execute: { pageLoad: { parameters: { evil: EVIL } }, mboxes: [{ name: 'hero' }] },
  prefetch: { views: [{ name: 'home' }], mboxes: [{ name: 'menu' }] },
};

interface Setup {
  readonly options?: VisitOptions;
  readonly browsing?: Browsing;
  readonly config?: Partial<TargetClientConfig>;
}

function visitOf({ options, browsing, config }: Setup = {}) {
  return createVisit(bench.connect(config), new Browser().request(browsing), options);
}

/** The globals of a page after a script, with those that the page had before. */
function runIn(window: Record<string, unknown>, handOver: HandOver, nonce?: string) {
  const script = handOver.script(nonce);
  const [, attributes, code] = /^<script([^>]*)>([^<>]*)<\/script>$/.exec(script) ?? [];
  const context = createContext({});
  runInContext('globalThis.window = globalThis', context);
  Object.assign(context, window);
  runInContext(code ?? 'throw 0', context);
  const { targetGlobalSettings, visitorState, targetPageParams } = context;
  return {
    attributes,
    settings: JSON.parse(JSON.stringify(targetGlobalSettings)),
    visitorState: visitorState && JSON.parse(JSON.stringify(visitorState)),
    pageParams: targetPageParams && JSON.parse(JSON.stringify(targetPageParams())),
  };
}

const dataOf = (handOver: HandOver) => JSON.parse(handOver.json);
const plain = (value: unknown) => JSON.parse(JSON.stringify(value));

describe('handOver', () => {
  test('gives at.js the page load and the views, as sent and as answered, and no mboxes', async () => {
    const { lines, logger } = listeningLogger();
    const visit = visitOf({ config: { logger } });
    const answer = await visit.getOffers({ request: PAGE });
    const { settings, visitorState, attributes } = runIn({}, visit.handOver());
    const { requestId, id, experienceCloud, execute, prefetch } = plain(answer.request);
    const { execute: executed, prefetch: prefetched, ...answered } = plain(answer.response);
    expect(settings.serverState).toEqual({
      request: {
        requestId,
        id,
        context: { channel: 'web' },
        experienceCloud,
        execute: { pageLoad: execute.pageLoad },
        prefetch: { views: prefetch.views },
      },
      response: {
        ...answered,
        execute: { pageLoad: executed.pageLoad },
        prefetch: { views: prefetched.views },
      },
    });
    expect(settings.serverState.response.execute.pageLoad.options[0].content[0].content).toBe(EVIL);
    expect(settings.serverState.response.id.tntId).toBe(answer.response.id?.tntId);
    expect(visitorState).toEqual(plain(answer.visitorState));
    expect(attributes).toBe('');
    expect(lines.debug.join('\n')).toContain('render these on the server: hero, menu');
    expect(lines.debug.join('\n')).not.toContain('at.js asks Target itself');
  });

  test('is the same for an answer of a client', async () => {
    const answer = await bench.connect().getOffers({ request: PAGE });
    const { settings, visitorState } = runIn({}, toHandOver(answer));
    expect(settings.serverState.response.execute).toEqual({
      pageLoad: plain(answer.response.execute?.pageLoad),
    });
    expect(visitorState).toEqual(plain(answer.visitorState));
    expect(settings).not.toHaveProperty('overrideMboxEdgeServer');
  });

  test('merges into the settings that the page has, and gives at.js the nonce', async () => {
    const visit = visitOf();
    await visit.getOffers({ request: PAGE });
    const targetGlobalSettings = { timeout: 500, cspScriptNonce: 'old', overrideMboxEdgeServer: true };
    const { settings, attributes } = runIn({ targetGlobalSettings }, visit.handOver(), 'rAnd0m+/_-==');
    expect(settings).toEqual({
      timeout: 500,
      cspScriptNonce: 'rAnd0m+/_-==',
      cspStyleNonce: 'rAnd0m+/_-==',
      overrideMboxEdgeServer: false,
      serverState: expect.anything(),
    });
    expect(attributes).toBe(' nonce="rAnd0m+/_-=="');
  });

  test('has parameters for the calls of at.js', async () => {
    const pageParams = JSON.parse(
      `{ "category": "coffee", "profile": { "age": 26 }, "evil": ${JSON.stringify(EVIL)}, "__proto__": { "a": 1 } }`,
    );
    const handOver = visitOf().handOver({ pageParams });
    const { pageParams: seen } = runIn({ targetPageParams: () => ({ old: 1 }) }, handOver);
    expect(JSON.stringify(seen)).toBe(JSON.stringify(pageParams));
    expect(dataOf(handOver).targetPageParams).toEqual(plain(pageParams));
    expect(runIn({}, visitOf().handOver()).pageParams).toBeUndefined();
  });

  test('is safe JSON and a safe script, whatever the offers hold', async () => {
    const visit = visitOf();
    await visit.getOffers({ request: PAGE });
    const { json, script } = visit.handOver();
    expect(json).not.toMatch(/[<>&\u2028\u2029]/);
    expect(script('abc').replace(/^<script nonce="abc">|<\/script>$/g, '')).not.toMatch(/[<>&\u2028\u2029]/);
    expect(JSON.parse(json)).toMatchObject({ serverState: {}, visitorState: {} });
  });

  test('keeps tokens, traces and the IP address on the server', async () => {
    const browsing = { ipAddress: '203.0.113.99', url: 'https://shop.example/?at_preview_token=canary-qa' };
    const visit = visitOf({ browsing });
    const answer = await visit.getOffers({
      request: {
        ...PAGE,
        trace: { authorizationToken: 'canary-trace' },
        preview: { token: 'canary-preview' },
        property: { token: 'canary-property' },
      },
    });
    expect(bench.sent().context?.geo?.ipAddress).toBe('203.0.113.99');
    expect(bench.sent().qaMode?.token).toBe('canary-qa');
    Object.assign(answer.response.execute?.pageLoad ?? {}, { trace: { secret: 'canary' } });
    Object.assign(answer.response.prefetch?.views?.[0] ?? {}, { trace: { secret: 'canary' } });
    const { json } = visit.handOver();
    expect(JSON.parse(json).serverState.response.prefetch.views).toHaveLength(1);
    expect(json).not.toMatch(/canary|203\.0\.113\.99/);
  });

  test('is not changed by what the program does with the answer later', async () => {
    const visit = visitOf();
    const answer = await visit.getOffers({ request: PAGE });
    const handOver = visit.handOver();
    const before = handOver.script();
    delete answer.response.execute;
    expect(handOver.script()).toBe(before);
    expect(dataOf(visit.handOver()).serverState.response).not.toHaveProperty('execute');
    Object.assign(answer, { request: undefined, response: undefined });
    expect(dataOf(visit.handOver())).not.toHaveProperty('serverState');
  });

  test('works with every decisioning method', async () => {
    const client = bench.connect({ decisioningMethod: 'on-device' });
    await client.ready();
    const visit = createVisit(client, new Browser().request());
    await visit.getOffers({ request: { execute: { pageLoad: {} } } });
    const { response } = dataOf(visit.handOver()).serverState;
    expect(response.execute.pageLoad.options).toHaveLength(1);
    expect(response.id.tntId).toMatch(/^[\da-f]{32}/);
  });
});

describe('the host of at.js', () => {
  test.each<[string | undefined, boolean]>([
    ['target.shop.example', true],
    ['localhost:5000', true],
    ['tt.omtrdc.net.shop.example', true],
    ['evil-tt.omtrdc.net', true],
    ['acme.tt.omtrdc.net', false],
    ['ACME.TT.OMTRDC.NET:443', false],
    ['mboxedge35.tt.omtrdc.net', false],
    ['', false],
    [undefined, false],
  ])('%s is kept: %p', async (serverDomain, isKept) => {
    const answer = await bench.connect().getOffers({ request: PAGE });
    const { settings } = runIn({}, toHandOver(answer, { serverDomain }));
    expect(settings.overrideMboxEdgeServer).toBe(isKept ? false : undefined);
  });

  test('is that of the client of a visit, unless the option names another', async () => {
    const settingsOf = (options: HandOverOptions, config?: Partial<TargetClientConfig>) =>
      runIn({}, visitOf({ config: config ?? {} }).handOver(options)).settings;
    expect(settingsOf({})).toEqual({ overrideMboxEdgeServer: false });
    expect(settingsOf({ serverDomain: 'acme.tt.omtrdc.net' })).toEqual({});
    expect(settingsOf({}, { client: 'acme', serverDomain: 'acme.tt.omtrdc.net' })).toEqual({});
    expect(settingsOf({}, { serverDomain: undefined })).toEqual({});
  });
});

describe('the answer that a visit hands over', () => {
  const PAGE_LOAD = { request: { execute: { pageLoad: {} } } };
  const VIEWS = { request: { prefetch: { views: [{}] } } };
  const HERO = { request: { execute: { mboxes: [{ name: 'hero' }] } } };
  const partsOf = (handOver: HandOver) => {
    const { request, response } = dataOf(handOver).serverState ?? {};
    return { asked: request && [request.requestId, request.execute, request.prefetch], response };
  };

  test('is the last one with a page load, and mboxes and attributes change nothing', async () => {
    const visit = visitOf();
    await visit.getOffers(PAGE_LOAD);
    const last = await visit.getOffers(PAGE_LOAD);
    await visit.getOffers(HERO);
    await visit.getAttributes(['hero']);
    await visit.getOffers(VIEWS);
    const { asked } = partsOf(visit.handOver());
    expect(asked).toEqual([last.request.requestId, { pageLoad: {} }, undefined]);
  });

  test('is the last one with views when none has a page load, and a debug line says so', async () => {
    const { lines, logger } = listeningLogger();
    const visit = visitOf({ config: { logger } });
    await visit.getOffers(VIEWS);
    const last = await visit.getOffers(VIEWS);
    const { asked, response } = partsOf(visit.handOver());
    expect(asked).toEqual([last.request.requestId, undefined, { views: [{}] }]);
    expect(response.prefetch.views).toHaveLength(1);
    expect(lines.debug.at(-1)).toMatch(/no page load, so at\.js asks Target itself$/);
  });

  test('may come of attributes that are asked with a page load', async () => {
    const visit = visitOf();
    await visit.getAttributes(['hero'], PAGE_LOAD);
    expect(partsOf(visit.handOver()).asked[1]).toEqual({ pageLoad: {} });
  });

  test('is the one before a call that fails', async () => {
    const visit = visitOf({ options: { onError: () => undefined }, config: { retry: { retries: 0 } } });
    const first = await visit.getOffers(PAGE_LOAD);
    bench.edge.fault({ kind: 'status', status: 500 }, { times: 1 });
    expect((await visit.getOffers(PAGE_LOAD)).failure).toBeDefined();
    expect(partsOf(visit.handOver()).asked[0]).toBe(first.request.requestId);
  });

  test('is private: no cache may keep the page', () => {
    const visit = visitOf();
    expect(visit.headers()).toEqual([]);
    visit.handOver();
    expect(visit.headers()).toEqual([['Cache-Control', 'private, no-store']]);
  });

  const UNSEEN = { headers: { 'sec-purpose': 'prefetch' } };
  test.each<[string, Setup, boolean]>([
    ['that nobody may see', { options: { unseen: 'prefetch' }, browsing: UNSEEN }, true],
    ['that is skipped', { options: { unseen: 'skip' }, browsing: UNSEEN }, false],
    ['without consent', { options: { consent: false } }, false],
    ['of a bot', { options: { isBot: () => true } }, false],
    ['with mboxDisable', { browsing: { url: 'https://shop.example/?mboxDisable=1' } }, false],
    [
      'that is decided for nobody',
      {
        options: { consent: false, withoutConsent: 'anonymous' },
        config: { decisioningMethod: 'on-device' },
      },
      false,
    ],
  ])('is none for a page %s: at.js gets its settings alone', async (_, setup, hasState) => {
    const client = bench.connect(setup.config);
    await client.ready();
    const visit = createVisit(client, new Browser().request(setup.browsing), setup.options);
    const answer = await visit.getOffers({ request: PAGE });
    expect(answer.isUncounted).toBe(true);
    for (const handOver of [visit.handOver({ pageParams: { a: 1 } }), toHandOver(answer)]) {
      expect(runIn({}, handOver, 'abc').settings).not.toHaveProperty('serverState');
    }
    const { settings, visitorState, pageParams } = runIn({}, visit.handOver({ pageParams: { a: 1 } }), 'abc');
    expect(settings).toEqual({ overrideMboxEdgeServer: false, cspScriptNonce: 'abc', cspStyleNonce: 'abc' });
    expect(pageParams).toEqual({ a: 1 });
    expect(Object.keys(visitorState)).toHaveLength(hasState ? 1 : 0);
  });

  test('is none after a failure, and before the answer', async () => {
    bench.edge.fault({ kind: 'status', status: 500 });
    const visit = visitOf({ options: { onError: () => undefined }, config: { retry: { retries: 0 } } });
    const asked = visit.getOffers({ request: PAGE });
    expect(dataOf(visit.handOver())).not.toHaveProperty('serverState');
    const answer = await asked;
    expect(dataOf(visit.handOver())).not.toHaveProperty('serverState');
    expect(dataOf(toHandOver(answer))).not.toHaveProperty('serverState');
    expect(dataOf(visit.handOver()).visitorState).toEqual(plain(visit.visitor.getState()));
  });

  test('has cookies that at.js can read, or a warning says so once', () => {
    const { lines, logger } = listeningLogger();
    visitOf({ config: { logger } }).handOver();
    expect(lines.warn).toEqual([]);
    for (let count = 0; count < 2; count += 1) {
      visitOf({ options: { cookies: { httpOnly: true } }, config: { logger } }).handOver();
    }
    expect(lines.warn).toEqual([expect.stringContaining('cookies.httpOnly')]);
  });
});

describe('a wrong value', () => {
  test.each(['', ' ', 'a b', 'a"b', 'a\n', '"><script>', 'ä', '=', 'abc===', 'a=b', 5, {}, ['abc']])(
    'a nonce has the characters of base64: %p',
    async (nonce) => {
      const error = await targetErrorOf(() =>
        visitOf()
          .handOver()
          .script(nonce as string),
      );
      expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_CONFIG', path: 'nonce' });
      expect(error.message).not.toContain('<');
    },
  );

  test.each([null, undefined])('a nonce may be absent: %p', (nonce) => {
    expect(visitOf().handOver().script(nonce)).toMatch(/^<script>/);
  });

  const loop: Record<string, unknown> = {};
  loop.loop = loop;
  test.each<[string, object]>([
    ['pageParams', { pageParams: 'a=1' }],
    ['pageParams', { pageParams: ['a=1'] }],
    ['pageParams', { pageParams: loop }],
    ['pageParams', { pageParams: { big: 5n } }],
    ['serverDomain', { serverDomain: 5 }],
    ['options', [1]],
  ])('%s of the options', async (path, options) => {
    const answer = await bench.connect().getOffers({ request: PAGE });
    for (const act of [() => visitOf().handOver(options), () => toHandOver(answer, options)]) {
      expect(await targetErrorOf(act)).toMatchObject({ code: 'ERR_TARGET_INVALID_CONFIG', path });
    }
  });

  test.each([undefined, null, 5, 'text', [], {}, { request: {} }])('the answer: %p', async (answer) => {
    const error = await targetErrorOf(() => toHandOver(answer as Parameters<typeof toHandOver>[0]));
    expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_CONFIG', path: 'answer' });
  });

  test('of an option may be null', async () => {
    const answer = await bench.connect().getOffers({ request: PAGE });
    expect(dataOf(toHandOver(answer, null))).toHaveProperty('serverState');
    const options = { pageParams: null, serverDomain: null, logger: null };
    expect(dataOf(toHandOver(answer, options))).toHaveProperty('serverState');
    expect(dataOf(visitOf().handOver(null))).toHaveProperty('visitorState');
  });

  test('a logger that throws breaks nothing', async () => {
    const answer = await bench.connect().getOffers({ request: PAGE });
    const lines: unknown[] = [];
    const logger = {
      debug: (line: unknown) => {
        lines.push(line);
        throw new Error('must not be seen');
      },
    };
    expect(dataOf(toHandOver(answer, { logger }))).toHaveProperty('serverState');
    expect(lines).toEqual(['AT: at.js takes no mboxes, so render these on the server: hero, menu']);
  });
});
