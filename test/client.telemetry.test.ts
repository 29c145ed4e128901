import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { TargetClient, type TargetClientConfig, type TelemetryEntry } from '../src/index.js';
import {
  answer,
  configOf,
  DELIVERY,
  REQUEST,
  type RecordedCall,
  recordingFetch,
  refuse,
  type Script,
  status,
} from './recording-fetch.js';
import { withEdge } from './with-edge.js';

const request = REQUEST;
const MINUTE = 60_000;
const ms = (value: number) => Number.isFinite(value) && value >= 0 && Math.round(value * 100) / 100 === value;

function start(config: Partial<TargetClientConfig>, ...scripts: Script[]) {
  const { fetchApi, calls } = recordingFetch(...scripts);
  const client = TargetClient.create({
    ...configOf(fetchApi),
    // The default is what is tested.
    telemetryEnabled: undefined,
    retry: { retries: 0 },
    ...config,
  });
  return { client, calls };
}

function entriesOf(call: RecordedCall | undefined): readonly TelemetryEntry[] {
  return call?.request.telemetry?.entries ?? [];
}

/** Makes calls at once, none of which finds an entry to take along. */
async function burst(client: TargetClient, count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, () => client.getOffers({ request })));
}

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

describe('what a call cost', () => {
  test('goes with the next call, and once', async () => {
    const { client, calls } = start({});
    await client.getOffers({ request: { ...request, requestId: 'first' } });
    await client.getOffers({ request: { ...request, requestId: 'second' } });
    await client.getOffers({ request });
    expect(calls.map((call) => entriesOf(call).map(({ requestId }) => requestId))).toEqual([
      [],
      ['first'],
      ['second'],
    ]);
  });

  test('is told in the form of the Delivery API', async () => {
    const edgeHost = 'mboxedge35.tt.omtrdc.net';
    const body = JSON.stringify({ ...DELIVERY, edgeHost, telemetryServerToken: 't0k' });
    const { client, calls } = start({}, answer(body));
    const now = Date.now();
    await client.getOffers({
      request: {
        requestId: 'first',
        execute: { pageLoad: {}, mboxes: [{ name: 'a' }, { name: 'b' }] },
        prefetch: { views: [{}], pageLoad: {}, mboxes: [{ name: 'c' }] },
      },
    });
    await client.getOffers({ request });
    const [entry] = entriesOf(calls[1]);
    expect(entry).toEqual({
      requestId: 'first',
      timestamp: now,
      mode: 'edge',
      execution: expect.any(Number),
      parsing: expect.any(Number),
      features: {
        decisioningMethod: 'server-side',
        executePageLoad: true,
        executeMboxCount: 2,
        prefetchPageLoad: true,
        prefetchMboxCount: 1,
        prefetchViewCount: 1,
      },
      request: {
        timeToFirstByte: expect.any(Number),
        download: expect.any(Number),
        responseSize: Buffer.byteLength(body),
      },
      telemetryServerToken: 't0k',
    });
    const { execution = -1, parsing = -1, request: times } = entry ?? {};
    const { timeToFirstByte = -1, download = -1 } = times ?? {};
    expect([execution, parsing, timeToFirstByte, download].every(ms)).toBe(true);
  });

  test('counts the bytes of an answer, not its characters, of a fetch that has only its text', async () => {
    const text = JSON.stringify({ ...DELIVERY, client: 'démo €😀' });
    const { client, calls } = start({}, () => ({ status: 200, text: async () => text }));
    await client.getOffers({ request });
    await client.getOffers({ request });
    const [entry] = entriesOf(calls[1]);
    expect(entry?.request?.responseSize).toBe(Buffer.byteLength(text));
    expect(Buffer.byteLength(text)).toBeGreaterThan(text.length);
  });

  test('is local where no edge names itself', async () => {
    const { client, calls } = start({});
    await burst(client, 1);
    await burst(client, 1);
    expect(entriesOf(calls[1])[0]?.mode).toBe('local');
  });

  test('goes with those of the caller', async () => {
    const { client, calls } = start({});
    await client.getOffers({ request: { ...request, requestId: 'first' } });
    const own: TelemetryEntry = { requestId: 'own', timestamp: 1, execution: 2 };
    await client.getOffers({ request: { ...request, telemetry: { entries: [own] } } });
    expect(entriesOf(calls[1]).map(({ requestId }) => requestId)).toEqual(['own', 'first']);
  });

  test('goes along a hundred at a time, oldest first', async () => {
    const { client, calls } = start({});
    await burst(client, 250);
    const ids = calls.map((call) => call.request.requestId);
    for (let call = 0; call < 3; call += 1) {
      await client.getOffers({ request });
    }
    const taken = calls.slice(250).map(entriesOf);
    expect(taken.map(({ length }) => length)).toEqual([100, 100, 52]);
    expect(
      taken
        .flat()
        .slice(0, 250)
        .map(({ requestId }) => requestId),
    ).toEqual(ids);
  });

  test('is kept of the last thousand calls', async () => {
    const { client, calls } = start({});
    await burst(client, 1500);
    await client.close();
    const [oldest] = entriesOf(calls[1500]);
    expect(oldest?.requestId).toBe(calls[500]?.request.requestId);
  });

  test.each<[string, Script]>([
    ['found nobody', refuse],
    ['was refused', status(400)],
    ['was answered with HTML', answer('<html>')],
  ])('is given back by a call that %s', async (_, script) => {
    const { client, calls } = start({}, answer(), script, answer());
    await client.getOffers({ request: { ...request, requestId: 'first' } });
    await client.getOffers({ request }).catch(() => undefined);
    await client.getOffers({ request });
    expect(entriesOf(calls[1])).toEqual(entriesOf(calls[2]));
    expect(entriesOf(calls[2]).map(({ requestId }) => requestId)).toEqual(['first']);
  });

  test('is not told where telemetry is off', async () => {
    const { client, calls } = start({ telemetryEnabled: false });
    await burst(client, 3);
    await burst(client, 1);
    await jest.advanceTimersByTimeAsync(10 * MINUTE);
    await client.close();
    expect(calls).toHaveLength(4);
    expect(calls.some(({ request }) => request.telemetry)).toBe(false);
  });
});

