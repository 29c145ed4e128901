import { type DeliveryRequest, TargetClient, type TargetClientConfig, TargetError } from '../../src/index.js';
import { allocated, artifactOf, rule } from '../fixtures/rules.js';
import { fingerprint, Hostile } from './mutations.js';
import { shownBy } from './verdict.js';

/** An artifact with something of everything. */
export const ARTIFACT = artifactOf(
  {
    hero: [
      rule('hero', {
        activity: 1,
        when: { '==': ['gold', { var: 'mbox.plan' }] },
        shows: `gold \${mbox.name}`,
      }),
      rule('hero', { activity: 2, shows: 'hero' }),
    ],
    flags: [0, 1].map((half) =>
      rule('flags', {
        activity: 3,
        experience: half,
        when: allocated(half * 50, half * 50 + 50),
        options: [
          { type: 'json', content: { beta: half === 1, toString: 'data' }, eventToken: `flags-${half}` },
        ],
        metrics: [{ type: 'click', eventToken: 'click-flags' }],
      }),
    ),
    page: [
      rule('page', { activity: 4, when: { in: ['shop', { var: 'page.url' }] }, properties: ['token-a'] }),
    ],
    agent: [rule('agent', { activity: 5, when: { '==': ['chrome', { var: 'user.browserType' }] } })],
    'target-global-mbox': [rule('target-global-mbox', { activity: 6, shows: 'page load' })],
  },
  { home: [rule('home', { activity: 7, shows: 'home' })] },
  {
    responseTokens: ['activity.id', 'geo.city'],
    remoteMboxes: ['far'],
    remoteViews: ['far'],
    geoTargetingEnabled: true,
  },
);

/** A request with something of everything. */
export const REQUEST: DeliveryRequest = {
  requestId: 'request-1',
  impressionId: 'impression-1',
  environmentId: 3,
  id: {
    tntId: 'visitor.35_0',
    thirdPartyId: 'third',
    marketingCloudVisitorId: '1234',
    customerIds: [{ id: 'c1', integrationCode: 'crm', authenticatedState: 'authenticated' }],
  },
  property: { token: 'token-a' },
  context: {
    channel: 'web',
    userAgent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/120.0.0.0 Safari/537.36',
    clientHints: { mobile: false, platform: 'Linux', browserUAWithMajorVersion: '"Chromium";v="120"' },
    address: { url: 'https://shop.example.co.uk/a/b?c=d#e', referringUrl: 'https://example.com/' },
    geo: { city: 'ZURICH', countryCode: 'CH', stateCode: 'ZH', latitude: 47, longitude: 8 },
    screen: { width: 1, height: 2, orientation: 'landscape' },
    browser: { host: 'shop', language: 'en' },
    timeOffsetInMinutes: 60,
    beacon: false,
  },
  experienceCloud: {
    analytics: { logging: 'client_side', trackingServer: 't.example' },
    audienceManager: { locationHint: 9, blob: 'b' },
  },
  execute: {
    pageLoad: { parameters: { a: 'b' }, profileParameters: { age: '3' } },
    mboxes: [
      {
        index: 0,
        name: 'hero',
        parameters: { plan: 'gold', 'a.b': 'c' },
        order: { id: 'o', total: 1, purchasedProductIds: ['p'] },
      },
      {
        index: 1,
        name: 'flags',
        product: { id: 'p', categoryId: 'c' },
        address: { url: 'https://a.example/' },
      },
    ],
  },
  prefetch: {
    views: [{ name: 'home', parameters: { x: 'y' } }, {}],
    mboxes: [
      { index: 2, name: 'page' },
      { index: 3, name: 'far' },
    ],
  },
  notifications: [
    { id: 'n1', timestamp: 1_700_000_000_000, type: 'display', mbox: { name: 'hero' }, tokens: ['t1'] },
    { id: 'n2', timestamp: 1_700_000_000_001, type: 'click', view: { name: 'home' }, tokens: ['t2'] },
  ],
  trace: { authorizationToken: 'secret' },
  qaMode: {
    token: 'q',
    listedActivitiesOnly: true,
    previewIndexes: [{ activityIndex: 1, experienceIndex: 1 }],
  },
};

