import { describe, expect, jest, test } from '@jest/globals';
import type { CallOptions, TargetClient, TargetClientConfig, WaitUntil } from '../src/index.js';
import { flagsArtifact, HERO } from './fixtures/flags.js';
import { answer, configOf, hang, recordingFetch, status } from './recording-fetch.js';
import {
  confirm,
  fakeTimers,
  held,
  pass,
  type Scripts,
  served,
  settle,
  withScripts,
} from './scripted-cdn.js';
import { listeningLogger, targetErrorOf } from './with-edge.js';

const startWith = withScripts();

/** A `waitUntil` that keeps what it is given, and what of it has ended. */
function platform() {
  const works: Promise<unknown>[] = [];
  const state = { ended: 0 };
  const waitUntil = jest.fn<WaitUntil>((work) => {
    works.push(work);
    work.then(
      () => {
        state.ended += 1;
      },
      () => {
        state.ended = Number.NaN;
      },
    );
  });
  return { waitUntil, works, state };
}

function start(config: Partial<TargetClientConfig>, scripts?: Scripts) {
  return startWith({ artifactPayload: flagsArtifact(), pollingInterval: 0, ...config }, scripts);
}

/** Shows the hero, which makes one display notification. */
const show = (client: TargetClient, options: CallOptions = {}) =>
  client.getOffers({ request: HERO, ...options });

describe('display notifications', () => {
  test('are given to waitUntil while the decision is made, and the promise ends when they are sent', async () => {
    const { waitUntil, state } = platform();
    const edge = held(confirm);
    const { client, deliveries } = start({ waitUntil }, { deliveries: [edge.script] });
    await client.ready();
    const shown = show(client);
    expect(waitUntil).toHaveBeenCalledTimes(1);
    expect(waitUntil.mock.calls[0]).toEqual([expect.any(Promise)]);
    await shown;
    await settle();
    expect(deliveries).toHaveLength(1);
    expect(state.ended).toBe(0);
    edge.release();
    await settle();
    expect(state.ended).toBe(1);
    expect(client.stats().notifications).toMatchObject({ delivered: 1, queued: 0 });
  });

  test('once in a turn of the event loop, for all that the turn queued', async () => {
    const { waitUntil, state } = platform();
    const edge = held(confirm);
    const { client, deliveries } = start({ waitUntil }, { deliveries: [confirm, edge.script] });
    await Promise.all(
      ['a', 'b', 'c'].map((tntId) => client.getOffers({ request: { ...HERO, id: { tntId } } })),
    );
    expect(waitUntil).toHaveBeenCalledTimes(1);
    await settle();
    // The first call of a host goes alone, so the two others are on their way now.
    expect(deliveries).toHaveLength(3);
    expect(state.ended).toBe(0);
    edge.release();
    await settle();
    expect(state.ended).toBe(1);
    await show(client);
    expect(waitUntil).toHaveBeenCalledTimes(2);
  });

  test('and not for a later turn’s', async () => {
    const { waitUntil, works } = platform();
    const edge = held(confirm);
    const { client } = start({ waitUntil }, { deliveries: [confirm, edge.script] });
    await show(client);
    await works[0];
    await show(client);
    await settle();
    expect(works).toHaveLength(2);
    expect(client.stats().notifications).toMatchObject({ delivered: 1, queued: 1 });
    edge.release();
    await works[1];
    expect(client.stats().notifications).toMatchObject({ delivered: 2, queued: 0 });
  });

  test('for the client’s timeout at the longest', async () => {
    const { waitUntil, state } = platform();
    const { client } = start({ waitUntil, timeout: 5000 }, { deliveries: [hang] });
    fakeTimers();
    await show(client, { timeout: 100 });
    await settle();
    await pass(4999);
    expect(state.ended).toBe(0);
    await pass(1);
    expect(state.ended).toBe(1);
  });

  test('also when they fail', async () => {
    const { waitUntil, works } = platform();
    const { client, heard } = start({ waitUntil }, { deliveries: [status(400)] });
    await show(client);
    await expect(works[0]).resolves.toBeUndefined();
    expect(heard.sendNotificationError).toHaveLength(1);
  });

  test('and ends when the client is closed', async () => {
    const { waitUntil, works } = platform();
    const { client } = start({ waitUntil }, { deliveries: [hang] });
    await show(client);
    await client.close({ timeout: 1 });
    await expect(works[0]).resolves.toBeUndefined();
  });

  test('so for the caller’s own notifications in an on-device call', async () => {
    const { waitUntil, works } = platform();
    const { client, deliveries } = start({ waitUntil });
    await client.getOffers({
      request: {
        prefetch: HERO.execute,
        notifications: [{ id: '1', type: 'click', timestamp: 1, mbox: { name: 'hero' }, tokens: ['t'] }],
      },
    });
    await Promise.all(works);
    expect(works).toHaveLength(1);
    expect(deliveries.map(({ request }) => request.notifications?.length)).toEqual([1]);
  });

  test('is not called when nothing is queued', async () => {
    const { waitUntil } = platform();
    const { client } = start({ waitUntil, notifications: { maxQueued: 1 } });
    await client.getOffers({ request: { prefetch: HERO.execute } });
    await client.getOffers({ request: { execute: { mboxes: [{ name: 'members' }] } } });
    await client.getAttributes(['flags'], { decisioningMethod: 'server-side' });
    await client.identify();
    await settle();
    expect(waitUntil).not.toHaveBeenCalled();
  });

  test('is not called for what the full queue drops', async () => {
    const { waitUntil } = platform();
    const { client } = start({ waitUntil, notifications: { maxQueued: 1 } }, { deliveries: [hang] });
    await show(client);
    await settle();
    await show(client);
    expect(client.stats().notifications).toMatchObject({ dropped: 1, queued: 1 });
    expect(waitUntil).toHaveBeenCalledTimes(1);
  });
});

