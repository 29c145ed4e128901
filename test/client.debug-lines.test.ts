import { beforeAll, describe, expect, test } from '@jest/globals';
import { type GetOffersOptions, type LoggerOption, TargetClient } from '../src/index.js';
import { leavesOf, requestWithEveryField } from './fixtures/every-field.js';
import { answer, configOf, recordingFetch } from './recording-fetch.js';
import { listeningLogger } from './with-edge.js';

const REDACTED = '[redacted]';
const FAR = Math.floor(Date.now() / 1000) + 100_000;

/** The request that is sent: it has every field of the API. */
const REQUEST = requestWithEveryField();

const TOKENS = {
  'activity.id': '1',
  'activity.name': 'an activity',
  'activity.decisioningMethod': 'server-side',
  'activity.other': 'hidden',
  'experience.id': '2',
  'experience.name': 'an experience',
  'offer.id': 'hidden',
  'offer.name': 'hidden',
  'option.id': 'hidden',
  'option.name': 'hidden',
  'profile.name': 'hidden',
  'profile.age': 7,
  'geo.city': 'hidden',
  'user.name': 'hidden',
  'crm.segment': 'hidden',
  mbox: 'hidden',
};

const LOCATION = {
  options: [
    {
      type: 'html',
      content: '<p>hidden</p>',
      eventToken: 'hidden',
      responseTokens: TOKENS,
      name: 'an option',
      sourceType: 'hidden',
    },
    { type: 'json', content: { type: 'hidden', name: 'hidden', status: 7 } },
    { type: 'actions', content: [{ type: 'setHtml', selector: 'hidden', content: 'hidden' }] },
  ],
  metrics: [
    {
      type: 'click',
      selector: '#hidden',
      eventToken: 'hidden',
      analytics: { payload: { pe: 'tnt', tnta: 'hidden', name: 'hidden' } },
    },
  ],
  analytics: { payload: { pe: 'tnt', tnta: 'hidden', name: 'hidden' } },
  state: 'hidden',
  trace: { profile: { name: 'hidden' }, name: 'hidden' },
};

/** The answer: it has every field of the API, some that the API may have one day, and some where none belongs. */
const ANSWER = {
  status: 200,
  requestId: 'an answer',
  id: {
    tntId: 'hidden.35_0',
    thirdPartyId: 'hidden',
    name: 'hidden',
    marketingCloudVisitorId: 'hidden',
    customerIds: [{ id: 'hidden', integrationCode: 'hidden', authenticatedState: 'unknown' }],
  },
  client: 'demo',
  edgeHost: 'mboxedge35.tt.omtrdc.net',
  telemetryServerToken: 'hidden',
  execute: { pageLoad: { options: [] }, mboxes: [{ ...LOCATION, index: 0, name: 'hero' }] },
  prefetch: {
    pageLoad: { state: 'hidden', metrics: LOCATION.metrics },
    mboxes: [{ index: 1, name: 'footer', options: [{ type: 'html', content: 'hidden' }] }],
    views: [{ ...LOCATION, name: 'home', key: 'hidden' }],
    metrics: LOCATION.metrics,
  },
  notifications: [{ id: 'hidden', trace: { name: 'hidden' } }],
  '': 'hidden',
  message: 'hidden',
  visitor: { name: 'hidden', type: 'hidden', status: 7 },
  name: { name: 'hidden' },
  type: ['hidden'],
  context: 'hidden',
  metrics: ['hidden', [7, { name: 'a metric', other: 'hidden' }]],
  views: null,
};

/** The places that everybody may read, in a request and in an answer; all others are nobody's. */
const SHOWN_IN_REQUEST = [
  'requestId',
  'environmentId',
  'context.channel',
  'experienceCloud.analytics.logging',
  'execute.mboxes.0.index',
  'execute.mboxes.0.name',
  'prefetch.mboxes.0.index',
  'prefetch.mboxes.0.name',
  'prefetch.views.0.name',
  'notifications.0.type',
  'notifications.0.mbox.name',
  'notifications.0.view.name',
];
const SHOWN_IN_LOCATION = [
  'options.0.type',
  'options.0.name',
  'options.0.responseTokens.activity.id',
  'options.0.responseTokens.activity.name',
  'options.0.responseTokens.activity.decisioningMethod',
  'options.0.responseTokens.experience.id',
  'options.0.responseTokens.experience.name',
  'options.1.type',
  'options.2.type',
  'metrics.0.type',
];
const SHOWN_IN_ANSWER = [
  'status',
  'requestId',
  'client',
  'edgeHost',
  'execute.mboxes.0.index',
  'execute.mboxes.0.name',
  'prefetch.mboxes.0.index',
  'prefetch.mboxes.0.name',
  'prefetch.views.0.name',
  'prefetch.metrics.0.type',
  'prefetch.pageLoad.metrics.0.type',
  'prefetch.mboxes.0.options.0.type',
  ...['execute.mboxes.0', 'prefetch.views.0'].flatMap((location) =>
    SHOWN_IN_LOCATION.map((place) => `${location}.${place}`),
  ),
  'metrics.1.1.name',
];

