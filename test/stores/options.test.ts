import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, expect, test } from '@jest/globals';
import { fileArtifactStore } from '../../src/stores/file.js';
import { type RedisLike, redisArtifactStore } from '../../src/stores/redis.js';

const client: RedisLike = { call: () => Promise.resolve(null) };
const file = (options: unknown) => () => fileArtifactStore(options as { directory: string });
const redis = (options: unknown) => () => redisArtifactStore(client, options as object);
const redisOf = (of: unknown) => () => redisArtifactStore(of as RedisLike);

describe('the options of a store', () => {
  test.each<[string, () => unknown, { path?: string; message: string }]>([
    ['a path', file('/tmp/x'), { message: 'options must be an object with directory, not a string of 6' }],
    ['no options', file(undefined), { message: 'options must be an object with directory, not undefined' }],
    ['null', file(null), { message: 'options must be an object with directory, not null' }],
    ['a list', file(['/tmp/x']), { message: 'options must be an object with directory, not an array of 1' }],
    ['null', redis(null), { message: 'options must be an object, not null' }],
    ['a text', redis('secret'), { message: 'options must be an object, not a string of 6 characters' }],
    ['a number', redis(1), { message: 'options must be an object, not the number 1' }],
    ['a function', redis(() => 1), { message: 'options must be an object, not a function' }],
    [
      'a misspelt option',
      file({ directory: '/tmp/x', activationDelai: 5 }),
      { path: 'activationDelai', message: 'did you mean "activationDelay"?' },
    ],
    ['a misspelt secret', redis({ secrets: 'x' }), { path: 'secrets', message: 'did you mean "secret"?' }],
    [
      'an unknown option',
      redis({ secret: 'x', zzzzzzzz: 1 }),
      { path: 'zzzzzzzz', message: 'known are prefix, secret, activationDelay, pollingInterval, ttl' },
    ],
    ['no client', redisOf(undefined), { path: 'client', message: 'valkey-glide, not undefined' }],
    ['a URL', redisOf('redis://:secret@x'), { path: 'client', message: 'not a string of 17 characters' }],
  ])('%s is refused', (_, make, { path = 'options', message }) => {
    expect(make).toThrow(
      expect.objectContaining({
        code: 'ERR_TARGET_INVALID_CONFIG',
        path,
        message: expect.stringContaining(message),
      }),
    );
  });

  test('options that cannot be read are refused', () => {
    const options = {
      get directory(): string {
        throw new Error('secret');
      },
    };
    expect(file(options)).toThrow(
      expect.objectContaining({ code: 'ERR_TARGET_INVALID_CONFIG', path: 'directory' }),
    );
  });

  test('a relative folder is refused when the current folder is gone', () => {
    const before = process.cwd();
    const gone = mkdtempSync(`${tmpdir()}/target-gone-`);
    process.chdir(gone);
    try {
      rmSync(gone, { recursive: true });
      expect(file({ directory: 'cache' })).toThrow(
        expect.objectContaining({ code: 'ERR_TARGET_INVALID_CONFIG', path: 'directory' }),
      );
    } finally {
      process.chdir(before);
    }
  });
});
