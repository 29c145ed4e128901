import { brotliDecompressSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import type { DeliverQueuedResult, QueuedDelivery } from '../../src/index.js';
import { bullmqJobOptions, bullmqOutbox, bullmqProcessor } from '../../src/queues/bullmq.js';

interface Added {
  readonly name: string;
  readonly data: { readonly v: number; readonly d?: string; readonly z?: string };
  readonly options: { readonly jobId: string };
}

function queueOf() {
  const added: Added[] = [];
  const queue = {
    add: async (name: string, data: unknown, options?: object) =>
      added.push({ name, data, options } as unknown as Added),
  };
  return {
    added,
    push: (batch: readonly QueuedDelivery[]) =>
      bullmqOutbox(queue).push(batch, { signal: new AbortController().signal }),
  };
}

const batchOf = (length: number, from = 0): QueuedDelivery[] =>
  Array.from({ length }, (_, at) => ({
    id: `id${from + at}`,
    visitor: 'v',
    notifications: 1,
    data: `data ${from + at} é`,
  }));
const textsOf = (batch: readonly QueuedDelivery[]) => batch.map(({ data }) => data);

function jobOf(data: unknown) {
  const job = {
    data,
    updateData: async (next: unknown) => {
      job.data = next;
    },
  };
  return job;
}

/** A client that gets to an end of the given texts, and gives the others back. */
function clientOf(isDone: (text: string) => boolean) {
  const given: (readonly string[])[] = [];
  const deliverQueued = async (data: readonly string[]): Promise<DeliverQueuedResult> => {
    given.push(data);
    return { delivered: data.filter(isDone).length, failed: 0, again: data.filter((text) => !isDone(text)) };
  };
  return { given, client: { deliverQueued } };
}

describe('bullmqOutbox', () => {
  test('makes one job of a batch, and compresses it from ten deliveries on', async () => {
    const { added, push } = queueOf();
    await push(batchOf(9));
    await push(batchOf(10));
    await push([]);
    expect(added).toHaveLength(2);
    const [small, large] = added;
    expect(small?.name).toBe('deliver');
    expect(small?.options).toEqual({
      ...bullmqJobOptions,
      jobId: expect.stringMatching(/^b-id0-\w{16}$/),
      deduplication: { id: small?.options.jobId, ttl: 120_000 },
    });
    expect(JSON.parse(small?.data.d ?? '')).toEqual(textsOf(batchOf(9)));
    expect(JSON.parse(brotliDecompressSync(Buffer.from(large?.data.z ?? '', 'base64')).toString())).toEqual(
      textsOf(batchOf(10)),
    );
  });

  test('gives a repeated batch the same id, and every other batch another', async () => {
    const { added, push } = queueOf();
    const batch = batchOf(3);
    for (const one of [
      batch,
      batch,
      batch.slice(0, 2),
      [...batch.slice(0, 1), ...batchOf(1, 7), ...batch.slice(2)],
    ]) {
      await push(one);
    }
    const ids = added.map(({ options }) => options.jobId);
    expect(ids[0]).toBe(ids[1]);
    expect(new Set(ids).size).toBe(3);
    expect(ids.filter((id) => !/^[\w-]+$/.test(id))).toEqual([]);
  });

  test('rejects when the queue does', async () => {
    const outbox = bullmqOutbox({ add: () => Promise.reject(new Error('OOM')) });
    await expect(outbox.push(batchOf(1), { signal: new AbortController().signal })).rejects.toThrow('OOM');
  });
});

describe('bullmqProcessor', () => {
  test.each([3, 100])('delivers a job of %i deliveries', async (length) => {
    const { added, push } = queueOf();
    await push(batchOf(length));
    const { given, client } = clientOf(() => true);
    expect(await bullmqProcessor(client)(jobOf(added[0]?.data))).toEqual({ delivered: length, failed: 0 });
    expect(given).toEqual([textsOf(batchOf(length))]);
  });

  test('keeps what has to wait, and nothing that was delivered', async () => {
    const { added, push } = queueOf();
    await push(batchOf(50));
    const job = jobOf(added[0]?.data);
    const isDone = (text: string) => !text.startsWith('data 1');
    await expect(bullmqProcessor(clientOf(isDone).client)(job)).rejects.toThrow('11 of 50 deliveries wait');
    const { given, client } = clientOf(() => true);
    expect(await bullmqProcessor(client)(job)).toEqual({ delivered: 11, failed: 0 });
    expect(given[0]?.every((text) => !isDone(text))).toBe(true);
  });

  test('keeps other texts that come back in place of the given ones, also when they are as many', async () => {
    const { added, push } = queueOf();
    await push(batchOf(1));
    const job = jobOf(added[0]?.data);
    const deliverQueued = async () => ({ delivered: 1, failed: 0, again: ['the rest'] });
    await expect(bullmqProcessor({ deliverQueued })(job)).rejects.toThrow('1 of 1 deliveries wait');
    const { given, client } = clientOf(() => true);
    await bullmqProcessor(client)(job);
    expect(given).toEqual([['the rest']]);
  });

  test('counts the notifications that a job holds', async () => {
    const { added, push } = queueOf();
    await push(batchOf(3).map((delivery) => ({ ...delivery, notifications: 4 })));
    expect(added[0]?.data).toMatchObject({ v: 1, n: 12 });
    const job = jobOf(added[0]?.data);
    const deliverQueued = async (data: readonly string[]) => ({
      delivered: 5,
      failed: 1,
      again: data.slice(2),
    });
    await expect(bullmqProcessor({ deliverQueued })(job)).rejects.toThrow('1 of 3');
    expect(job.data).toMatchObject({ v: 1, n: 6 });
  });

  test.each<[string, unknown[]]>([
    ['client', [undefined]],
    ['client', [{}]],
    ['maxAge', [clientOf(() => true).client, { maxAge: 8 * 86_400_000 }]],
    ['timeout', [clientOf(() => true).client, { timeout: 0 }]],
  ])('refuses a wrong %s at once', (path, [client, options]) => {
    expect(() => bullmqProcessor(client as never, options as never)).toThrow(
      expect.objectContaining({ path }),
    );
    expect(bullmqProcessor(clientOf(() => true).client, null as never)).toBeInstanceOf(Function);
  });

  test.each([undefined, null, 'target', {}, { add: 5 }])('refuses %p, which is no queue', (queue) => {
    expect(() => bullmqOutbox(queue as never)).toThrow(/^queue must be a Queue of BullMQ/);
  });

  test('gives a delivery a day, so that all tries of a job can send it', async () => {
    const ages: unknown[] = [];
    const deliverQueued = async (_data: readonly string[], options?: { maxAge?: number | undefined }) => {
      ages.push(options?.maxAge);
      return { delivered: 1, failed: 0, again: [] };
    };
    await bullmqProcessor({ deliverQueued })(jobOf({ v: 1, d: '["x"]' }));
    await bullmqProcessor({ deliverQueued }, { maxAge: 1000 })(jobOf({ v: 1, d: '["x"]' }));
    expect(ages).toEqual([86_400_000, 1000]);
  });

  test('waits as long as the edge asks for, where the job can be put off', async () => {
    const deliverQueued = async (data: readonly string[]) => ({
      delivered: 0,
      failed: 0,
      again: data,
      retryAfterMs: 120_000,
    });
    const delays: [number, string | undefined][] = [];
    const job = {
      ...jobOf({ v: 1, d: '["x"]' }),
      moveToDelayed: async (at: number, token?: string) => void delays.push([at, token]),
    };
    const before = Date.now();
    await expect(bullmqProcessor({ deliverQueued })(job, 'token')).rejects.toMatchObject({
      name: 'DelayedError',
    });
    expect(delays).toEqual([[expect.any(Number), 'token']]);
    expect(delays[0]?.[0]).toBeGreaterThanOrEqual(before + 120_000);
    await expect(bullmqProcessor({ deliverQueued })(jobOf({ v: 1, d: '["x"]' }))).rejects.toMatchObject({
      name: 'Error',
    });
  });

  test('leaves a job of another version to a newer worker', async () => {
    const { given, client } = clientOf(() => true);
    const job = jobOf({ v: 2, x: 'unknown' });
    await expect(bullmqProcessor(client)(job)).rejects.toMatchObject({ name: 'Error' });
    expect(given).toEqual([]);
    expect(job.data).toEqual({ v: 2, x: 'unknown' });
  });

  test.each<[string, unknown]>([
    ['no list', { v: 1, d: '{}' }],
    ['a list of numbers', { v: 1, d: '[1]' }],
    ['no JSON', { v: 1, d: '[' }],
    ['nothing', { v: 1 }],
    ['no brotli', { v: 1, z: 'AAAA' }],
    ['no version', { d: '["x"]' }],
    ['a version that was never', { v: 0, d: '["x"]' }],
    ['no object', 'x'],
  ])('gives a job up at once that nobody can read: %s', async (_, data) => {
    const { given, client } = clientOf(() => true);
    await expect(bullmqProcessor(client)(jobOf(data))).rejects.toMatchObject({ name: 'UnrecoverableError' });
    expect(given).toEqual([]);
  });
});
