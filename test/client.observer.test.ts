import { AsyncLocalStorage } from 'node:async_hooks';
import { channel, tracingChannel } from 'node:diagnostics_channel';
import { describe, expect, jest, test } from '@jest/globals';
import { createVisit, fromNodeRequest } from '../src/adapters/http.js';
import type { CallObserver, ObservedCall, ObservedOperation } from '../src/index.js';
import type { EdgeOffers } from '../src/testing/edge.js';
import { flagsArtifact, HERO } from './fixtures/flags.js';
import { listeningLogger, targetErrorOf, withEdge } from './with-edge.js';

const OFFERS: EdgeOffers = {
  mboxes: {
    hero: { type: 'html', content: '<p>Hello</p>' },
    flags: { type: 'json', content: { color: 'blue' } },
  },
};
const edge = withEdge({ offers: OFFERS });

const MBOXES = { execute: { mboxes: [{ name: 'hero' }] }, prefetch: { mboxes: [{ name: 'flags' }] } };

/** An observer that keeps the calls which it has seen to their end. */
function recorder() {
  const calls: ObservedCall[] = [];
  const observer: CallObserver = {
    async around(call, run) {
      await run();
      calls.push({ ...call });
    },
  };
  return { calls, observer };
}

/** Waits for work that begins in a later turn. */
async function until(isDone: () => boolean): Promise<void> {
  while (!isDone()) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('an observer sees', () => {
  test('every method of the client, with the names of the mboxes and the answer', async () => {
    const { calls, observer } = recorder();
    const client = edge.connect({ observer });
    const answer = await client.getOffers({ request: MBOXES });
    await client.getAttributes(['flags']);
    await client.identify();
    const mbox = { name: 'hero', state: 'state' };
    await client.sendNotifications({
      request: { notifications: [{ id: '1', type: 'display', timestamp: Date.now(), mbox, tokens: ['t'] }] },
    });
    await until(() => calls.length === 4);
    expect(
      calls.map(({ operation, decisioningMethod, mboxes }) => [operation, decisioningMethod, mboxes]),
    ).toEqual([
      ['getOffers', 'server-side', ['hero', 'flags']],
      ['getAttributes', 'server-side', ['flags']],
      ['identify', 'server-side', []],
      ['sendNotifications', 'server-side', ['hero']],
    ]);
    expect(calls[0]?.result).toBe(answer);
    expect(calls.every(({ result, error }) => result && !error)).toBe(true);
  });

  test('the download of the rules and the delivery of notifications', async () => {
    const { calls, observer } = recorder();
    edge.edge.setArtifact(flagsArtifact());
    const client = edge.connect({ observer, decisioningMethod: 'on-device' });
    await client.ready();
    await client.getOffers({ request: HERO });
    await client.flush();
    const seen = (operation: ObservedOperation) => calls.find((call) => call.operation === operation);
    await until(() => seen('notify') !== undefined);
    expect(seen('artifact')).toMatchObject({ decisioningMethod: 'on-device', mboxes: [] });
    expect(seen('getOffers')).toMatchObject({ result: { decisioningMethod: 'on-device' } });
    expect(seen('notify')).toMatchObject({ mboxes: [] });
    expect(seen('notify')).not.toHaveProperty('result');
  });

  test('the error of a call as the caller gets it', async () => {
    const { calls, observer } = recorder();
    const client = edge.connect({ observer, retry: { retries: 0 } });
    edge.edge.fault({ kind: 'status', status: 503 }, { times: 1 });
    const failed = await targetErrorOf(() => client.getOffers({ request: MBOXES }));
    const refused = await targetErrorOf(() =>
      client.getOffers({ request: { execute: { mboxes: 1 } } as never }),
    );
    await until(() => calls.length === 2);
    expect(calls.map(({ error }) => error)).toEqual([failed, refused]);
    expect(calls.every(({ result }) => result === undefined)).toBe(true);
    expect(refused.code).toBe('ERR_TARGET_INVALID_REQUEST');
  });

  test('how many requests a call took, and the artifact of a decision in this process', async () => {
    const { calls, observer } = recorder();
    edge.edge.setArtifact(flagsArtifact(), { etag: '"rules-7"' });
    const retry = { retries: 1, minTimeout: 1, maxTimeout: 1 };
    const client = edge.connect({ observer, retry, decisioningMethod: 'on-device' });
    await client.ready();
    const { status } = await client.getOffers({ request: HERO });
    await client.flush();
    edge.edge.fault({ kind: 'status', status: 503 }, { times: 1 });
    await client.getOffers({ request: MBOXES, decisioningMethod: 'server-side' });
    edge.edge.fault({ kind: 'status', status: 503 }, { times: 2 });
    await targetErrorOf(() => client.getOffers({ request: MBOXES, decisioningMethod: 'server-side' }));
    const facts = (operation: ObservedOperation) =>
      calls
        .filter((call) => call.operation === operation)
        .map(({ attempts, artifactEtag }) => [attempts, artifactEtag]);
    await until(() => facts('getOffers').length === 3 && facts('notify').length === 1);
    expect(facts('getOffers')).toEqual([
      [undefined, '"rules-7"'],
      [2, undefined],
      [2, undefined],
    ]);
    expect(facts('notify')).toEqual([[1, undefined]]);
    expect(facts('artifact')).toEqual([[1, undefined]]);
    expect(status.remoteMboxes).toEqual([]);
  });

  test('how many requests a download of the rules took: unchanged rules, redirects and failures too', async () => {
    const { calls, observer } = recorder();
    edge.edge.setArtifact(flagsArtifact());
    const { artifactUrl } = edge.edge;
    const client = edge.connect({
      ...{ observer, decisioningMethod: 'on-device', pollingInterval: 0, artifactLocation: artifactUrl },
    });
    await client.ready();
    await client.refresh();
    const moved = { kind: 'status', status: 302, headers: { Location: `${artifactUrl}?moved` } } as const;
    edge.edge.fault(moved, { times: 1 });
    await client.refresh();
    edge.edge.fault({ kind: 'status', status: 503 }, { times: 1 });
    await targetErrorOf(() => client.refresh());
    edge.edge.fault({ kind: 'body', body: '{}' }, { times: 1 });
    await targetErrorOf(() => client.refresh());
    await until(() => calls.length === 5);
    expect(calls.map(({ attempts, error }) => [attempts, error?.code])).toEqual([
      [1, undefined],
      [1, undefined],
      [2, undefined],
      [1, 'ERR_TARGET_RESPONSE'],
      [1, 'ERR_TARGET_ARTIFACT'],
    ]);
  });

  test('one call for the merged questions of a visit', async () => {
    const { calls, observer } = recorder();
    const client = edge.connect({ observer });
    const visit = createVisit(client, fromNodeRequest({ url: '/', headers: { host: 'a.example' } }));
    await Promise.all([visit.offer('hero', ''), visit.offer('flags', {})]);
    await until(() => calls.length === 1);
    expect(calls).toMatchObject([{ operation: 'getOffers', mboxes: ['hero', 'flags'] }]);
  });

  test('the questions of a visit by what they are, when they are not merged', async () => {
    const { calls, observer } = recorder();
    const client = edge.connect({
      observer,
      decisioningMethod: 'on-device',
      artifactPayload: flagsArtifact(),
    });
    await client.ready();
    const visit = createVisit(client, fromNodeRequest({ url: '/', headers: { host: 'a.example' } }));
    await visit.getOffers({ request: HERO });
    await visit.getAttributes(['flags']);
    await until(() => calls.filter(({ operation }) => operation.startsWith('get')).length === 2);
    expect(calls.map(({ operation }) => operation).filter((name) => name.startsWith('get'))).toEqual([
      'getOffers',
      'getAttributes',
    ]);
  });

  test('calls that are refused before anybody answers them, once', async () => {
    const { calls, observer } = recorder();
    const client = edge.connect({ observer });
    const wrong: never = undefined as never;
    const report = { notifications: 1 } as never;
    const errors = [
      await targetErrorOf(() => client.getOffers(wrong)),
      await targetErrorOf(() => client.getOffers({ request: MBOXES, callback: 1 as never })),
      await targetErrorOf(() => client.getOffers({ request: MBOXES, timeout: -1 })),
      await targetErrorOf(() => client.getAttributes(wrong)),
      await targetErrorOf(() => client.sendNotifications({ request: report })),
      await targetErrorOf(() => client.identify({ request: MBOXES })),
    ];
    await client.close();
    errors.push(await targetErrorOf(() => client.getOffers({ request: MBOXES })));
    errors.push(await targetErrorOf(() => client.getAttributes(['flags'])));
    await until(() => calls.length >= errors.length);
    expect(calls.map(({ error }) => error)).toEqual(errors);
    expect(calls.map(({ operation }) => operation)).toEqual([
      ...['getOffers', 'getOffers', 'getOffers', 'getAttributes', 'sendNotifications', 'identify'],
      ...['getOffers', 'getAttributes'],
    ]);
    expect(calls.at(-2)).toMatchObject({ mboxes: ['hero', 'flags'], error: { code: 'ERR_TARGET_CLOSED' } });
  });

  test('a call of which nothing can be read', async () => {
    const { calls, observer } = recorder();
    const client = edge.connect({ observer });
    const request = {
      get execute(): never {
        throw new Error('no');
      },
    };
    const error = await targetErrorOf(() => client.getOffers({ request }));
    await until(() => calls.length === 1);
    expect(calls).toMatchObject([{ operation: 'getOffers', mboxes: [], error }]);
  });
});

describe('observers', () => {
  test('lie around each other, and their context reaches the transport', async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const named = (name: string): CallObserver => ({
      around: (_, run) => storage.run(`${storage.getStore() ?? ''}${name}`, run),
    });
    const { fetchApi } = edge.detour();
    const client = edge.connect({
      observer: [named('a'), named('b')],
      fetchApi: (url, init) => {
        seen.push(storage.getStore());
        return fetchApi(url, init);
      },
    });
    await client.getOffers({ request: MBOXES });
    expect(seen).toEqual(['ab']);
  });

  const fails = () => {
    throw new Error('broken');
  };
  test.each<[string, CallObserver['around'], number]>([
    ['throws before the call', fails, 1],
    [
      'throws after the call began',
      (_, run) => {
        void run();
        fails();
      },
      1,
    ],
    [
      'rejects after the call',
      async (_, run) => {
        await run();
        fails();
      },
      1,
    ],
    ['forgets the call', () => undefined, 0],
    ['starts it twice', (_, run) => Promise.all([run(), run()]), 0],
    [
      'starts it late',
      async (_, run) => {
        await null;
        await run();
      },
      0,
    ],
    ['returns something else', (_, run) => [run()], 0],
    ['returns a broken promise', () => Object.defineProperty({}, 'then', { get: fails }), 1],
    ['never ends', (_, run) => run().then(() => new Promise(() => undefined)), 0],
    ['changes the call', (call) => Object.assign(call, { operation: 'x', error: fails, result: 1 }), 0],
  ])('harm nothing: one that %s', async (_, around, warnings) => {
    const { logger, lines } = listeningLogger();
    const client = edge.connect({ observer: { around }, logger });
    edge.edge.clearRequests();
    for (let call = 0; call < 2; call++) {
      const { response } = await client.getOffers({ request: MBOXES });
      expect(response.execute?.mboxes?.[0]?.options).toHaveLength(1);
    }
    await new Promise((resolve) => setImmediate(resolve));
    expect(edge.edge.requests).toHaveLength(2);
    expect(lines.warn.filter((line) => line.includes('an observer of calls failed'))).toHaveLength(warnings);
  });

  test.each([
    ['a text', 'x', 'an object with the method around'],
    ['an object without the method', {}, 'around'],
    ['a list with a wrong one', [{ around: () => undefined }, 1], 'around'],
  ])('are refused at the start: %s', async (_, observer, wanted) => {
    const error = await targetErrorOf(() => edge.connect({ observer: observer as never }));
    expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_CONFIG', path: 'observer' });
    expect(error.message).toContain(wanted);
  });
});