describe('the waitUntil of a call', () => {
  test('wins over the client’s', async () => {
    const ofClient = platform();
    const ofCall = platform();
    const { client } = start({ waitUntil: ofClient.waitUntil });
    await show(client, { waitUntil: ofCall.waitUntil });
    await Promise.all(ofCall.works);
    expect(ofCall.waitUntil).toHaveBeenCalledTimes(1);
    expect(ofClient.waitUntil).not.toHaveBeenCalled();
    expect(client.stats().notifications.delivered).toBe(1);
  });

  test('is given the work of its own request, also when another request queued in the same turn', async () => {
    const [first, second, ofClient] = [platform(), platform(), platform()];
    const { client } = start({ waitUntil: ofClient.waitUntil });
    await Promise.all([
      show(client, { waitUntil: first.waitUntil }),
      show(client, { waitUntil: first.waitUntil }),
      client.getAttributes(['flags'], { waitUntil: second.waitUntil }),
      show(client),
    ]);
    await Promise.all([...first.works, ...second.works, ...ofClient.works]);
    for (const { waitUntil, state } of [first, second, ofClient]) {
      expect(waitUntil).toHaveBeenCalledTimes(1);
      expect(state.ended).toBe(1);
    }
  });

  test('counts as absent when it is null', async () => {
    const ofClient = platform();
    const { client } = start({ waitUntil: ofClient.waitUntil });
    await show(client, { waitUntil: null as never });
    expect(ofClient.waitUntil).toHaveBeenCalledTimes(1);
  });

  test.each([5, 'text', true, {}, []])('has to be a function: %p', async (wrong) => {
    const { client, deliveries } = start({});
    for (const call of [
      () => show(client, { waitUntil: wrong as never }),
      () => client.getAttributes(['flags'], { waitUntil: wrong as never }),
      () => client.identify({ waitUntil: wrong as never }),
    ]) {
      const error = await targetErrorOf(call);
      expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_REQUEST', path: 'waitUntil' });
      expect(error.message).toMatch(/^waitUntil must be a function, not /);
    }
    await show(client);
    await client.flush();
    expect(deliveries).toHaveLength(1);
  });
});

describe('a waitUntil that fails', () => {
  const FAILURES: [string, WaitUntil][] = [
    [
      'by throwing',
      () => {
        throw new RangeError('a secret');
      },
    ],
    ['by rejecting', (() => Promise.reject(new RangeError('a secret'))) as WaitUntil],
  ];

  test.each(FAILURES)('is logged once and harms nothing: %s', async (_, waitUntil) => {
    const { lines, logger } = listeningLogger();
    const { client, deliveries } = start({ waitUntil, logger });
    for (let turn = 0; turn < 3; turn += 1) {
      const { response } = await show(client);
      expect(response.execute?.mboxes?.[0]?.options).toHaveLength(1);
      await settle();
    }
    await client.flush();
    expect(deliveries).toHaveLength(3);
    expect(lines.warn).toEqual(['AT: waitUntil failed: RangeError']);
    expect(lines.error).toEqual([]);
  });

  test('is harmless when it ignores its promise', async () => {
    const { client } = start({ waitUntil: () => undefined }, { deliveries: [status(400)] });
    await show(client);
    await client.flush();
    expect(client.stats().notifications.failed).toBe(1);
  });

  test('may ask the client itself', async () => {
    let client: TargetClient | undefined;
    const asked: unknown[] = [];
    const waitUntil = jest.fn<WaitUntil>(() => {
      if (client) {
        asked.push(show(client));
      }
    });
    ({ client } = start({ waitUntil }));
    await show(client);
    await Promise.all(asked);
    await client.flush();
    expect(client.stats().notifications.delivered).toBe(2);
    expect(waitUntil).toHaveBeenCalledTimes(1);
  });
});