/** An answer of the edge with something of everything. */
export const RESPONSE = {
  status: 200,
  requestId: 'request-1',
  id: { tntId: 'visitor.35_0', marketingCloudVisitorId: '1234' },
  client: 'demo',
  edgeHost: 'mboxedge35.tt.omtrdc.net',
  execute: {
    pageLoad: {
      options: [{ type: 'html', content: 'x', responseTokens: { 'geo.city': 'z' } }],
      analytics: { payload: { pe: 'tnt', tnta: '1' } },
    },
    mboxes: [
      {
        index: 0,
        name: 'flags',
        options: [{ type: 'json', content: { beta: true }, eventToken: 't' }],
        metrics: [{ type: 'click', eventToken: 'c' }],
        analytics: { payload: { pe: 'tnt', tnta: '2' } },
        trace: { clientCode: 'demo' },
      },
    ],
  },
  prefetch: {
    views: [
      {
        name: 'home',
        key: 'k',
        options: [{ type: 'actions', content: [{ type: 'setHtml', selector: 'a', content: 'b' }] }],
        state: 's',
      },
    ],
    mboxes: [{ index: 1, name: 'hero', options: [{ type: 'html', content: '</script>' }], state: 's' }],
  },
  notifications: [{ id: 'n1', trace: {} }],
  telemetryServerToken: 'tst',
};

const HANG_MS = 10_000;
const INTERNAL = new Set(['TypeError', 'RangeError', 'ReferenceError', 'SyntaxError']);

/** A client whose network is a function. */
export function connect(
  answer: (url: URL) => Response,
  config: Partial<TargetClientConfig> = {},
): TargetClient {
  return TargetClient.create({
    client: 'demo',
    organizationId: 'DEMO@AdobeOrg',
    telemetryEnabled: false,
    targetLocationHint: '35',
    retry: { retries: 0 },
    // Every answer is to be read, however many in a row are of no use.
    circuitBreaker: false,
    fetchApi: async (url) => answer(new URL(url)),
    ...config,
  });
}

/** An answer of JSON. */
export function jsonAnswer(value: unknown, headers: Record<string, string> = {}): Response {
  return new Response(typeof value === 'string' ? value : JSON.stringify(value), { headers });
}

/**
 * Makes a call as hostile as its input: it must settle, to a result or a TargetError with a code, and leave its
 * input as it was. Resolves with what it came to.
 */
export async function survive<Result>(
  call: () => Promise<Result>,
  inputs: readonly unknown[] = [],
): Promise<Result | TargetError> {
  const before = inputs.map(fingerprint);
  let running: Promise<Result>;
  try {
    running = call();
  } catch (error) {
    throw new Error(`a synchronous throw: ${shownBy(error)}`);
  }
  const came = await settle(running).catch((error: Error) => {
    throw new Error(`${error.message}; given ${before.join().slice(0, 1500)}`);
  });
  if (came instanceof TargetError) {
    checkError(came);
  }
  if (inputs.map(fingerprint).join() !== before.join()) {
    throw new Error('the input was changed');
  }
  if (Object.keys(Object.prototype).length > 0 || 'x' in {}) {
    throw new Error('a prototype was changed');
  }
  return came;
}

async function settle<Result>(running: Promise<Result>): Promise<Result | TargetError> {
  let timer: NodeJS.Timeout | undefined;
  const hang = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('it hangs')), HANG_MS);
  });
  try {
    return await Promise.race([running, hang]);
  } catch (error) {
    if (error instanceof TargetError) {
      return error;
    }
    throw new Error(`no TargetError: ${shownBy(error)}`);
  } finally {
    clearTimeout(timer);
  }
}

/** An error says what is wrong and where; one of the client's own making must not hide behind it. */
function checkError(error: TargetError): void {
  if (!/^ERR_TARGET_\w+$/.test(error.code)) {
    throw new Error(`no code: ${shownBy(error)}`);
  }
  if (error.code !== 'ERR_TARGET_INVALID_REQUEST') {
    return;
  }
  if (typeof error.path !== 'string' || error.path === '') {
    throw new Error(`no path: ${shownBy(error)}`);
  }
  const { cause } = error;
  if (cause instanceof Error && !(cause instanceof Hostile) && INTERNAL.has(cause.name)) {
    throw new Error(
      `a ${cause.name} of the client itself: ${cause.stack?.split('\n').slice(0, 4).join(' ')}`,
    );
  }
}