/** The tokens that open something. */
const SECRETS = ['property.token', 'trace.authorizationToken', 'qaMode.token', 'preview.token'];

const OPTIONS: GetOffersOptions = {
  targetCookie: `session#hidden#${FAR}|PC#hidden.28_0#${FAR}`,
  visitorCookie: 'MCMID|hidden',
  customerIds: { crm: { id: 'hidden', authState: 1 } },
  request: REQUEST,
};

/** The debug lines of a call, and the request and the answer in them. */
async function linesOf(option: LoggerOption = {}) {
  const { lines, logger } = listeningLogger();
  const { fetchApi, calls } = recordingFetch(answer(ANSWER));
  const client = TargetClient.create({
    ...configOf(fetchApi),
    telemetryEnabled: false,
    logger: { ...logger, ...option },
  });
  await client.getOffers(OPTIONS);
  await client.close();
  expect(lines.warn).toEqual([]);
  const read = (start: string): unknown => {
    const [line] = lines.debug.filter((one) => one.startsWith(start));
    return JSON.parse(line?.slice(start.length) ?? '');
  };
  return {
    text: lines.debug.join('\n'),
    request: read('AT: delivery request '),
    response: read('AT: delivery response '),
    sent: calls[0]?.request,
  };
}

/** The value at a place, or what stands for it or for something around it. */
function seenAt(value: unknown, place: string): unknown {
  return leavesOf(value).find(([path]) => path === place || place.startsWith(`${path}.`))?.[1];
}

let safe: Awaited<ReturnType<typeof linesOf>>;
let unsafe: Awaited<ReturnType<typeof linesOf>>;
beforeAll(async () => {
  safe = await linesOf();
  unsafe = await linesOf({ unsafe: true });
});

describe('a debug line', () => {
  test.each(leavesOf(REQUEST))('of a request shows %s only where that is harmless', (place, value) => {
    expect(seenAt(safe.request, place)).toEqual(SHOWN_IN_REQUEST.includes(place) ? value : REDACTED);
  });

  test.each(leavesOf(ANSWER))('of an answer shows %s only where that is harmless', (place, value) => {
    expect(seenAt(safe.response, place)).toEqual(SHOWN_IN_ANSWER.includes(place) ? value : REDACTED);
  });

  test('shows every place that is listed here', () => {
    const places = (value: unknown) => leavesOf(value).map(([place]) => place);
    expect(SHOWN_IN_REQUEST.filter((place) => !places(REQUEST).includes(place))).toEqual([]);
    expect(SHOWN_IN_ANSWER.filter((place) => !places(ANSWER).includes(place))).toEqual([]);
  });

  test('holds no text that is not one of those', () => {
    expect(safe.text).not.toContain('hidden');
    const texts = leavesOf(REQUEST).filter(
      ([place, value]) => !SHOWN_IN_REQUEST.includes(place) && String(value).startsWith('the '),
    );
    expect(texts.length).toBeGreaterThan(80);
    expect(texts.filter(([, value]) => safe.text.includes(String(value)))).toEqual([]);
  });

  test('says which parts there are, and nothing of those that there are not', async () => {
    const { lines, logger } = listeningLogger();
    const { fetchApi } = recordingFetch(answer({ status: 200 }));
    const client = TargetClient.create({ ...configOf(fetchApi), telemetryEnabled: false, logger });
    const mbox = { name: 'hero', order: undefined, parameters: { plan: 'gold' } };
    await client.getOffers({ request: { requestId: 'r', execute: { mboxes: [mbox] } } });
    const text = lines.debug.join();
    expect(text).toContain('"execute":{"mboxes":[{"name":"hero","parameters":"[redacted]","index":0}]}');
    expect(text).not.toContain('order');
  });

  test.each(leavesOf(REQUEST))('shows %s where unsafe asks for it, unless it opens something', (place) => {
    const expected = SECRETS.includes(place) ? REDACTED : seenAt(unsafe.sent, place);
    expect(seenAt(unsafe.request, place)).toEqual(expected);
  });

  test('shows a whole answer where unsafe asks for it', () => {
    expect(unsafe.response).toEqual(ANSWER);
  });
});
