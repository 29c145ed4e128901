import { fork } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { SharedArtifactStore } from '../../src/index.js';
import { fileArtifactStore } from '../../src/stores/file.js';
import { memoryStore } from '../fixtures/memory-store.js';
import { offered, STORE_RULES } from './contract.js';

const KEY = 'https://assets.example.com/rules.json?secret=1';
const { signal } = new AbortController();
let directory = '';

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'target-store-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** The file with an ending. */
function fileOf(ending: string): string {
  const name = readdirSync(directory).find((one) => one.endsWith(ending));
  return join(directory, name ?? 'none');
}

describe.each<[string, () => SharedArtifactStore]>([
  ['in memory', () => memoryStore()],
  ['of files', () => fileArtifactStore({ directory: join(directory, 'made'), activationDelay: 5000 })],
])('a store %s', (_, make) => {
  test.each(STORE_RULES)('$name', ({ check }) => check(make(), KEY));
});

describe('a store of files', () => {
  test('is one for two instances of it', async () => {
    const [one, other] = [fileArtifactStore({ directory }), fileArtifactStore({ directory })];
    await one.offer(KEY, offered('1'), { signal });
    expect(await other.peek(KEY, { signal })).toMatchObject({ id: offered('1').id });
    await other.offer(KEY, offered('2'), { signal });
    expect(await one.peek(KEY, { signal })).toMatchObject({ id: offered('2').id });
  });

  test.each<[string, (path: string) => void]>([
    ['cut off', (path) => writeFileSync(path, readFileSync(path, 'utf8').slice(0, -1))],
    ['of zeros', (path) => writeFileSync(path, Buffer.alloc(4000))],
    ['empty', (path) => writeFileSync(path, '')],
    ['changed', (path) => writeFileSync(path, readFileSync(path, 'utf8').replace(/text$/, 'evil'))],
    [
      'of another key',
      (path) => writeFileSync(path, readFileSync(path, 'utf8').replace('example', 'another')),
    ],
    [
      'without a digest',
      (path) => writeFileSync(path, readFileSync(path, 'utf8').replace('"sha256"', '"sha"')),
    ],
  ])('says that its file is damaged when it is %s, and takes another one', async (_, damage) => {
    const store = fileArtifactStore({ directory });
    await store.offer(KEY, offered('the text'), { signal });
    damage(fileOf('.json'));
    await expect(store.read(KEY, { signal })).rejects.toMatchObject({ code: 'ERR_TARGET_ARTIFACT' });
    const again = await store.offer(KEY, offered('the text', { isForced: true }), { signal });
    expect(again.verdict).toBe('taken');
    expect(await store.read(KEY, { signal })).toMatchObject({ text: 'the text' });
  });

  test('makes its folder again after somebody has deleted it', async () => {
    const store = fileArtifactStore({ directory: join(directory, 'made') });
    await store.offer(KEY, offered('1'), { signal });
    rmSync(join(directory, 'made'), { recursive: true });
    expect(await store.peek(KEY, { signal })).toBeUndefined();
    expect(await store.claim(KEY, 60_000, { signal })).toBe(true);
    rmSync(join(directory, 'made'), { recursive: true });
    expect((await store.offer(KEY, offered('2'), { signal })).verdict).toBe('taken');
    expect((await store.read(KEY, { signal }))?.text).toBe('2');
  });

  test('takes over the lock of a process that died', async () => {
    const store = fileArtifactStore({ directory });
    await store.offer(KEY, offered('1'), { signal });
    const lock = fileOf('.json').replace('.json', '.lock');
    writeFileSync(lock, '');
    utimesSync(lock, 1, 1);
    await store.offer(KEY, offered('2'), { signal });
    expect(await store.peek(KEY, { signal })).toMatchObject({ id: offered('2').id });
    expect(readdirSync(directory)).toEqual([expect.stringMatching(/\.json$/)]);
  });

  test('gives up a lock that another process keeps, when the signal is aborted', async () => {
    const store = fileArtifactStore({ directory });
    await store.offer(KEY, offered('1'), { signal });
    writeFileSync(fileOf('.json').replace('.json', '.lock'), '');
    const abort = new AbortController();
    const offering = store.offer(KEY, offered('2'), { signal: abort.signal });
    abort.abort(new Error('too long'));
    await expect(offering).rejects.toThrow('too long');
    expect(await store.peek(KEY, { signal })).toMatchObject({ id: offered('1').id });
  });

  test('is read and written by its owner alone, and its temporary files do not stay', async () => {
    const left = join(directory, `0123456789abcdef.${process.pid}.x.tmp`);
    const other = join(directory, 'mine.tmp');
    for (const path of [left, other]) {
      writeFileSync(path, '');
      utimesSync(path, 1, 1);
    }
    const store = fileArtifactStore({ directory });
    await store.offer(KEY, offered('1'), { signal });
    expect(readdirSync(directory).sort()).toEqual([
      expect.stringMatching(/^[0-9a-f]{16}\.json$/),
      'mine.tmp',
    ]);
  });

  test('stays in its folder when the process goes to another one', async () => {
    const before = process.cwd();
    process.chdir(directory);
    try {
      const store = fileArtifactStore({ directory: join('deep', 'er') });
      await store.offer(KEY, offered('1'), { signal });
      process.chdir(before);
      expect((await store.read(KEY, { signal }))?.text).toBe('1');
      expect(readdirSync(join(directory, 'deep'))).toEqual(['er']);
    } finally {
      process.chdir(before);
    }
  });

  test('is one for processes that make its folder at one time', async () => {
    const folder = join(directory, 'a', 'b', 'c');
    const stores = Array.from({ length: 10 }, () => fileArtifactStore({ directory: folder }));
    const claims = await Promise.all(stores.map((store) => store.claim(KEY, 60_000, { signal })));
    expect(claims.filter(Boolean)).toHaveLength(1);
  });

  test.each(process.platform === 'linux' ? ['/proc/1/x', '/proc/1/x/y/z'] : [])(
    'rejects at once where %s cannot be made',
    async (impossible) => {
      const store = fileArtifactStore({ directory: impossible });
      await expect(store.offer(KEY, offered('1'), { signal })).rejects.toMatchObject({ code: 'ENOENT' });
      await expect(store.claim(KEY, 1000, { signal })).rejects.toMatchObject({ code: 'ENOENT' });
      expect(await store.peek(KEY, { signal })).toBeUndefined();
    },
  );

  test('rejects where a link leads nowhere', async () => {
    symlinkSync(join(directory, 'nowhere', 'at', 'all'), join(directory, 'link'));
    const store = fileArtifactStore({ directory: join(directory, 'link', 'folder') });
    await expect(store.claim(KEY, 1000, { signal })).rejects.toMatchObject({ code: expect.any(String) });
  });

  test('rejects where there can be no folder, and does nothing worse', async () => {
    const file = join(directory, 'file');
    writeFileSync(file, '');
    const store = fileArtifactStore({ directory: join(file, 'folder') });
    await expect(store.offer(KEY, offered('1'), { signal })).rejects.toThrow();
    await expect(store.claim(KEY, 1000, { signal })).rejects.toThrow();
  });

  test('is never left damaged by writers that are killed', async () => {
    const program = join(__dirname, 'writer.mts');
    const execArgv = ['--import', pathToFileURL(require.resolve('tsx')).href];
    const folder = join(directory, 'store');
    const store = fileArtifactStore({ directory: folder });
    for (let round = 0; round < 4; round += 1) {
      const writer = fork(program, [folder, KEY], { execArgv });
      const ended = once(writer, 'exit').then(() => Promise.reject(new Error('it ended by itself')));
      ended.catch(() => undefined);
      await Promise.race([once(writer, 'message'), ended]);
      await Promise.race([once(writer, 'message'), ended]);
      writer.kill('SIGKILL');
      await once(writer, 'exit');
      const read = await store.read(KEY, { signal });
      expect(read?.text.length).toBeGreaterThan(300_000);
      for (const name of readdirSync(folder).filter((one) => one.endsWith('.lock'))) {
        utimesSync(join(folder, name), 1, 1);
      }
    }
    expect((await store.offer(KEY, offered('after', { isForced: true }), { signal })).verdict).toBe('taken');
  });

  test.each<[string, object, string]>([
    ['no folder', {}, 'directory'],
    ['a folder that is no text', { directory: 1 }, 'directory'],
    ['a wrong interval', { directory: '/tmp', pollingInterval: 1 }, 'pollingInterval'],
    ['a wrong delay', { directory: '/tmp', activationDelay: -1 }, 'activationDelay'],
  ])('refuses %s', (_, options, path) => {
    expect(() => fileArtifactStore(options as { directory: string })).toThrow(
      expect.objectContaining({ code: 'ERR_TARGET_INVALID_CONFIG', path }),
    );
  });
});