describe('when no call comes', () => {
  test('one is made after a minute, in the name of the last one', async () => {
    const { client, calls } = start({});
    const id = { tntId: 'abc.28_0' };
    const context = { channel: 'mobile', userAgent: 'me' } as const;
    await client.getOffers({ request: { ...request, requestId: 'first', id, context }, sessionId: 's1' });
    await jest.advanceTimersByTimeAsync(MINUTE - 1);
    expect(calls).toHaveLength(1);
    await jest.advanceTimersByTimeAsync(1);
    expect(calls).toHaveLength(2);
    const [, extra] = calls;
    expect(extra?.request).toEqual({
      requestId: expect.any(String),
      id,
      context,
      telemetry: { entries: [expect.objectContaining({ requestId: 'first' })] },
    });
    expect(extra?.url.searchParams.get('sessionId')).toBe('s1');
  });

  test('that one is not told of in turn', async () => {
    const { client, calls } = start({});
    await burst(client, 1);
    await jest.advanceTimersByTimeAsync(100 * MINUTE);
    expect(calls).toHaveLength(2);
    await burst(client, 1);
    expect(entriesOf(calls[2])).toEqual([]);
  });

  test('what is over a hundred waits another minute', async () => {
    const { client, calls } = start({});
    await burst(client, 250);
    const sent = async () => {
      await jest.advanceTimersByTimeAsync(MINUTE);
      return calls.slice(250).map((call) => entriesOf(call).length);
    };
    expect(await sent()).toEqual([100]);
    expect(await sent()).toEqual([100, 100]);
    expect(await sent()).toEqual([100, 100, 50]);
    expect(await sent()).toEqual([100, 100, 50]);
  });

  test('and it fails, it is made again, once a minute and without a word', async () => {
    const { client, calls } = start({}, answer(), refuse, refuse, answer());
    await burst(client, 1);
    await jest.advanceTimersByTimeAsync(MINUTE * 10);
    expect(calls).toHaveLength(4);
    expect(calls.slice(1).map(({ time }) => time - (calls[0]?.time ?? 0))).toEqual([
      MINUTE,
      2 * MINUTE,
      3 * MINUTE,
    ]);
    expect(entriesOf(calls[3])).toHaveLength(1);
    expect(entriesOf(calls[3])).toEqual(entriesOf(calls[1]));
  });

  test('none is made as long as calls come that take it along', async () => {
    const { client, calls } = start({});
    for (let call = 0; call < 20; call += 1) {
      await burst(client, 1);
      await jest.advanceTimersByTimeAsync(MINUTE / 2);
    }
    expect(calls).toHaveLength(20);
  });

  test('close() makes it, and none behind it', async () => {
    const { client, calls } = start({});
    await burst(client, 1);
    await client.close();
    expect(entriesOf(calls[1])).toHaveLength(1);
    await jest.advanceTimersByTimeAsync(10 * MINUTE);
    expect(calls).toHaveLength(2);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('close() makes it in vain where nobody answers', async () => {
    const { client, calls } = start({}, answer(), () => new Promise(() => undefined));
    await burst(client, 1);
    const closed = client.close();
    await jest.advanceTimersByTimeAsync(3000);
    await closed;
    await jest.advanceTimersByTimeAsync(10 * MINUTE);
    expect(calls).toHaveLength(2);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('close() makes none when there is nothing to tell', async () => {
    const { client, calls } = start({});
    await client.close();
    expect(calls).toHaveLength(0);
  });
});

describe('a new connection', () => {
  const bench = withEdge();

  test('tells how long its name was looked up, once', async () => {
    jest.useRealTimers();
    const serverDomain = `localhost:${bench.edge.port}`;
    const client = bench.connect({ serverDomain, telemetryEnabled: true, timeout: 10_000 });
    for (let call = 0; call < 3; call += 1) {
      await client.getOffers({ request });
    }
    const [, second, third] = bench.edge.requests.map(({ delivery }) => delivery?.telemetry?.entries?.[0]);
    expect(ms(second?.request?.dns ?? -1)).toBe(true);
    expect(second?.request).not.toHaveProperty('tls');
    expect(third?.request).not.toHaveProperty('dns');
  });

  test('to an address has nothing to tell', async () => {
    jest.useRealTimers();
    const client = bench.connect({ telemetryEnabled: true, timeout: 10_000 });
    for (let call = 0; call < 2; call += 1) {
      await client.getOffers({ request });
    }
    const entry = bench.edge.lastRequest?.delivery?.telemetry?.entries?.[0];
    expect(Object.keys(entry?.request ?? {})).toEqual(['timeToFirstByte', 'download', 'responseSize']);
  });
});
