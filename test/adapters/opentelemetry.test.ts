import { describe, expect, test } from '@jest/globals';
import { context, metrics, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { logs } from '@opentelemetry/api-logs';
import { type OpenTelemetryOptions, openTelemetry } from '../../src/adapters/opentelemetry.js';
import type { GetOffersOptions, TargetClient, TargetClientConfig } from '../../src/index.js';
import { html } from '../../src/testing/edge.js';
import { VISITOR } from '../canaries.js';
import { flagsArtifact, HERO } from '../fixtures/flags.js';
import { memoryStore } from '../fixtures/memory-store.js';
import { listeningLogger, targetErrorOf, withEdge } from '../with-edge.js';
import { withTelemetry } from './with-telemetry.js';

const tokens = { 'activity.id': 77, 'activity.type': 'xt', 'experience.name': 'B' };
const bench = withEdge({
  offers: { mboxes: { far: html('from far'), told: html('told', { responseTokens: tokens }) } },
});
const telemetry = withTelemetry();

const FAR = { execute: { mboxes: [{ name: 'far' }] } };
const RULES = { responseTokens: ['activity.id', 'activity.type', 'experience.name', 'experience.id'] };

type Method = TargetClient['decisioningMethod'];

/** A client that is observed. One that decides in this process has its rules already, and nobody has seen the download. */
async function connect(
  decisioningMethod: Method,
  options: OpenTelemetryOptions = {},
  config: Partial<TargetClientConfig> = {},
) {
  const artifactPayload = flagsArtifact({ fields: RULES });
  const client = bench.connect({
    decisioningMethod,
    observer: openTelemetry(options),
    targetLocationHint: '35',
    ...(decisioningMethod !== 'server-side' && { artifactPayload, pollingInterval: 0 }),
    ...config,
  });
  await client.ready();
  return client;
}

/** Waits until observers have done what comes after a call, in turns of the event loop. */
async function settled(isDone: () => boolean | Promise<boolean> = () => true): Promise<void> {
  do {
    await new Promise((resolve) => setImmediate(resolve));
  } while (!(await isDone()));
}

const ended = (count: number) => settled(() => telemetry.spans().length >= count);
const names = () => telemetry.spans().map(({ name }) => name);

describe('spans', () => {
  test('tell of a call what it was and how it ended, and nothing more', async () => {
    const client = await connect('server-side', {}, { retry: { retries: 1, minTimeout: 1, maxTimeout: 1 } });
    bench.edge.fault({ kind: 'status', status: 503 }, { times: 1 });
    await client.getOffers({
      request: { execute: { mboxes: [{ name: 'far' }] }, prefetch: { mboxes: [{ name: 'told' }] } },
    });
    await ended(1);
    const [span] = telemetry.spans();
    expect(span).toMatchObject({
      name: 'target getOffers',
      kind: SpanKind.INTERNAL,
      status: { code: SpanStatusCode.UNSET },
      instrumentationScope: { name: 'target-node-sdk' },
    });
    expect(span?.attributes).toEqual({
      'feature_flag.provider.name': 'adobe-target',
      'adobe.target.decisioning_method': 'server-side',
      'adobe.target.decided_by': 'server-side',
      'adobe.target.mbox.count': 2,
      'adobe.target.attempts': 2,
    });
    expect(span?.events).toEqual([]);
  });

  test('tell of a call that failed its code', async () => {
    const client = await connect('server-side', {}, { retry: { retries: 0 } });
    bench.edge.fault({ kind: 'status', status: 503 }, { times: 1 });
    await targetErrorOf(() => client.getOffers({ request: FAR }));
    await targetErrorOf(() => client.getOffers({ request: { execute: { mboxes: 1 } } as never }));
    await ended(2);
    const [sent, refused] = telemetry.spans();
    expect(sent?.status).toEqual({ code: SpanStatusCode.ERROR });
    expect(sent?.attributes).toMatchObject({
      'error.type': 'ERR_TARGET_RESPONSE',
      'adobe.target.attempts': 1,
    });
    expect(refused?.attributes).toMatchObject({ 'error.type': 'ERR_TARGET_INVALID_REQUEST' });
    expect(refused?.attributes).not.toHaveProperty('adobe.target.attempts');
    expect(refused?.attributes).not.toHaveProperty('adobe.target.decided_by');
  });

  test.each<Method>(['server-side', 'hybrid'])(
    'lie around the request and inside the span of the caller: %s',
    async (method) => {
      const { fetchApi } = bench.detour();
      const inner = trace.getTracer('http');
      const client = await connect(
        method,
        {},
        {
          // Does what the instrumentations of HTTP clients do.
          fetchApi: (url, init) => {
            inner.startSpan('POST').end();
            return fetchApi(url, init);
          },
        },
      );
      await telemetry.tracer.startActiveSpan('page', async (page) => {
        await client.getOffers({ request: FAR });
        page.end();
      });
      await ended(3);
      const found = Object.fromEntries(telemetry.spans().map((span) => [span.name, span]));
      const { page, POST, 'target getOffers': call } = found;
      expect(Object.keys(found)).toHaveLength(3);
      expect(call?.parentSpanContext?.spanId).toBe(page?.spanContext().spanId);
      expect(POST?.parentSpanContext?.spanId).toBe(call?.spanContext().spanId);
      expect(telemetry.started()).toBe(3);
    },
  );

  test.each<[OpenTelemetryOptions['spans'], Method, string[]]>([
    [undefined, 'on-device', []],
    ['remote', 'on-device', []],
    ['calls', 'on-device', ['target getOffers', 'target getAttributes', 'target identify']],
    ['none', 'on-device', []],
    ['remote', 'hybrid', []],
    ['calls', 'hybrid', ['target getOffers', 'target getAttributes', 'target identify']],
    ['none', 'hybrid', []],
    ['remote', 'server-side', ['target getOffers', 'target getAttributes', 'target identify']],
    ['calls', 'server-side', ['target getOffers', 'target getAttributes', 'target identify']],
    ['none', 'server-side', []],
  ])('are made for the calls that are chosen: %s, %s', async (spans, method, expected) => {
    const client = await connect(method, { spans });
    const prefetch = { prefetch: { mboxes: [{ name: 'flags' }] } };
    await client.getOffers({ request: prefetch });
    await client.getAttributes(['flags'], { request: prefetch });
    await client.identify();
    await ended(expected.length);
    expect(names()).toEqual(expected);
    expect(telemetry.started()).toBe(expected.length);
  });

  test('of a hybrid client tell of the calls that the edge decided, also without an instrumentation', async () => {
    const client = await connect('hybrid', { logger: telemetry.logger });
    const before = Date.now();
    await client.getOffers({ request: { prefetch: HERO.execute } });
    await client.getOffers({ request: FAR });
    await ended(1);
    const [span] = telemetry.spans();
    expect(span?.attributes).toMatchObject({
      'adobe.target.decisioning_method': 'hybrid',
      'adobe.target.decided_by': 'server-side',
    });
    expect((span?.startTime[0] ?? 0) * 1000).toBeGreaterThanOrEqual(before - 1000);
    expect(span?.duration[0]).toBeGreaterThanOrEqual(0);
    expect(telemetry.started()).toBe(1);
    // The record of a call without a span belongs to nothing, and that of the other one to its span.
    expect(telemetry.records().map(({ spanContext }) => spanContext?.spanId)).toEqual([
      undefined,
      span?.spanContext().spanId,
    ]);
  });

  test('of a hybrid client are wanted by those who ask for the current span, while the call lasts', async () => {
    const client = await connect(
      'hybrid',
      {},
      {
        logger: { debug: () => trace.getActiveSpan()?.addEvent('a line') },
      },
    );
    await client.getOffers({ request: HERO });
    await client.flush();
    await settled();
    expect(telemetry.spans().length).toBe(telemetry.started());
  });

  test('of work in the background begin traces of their own', async () => {
    bench.edge.setArtifact(flagsArtifact());
    const client = bench.connect({ decisioningMethod: 'hybrid', observer: openTelemetry() });
    await telemetry.tracer.startActiveSpan('page', async (page) => {
      await client.ready();
      await client.refresh();
      await client.getOffers({ request: HERO });
      await client.flush();
      page.end();
    });
    await ended(4);
    const spans = telemetry.spans().filter(({ name }) => name !== 'page');
    expect([...new Set(spans.map(({ name }) => name))].sort()).toEqual(['target artifact', 'target notify']);
    expect(spans.filter(({ parentSpanContext }) => parentSpanContext)).toEqual([]);
    expect(spans.find(({ name }) => name === 'target notify')?.attributes).toEqual({
      'feature_flag.provider.name': 'adobe-target',
      'adobe.target.attempts': 1,
    });
    expect(spans.find(({ name }) => name === 'target artifact')?.attributes).toEqual({
      'feature_flag.provider.name': 'adobe-target',
      'adobe.target.attempts': 1,
    });
  });

  test('have only the attributes that mean something for their operation', async () => {
    const client = await connect('server-side');
    await client.identify();
    await client.getOffers({ request: { execute: { pageLoad: {} } } });
    await ended(2);
    const counts = telemetry
      .spans()
      .map(({ name, attributes }) => [name, attributes['adobe.target.mbox.count']]);
    expect(counts).toEqual([
      ['target identify', undefined],
      ['target getOffers', 0],
    ]);
  });

  test('come from the tracer that is given', async () => {
    const client = await connect('server-side', { tracer: telemetry.tracer });
    await client.getOffers({ request: FAR });
    await ended(1);
    expect(telemetry.spans()[0]?.instrumentationScope.name).toBe('test');
  });
});

describe('metrics', () => {
  const durations = async () =>
    (await telemetry.points()).filter(({ metric }) => metric === 'adobe.target.call.duration');

  test('have the duration of every call, whatever gets a span', async () => {
    const client = await connect('on-device', { spans: 'none' }, { retry: { retries: 0 } });
    await client.getOffers({ request: { prefetch: HERO.execute } });
    await client.getOffers({ request: { prefetch: HERO.execute } });
    bench.edge.fault({ kind: 'status', status: 503 }, { times: 1 });
    await targetErrorOf(() => client.getOffers({ request: FAR, decisioningMethod: 'server-side' }));
    await settled(async () => (await durations()).length === 2);
    expect((await durations()).map(({ value, unit, attributes }) => [value, unit, attributes])).toEqual([
      [2, 's', { 'adobe.target.operation': 'getOffers', 'adobe.target.decided_by': 'on-device' }],
      [1, 's', { 'adobe.target.operation': 'getOffers', 'error.type': 'ERR_TARGET_RESPONSE' }],
    ]);
  });

  test('measure the whole of a call: not less than its edge took', async () => {
    const seconds: number[] = [];
    const meter = metrics.getMeter('spy');
    const createHistogram = () => ({ record: (value: number) => seconds.push(value) });
    const spy = Object.assign(Object.create(meter), { createHistogram });
    let tookMs = 0;
    const { fetchApi } = bench.detour();
    const client = await connect(
      'server-side',
      { meter: spy },
      {
        fetchApi: async (url, init) => {
          const started = performance.now();
          const response = await fetchApi(url, init);
          tookMs = performance.now() - started;
          return response;
        },
      },
    );
    await client.getOffers({ request: FAR });
    await settled(() => seconds.length === 1);
    expect(seconds[0]).toBeGreaterThanOrEqual(tookMs / 1000);
  });

  test('go to an SDK that is started after the client', async () => {
    const provider = metrics.getMeterProvider();
    metrics.disable();
    const client = await connect('server-side');
    await client.getOffers({ request: FAR });
    await settled();
    metrics.setGlobalMeterProvider(provider as never);
    await client.getOffers({ request: FAR });
    await settled(async () => (await durations()).length === 1);
    expect((await durations())[0]?.value).toBe(1);
  });

  const values = async () =>
    Object.fromEntries(
      (await telemetry.points()).map(({ metric, attributes, value }) => [
        [metric, attributes['adobe.target.notification.fate']].filter(Boolean).join(' '),
        value,
      ]),
    );

  test('have the counts and states of an observed client, until that is undone', async () => {
    const observer = openTelemetry();
    const client = await connect('on-device', {}, { observer: [], circuitBreaker: { failures: 1 } });
    const undo = observer.observe(client);
    await client.getOffers({ request: HERO });
    await client.flush();
    bench.edge.fault({ kind: 'status', status: 503 });
    await targetErrorOf(() => client.getOffers({ request: FAR, decisioningMethod: 'server-side' }));
    await targetErrorOf(() => client.getOffers({ request: FAR, decisioningMethod: 'server-side' }));
    const { deliveries, retries, failures, artifact, notifications } = client.stats();
    const { 'adobe.target.artifact.age': age, ...rest } = await values();
    expect(rest).toEqual({
      'adobe.target.deliveries': deliveries,
      'adobe.target.retries': retries,
      'adobe.target.failures': failures,
      'adobe.target.refused': 1,
      'adobe.target.notifications accepted': notifications.accepted,
      'adobe.target.notifications delivered': 1,
      'adobe.target.notifications failed': 0,
      'adobe.target.notifications dropped': 0,
      'adobe.target.notifications handedOver': 0,
      'adobe.target.notifications.relayed delivered': 0,
      'adobe.target.notifications.relayed failed': 0,
      'adobe.target.notifications.queued': 0,
      'adobe.target.circuit_breaker.state': 2,
    });
    expect(age).toBeGreaterThanOrEqual((artifact?.ageMs ?? 0) / 1000);
    undo();
    undo();
    await targetErrorOf(() => client.getOffers({ request: FAR, decisioningMethod: 'server-side' }));
    // The SDK repeats what it has collected last.
    expect(await values()).toEqual({ ...rest, 'adobe.target.artifact.age': age });
    expect(client.stats().circuitBreaker.refused).toBe(2);
  });

  test('leave out what a client does not have', async () => {
    const client = await connect('server-side');
    openTelemetry().observe(client);
    const names = Object.keys(await values());
    expect(names.filter((name) => name.startsWith('adobe.target.artifact'))).toEqual([]);
  });

  test('name the versions of the rules in use, and count the failures of a shared store', async () => {
    const observer = openTelemetry();
    const ids: unknown[] = [];
    for (const release of ['first', 'second']) {
      bench.edge.setArtifact(flagsArtifact({ release }));
      const artifactStore = memoryStore();
      artifactStore.fault = () => Promise.reject(new Error('down'));
      const client = await connect(
        'on-device',
        {},
        { artifactStore, artifactPayload: undefined, pollingInterval: 300_000 },
      );
      observer.observe(client);
      ids.push(client.stats().artifact?.id);
    }
    const points = await telemetry.points();
    const infos = points.filter(({ metric }) => metric === 'adobe.target.artifact.info');
    expect(infos.map(({ value, attributes }) => [attributes['adobe.target.artifact.id'], value])).toEqual(
      ids.map((id) => [id, 1]),
    );
    expect(new Set(ids).size).toBe(2);
    expect((await values())['adobe.target.artifact_store.failures']).toBeGreaterThanOrEqual(2);
  });

  test('sum the counts of several clients, and never go down', async () => {
    const observer = openTelemetry();
    const clients = [await connect('server-side'), await connect('server-side')] as const;
    const undo = clients.map((client) => observer.observe(client));
    const again = observer.observe(clients[0]);
    const sent = async () => (await values())['adobe.target.deliveries'];
    await clients[0].getOffers({ request: FAR });
    await clients[1].getOffers({ request: FAR });
    expect(await sent()).toBe(2);
    undo[0]?.();
    expect(await sent()).toBe(2);
    again();
    await clients[0].getOffers({ request: FAR });
    expect(await sent()).toBe(2);
    const third = observer.observe(clients[0]);
    expect(await sent()).toBe(3);
    third();
    undo[1]?.();
    await clients[1].getOffers({ request: FAR });
    expect(await sent()).toBe(3);
    observer.observe(clients[1]);
    expect(await sent()).toBe(4);
  });
});

describe('log events', () => {
  const attributesOf = async (client: TargetClient, request: GetOffersOptions['request'], count: number) => {
    await client.getOffers({ request });
    await settled(() => telemetry.records().length >= count);
    return telemetry.records().map(({ eventName, attributes }) => ({ eventName, ...attributes }));
  };
  const event = { eventName: 'feature_flag.evaluation', 'feature_flag.provider.name': 'adobe-target' };

  test('tell the experience of each mbox, by its tokens', async () => {
    const client = await connect('server-side', { logger: telemetry.logger });
    const request = {
      execute: { mboxes: [{ name: 'far' }, { name: 'nothing' }], pageLoad: {} },
      prefetch: { mboxes: [{ name: 'told' }], views: [{}] },
    };
    expect(await attributesOf(client, request, 3)).toEqual([
      { ...event, 'feature_flag.key': 'far', 'feature_flag.result.reason': 'unknown' },
      { ...event, 'feature_flag.key': 'nothing', 'feature_flag.result.reason': 'default' },
      {
        ...event,
        'feature_flag.key': 'told',
        'feature_flag.result.reason': 'targeting_match',
        'feature_flag.result.variant': 'B',
        'feature_flag.set.id': '77',
      },
    ]);
  });

  test('tell the rules that decided in this process, and leave out what they left to the edge', async () => {
    bench.edge.setArtifact(flagsArtifact({ fields: RULES }), { etag: '"rules-7"' });
    const client = bench.connect({
      decisioningMethod: 'on-device',
      observer: openTelemetry({ logger: logs.getLogger('none'), spans: 'calls' }),
    });
    await client.ready();
    const observed = bench.connect({
      decisioningMethod: 'on-device',
      observer: openTelemetry({ logger: telemetry.logger }),
    });
    await observed.ready();
    const request = { prefetch: { mboxes: [{ name: 'hero' }, { name: 'far' }, { name: 'members' }] } };
    const local = { ...event, 'feature_flag.version': '"rules-7"' };
    expect(await attributesOf(observed, request, 2)).toEqual([
      {
        ...local,
        'feature_flag.key': 'hero',
        'feature_flag.result.reason': 'split',
        'feature_flag.result.variant': 'Experience 0',
        'feature_flag.set.id': '1000',
      },
      { ...local, 'feature_flag.key': 'members', 'feature_flag.result.reason': 'default' },
    ]);
  });

  test('are part of the trace of their call', async () => {
    const client = await connect('server-side', { logger: telemetry.logger });
    await client.getOffers({ request: FAR });
    await settled(() => telemetry.records().length === 1 && telemetry.spans().length === 1);
    expect(telemetry.records()[0]?.spanContext?.spanId).toBe(telemetry.spans()[0]?.spanContext().spanId);
    const page = trace.wrapSpanContext({ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1 });
    const local = await connect('on-device', { logger: telemetry.logger });
    await context.with(trace.setSpan(context.active(), page), () =>
      local.getOffers({ request: { prefetch: HERO.execute } }),
    );
    await settled(() => telemetry.records().length === 2);
    expect(telemetry.records()[1]?.spanContext?.spanId).toBe('b'.repeat(16));
  });

  test('name the visitor only when that is wanted', async () => {
    const client = await connect('server-side', { logger: telemetry.logger, contextId: true });
    const { response } = await client.getOffers({ request: FAR });
    await settled(() => telemetry.records().length === 1);
    expect(telemetry.records()[0]?.attributes).toMatchObject({
      'feature_flag.context.id': response.id?.tntId,
    });
    expect(response.id?.tntId).toBeTruthy();
  });
});

test.each<Method>(['server-side', 'on-device', 'hybrid'])(
  'nothing of a visitor is exported: %s',
  async (method) => {
    const client = await connect(method, { spans: 'calls', logger: telemetry.logger });
    openTelemetry().observe(client);
    const options = {
      targetCookie: `session#${VISITOR.session}#9999999999|PC#${VISITOR.tntId}#9999999999`,
      visitorCookie: `MCMID|${VISITOR.ecid}|MCAAMB-1|${VISITOR.blob}`,
      customerIds: { crm: { id: VISITOR.customerId, authState: 1 } },
      request: {
        id: { thirdPartyId: VISITOR.thirdPartyId },
        context: {
          channel: 'web',
          address: { url: VISITOR.url },
          geo: { ipAddress: VISITOR.ip, city: VISITOR.city },
        },
        execute: {
          mboxes: [
            { name: 'hero', parameters: { p: VISITOR.parameter }, profileParameters: { q: VISITOR.profile } },
          ],
        },
      },
    } as const;
    const { response } = await client.getOffers(options);
    await client.getAttributes(['flags'], options);
    bench.edge.fault({ kind: 'status', status: 503 });
    await targetErrorOf(() => client.getOffers({ ...options, decisioningMethod: 'server-side' }));
    bench.edge.clearFaults();
    await client.sendNotifications({
      request: {
        id: options.request.id,
        notifications: [
          {
            id: '1',
            type: 'display',
            timestamp: Date.now(),
            mbox: { name: 'hero', state: VISITOR.state },
            tokens: [VISITOR.eventToken],
          },
        ],
      },
      targetCookie: options.targetCookie,
    });
    await client.flush();
    await ended(4);
    const everything = await telemetry.everything();
    const content = response.execute?.mboxes?.[0]?.options?.[0]?.content;
    for (const secret of [...Object.values(VISITOR).map(String), 'sessionId', 'cnry', content]) {
      if (typeof secret === 'string') {
        expect(everything).not.toContain(secret);
      }
    }
    expect(everything).toContain('feature_flag.key');
    expect(everything).toContain('adobe.target.deliveries');
  },
);

describe('a broken part of OpenTelemetry harms nothing', () => {
  /** An object of which every method that it is said to have throws. */
  const broken = (...methods: string[]) =>
    Object.fromEntries(
      methods.map((method) => [
        method,
        () => {
          throw new Error(`broken ${method}`);
        },
      ]),
    ) as never;
  const span = broken('spanContext', 'setAttribute', 'setAttributes', 'setStatus', 'end', 'isRecording');
  const METER = [
    ...['createHistogram', 'createObservableCounter', 'createObservableGauge'],
    ...['addBatchObservableCallback', 'removeBatchObservableCallback'],
  ];
  const real = { createObservableCounter: () => ({}), createObservableGauge: () => ({}) };

  test.each<[string, OpenTelemetryOptions]>([
    ['a tracer that throws', { tracer: broken('startSpan') }],
    ['a span that throws', { tracer: { startSpan: () => span } as never }],
    ['a tracer that gives nothing', { tracer: { startSpan: () => undefined } as never }],
    ['a meter that throws', { meter: broken(...METER) }],
    ['a meter that gives nothing', { meter: { ...real, createHistogram: () => undefined } as never }],
    ['a histogram that throws', { meter: { ...real, createHistogram: () => broken('record') } as never }],
    ['a logger that throws', { logger: broken('emit') }],
  ])('%s', async (_, options) => {
    for (const method of ['server-side', 'hybrid', 'on-device'] as const) {
      const { logger, lines } = listeningLogger();
      const { fetchApi } = bench.detour();
      const client = await connect(
        method,
        { spans: 'remote', ...options },
        {
          logger,
          fetchApi: (url, init) => {
            // Does what the instrumentations of HTTP clients do.
            context.active().getValue(Symbol.for('any'));
            return fetchApi(url, init);
          },
        },
      );
      bench.edge.clearRequests();
      const undo = openTelemetry(options).observe(client);
      const request = method === 'on-device' ? { prefetch: HERO.execute } : FAR;
      const { response } = await client.getOffers({ request });
      expect((response.execute ?? response.prefetch)?.mboxes?.[0]?.options).toHaveLength(1);
      await settled();
      undo();
      expect(bench.edge.requests).toHaveLength(method === 'on-device' ? 0 : 1);
      const said = lines.warn.filter((line) => line.includes('an observer of calls failed'));
      const isAsked = method !== 'on-device' || !options.tracer;
      expect(said).toHaveLength(isAsked ? 1 : 0);
    }
  });

  test('the other parts go on', async () => {
    const client = await connect('server-side', {
      tracer: broken('startSpan'),
      logger: telemetry.logger,
    });
    await client.getOffers({ request: FAR });
    await settled(async () => (await telemetry.points()).length > 0 && telemetry.records().length > 0);
    expect(telemetry.records()).toHaveLength(1);
  });
});

describe('wrong options are refused', () => {
  test.each<[string, unknown]>([
    ['options', 1],
    ['tracer', {}],
    ['meter', { createCounter: () => undefined }],
    ['logger', 'console'],
    ['spans', 'all'],
    ['contextId', 'yes'],
  ])('%s', async (path, value) => {
    const options = path === 'options' ? value : { [path]: value };
    const error = await targetErrorOf(() => openTelemetry(options as never));
    expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_CONFIG', path });
  });

  test('a client that is none', async () => {
    const error = await targetErrorOf(() => openTelemetry().observe({} as never));
    expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_CONFIG', path: 'client' });
  });

  test('null is as absent', () => {
    const none = { tracer: null, meter: null, logger: null, spans: null, contextId: null };
    expect(typeof openTelemetry(none).around).toBe('function');
  });
});
