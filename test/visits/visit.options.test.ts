import { describe, expect, test } from '@jest/globals';
import { checkVisitOptions, createVisit, type VisitOptions } from '../../src/adapters/http.js';
import type { TargetClient } from '../../src/index.js';
import { listeningLogger, targetErrorOf, withEdge } from '../with-edge.js';
import { Browser } from './browser.js';

const bench = withEdge();

const WRONG: [string, unknown][] = [
  ['cookies', 5],
  ['cookies', []],
  ['cookies.write', 'sometimes'],
  ['cookies.domain', 'a b'],
  ['cookies.domain', 5],
  ['cookies.domain', 'my_shop.example'],
  ['cookies.domain', '-a.example'],
  ['cookies.domain', `${'a'.repeat(64)}.example`],
  ['cookies.path', 'a\n;'],
  ['cookies.path', '/<'],
  ['cookies.path', '/ü'],
  ['cookies.sameSite', 'no'],
  ['cookies.secure', 'yes'],
  ['cookies.httpOnly', 1],
  ['context', 'web'],
  ['experienceCloud', 'analytics'],
  ['experienceCloud', () => ({})],
  ['experienceCloud.analytics', 'acme.sc.omtrdc.net'],
  ['experienceCloud.audienceManager', []],
  ['ipAddress', 'yes'],
  ['consent', 'yes'],
  ['consent', {}],
  ['consent', { granted: 'yes' }],
  ['withoutConsent', 'ask'],
  ['unseen', 'never'],
  ['beacon', 'beacon'],
  ['beacon', 5],
  ['isBot', true],
  ['onError', {}],
  ['merge', 1],
  ['clientHints', 'all'],
  ['cacheControl', 'private'],
  ['waitUntil', {}],
  ['timeout', 0],
  ['timeout', 'soon'],
  ['timeout', Number.NaN],
  ['timeout', 2 ** 31],
  ['customerIds', 5],
];

const nest = (path: string, value: unknown): VisitOptions => {
  const [outer = '', inner] = path.split('.');
  return { [outer]: inner ? { [inner]: value } : value };
};

describe('the options of a visit', () => {
  test.each(WRONG)('a wrong %s is named: %p', async (path, value) => {
    const incoming = new Browser().request();
    for (const act of [
      () => createVisit(bench.connect(), incoming, nest(path, value)),
      () => checkVisitOptions(nest(path, value)),
    ]) {
      const error = await targetErrorOf(act);
      expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_CONFIG', path });
      expect(error.message).toMatch(new RegExp(`^${path} must be .+, not .+`));
    }
  });

  test('null counts as absent', () => {
    const names = new Set(WRONG.map(([path]) => path.split('.')[0] ?? ''));
    const options = Object.fromEntries([...names].map((name) => [name, null]));
    expect(() => createVisit(bench.connect(), new Browser().request(), options)).not.toThrow();
    expect(() => createVisit(bench.connect(), new Browser().request(), null)).not.toThrow();
  });

  test.each([undefined, null, {}, 'client'])('a client that is none is named: %p', async (client) => {
    const error = await targetErrorOf(() => createVisit(client as TargetClient, new Browser().request()));
    expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_CONFIG', path: 'client' });
  });

  test.each([undefined, null, 'url'])('a request that is none is named: %p', async (incoming) => {
    const error = await targetErrorOf(() => createVisit(bench.connect(), incoming as never));
    expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_CONFIG', path: 'incoming' });
  });

  test('texts of digits are a timeout, as environment variables hold it', () => {
    expect(() => checkVisitOptions({ timeout: '500' as unknown as number })).not.toThrow();
  });

  test('a misspelt one is told of once, and those of adapters are not', () => {
    const { lines, logger } = listeningLogger();
    const client = bench.connect({ logger });
    const options = { concent: false, cookie: {}, trustProxy: true, ipHeader: 'x-ip', client, timeout: 500 };
    createVisit(client, new Browser().request(), options);
    createVisit(client, new Browser().request(), options);
    expect(lines.warn.map((line) => /"(\w+)" is ignored: did you mean "(\w+)"/.exec(line)?.slice(1))).toEqual(
      [
        ['concent', 'consent'],
        ['cookie', 'cookies'],
      ],
    );
  });

  test('an option that cannot be read is named', async () => {
    const options = {
      get onError(): never {
        throw new Error('canary');
      },
    };
    const error = await targetErrorOf(() => checkVisitOptions(options));
    expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_CONFIG', path: 'onError' });
    const consent = {
      get granted(): never {
        throw new Error('canary');
      },
    };
    const inner = await targetErrorOf(() => checkVisitOptions({ consent }));
    expect(inner).toMatchObject({ code: 'ERR_TARGET_INVALID_CONFIG', path: 'consent.granted' });
  });
});