describe('other work in the background', () => {
  test('is the first download, and each poll', async () => {
    const { waitUntil, works, state } = platform();
    const cdn = held(served());
    const config = {
      artifactLocation: 'https://cdn.example/rules.json',
      artifactPayload: undefined,
      pollingInterval: 60_000,
      waitUntil,
    };
    fakeTimers();
    const { client, downloads } = start(config, { downloads: [cdn.script] });
    await settle();
    expect(waitUntil).toHaveBeenCalledTimes(1);
    expect(state.ended).toBe(0);
    cdn.release();
    await client.ready();
    await works[0];
    await pass(66_001);
    expect(downloads).toHaveLength(2);
    expect(waitUntil).toHaveBeenCalledTimes(2);
    cdn.release();
    await works[1];
  });

  test('is a download that fails', async () => {
    const { waitUntil, works } = platform();
    start({ artifactPayload: undefined, waitUntil }, { downloads: [status(404)] });
    await settle();
    await expect(works[0]).resolves.toBeUndefined();
  });

  test('includes keeping the artifact in the store', async () => {
    const { waitUntil, works, state } = platform();
    const stored = held(() => undefined);
    const artifactStore = {
      get: async () => undefined,
      set: async () => stored.script({} as never),
    };
    const { client } = start({ artifactPayload: undefined, artifactStore, waitUntil });
    await client.ready();
    await settle();
    expect(state.ended).toBe(works.length - 1);
    stored.release();
    await Promise.all(works);
  });

  test('includes reading the store, and what a refresh leaves to be written', async () => {
    const { waitUntil, works } = platform();
    const [read, written] = [held(() => undefined), held(() => undefined)];
    const artifactStore = {
      get: async () => read.script({} as never),
      set: async () => written.script({} as never),
    };
    const { client } = start(
      { artifactPayload: undefined, artifactStore, waitUntil },
      { downloads: [served()] },
    );
    await client.ready();
    await settle();
    const before = works.length;
    read.release();
    written.release();
    await Promise.all(works);
    expect(before).toBe(2);
    await client.refresh();
    expect(works).toHaveLength(3);
    written.release();
    await works[2];
  });

  test('is not what a caller waits for', async () => {
    const { waitUntil } = platform();
    const { client, downloads } = start({ waitUntil });
    await client.refresh();
    expect(downloads).toHaveLength(1);
    await client.getOffers({ request: HERO, decisioningMethod: 'server-side' });
    await client.flush();
    await client.close();
    expect(waitUntil).not.toHaveBeenCalled();
  });

  test('is the call that learns the location hint', async () => {
    const { waitUntil, works, state } = platform();
    const edge = held(answer());
    const { deliveries } = start({ targetLocationHint: undefined, waitUntil }, { deliveries: [edge.script] });
    await settle();
    expect(deliveries).toHaveLength(1);
    expect(waitUntil).toHaveBeenCalledTimes(1);
    expect(state.ended).toBe(0);
    edge.release();
    await works[0];
  });

  test('is the call that carries telemetry alone', async () => {
    const { waitUntil, works } = platform();
    fakeTimers();
    const { client, deliveries } = start({ telemetryEnabled: true, waitUntil });
    await client.getOffers({ request: { prefetch: HERO.execute } });
    expect(waitUntil).not.toHaveBeenCalled();
    await pass(60_000);
    await works[0];
    expect(deliveries.map(({ request }) => request.telemetry?.entries?.length)).toEqual([1]);
    expect(waitUntil).toHaveBeenCalledTimes(1);
  });
});

test('a server-side client takes it, and gives it nothing', async () => {
  const { waitUntil } = platform();
  const { fetchApi } = recordingFetch();
  const { client } = startWith({ ...configOf(fetchApi), decisioningMethod: 'server-side', waitUntil });
  await client.getOffers({ request: HERO, waitUntil });
  await client.close();
  expect(waitUntil).not.toHaveBeenCalled();
});
