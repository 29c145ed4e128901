import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import './on-the-web.js';
import { closeOnSignal, TargetClient, type TargetClientConfig } from '../../src/index.js';
import { artifactOf, rule } from '../fixtures/rules.js';
import { targetErrorOf } from '../with-edge.js';

const CONFIG: TargetClientConfig = {
  client: 'acme',
  organizationId: 'ACME@AdobeOrg',
  telemetryEnabled: false,
};
const EXECUTE = { context: { channel: 'web' }, execute: { mboxes: [{ name: 'hero' }] } } as const;
const artifact = artifactOf({ hero: [rule('hero', { activity: 1, shows: 'hello' })] });

interface Fetched {
  readonly url: string;
  readonly init: RequestInit & { readonly cache?: string };
}

const fetched: Fetched[] = [];
/** Answers a fetch that is under way. */
let answer: (fetched: Fetched) => Response | Promise<Response>;

beforeEach(() => {
  fetched.length = 0;
  answer = ({ url, init }) => {
    if (url.includes('/rules.json')) {
      return Response.json(artifact, { headers: { etag: '"1"' } });
    }
    const { requestId, notifications } = JSON.parse(String(init.body));
    return Response.json({
      status: 200,
      requestId,
      client: 'acme',
      notifications,
      edgeHost: 'mboxedge35.tt.omtrdc.net',
    });
  };
  jest.spyOn(globalThis, 'fetch').mockImplementation(async (url, init = {}) => {
    const one = { url: String(url), init };
    fetched.push(one);
    return answer(one);
  });
});
afterEach(() => {
  jest.restoreAllMocks();
});

describe('without a fetchApi', () => {
  test('the global fetch of the moment is used, past its caches and with a real signal', async () => {
    const client = TargetClient.create(CONFIG);
    expect(fetched).toEqual([]);
    await client.getOffers({ request: EXECUTE });
    const [{ url = '', init = {} } = {}] = fetched;
    expect(url).toMatch(/^https:\/\/acme\.tt\.omtrdc\.net\/rest\/v1\/delivery\?/);
    expect(init).toMatchObject({ method: 'POST', redirect: 'manual', cache: 'no-store' });
    expect(init.signal).toBeInstanceOf(AbortSignal);
    await client.close();
  });

  test('a call that takes too long ends, and its fetch is aborted', async () => {
    answer = ({ init: { signal } }) =>
      new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
    const client = TargetClient.create({ ...CONFIG, timeout: 20 });
    const error = await targetErrorOf(() => client.getOffers({ request: EXECUTE }));
    expect(error).toMatchObject({ code: 'ERR_TARGET_TIMEOUT' });
    expect(fetched[0]?.init.signal?.aborted).toBe(true);
  });
});

describe('an on-device client', () => {
  const config = { ...CONFIG, decisioningMethod: 'on-device', pollingInterval: 0 } as const;

  test('does nothing before its first call: no fetch, no timer, no random byte', async () => {
    const random = jest.spyOn(crypto, 'getRandomValues');
    const timers = [jest.spyOn(globalThis, 'setTimeout'), jest.spyOn(globalThis, 'setInterval')];
    const client = TargetClient.create(config);
    for (let turn = 0; turn < 10; turn += 1) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(client.stats().status).toBe('waiting');
    expect(fetched).toEqual([]);
    for (const used of [random, ...timers]) {
      expect(used).not.toHaveBeenCalled();
    }
    jest.restoreAllMocks();
    await client.close();
  });

  test('downloads with its first call, decides, and reports', async () => {
    const client = TargetClient.create(config);
    const early = await targetErrorOf(() => client.getOffers({ request: EXECUTE }));
    expect(early).toMatchObject({ code: 'ERR_TARGET_NOT_READY' });
    expect(await client.ready()).toMatchObject({ status: 'live', source: 'cdn' });
    const { response } = await client.getOffers({ request: EXECUTE });
    expect(response.execute?.mboxes?.[0]?.options?.[0]?.content).toBe('hello');
    expect((await client.flush()).delivered).toBe(1);
    const downloads = fetched.filter(({ url }) => url.includes('rules.json'));
    expect(downloads).toHaveLength(1);
    await client.close();
  });

  test.each(['on-device', 'hybrid'] as const)(
    'gives the work that its first call starts to the waitUntil of this call: %s',
    async (decisioningMethod) => {
      const ofClient = jest.fn();
      const works: Promise<unknown>[] = [];
      const waitUntil = (work: Promise<unknown>) => void works.push(work);
      const client = TargetClient.create({ ...config, decisioningMethod, waitUntil: ofClient });
      await client.getOffers({ request: EXECUTE, waitUntil }).catch(() => undefined);
      await Promise.all(works);
      const paths = fetched.map(({ url }) => new URL(url).pathname.replace(/.*\//, '')).toSorted();
      // A hybrid client learns its location hint from the call itself.
      expect(paths).toEqual(['delivery', 'rules.json']);
      expect(works).toHaveLength(2);
      expect(await client.ready()).toMatchObject({ source: 'cdn' });
      expect(ofClient).not.toHaveBeenCalled();
      await client.close();
    },
  );

  test('that was closed before its first call never downloads', async () => {
    const client = TargetClient.create(config);
    await client.close();
    expect(await targetErrorOf(() => client.ready())).toMatchObject({ code: 'ERR_TARGET_CLOSED' });
    expect(fetched).toEqual([]);
  });
});

describe('what needs Node is refused', () => {
  test.each([
    ['agent', { agent: () => ({}) }, 'agent must be absent: this platform has no agents, not a function'],
    [
      'artifactLocation',
      { artifactLocation: 'file:///rules.json' },
      'artifactLocation must be an http or https URL, not "file:///rules.json"',
    ],
  ])('%s', async (path, option, message) => {
    const error = await targetErrorOf(async () => TargetClient.create({ ...CONFIG, ...option }));
    expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_CONFIG', path, message });
  });

  test('closeOnSignal', async () => {
    const error = await targetErrorOf(async () => closeOnSignal([]));
    expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_CONFIG' });
  });
});
