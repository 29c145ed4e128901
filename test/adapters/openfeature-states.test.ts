import { describe, expect, jest, test } from '@jest/globals';
import {
  type Client,
  ErrorCode,
  type EventDetails,
  OpenFeature,
  ProviderEvents,
  ProviderStatus,
} from '@openfeature/server-sdk';
import { createVisit } from '../../src/adapters/http.js';
import { TargetProvider, withVisit } from '../../src/adapters/openfeature.js';
import type { TargetClient, TargetClientConfig } from '../../src/index.js';
import { json } from '../../src/testing/edge.js';
import { flagsArtifact } from '../fixtures/flags.js';
import { artifactOf, rule } from '../fixtures/rules.js';
import { hang } from '../recording-fetch.js';
import { incomingOf } from '../visits/incoming.js';
import { listeningLogger, withEdge } from '../with-edge.js';
import { withOpenFeature } from './openfeature-serving.js';

const bench = withEdge({ artifact: flagsArtifact(), offers: { mboxes: { shop: json({ color: 'red' }) } } });
const { serve, register } = withOpenFeature();

/** A client with rules of the edge, which downloads new ones when it is told to. */
const connect = (config: Partial<TargetClientConfig> = {}) => {
  const { artifactUrl } = bench.edge;
  return bench.connect({
    decisioningMethod: 'on-device',
    artifactLocation: artifactUrl,
    pollingInterval: 0,
    ...config,
  });
};

const isArtifact = ({ path }: { readonly path: string }) => path.endsWith('rules.json');
const outage = () => bench.edge.fault({ kind: 'status', status: 503 }, { where: isArtifact });

/** Keeps the events of a client, and resolves when there is a number of them. */
function eventsOf(client: Client) {
  const events: [string, EventDetails | undefined][] = [];
  const waiting: (() => void)[] = [];
  for (const name of Object.values(ProviderEvents)) {
    client.addHandler(name, (details) => {
      events.push([name, details]);
      for (const look of waiting) {
        look();
      }
    });
  }
  const until = (count: number) =>
    new Promise<string[]>((resolve) => {
      const look = () => events.length >= count && resolve(events.map(([name]) => name));
      waiting.push(look);
      look();
    });
  return { events, until };
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 0));
const { READY, STALE, ERROR, FATAL } = ProviderStatus;
const { Ready, Stale, ConfigurationChanged } = ProviderEvents;

