import { describe, expect, test } from '@jest/globals';
import type { DeliveryRequest, GetOffersOptions, TargetClientConfig } from '../src/index.js';
import { flagsArtifact, HERO } from './fixtures/flags.js';
import { artifactOf, rule } from './fixtures/rules.js';
import { answer, REQUEST, refuse, type Script, status } from './recording-fetch.js';
import { confirm, fakeTimers, pass, type Scripts, served, settle, withScripts } from './scripted-cdn.js';

const startWith = withScripts();
const MINUTE = 60_000;
const once = { retry: { retries: 0 } };
/** Owes no notification. */
const SEEN: DeliveryRequest = { prefetch: { mboxes: [{ name: 'hero' }] } };

/** A client, and what it logs above debug, oldest first, with its level. */
function start(config: Partial<TargetClientConfig> = {}, scripts: Scripts = {}) {
  const lines: string[] = [];
  const at = (level: string) => (line: unknown) => void lines.push(`${level} ${String(line)}`);
  const logger = { info: at('info'), warn: at('warn'), error: at('error') };
  return { ...startWith({ logger, ...config }, scripts), lines };
}

/** What a hostile page or a careless caller gives. */
const loosely = (options: object) => options as GetOffersOptions;

async function times(count: number, work: (call: number) => Promise<unknown>): Promise<void> {
  for (let call = 0; call < count; call += 1) {
    await work(call).catch(() => undefined);
  }
}

/** A script that can be changed while it is played. */
function changing(script: Script) {
  const current = { script, play: ((call) => current.script(call)) as Script };
  return current;
}

describe('a CDN that fails each poll', () => {
  test('is told when it begins, when it fails otherwise, each ten minutes or later, and when it is over', async () => {
    fakeTimers();
    const cdn = changing(served());
    const { lines, heard, downloads } = start({ pollingInterval: 5 * MINUTE }, { downloads: [cdn.play] });
    await pass(MINUTE);
    expect(lines).toEqual([]);
    cdn.script = status(500);
    await pass(24 * 60 * MINUTE);
    const polls = heard.artifactDownloadFailed.length;
    expect(polls).toBeGreaterThan(250);
    expect(downloads.length).toBe(polls + 1);
    const failing = 'warn AT: the artifact download was answered with status 500; the last good one stays';
    expect(lines[0]).toBe(failing);
    expect(lines.length).toBeLessThanOrEqual(1 + (24 * 60) / 10);
    for (const line of lines.slice(1)) {
      expect(line).toMatch(/^warn .* 500; .* \(\d+ failures by now\)$/);
    }
    lines.length = 0;
    cdn.script = status(403);
    await pass(6 * MINUTE);
    cdn.script = answer('<html>');
    await pass(6 * MINUTE);
    cdn.script = served({ release: 'second' });
    await pass(6 * MINUTE);
    expect(lines).toEqual([
      'warn AT: the artifact download was answered with status 403; the last good one stays',
      'warn AT: the artifact is not JSON; the last good one stays',
      expect.stringMatching(/^info AT: artifact downloads work again after \d+ failures$/),
    ]);
  });

  test('from the first is told as having left nothing', async () => {
    fakeTimers();
    const { lines } = start({}, { downloads: [status(500), status(500), served()] });
    await pass(MINUTE);
    expect(lines).toEqual([
      'warn AT: the artifact download was answered with status 500; none is held',
      'info AT: artifact downloads work again after 2 failures',
    ]);
  });

  test('because it has an older artifact is told once', async () => {
    fakeTimers();
    const [newer, older] = ['2026-02-02T00:00:00Z', '2026-01-01T00:00:00Z'].map((generatedAt, index) =>
      served({ generatedAt, etag: `"${index}"` }),
    ) as [Script, Script];
    const { lines, downloads } = start({ pollingInterval: 5 * MINUTE }, { downloads: [newer, older] });
    await pass(9.5 * MINUTE);
    expect(downloads.length).toBeGreaterThanOrEqual(2);
    expect(lines).toEqual(['warn AT: an older artifact than the one in use was not taken']);
  });
});

