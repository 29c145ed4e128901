import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import fs, { mkdir, mkdtemp, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { TargetClient } from '../src/index.js';
import { flagsArtifact } from './fixtures/flags.js';
import { fakeTimers, next, pass, releaseOf, settle, withScripts } from './scripted-cdn.js';
import { targetErrorOf } from './with-edge.js';

const start = withScripts();
const MINUTE = 60_000;
const textOf = (release: string) => JSON.stringify(flagsArtifact({ release }));

describe('an artifact file', () => {
  const TIMED_OUT = { code: 'ERR_TARGET_TIMEOUT', message: 'the artifact file was not read within 30000 ms' };
  let folder: string;
  let file: string;
  let artifactLocation: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'artifact-'));
  });
  beforeEach(() => {
    file = join(folder, `rules ${Math.random()}.json`);
    artifactLocation = pathToFileURL(file).href;
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** A client that holds what is in the file. */
  async function connect(): Promise<TargetClient> {
    await writeFile(file, textOf('first'));
    const { client } = start({ artifactLocation });
    await client.ready();
    return client;
  }

  /** Puts something in the place of the file. */
  async function swap(make: (path: string) => unknown): Promise<void> {
    await make(`${file}.next`);
    await rename(`${file}.next`, file);
  }

  const fifo = (path: string) => execFileSync('mkfifo', [path]);
  const NO_FILE = { code: 'ERR_TARGET_ARTIFACT', message: 'the artifact file is no regular file' };

  /** Swaps the file for something behind a look at it, and before it is read. */
  function swapBehindLook(change: () => Promise<unknown>): void {
    const { stat, open } = fs;
    const once = async () => {
      jest.restoreAllMocks();
      await change();
    };
    jest.spyOn(fs, 'stat').mockImplementation(async (path) => {
      const stats = await stat(path);
      await once();
      return stats;
    });
    jest.spyOn(fs, 'open').mockImplementation(async (path, flags) => {
      const handle = await open(path, flags);
      const look = handle.stat.bind(handle);
      handle.stat = (async () => {
        const stats = await look();
        await once();
        return stats;
      }) as typeof handle.stat;
      return handle;
    });
  }

  test.each<[string, (path: string) => unknown]>([
    ['a pipe', fifo],
    [
      'a link to a pipe',
      async (path) => {
        fifo(`${path}.pipe`);
        await symlink(`${path}.pipe`, path);
      },
    ],
    ['a device without an end', (path) => symlink('/dev/zero', path)],
  ])('that becomes %s is refused at once, and read when it is a file again', async (_, make) => {
    const client = await connect();
    await swap(make);
    expect(await targetErrorOf(() => client.refresh())).toMatchObject(NO_FILE);
    expect(await releaseOf(client)).toBe('first');
    await swap((path) => writeFile(path, textOf('second')));
    await client.refresh();
    expect(await releaseOf(client)).toBe('second');
  });

  test('that becomes a pipe behind a look at it holds nobody up', async () => {
    const client = await connect();
    swapBehindLook(() => swap(fifo));
    await client.refresh().catch(() => undefined);
    expect(await targetErrorOf(() => client.refresh())).toMatchObject(NO_FILE);
  });

  test('that becomes a folder, a socket, or vanishes, is told', async () => {
    const client = await connect();
    await rm(file);
    expect(await targetErrorOf(() => client.refresh())).toMatchObject({
      message: 'the artifact file could not be read: ENOENT',
    });
    await mkdir(file);
    expect(await targetErrorOf(() => client.refresh())).toMatchObject(NO_FILE);
    await rm(file, { recursive: true });
    // Paths of sockets are short.
    const short = join(folder, 's');
    const server = createServer().listen(short);
    await new Promise((resolve) => server.once('listening', resolve));
    await symlink(short, file);
    expect(await targetErrorOf(() => client.refresh())).toMatchObject({
      code: 'ERR_TARGET_ARTIFACT',
      message: expect.stringMatching(/^the artifact file (could not be read: \w+|is no regular file)$/),
    });
    server.close();
    expect(await releaseOf(client)).toBe('first');
  });

  test('that grows while it is read is read to 32 MiB and no further', async () => {
    const client = await connect();
    swapBehindLook(() => truncate(file, 1024 ** 3));
    const before = process.memoryUsage().arrayBuffers;
    const error = await targetErrorOf(() => client.refresh());
    expect(error).toMatchObject({
      code: 'ERR_TARGET_ARTIFACT',
      message: 'the artifact file has more than 33554432 bytes',
    });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(40 * 1024 ** 2);
    expect(await releaseOf(client)).toBe('first');
  });

  test('that shrinks, or is replaced, while it is read is taken as a whole or not at all', async () => {
    const client = await connect();
    swapBehindLook(() => truncate(file, 100));
    expect(await targetErrorOf(() => client.refresh())).toMatchObject({
      message: 'the artifact is not JSON',
    });
    await writeFile(file, textOf('second'));
    swapBehindLook(() => swap((path) => writeFile(path, textOf('third'))));
    await client.refresh();
    expect(['second', 'third']).toContain(await releaseOf(client));
    await client.refresh();
    expect(await releaseOf(client)).toBe('third');
  });

  test('may have as much as 32 MiB', async () => {
    const client = await connect();
    const text = textOf('large');
    await writeFile(file, text + ' '.repeat(32 * 1024 ** 2 - text.length));
    await client.refresh();
    expect(await releaseOf(client)).toBe('large');
    await truncate(file, 32 * 1024 ** 2 + 1);
    expect(await targetErrorOf(() => client.refresh())).toMatchObject({ code: 'ERR_TARGET_ARTIFACT' });
  });

  const onLinux = process.platform === 'linux' ? test : test.skip;

  onLinux('that says it is empty is read all the same', async () => {
    const { client } = start({ artifactLocation: 'file:///proc/self/limits' });
    const { error } = await next(client, 'artifactDownloadFailed');
    expect(error).toMatchObject({
      message: 'the artifact is not JSON',
      body: expect.stringContaining('Limit'),
    });
  });

  onLinux('leaves no descriptor open, whatever came of it', async () => {
    const client = await connect();
    const count = () => readdirSync('/proc/self/fd').length;
    await client.refresh();
    const before = count();
    await swap(fifo);
    for (let turn = 0; turn < 20; turn += 1) {
      await targetErrorOf(() => client.refresh());
    }
    await swap((path) => writeFile(path, 'x'.repeat(33 * 1024 ** 2)));
    for (let turn = 0; turn < 3; turn += 1) {
      await targetErrorOf(() => client.refresh());
    }
    await swap((path) => writeFile(path, textOf('second')));
    const running = targetErrorOf(() => client.refresh());
    await client.close();
    await running;
    while (count() > before) {
      await settle();
    }
    expect(count()).toBeLessThanOrEqual(before);
  });

  test('is read by one at a time', async () => {
    const client = await connect();
    const open = jest.spyOn(fs, 'open');
    await Promise.all([client.refresh(), client.refresh()]);
    expect(open).toHaveBeenCalledTimes(1);
  });

  describe('on a file system that hangs', () => {
    test('is given up after 30 s, and not opened again before it answers', async () => {
      await writeFile(file, textOf('first'));
      fakeTimers();
      const { open } = fs;
      let goOn: () => void = () => undefined;
      const opened = jest.spyOn(fs, 'open').mockImplementation(async (path, flags) => {
        await new Promise<void>((resolve) => {
          goOn = resolve;
        });
        return open(path, flags);
      });
      const { client, heard } = start({ artifactLocation });
      await pass(29_999);
      expect(heard.artifactDownloadFailed).toHaveLength(0);
      await pass(1);
      expect(heard.artifactDownloadFailed.map(({ error }) => error)).toMatchObject([TIMED_OUT]);
      await pass(5 * MINUTE);
      expect(heard.artifactDownloadFailed.length).toBeGreaterThan(3);
      expect(opened).toHaveBeenCalledTimes(1);
      opened.mockRestore();
      goOn();
      const ready = client.ready();
      while (heard.artifactDownloadSucceeded.length === 0) {
        await pass(1000);
      }
      await ready;
      expect(await releaseOf(client)).toBe('first');
    });

    test('does not hold up close', async () => {
      const client = await connect();
      jest.spyOn(fs, 'open').mockImplementation(() => new Promise(() => undefined));
      const refreshed = targetErrorOf(() => client.refresh());
      await client.close();
      expect(await refreshed).toMatchObject({ code: 'ERR_TARGET_CLOSED' });
    });
  });
});