describe('diagnostics channels', () => {
  test('trace each call while somebody subscribes', async () => {
    const client = edge.connect({ retry: { retries: 0 } });
    const seen: unknown[] = [];
    const note = (name: string) => (message: unknown) => {
      const { operation, result, error } = message as ObservedCall;
      seen.push([name, operation, Boolean(result), error?.code]);
    };
    const subscribers = { start: note('start'), asyncEnd: note('asyncEnd'), error: note('error') };
    const calls = tracingChannel<unknown, object>('target-node-sdk:call');
    calls.subscribe(subscribers as never);
    await client.getOffers({ request: MBOXES });
    edge.edge.fault({ kind: 'status', status: 503 }, { times: 1 });
    await targetErrorOf(() => client.getOffers({ request: MBOXES }));
    calls.unsubscribe(subscribers as never);
    await client.getOffers({ request: MBOXES });
    expect(seen).toEqual([
      ['start', 'getOffers', false, undefined],
      ['asyncEnd', 'getOffers', true, undefined],
      ['start', 'getOffers', false, undefined],
      ['error', 'getOffers', false, 'ERR_TARGET_RESPONSE'],
      ['asyncEnd', 'getOffers', false, 'ERR_TARGET_RESPONSE'],
    ]);
  });

  test('give the delivery of notifications no result', async () => {
    const messages: ObservedCall[] = [];
    const subscribers = { asyncEnd: (message: unknown) => messages.push({ ...(message as ObservedCall) }) };
    const calls = tracingChannel<unknown, object>('target-node-sdk:call');
    calls.subscribe(subscribers as never);
    edge.edge.setArtifact(flagsArtifact());
    const client = edge.connect({ decisioningMethod: 'on-device' });
    await client.ready();
    await client.getOffers({ request: HERO });
    await client.flush();
    await until(() => messages.some(({ operation }) => operation === 'notify'));
    calls.unsubscribe(subscribers as never);
    const results = messages.filter(({ operation }) => operation === 'notify').map(({ result }) => result);
    expect(results).toEqual([undefined]);
  });

  test('publish events that are made for listeners alone', async () => {
    const seen: unknown[] = [];
    const lost = channel('target-node-sdk:sendNotificationError');
    const note = (message: unknown) => seen.push(message);
    lost.subscribe(note);
    edge.edge.setArtifact(flagsArtifact());
    const client = edge.connect({ decisioningMethod: 'on-device' });
    await client.ready();
    edge.edge.fault({ kind: 'status', status: 400 });
    await client.getOffers({ request: HERO });
    await client.flush();
    lost.unsubscribe(note);
    expect(seen).toMatchObject([{ type: 'sendNotificationError', error: { code: 'ERR_TARGET_RESPONSE' } }]);
  });

  test('are not needed: a runtime may have them in part, or not at all', async () => {
    for (const part of [{ channel }, undefined]) {
      jest.resetModules();
      jest.spyOn(process, 'getBuiltinModule').mockReturnValue(part as never);
      const { TargetClient: Isolated } = await import('../src/index.js');
      jest.restoreAllMocks();
      const client = Isolated.create(edge.edge.config);
      const { response } = await client.getOffers({ request: MBOXES });
      await client.close();
      expect(response.execute?.mboxes?.[0]?.options).toHaveLength(1);
    }
  });

  test('publish the events of clients', async () => {
    const seen: unknown[] = [];
    const events = channel('target-node-sdk:clientReady');
    const note = (message: unknown) => seen.push(message);
    events.subscribe(note);
    edge.connect();
    await until(() => seen.length > 0);
    events.unsubscribe(note);
    expect(seen).toEqual([{ type: 'clientReady' }]);
  });
});