test('an edge that fails each call is told when it begins, fails otherwise and works again', async () => {
  const edge = changing(status(500));
  const config = { decisioningMethod: 'server-side', circuitBreaker: false, ...once } as const;
  const { client, lines } = start(config, { deliveries: [edge.play] });
  await times(1000, () => client.getOffers({ request: REQUEST }));
  edge.script = refuse;
  await times(1000, () => client.getOffers({ request: REQUEST }));
  edge.script = confirm;
  await times(10, () => client.getOffers({ request: REQUEST }));
  expect(lines).toEqual([
    'warn AT: the delivery call was answered with status 500',
    'warn AT: the delivery call failed: ECONNREFUSED (mboxedge35.tt.omtrdc.net)',
    'info AT: delivery calls work again after 2000 failures',
  ]);
});

test('a call that its caller aborted is no fault of the edge', async () => {
  const { client, lines } = start({ decisioningMethod: 'server-side', ...once });
  const signal = AbortSignal.abort();
  await times(3, () => client.getOffers({ request: REQUEST, signal }));
  expect(lines).toEqual([]);
});

test('a geo service that is down is told once, and when it is back', async () => {
  fakeTimers();
  const geo = changing(status(500));
  const artifactPayload = { ...flagsArtifact(), geoTargetingEnabled: true, responseTokens: ['geo.city'] };
  const config = { artifactPayload, pollingInterval: 0, ...once };
  const { client, lines, heard } = start(config, { places: [geo.play] });
  const ask = (call: number) =>
    client.getOffers({ request: { ...HERO, context: { channel: 'web', geo: { ipAddress: ipOf(call) } } } });
  for (let outage = 0; outage < 5; outage += 1) {
    await times(100, ask);
    await pass(MINUTE);
  }
  expect(heard.geoLocationUpdated).toHaveLength(5);
  geo.script = answer({ 'x-geo-city': 'PARIS' });
  await times(5, ask);
  expect(lines).toEqual([
    expect.stringMatching(
      /^warn AT: the geo look-up was answered with status 500; decisions do without a place for \d+ ms$/,
    ),
    'info AT: geo look-ups work again after 5 failures',
  ]);
});

test('a store that throws is told once, and when it works again', async () => {
  let isBroken = true;
  const store = {
    get: async () => undefined,
    set: async () => {
      if (isBroken) {
        throw new RangeError('redis://user:password@cache');
      }
    },
  };
  let release = 0;
  const next: Script = (call) => served({ release: String(release++) })(call);
  const { client, lines } = start({ artifactStore: store }, { downloads: [next] });
  await client.ready();
  await times(30, () => client.refresh());
  isBroken = false;
  await client.refresh();
  await settle();
  expect(lines).toEqual([
    'warn AT: the artifact store could not be written: RangeError',
    expect.stringMatching(/^info AT: the artifact store works again after \d+ failures$/),
  ]);
});

