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
  ])('gives a job up at once that nobody can read: %s', async (_, data) => {
    const { given, client } = clientOf(() => true);
    await expect(bullmqProcessor(client)(jobOf(data))).rejects.toMatchObject({ name: 'UnrecoverableError' });
    expect(given).toEqual([]);
  });
});