describe('the state of the provider', () => {
  test('is ready with a server-side client, before any call', async () => {
    const client = await serve(bench.connect());
    expect(client.providerStatus).toBe(READY);
    expect(client.metadata.providerMetadata).toEqual({ name: 'adobe-target' });
    expect(bench.edge.requests).toEqual([]);
  });

  test('is ready with the first rules, and says so once', async () => {
    const client = register(new TargetProvider(connect()));
    const { until } = eventsOf(client);
    expect(client.providerStatus).toBe(ProviderStatus.NOT_READY);
    expect(await client.getBooleanDetails('flags.beta', false)).toMatchObject({
      errorCode: ErrorCode.PROVIDER_NOT_READY,
    });
    await until(1);
    await turn();
    await turn();
    expect(await until(1)).toEqual([Ready]);
    expect(client.providerStatus).toBe(READY);
  });

  test('is stale when a download fails, and ready when one succeeds', async () => {
    const target = connect();
    const client = await serve(target);
    await turn();
    const { until } = eventsOf(client);
    outage();
    await target.refresh().catch(() => undefined);
    expect(client.providerStatus).toBe(STALE);
    expect((await client.getBooleanDetails('hero.x', false)).errorCode).toBe(ErrorCode.FLAG_NOT_FOUND);
    bench.edge.clearFaults();
    await target.refresh();
    expect(client.providerStatus).toBe(READY);
    expect(await until(3)).toEqual([Ready, Stale, Ready]);
  });

  test('is stale behind the start when the rules are not confirmed', async () => {
    outage();
    const client = await serve(connect({ artifactPayload: flagsArtifact() }));
    const { until } = eventsOf(client);
    expect((await until(2)).slice(-1)).toEqual([Stale]);
    expect(client.providerStatus).toBe(STALE);
    expect(await client.getStringValue('flags.release', '')).toBe('first');
  });

  test('is stale behind the start when a hybrid client has no rules', async () => {
    outage();
    const client = await serve(connect({ decisioningMethod: 'hybrid' }));
    const { until } = eventsOf(client);
    expect((await until(2)).slice(-1)).toEqual([Stale]);
    expect(await client.getStringValue('shop.color', '')).toBe('red');
  });

  test('is an error when no rules come in time, until they come', async () => {
    const fault = outage();
    const target = connect({ maximumWaitReady: 100 });
    const provider = new TargetProvider(target);
    await expect(OpenFeature.setProviderAndWait('late', provider)).rejects.toMatchObject({
      code: ErrorCode.PROVIDER_NOT_READY,
      message: expect.stringContaining('within 100 ms'),
    });
    const client = OpenFeature.getClient('late');
    expect(client.providerStatus).toBe(ERROR);
    expect(await client.getStringDetails('flags.release', 'default')).toMatchObject({
      value: 'default',
      errorCode: ErrorCode.PROVIDER_NOT_READY,
    });
    const { until } = eventsOf(client);
    fault.clear();
    // The first call may join a download that fails.
    await target.refresh().catch(() => target.refresh());
    await turn();
    expect((await until(2)).slice(-1)).toEqual([Ready]);
    expect(client.providerStatus).toBe(READY);
    expect(await client.getStringValue('flags.release', '')).toBe('first');
  });

  test('is an error after 10 seconds when the client has no limit of its own', async () => {
    jest.useFakeTimers();
    try {
      const target = connect({ fetchApi: hang });
      let error: unknown;
      const starting = new TargetProvider(target).initialize().catch((thrown: unknown) => {
        error = thrown;
      });
      await jest.advanceTimersByTimeAsync(9_999);
      expect(error).toBeUndefined();
      await jest.advanceTimersByTimeAsync(1);
      await starting;
      expect(error).toMatchObject({ message: expect.stringContaining('within 10000 ms') });
    } finally {
      jest.useRealTimers();
    }
  });

  test('is fatal when an option of the client makes each download fail', async () => {
    const agent = (() => Promise.resolve(undefined)) as never;
    const target = connect({ agent, maximumWaitReady: 100 });
    await new Promise<void>((resolve) => {
      target.on('artifactDownloadFailed', ({ error }) => {
        if (error.code === 'ERR_TARGET_INVALID_CONFIG') {
          resolve();
        }
      });
    });
    await expect(OpenFeature.setProviderAndWait('wrong', new TargetProvider(target))).rejects.toMatchObject({
      code: ErrorCode.PROVIDER_FATAL,
      message: expect.stringContaining('agent'),
    });
    const client = OpenFeature.getClient('wrong');
    expect(client.providerStatus).toBe(FATAL);
    expect((await client.getBooleanDetails('flags.beta', false)).errorCode).toBe(ErrorCode.PROVIDER_FATAL);
  });

  test('is an error when the client is closed already', async () => {
    const target = connect();
    await target.close();
    await expect(OpenFeature.setProviderAndWait('closed', new TargetProvider(target))).rejects.toMatchObject({
      code: ErrorCode.PROVIDER_NOT_READY,
    });
  });
});

describe('a client that the program closes itself', () => {
  const page = { targetingKey: 'user-7' };

  test.each([
    ['on-device', () => connect()],
    ['server-side', () => bench.connect()],
  ] as const)('is an error of the provider from the first read on, told once: %s', async (_, make) => {
    const target = make();
    const client = await serve(target);
    await turn();
    const { events } = eventsOf(client);
    await target.close();
    expect(client.providerStatus).toBe(READY);
    const reads = await Promise.all([
      client.getBooleanDetails('flags.beta', true, page),
      client.getStringDetails('flags.release', 'default', page),
      client.getObjectDetails('shop', {}, { targetingKey: 'other' }),
    ]);
    expect(reads.map(({ errorCode }) => errorCode)).toEqual(Array(3).fill(ErrorCode.PROVIDER_NOT_READY));
    expect(reads.map(({ value }) => value)).toEqual([true, 'default', {}]);
    await client.getBooleanDetails('flags.beta', true, page);
    expect(client.providerStatus).toBe(ERROR);
    const errors = events.filter(([name]) => name === ProviderEvents.Error);
    expect(errors.map(([, details]) => details)).toEqual([
      expect.objectContaining({ errorCode: ErrorCode.PROVIDER_NOT_READY, message: 'the client is closed' }),
    ]);
  });

  test('is an error too when a visit hides the failure of its call', async () => {
    const target = bench.connect();
    const client = await serve(target);
    await turn();
    const visit = createVisit(target, incomingOf('https://shop.example/'), { onError: () => undefined });
    await target.close();
    expect(await client.getBooleanDetails('flags.beta', false, withVisit(visit))).toMatchObject({
      errorCode: ErrorCode.PROVIDER_NOT_READY,
    });
    expect(client.providerStatus).toBe(ERROR);
  });

  test('is no error of the provider when the visit of another client fails', async () => {
    const other = bench.connect();
    const visit = createVisit(other, incomingOf('https://shop.example/'));
    const client = await serve(bench.connect());
    await turn();
    await other.close();
    expect(await client.getBooleanDetails('flags.beta', false, withVisit(visit))).toMatchObject({
      errorCode: ErrorCode.PROVIDER_NOT_READY,
    });
    expect(client.providerStatus).toBe(READY);
  });

  test('is no event of a provider that OpenFeature has stopped', async () => {
    const target = bench.connect();
    const provider = new TargetProvider(target);
    const errors: unknown[] = [];
    provider.events.addHandler(ProviderEvents.Error, (details) => {
      errors.push(details);
    });
    await OpenFeature.setProviderAndWait('stopped', provider);
    await turn();
    await OpenFeature.clearProviders();
    expect(await provider.resolveBooleanEvaluation('flags.beta', false, page)).toMatchObject({
      errorCode: ErrorCode.PROVIDER_NOT_READY,
    });
    expect(errors).toEqual([]);
  });

  test('ends the start of a provider with an error', async () => {
    const target = connect({ fetchApi: hang });
    const starting = OpenFeature.setProviderAndWait('closing', new TargetProvider(target));
    const failure = starting.catch((thrown: unknown) => thrown);
    await target.close();
    expect(await failure).toMatchObject({
      code: ErrorCode.PROVIDER_NOT_READY,
      message: 'the client is closed',
    });
    expect(OpenFeature.getClient('closing').providerStatus).toBe(ERROR);
  });
});

