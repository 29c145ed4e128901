const { AttributesProvider, TargetClient, TargetError } = require('target-node-sdk');
const { html, json, startTargetEdge } = require('target-node-sdk/testing');

const artifact = {
  version: '1.0.0',
  globalMbox: 'target-global-mbox',
  localMboxes: ['hero'],
  remoteMboxes: [],
  localViews: [],
  remoteViews: [],
  responseTokens: [],
  geoTargetingEnabled: false,
  rules: {
    mboxes: {
      hero: [
        {
          ruleKey: '1',
          activityId: 1,
          meta: {},
          condition: true,
          consequence: { name: 'hero', options: [{ type: 'json', content: { big: true }, eventToken: 'a' }] },
        },
      ],
    },
    views: {},
  },
};
const offers = { mboxes: { hero: json({ big: true }), greeting: html('hello') } };
const request = { execute: { mboxes: [{ name: 'hero', index: 1 }] } };
let edge;
let client;

beforeAll(async () => {
  edge = await startTargetEdge({ artifact, offers });
});
afterEach(() => client?.close());
afterAll(() => edge.close());

test.each(['server-side', 'on-device', 'hybrid'])(
  '%s: offers, attributes and reports',
  async (decisioningMethod) => {
    client = TargetClient.create({
      ...edge.config,
      decisioningMethod,
      artifactLocation: decisioningMethod === 'server-side' ? undefined : edge.artifactUrl,
    });
    await client.ready({ timeout: 20_000 });
    const { response } = await client.getOffers({ request });
    expect(response.execute.mboxes[0].options[0].content).toEqual({ big: true });
    const attributes = await client.getAttributes(['hero']);
    expect(attributes).toBeInstanceOf(AttributesProvider);
    expect(attributes.getBoolean('hero', 'big')).toBe(true);
    const { queued, failed, dropped } = await client.flush();
    expect({ queued, failed, dropped }).toEqual({ queued: 0, failed: 0, dropped: 0 });
  },
);

test('an edge that is down is an error', async () => {
  client = TargetClient.create({ ...edge.config, retry: { retries: 1, minTimeout: 1 } });
  const fault = edge.fault({ kind: 'reset' });
  const error = await client.getOffers({ request }).catch((thrown) => thrown);
  fault.clear();
  expect(error).toBeInstanceOf(TargetError);
  expect(error.code).toBe('ERR_TARGET_NETWORK');
});

test('a signal and a timeout end calls', async () => {
  client = TargetClient.create(edge.config);
  const fault = edge.fault({ kind: 'hang' });
  const aborted = new AbortController();
  const call = client.getOffers({ request, signal: aborted.signal }).catch((thrown) => thrown.code);
  aborted.abort();
  expect(await call).toBe('ERR_TARGET_ABORTED');
  expect(await client.getOffers({ request, timeout: 50 }).catch((thrown) => thrown.code)).toBe(
    'ERR_TARGET_TIMEOUT',
  );
  fault.clear();
});

test('a binary artifact is read', async () => {
  client = TargetClient.create({
    ...edge.config,
    decisioningMethod: 'on-device',
    artifactFormat: 'bin',
    artifactLocation: edge.artifactUrl.replace(/json$/, 'bin'),
  });
  await client.ready({ timeout: 20_000 });
  const { response } = await client.getOffers({ request });
  expect(response.execute.mboxes[0].options).toHaveLength(1);
});
