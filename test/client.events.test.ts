import { describe, expect, jest, test } from '@jest/globals';
import { TargetClient, type TargetClientConfig, type TargetEventListener } from '../src/index.js';
import { configOf, REQUEST, recordingFetch } from './recording-fetch.js';
import { listeningLogger, targetErrorOf } from './with-edge.js';

type Listener = TargetEventListener<'clientReady'>;

const create = (config: Partial<TargetClientConfig> = {}) =>
  TargetClient.create({ ...configOf(recordingFetch().fetchApi), ...config });

/** Lets everything happen that needs no time. */
const turn = () => new Promise(setImmediate);

describe('clientReady', () => {
  test('is raised once, after create has returned', async () => {
    const listener = jest.fn<Listener>();
    const client = create({ events: { clientReady: listener } });
    expect(listener).not.toHaveBeenCalled();
    await turn();
    await client.getOffers({ request: REQUEST });
    await client.ready();
    await client.close();
    expect(listener.mock.calls).toEqual([[{ type: 'clientReady' }]]);
  });

  test('reaches listeners that are added behind create, in their order and behind those of the config', async () => {
    const heard: string[] = [];
    const client = create({ events: { clientReady: () => heard.push('config') } });
    client.on('clientReady', () => heard.push('first')).on('clientReady', () => heard.push('second'));
    await turn();
    expect(heard).toEqual(['config', 'first', 'second']);
  });

  test('is raised for each client by itself', async () => {
    const one = jest.fn<Listener>();
    const other = jest.fn<Listener>();
    create({ events: { clientReady: one } });
    create().on('clientReady', other);
    await turn();
    expect([one, other].map(({ mock }) => mock.calls.length)).toEqual([1, 1]);
  });
});

describe('off', () => {
  test('takes a listener away, and no other', async () => {
    const [gone, kept] = [jest.fn<Listener>(), jest.fn<Listener>()];
    const client = create({ events: { clientReady: gone } });
    client.on('clientReady', kept);
    expect(client.off('clientReady', gone)).toBe(client);
    await turn();
    expect(gone).not.toHaveBeenCalled();
    expect(kept).toHaveBeenCalledTimes(1);
  });

  test('of a stranger changes nothing', async () => {
    const kept = jest.fn<Listener>();
    const client = create({ events: { clientReady: kept } });
    client.off('clientReady', () => undefined).off('artifactDownloadFailed', kept as never);
    await turn();
    expect(kept).toHaveBeenCalledTimes(1);
  });

  test('within a listener does not keep the others from hearing', async () => {
    const second = jest.fn<Listener>();
    const client = create();
    const first = jest.fn<Listener>(() => void client.off('clientReady', first).off('clientReady', second));
    client.on('clientReady', first).on('clientReady', second);
    await turn();
    expect(second).toHaveBeenCalledTimes(1);
  });
});

test('a listener that is added twice hears once', async () => {
  const listener = jest.fn<Listener>();
  create({ events: { clientReady: listener } }).on('clientReady', listener);
  await turn();
  expect(listener).toHaveBeenCalledTimes(1);
});

describe('a listener', () => {
  const failures: [string, Listener][] = [
    ['throws', () => boom()],
    ['throws a word', () => boom('a secret')],
    ['rejects', async () => boom()],
    ['answers with a thenable that rejects', () => thenable((reject) => reject(new Error('boom')))],
    ['answers with a thenable that throws', () => thenable(boom)],
    ['never settles', () => new Promise(() => undefined)],
  ];

  test.each(failures)('that %s harms nothing', async (_, listener) => {
    const next = jest.fn<Listener>();
    const client = create({ events: { clientReady: listener } });
    client.on('clientReady', next);
    await turn();
    expect(next).toHaveBeenCalledTimes(1);
    const { response } = await client.getOffers({ request: REQUEST });
    expect(response.status).toBe(200);
  });

  test.each(failures.slice(0, -1))('that %s is logged, without what it said', async (_, listener) => {
    const { lines, logger } = listeningLogger();
    create({ events: { clientReady: listener }, logger });
    await turn();
    expect(lines.error).toEqual(['AT: the clientReady listener failed: Error']);
  });

  test('that is no function is an invalid config', async () => {
    const events = { clientReady: 'yes' } as never;
    const error = await targetErrorOf(() => create({ events }));
    expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_CONFIG', path: 'events.clientReady' });
  });

  test.each([undefined, null, 5])('that is added and is no function is one too: %p', async (listener) => {
    const client = create();
    expect(await targetErrorOf(() => client.on('clientReady', listener as never))).toMatchObject({
      code: 'ERR_TARGET_INVALID_CONFIG',
      path: 'events.clientReady',
    });
  });

  test('that is added for an event that there is not is warned of', () => {
    const { lines, logger } = listeningLogger();
    create({ logger }).on('clientready' as never, () => undefined);
    expect(lines.warn).toEqual([
      'AT: events: unknown option "clientready" is ignored: did you mean "clientReady"?',
    ]);
  });

  test('that is removed from an event that there is not is warned of', () => {
    const { lines, logger } = listeningLogger();
    const client = create({ logger });
    for (let time = 0; time < 3; time += 1) {
      expect(client.off('clientRedy' as never, () => undefined)).toBe(client);
    }
    client.off('clientReady', () => undefined);
    expect(lines.warn).toEqual([
      'AT: events: unknown option "clientRedy" is ignored: did you mean "clientReady"?',
    ]);
  });

  test('of an event that there is not is warned of', () => {
    const { lines, logger } = listeningLogger();
    const events = { clientready: () => undefined } as never;
    create({ events, logger });
    expect(lines.warn).toEqual([
      'AT: events: unknown option "clientready" is ignored: did you mean "clientReady"?',
    ]);
  });

  test('of the config stays when the config changes', async () => {
    const events: { clientReady?: Listener } = { clientReady: jest.fn<Listener>() };
    const { clientReady } = events;
    create({ events });
    delete events.clientReady;
    await turn();
    expect(clientReady).toHaveBeenCalledTimes(1);
  });
});

function boom(thrown: unknown = new Error('boom')): never {
  throw thrown;
}

/** Something that `await` takes for a promise. */
function thenable(settle: (reject: (reason: unknown) => void) => void): unknown {
  const then = (_: unknown, reject: (reason: unknown) => void) => settle(reject);
  return Object.defineProperty({}, 'then', { value: then });
}