describe('what comes with every call', () => {
  const local = { artifactPayload: flagsArtifact(), pollingInterval: 0 };

  test.each<[string, (call: number) => object, string[]]>([
    [
      'an option that there is not',
      () => ({ request: SEEN, targetCookies: 'x' }),
      ['warn AT: unknown option "targetCookies" is ignored: did you mean "targetCookie"?'],
    ],
    [
      'a request that is bad',
      () => ({ request: { execute: { mboxes: [{}] } } }),
      ['warn AT: left out of the request: the mbox at position 0, which has no name'],
    ],
    ['a request that is no object', () => ({ request: 5 }), []],
    ['a cookie that is broken', () => ({ request: SEEN, targetCookie: '%E0%A4%A|#|session#%#x' }), []],
    ['a visitor cookie that is broken', () => ({ request: SEEN, visitorCookie: 'MCMID|%E0|MCAAMLH' }), []],
    [
      'a callback that throws',
      () => ({
        request: SEEN,
        callback: () => {
          throw new TypeError('mine');
        },
      }),
      ['error AT: a callback failed: TypeError'],
    ],
  ])('is told once: %s', async (_, options, told) => {
    const { client, lines } = start(local);
    await times(10_000, (call) => client.getOffers(loosely(options(call))));
    expect(lines).toEqual(told);
  });

  test('is told twenty times when it is never the same', async () => {
    const { client, lines } = start(local);
    await times(10_000, (call) => client.getOffers(loosely({ request: { [`f${call}`]: 1 } })));
    expect(lines).toHaveLength(20);
  });

  test('is told again after ten minutes, with a count', async () => {
    fakeTimers();
    const { client, lines } = start(local);
    const bad = () => client.getOffers(loosely({ request: SEEN, nonsense: 1 }));
    await times(1000, bad);
    await pass(10 * MINUTE);
    await times(1000, bad);
    expect(lines).toEqual([
      'warn AT: unknown option "nonsense" is ignored',
      'warn AT: unknown option "nonsense" is ignored (such lines left out before: 999)',
    ]);
  });
});

test('a listener that throws at each event is told once', async () => {
  const events = {
    artifactDownloadSucceeded: () => {
      throw new TypeError('mine');
    },
  };
  const { client, lines } = start({ events });
  await client.ready();
  await times(100, () => client.refresh());
  expect(lines).toEqual(['error AT: the artifactDownloadSucceeded listener failed: TypeError']);
});

test('notifications that are lost are told once, and when they are delivered again', async () => {
  const edge = changing(status(403));
  const config = { artifactPayload: flagsArtifact(), pollingInterval: 0, events: {} };
  const { client, lines } = start(config, { deliveries: [edge.play] });
  await times(200, () => client.getOffers({ request: HERO }));
  await client.flush();
  edge.script = confirm;
  await times(5, () => client.getOffers({ request: HERO }));
  await client.flush();
  expect(lines).toEqual([
    'warn AT: the delivery call was answered with status 403',
    'warn AT: a notification could not be delivered: the delivery call was answered with status 403',
    'info AT: delivery calls work again after 200 failures',
    'info AT: notifications are delivered again after 200 failures',
  ]);
});

test('notifications that an edge does not process are told once', async () => {
  const config = { artifactPayload: flagsArtifact(), pollingInterval: 0, events: {} };
  const { client, lines } = start(config, { deliveries: [answer()] });
  await times(200, () => client.getOffers({ request: HERO }));
  await client.flush();
  expect(lines).toEqual(['warn AT: the edge did not process a notification']);
});

test('locations that an artifact cannot decide are named, twenty of them, and again of the next artifact', async () => {
  const undecidable = (name: string) => [rule(name, { when: { 'no such operator': [] } })];
  const names = Array.from({ length: 60 }, (_, index) => `m${index}`);
  const artifact = artifactOf(Object.fromEntries(names.map((name) => [name, undecidable(name)])));
  const request: DeliveryRequest = { prefetch: { mboxes: names.map((name) => ({ name })) } };
  const { client, lines } = start({}, { downloads: [answer(artifact)] });
  await client.ready();
  await times(100, () => client.getOffers({ request }));
  expect(lines).toHaveLength(20);
  expect(lines[0]).toBe('warn AT: 1 of 1 rules of mbox "m0" cannot be decided here; it is left to the edge');
  await client.refresh();
  await times(100, () => client.getOffers({ request }));
  expect(lines).toHaveLength(40);
});

test('a life without faults is told by nobody', async () => {
  const { client, lines } = start({}, { downloads: [served({ etag: '"1"' }), status(304)] });
  await client.ready();
  await times(100, () => client.getOffers({ request: HERO }));
  await times(10, () => client.refresh());
  await client.close();
  expect(lines).toEqual([]);
});

function ipOf(call: number): string {
  return `10.0.${call >> 8}.${call & 255}`;
}
