import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { TargetClient, type TargetClientConfig } from '../src/index.js';
import type { Fault } from '../src/testing/edge.js';
import { answer, configOf, hang, REQUEST, recordingFetch, type Script } from './recording-fetch.js';
import { targetErrorOf, withEdge } from './with-edge.js';

const request = REQUEST;

function start(config: Partial<TargetClientConfig> = {}, ...scripts: Script[]) {
  const { fetchApi, calls } = recordingFetch(...scripts);
  return {
    client: TargetClient.create({ ...configOf(fetchApi), telemetryEnabled: undefined, ...config }),
    calls,
  };
}

afterEach(() => {
  jest.useRealTimers();
});

describe('a client that decides on the edge', () => {
  test('is ready at once, and sends nothing before its first call', async () => {
    const { client, calls } = start();
    await client.ready();
    await client.ready({ timeout: 1 });
    await client.flush();
    await client.refresh();
    expect(calls).toHaveLength(0);
  });

  test('has no timer before its first call', () => {
    // Microtasks are no timers.
    jest.useFakeTimers({ doNotFake: ['queueMicrotask', 'nextTick'] });
    start();
    expect(jest.getTimerCount()).toBe(0);
  });

  test('has no timer behind a call, where there is no telemetry', async () => {
    // Microtasks are no timers.
    jest.useFakeTimers({ doNotFake: ['queueMicrotask', 'nextTick'] });
    const { client } = start({ telemetryEnabled: false });
    await client.getOffers({ request });
    expect(jest.getTimerCount()).toBe(0);
  });
});

describe('close', () => {
  test('can be called again, and by many at once', async () => {
    const { client, calls } = start();
    await client.getOffers({ request });
    const results = await Promise.all([client.close(), client.close()]);
    results.push(await client.close());
    expect(new Set(results).size).toBe(1);
    // The call, and one that carries its telemetry.
    expect(calls).toHaveLength(2);
  });

  test('ends what comes behind it with CLOSED, and sends nothing of it', async () => {
    const { client, calls } = start();
    await client.close();
    const notification = { id: 'n1', type: 'click', timestamp: 1, mbox: { name: 'hero' } } as const;
    for (const call of [
      () => client.getOffers({ request }),
      () => client.getAttributes(['flags']),
      () => client.sendNotifications({ request: { notifications: [notification] } }),
      () => client.refresh(),
    ]) {
      const error = await targetErrorOf(call);
      expect(error).toMatchObject({ code: 'ERR_TARGET_CLOSED', message: 'the client is closed' });
    }
    await client.flush();
    expect(calls).toHaveLength(0);
  });

  test('begins at once', async () => {
    const { client } = start();
    const closed = client.close();
    expect((await targetErrorOf(() => client.getOffers({ request }))).code).toBe('ERR_TARGET_CLOSED');
    await closed;
  });

  test('lets a call end that was under way', async () => {
    const { client } = start();
    const call = client.getOffers({ request });
    await client.close();
    expect((await call).response.status).toBe(200);
  });

  test('takes no longer than its timeout, and does not reject', async () => {
    jest.useFakeTimers();
    const { client } = start({}, answer(), hang);
    await client.getOffers({ request });
    let isClosed = false;
    void client.close({ timeout: 200 }).then(() => {
      isClosed = true;
    });
    await jest.advanceTimersByTimeAsync(199);
    expect(isClosed).toBe(false);
    await jest.advanceTimersByTimeAsync(1);
    expect(isClosed).toBe(true);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('is what the end of an `await using` block does', async () => {
    const { client } = start();
    await client[Symbol.asyncDispose]();
    expect((await targetErrorOf(() => client.getOffers({ request }))).code).toBe('ERR_TARGET_CLOSED');
  });

  test('of one client leaves another alone', async () => {
    const one = start();
    const other = start();
    await one.client.close();
    expect((await other.client.getOffers({ request })).response.status).toBe(200);
  });
});

describe('a process ends by itself, without close() and without a word', () => {
  const bench = withEdge();
  const script = join(__dirname, 'fixtures', 'exits-by-itself.ts');
  const run = promisify(execFile);

  test.each<[string, Fault[]]>([
    ['unused', []],
    ['used', []],
    ['used through the global fetch', []],
    ['used with a signal', []],
    ['left alone with its calls', []],
    ['aborted', [{ kind: 'hang' }]],
    ['cut off by its deadline', [{ kind: 'drip', intervalMs: 50 }]],
    ['cut off, whatever its fetch does', []],
    [
      'refused',
      [
        { kind: 'status', status: 400 },
        { kind: 'body', body: 'null' },
        { kind: 'gzip', variant: 'invalid' },
        { kind: 'gzip', variant: 'bomb' },
        { kind: 'huge' },
      ],
    ],
  ])('when its client was %s', async (use, faults) => {
    for (const fault of faults) {
      bench.edge.fault(fault, { times: faults.length > 1 ? 2 : 1000 });
    }
    const args = ['--import', 'tsx', script, bench.edge.host, use];
    const { stdout, stderr } = await run(process.execPath, args);
    expect(stderr).toBe('');
    expect(stdout).toBe('used\n');
  });
});