describe('new rules', () => {
  const version = (color: string, more: object = {}) =>
    artifactOf({
      shop: [rule('shop', { options: [{ type: 'json', content: { color }, eventToken: 't' }] })],
      same: [rule('same')],
      ...more,
    });

  test('name the mboxes whose rules differ', async () => {
    bench.edge.setArtifact(version('red', { old: [rule('old')] }));
    const target = connect();
    const client = await serve(target);
    const { events } = eventsOf(client);
    const colors = [await client.getStringValue('shop.color', '')];
    bench.edge.setArtifact(version('blue', { new: [rule('new')] }));
    await target.refresh();
    colors.push(await client.getStringValue('shop.color', ''));
    await target.refresh();
    bench.edge.setArtifact(version('green', { new: [rule('new')] }));
    await target.refresh();
    colors.push(await client.getStringValue('shop.color', ''));
    expect(colors).toEqual(['red', 'blue', 'green']);
    const changes = events.filter(([name]) => name === ConfigurationChanged);
    expect(changes.map(([, details]) => details?.flagsChanged)).toEqual([['shop', 'old', 'new'], ['shop']]);
  });

  test.each([
    ['name the mboxes whose rules differ from those of the payload', 'blue', [['shop']]],
    ['are no change when they are those of the payload', 'red', []],
  ])('%s', async (_, color, changed) => {
    bench.edge.setArtifact(version(color));
    outage();
    const target = connect({ artifactPayload: version('red') });
    const client = await serve(target);
    const { events } = eventsOf(client);
    bench.edge.clearFaults();
    await target.refresh().catch(() => target.refresh());
    const changes = events.filter(([name]) => name === ConfigurationChanged);
    expect(changes.map(([, details]) => details?.flagsChanged)).toStrictEqual(changed);
  });

  test('name no mboxes when flags were read before the provider started', async () => {
    bench.edge.setArtifact(version('blue'));
    outage();
    const target = connect({ artifactPayload: version('red') });
    await target.getAttributes(['shop']);
    const client = await serve(target);
    const { events } = eventsOf(client);
    bench.edge.clearFaults();
    await target.refresh().catch(() => target.refresh());
    const changes = events.filter(([name]) => name === ConfigurationChanged);
    expect(changes.map(([, details]) => details?.flagsChanged)).toStrictEqual([undefined]);
  });

  test('of a client that was there before the provider are a change too', async () => {
    bench.edge.setArtifact(version('red'));
    const target = connect();
    await target.ready();
    const client = await serve(target);
    const { events } = eventsOf(client);
    bench.edge.setArtifact(version('blue'));
    await target.refresh();
    expect(events.map(([name]) => name)).toEqual([Ready, ConfigurationChanged]);
  });
});

describe('the end of the provider', () => {
  const isClosed = async (target: TargetClient) =>
    target.ready().then(
      () => false,
      () => true,
    );

  test('closes the client, and may come twice', async () => {
    const target = connect();
    const provider = new TargetProvider(target);
    await provider.initialize();
    await provider.onClose();
    await provider.onClose();
    expect(await isClosed(target)).toBe(true);
    expect((await provider.resolveBooleanEvaluation('flags.beta', true, {})).errorCode).toBe(
      ErrorCode.PROVIDER_NOT_READY,
    );
  });

  test('leaves the client open with the option `closeClient: false`, and ends the events', async () => {
    const target = connect();
    const provider = new TargetProvider(target, { closeClient: false });
    const events: unknown[] = [];
    provider.events.addHandler(Stale, (details) => events.push(details));
    await provider.initialize();
    await turn();
    await provider.onClose();
    outage();
    await target.refresh().catch(() => undefined);
    expect(events).toHaveLength(0);
    expect(await isClosed(target)).toBe(false);
    bench.edge.clearFaults();
    await target.refresh();
    await provider.initialize();
    await turn();
    outage();
    await target.refresh().catch(() => undefined);
    expect(events).toHaveLength(1);
  });
});

describe('tracking', () => {
  const conversion = async () => {
    const [received] = await bench.edge.waitForRequests(1, {
      where: ({ delivery }) => delivery?.execute !== undefined,
      timeoutMs: 60_000,
    });
    const { id, execute, prefetch } = received?.delivery ?? {};
    return { id, mboxes: execute?.mboxes, prefetch };
  };

  test('executes the mbox on the edge, with an order', async () => {
    const client = await serve(connect());
    client.track(
      'order-confirm',
      { targetingKey: 'user-7' },
      { value: 49.9, orderId: 'o-1', coupon: 'x', items: [1] },
    );
    expect(await conversion()).toEqual({
      id: { thirdPartyId: 'user-7' },
      mboxes: [
        { name: 'order-confirm', index: 0, order: { id: 'o-1', total: 49.9 }, parameters: { coupon: 'x' } },
      ],
    });
  });

  test('gives the value as a parameter without an order', async () => {
    const client = await serve(bench.connect());
    client.track('signup', { plan: 'gold' }, { value: 3, at: new Date(0), isNew: true });
    expect((await conversion()).mboxes).toEqual([
      {
        name: 'signup',
        index: 0,
        parameters: { plan: 'gold', value: '3', at: '1970-01-01T00:00:00.000Z', isNew: 'true' },
      },
    ]);
  });

  test('needs neither context nor details', async () => {
    const client = await serve(bench.connect());
    client.track('signup');
    expect((await conversion()).mboxes).toEqual([{ name: 'signup', index: 0 }]);
  });

  test('asks for nothing else that `toCall` reads', async () => {
    const toCall = () => ({
      request: {
        id: { tntId: 'v' },
        execute: { mboxes: [{ name: 'shop' }] },
        prefetch: { mboxes: [{ name: 'hero' }] },
      },
    });
    const client = await serve(bench.connect(), { toCall });
    client.track('signup');
    expect(await conversion()).toEqual({
      id: { tntId: 'v' },
      mboxes: [{ name: 'signup', index: 0 }],
      prefetch: undefined,
    });
  });

  test('of a visit has its visitor, and respects the consent', async () => {
    const target = bench.connect();
    const client = await serve(target);
    const browser = incomingOf('https://shop.example/');
    client.track('never', withVisit(createVisit(target, browser, { consent: false })), {});
    client.track('signup', withVisit(createVisit(target, browser)), { orderId: 7, value: 5 });
    await target.flush();
    expect((await conversion()).mboxes).toEqual([{ name: 'signup', index: 0, order: { id: '7', total: 5 } }]);
    expect(bench.edge.requests).toHaveLength(1);
  });

  test('is waited for by flush and close, and counted', async () => {
    const target = bench.connect();
    const client = await serve(target);
    client.track('one');
    await target.flush();
    client.track('two');
    expect(await target.close()).toMatchObject({ delivered: 2, failed: 0 });
  });

  test.each<[string, string, object]>([
    ['an order without a number', 'signup', { orderId: 'o-1', value: 'x' }],
    ['a name that is empty', '', {}],
    ['a name that is no text', 7 as never, {}],
    ['a parameter that is too long', 'signup', { long: 'x'.repeat(6000) }],
  ])('that is wrong is a warning of the client: %s', async (_, name, details) => {
    const { lines, logger } = listeningLogger();
    const client = await serve(bench.connect({ logger }));
    expect(() => client.track(name, { targetingKey: 'user-7' }, details as never)).not.toThrow();
    expect(lines.warn).toEqual([expect.stringContaining('was not counted')]);
    expect(lines.warn.join()).not.toContain('user-7');
    expect(bench.edge.requests).toEqual([]);
  });

  test('that fails is a warning of the client', async () => {
    const { lines, logger } = listeningLogger();
    const target = bench.connect({ logger });
    const client = await serve(target);
    bench.edge.fault({ kind: 'status', status: 400 });
    client.track('signup');
    await target.flush();
    expect(lines.warn.at(-1)).toContain("the conversion of mbox 'signup' was not counted");
    expect(target.stats().notifications).toMatchObject({ accepted: 1, failed: 1 });
  });
});
