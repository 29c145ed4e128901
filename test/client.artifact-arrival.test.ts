import { beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { Artifact } from '../src/artifact.js';
import type { TargetClientConfig } from '../src/index.js';
import { flagsArtifact, type Version } from './fixtures/flags.js';
import { artifactOf } from './fixtures/rules.js';
import { answer, type RecordedCall, type Script, status } from './recording-fetch.js';
import { fakeTimers, held, next, pass, releaseOf, served, settle, withScripts } from './scripted-cdn.js';
import { listeningLogger, withEdge } from './with-edge.js';

const bench = withEdge({ artifact: flagsArtifact() });
const startWith = withScripts();
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NOON = '2026-07-01T12:00:00.000Z';
const FAR = '2099-01-01T00:00:00.000Z';

/** A client whose downloads are scripts, and what it warns of. */
function start(config: Partial<TargetClientConfig>, ...downloads: Script[]) {
  const { logger, lines } = listeningLogger();
  const scripted = startWith({ logger, ...config }, downloads.length > 0 ? { downloads } : {});
  return { ...scripted, warnings: lines.warn };
}

/** Fake timers that begin at noon of a day in 2026. */
function startAtNoon(): void {
  fakeTimers();
  jest.setSystemTime(new Date(NOON));
}

/** A date, so many ms from noon. */
function fromNoon(ms: number): string {
  return new Date(Date.parse(NOON) + ms).toISOString();
}

/** Waits until so many downloads have come, and what they brought is in use. */
async function polled(downloads: readonly RecordedCall[], count: number, stepMs = 10_000): Promise<void> {
  while (downloads.length < count) {
    await pass(stepMs);
  }
  await settle();
}

function conditionsOf(calls: readonly RecordedCall[]): (string | undefined)[] {
  return calls.map(({ init }) => (init.headers as Record<string, string>)['If-None-Match']);
}

/** A store as a caller would write it, in memory. */
function memory(kept?: string) {
  const written: string[] = [];
  return {
    written,
    get: async () => written.at(-1) ?? kept,
    set: async (_: string, text: string) => void written.push(text),
  };
}

const textOf = (version: Version) => JSON.stringify(flagsArtifact(version));

describe('an artifact dated in the future', () => {
  beforeEach(startAtNoon);
  const future = (fields: Version & { etag?: string } = {}) =>
    served({ release: 'future', generatedAt: FAR, etag: '"future"', ...fields });

  test.each<[string, string | undefined]>([
    ['made after it came', fromNoon(MINUTE)],
    ['made shortly before it came, and longer on its way', fromNoon(-2 * MINUTE)],
    ['dated even later', '2100-01-01T00:00:00.000Z'],
    ['dated in the future too, but earlier', '2098-01-01T00:00:00.000Z'],
    ['without a date', undefined],
  ])('is taken with a warning, and gives way to one %s', async (_, generatedAt) => {
    const later = served({ release: 'later', etag: '"later"', ...(generatedAt && { generatedAt }) });
    const { client, heard, downloads, warnings } = start({}, future(), later, status(304));
    await client.ready();
    expect(await releaseOf(client)).toBe('future');
    expect(client.stats()).toMatchObject({ status: 'live', artifact: { generatedAt: FAR, source: 'cdn' } });
    expect(warnings).toEqual([
      expect.stringMatching(/dated 2099-01-01T00:00:00\.000Z, more than a day ahead/),
    ]);
    await polled(downloads, 3);
    expect(await releaseOf(client)).toBe('later');
    expect(heard.artifactDownloadSucceeded).toHaveLength(2);
    expect(heard.artifactDownloadFailed).toHaveLength(0);
    expect(warnings.filter((line) => line.includes('older'))).toEqual([]);
  });

  test('counts as made when it came: one made an hour before is older, to polls', async () => {
    const before = served({ release: 'before', generatedAt: fromNoon(-HOUR), etag: '"before"' });
    const { client, downloads, warnings } = start({}, future(), before);
    await client.ready();
    await polled(downloads, 2);
    expect(await releaseOf(client)).toBe('future');
    expect(warnings).toHaveLength(2);
    expect(warnings[1]).toBe('AT: an older artifact than the one in use was not taken');
    await client.refresh();
    expect(await releaseOf(client)).toBe('before');
  });

  test('is forgotten behind a later one, which older ones do not replace', async () => {
    const { client, downloads } = start(
      {},
      future(),
      served({ release: 'later', generatedAt: fromNoon(MINUTE), etag: '"later"' }),
      served({ release: 'older', generatedAt: fromNoon(0), etag: '"older"' }),
    );
    await client.ready();
    await polled(downloads, 3);
    expect(await releaseOf(client)).toBe('later');
  });

  test('is warned of once, however often it comes', async () => {
    const { client, downloads, heard, warnings } = start({}, future({ etag: '' }));
    await client.ready();
    await polled(downloads, 8);
    expect(heard.artifactDownloadSucceeded).toHaveLength(8);
    expect(warnings).toHaveLength(1);
  });

  test.each<[string, Version | undefined]>([
    ['made last week', { release: 'last week', generatedAt: fromNoon(-7 * DAY) }],
    ['dated in the future too', { release: 'other', generatedAt: '2050-01-01T00:00:00Z' }],
  ])('blocks nothing after a restart, through the store: one %s', async (_, version) => {
    const artifactStore = memory();
    const first = start({ artifactStore }, future());
    await first.client.ready();
    await settle();
    await first.client.close();
    expect(artifactStore.written).toHaveLength(1);
    const cdn = held(served(version));
    const { client, heard } = start({ artifactStore }, cdn.script);
    await client.ready();
    expect(await releaseOf(client)).toBe('future');
    expect(client.stats().status).toBe('cached');
    cdn.release();
    await settle();
    expect(await releaseOf(client)).toBe(version?.release);
    expect(heard.artifactDownloadSucceeded).toHaveLength(1);
    expect(JSON.parse(artifactStore.written.at(-1) ?? '')).toEqual(flagsArtifact(version));
  });

  test('blocks nothing when it was brought along', async () => {
    const artifactPayload = flagsArtifact({ release: 'future', generatedAt: FAR });
    const lastWeek = served({ release: 'last week', generatedAt: fromNoon(-7 * DAY) });
    const { client, downloads } = start({ artifactPayload }, lastWeek);
    expect(await releaseOf(client)).toBe('future');
    await polled(downloads, 1);
    expect(await releaseOf(client)).toBe('last week');
  });

  test.each([
    ['brought along', (text: string) => ({ artifactPayload: JSON.parse(text) })],
    ['stored', (text: string) => ({ artifactStore: memory(text) })],
  ])('is as old as its life here until it is confirmed: %s', async (_, toConfig) => {
    const config = toConfig(textOf({ release: 'future', generatedAt: FAR }));
    const { client } = start({ ...config, pollingInterval: 0 }, () => new Promise(() => undefined));
    await client.ready();
    await pass(5000);
    expect(client.stats().artifact).toMatchObject({ generatedAt: FAR, ageMs: 5000 });
  });

  test('may be a few hours ahead, as in another time zone: it is what it says', async () => {
    const { client, downloads, warnings } = start(
      {},
      served({ release: 'ahead', generatedAt: fromNoon(10 * HOUR), etag: '"1"' }),
      served({ release: 'older', generatedAt: fromNoon(9 * HOUR), etag: '"2"' }),
      served({ release: 'newer', generatedAt: fromNoon(11 * HOUR), etag: '"3"' }),
    );
    await client.ready();
    expect(warnings).toEqual([]);
    await polled(downloads, 2);
    expect(await releaseOf(client)).toBe('ahead');
    await polled(downloads, 3);
    expect(await releaseOf(client)).toBe('newer');
  });

  test('stays one when its day comes nearer', async () => {
    const { client, downloads } = start(
      { pollingInterval: 8 * HOUR },
      served({ release: 'future', generatedAt: fromNoon(30 * HOUR), etag: '"1"' }),
      served({ release: 'later', generatedAt: fromNoon(HOUR), etag: '"2"' }),
    );
    await client.ready();
    await polled(downloads, 2);
    expect(await releaseOf(client)).toBe('later');
  });

  test.each<[string, unknown]>([
    ['a number', Date.parse(FAR)],
    ['no date', 'some day'],
    ['beyond all dates', '+999999-01-01T00:00:00Z'],
    ['null', null],
  ])('cannot be told by what is no text of a date: %s', async (_, generatedAt) => {
    const undated = answer(flagsArtifact({ release: 'undated', fields: { meta: { generatedAt } as never } }));
    const { client, downloads, warnings } = start(
      {},
      undated,
      served({ generatedAt: '2020-01-01T00:00:00Z' }),
    );
    await client.ready();
    expect(await releaseOf(client)).toBe('undated');
    await polled(downloads, 2);
    expect(await releaseOf(client)).toBe('first');
    expect(warnings).toEqual([]);
  });

  describe('because the clock of this machine is wrong', () => {
    const made = (release: string, ms: number) =>
      served({ release, generatedAt: fromNoon(ms), etag: `"${release}"` });
    const set = (ms: number) => jest.setSystemTime(new Date(Date.parse(NOON) + ms));

    test('works while it is a year behind, and when it is set right', async () => {
      set(-365 * DAY);
      const { client, downloads, warnings } = start(
        {},
        made('one', 0),
        made('two', MINUTE),
        made('three', 8 * MINUTE),
        made('before', -HOUR),
      );
      await client.ready();
      await polled(downloads, 2);
      expect(await releaseOf(client)).toBe('two');
      expect(warnings).toHaveLength(2);
      set(11 * MINUTE);
      await polled(downloads, 3);
      expect(await releaseOf(client)).toBe('three');
      await polled(downloads, 4);
      expect(await releaseOf(client)).toBe('three');
    });

    test('works when it was a year behind for the one that is held', async () => {
      set(-365 * DAY);
      const { client, downloads } = start(
        {},
        made('one', -10 * DAY),
        made('older', -11 * DAY),
        made('two', -9 * DAY),
      );
      await client.ready();
      set(0);
      await polled(downloads, 2);
      expect(await releaseOf(client)).toBe('one');
      await polled(downloads, 3);
      expect(await releaseOf(client)).toBe('two');
    });

    test('works when it was ahead of the future, and is set right', async () => {
      set(Date.parse(FAR) + DAY - Date.parse(NOON));
      const { client, downloads } = start(
        {},
        served({ release: 'far', generatedAt: FAR }),
        made('later', MINUTE),
      );
      await client.ready();
      set(0);
      await polled(downloads, 2);
      expect(await releaseOf(client)).toBe('later');
    });

    test('works when it jumps back and forth', async () => {
      const releases = Array.from({ length: 8 }, (_, index) => index);
      const { client, downloads } = start({}, ...releases.map((index) => made(`${index}`, index * MINUTE)));
      await client.ready();
      for (const index of releases.slice(1)) {
        set((index % 2 === 0 ? 1 : -1) * index * 100 * DAY);
        await polled(downloads, index + 1);
        expect(await releaseOf(client)).toBe(`${index}`);
      }
    });
  });
});

describe('an artifact without any rules', () => {
  const NOT_TAKEN = expect.stringMatching(/^AT: an artifact without any rules was not taken/);
  const BLANK = artifactOf({});
  const blank = (fields: Partial<Artifact> = {}, etag = '"blank"') =>
    answer({ ...BLANK, ...fields }, { headers: { etag } });
  const good = (release: string) => served({ release, etag: `"${release}"` });
  /** What a location shows that an artifact does not know. */
  const NOTHING = undefined;

  test('is taken when the next download, without a condition, says the same', async () => {
    fakeTimers();
    const artifactStore = memory();
    const { client, heard, downloads, warnings } = start(
      { artifactStore },
      good('good'),
      blank(),
      blank(),
      status(304),
    );
    await client.ready();
    await polled(downloads, 2);
    expect(await releaseOf(client)).toBe('good');
    expect(client.stats()).toMatchObject({ status: 'live', artifact: { source: 'cdn' } });
    expect(warnings).toEqual([NOT_TAKEN]);
    expect(heard.artifactDownloadSucceeded).toHaveLength(1);
    expect(heard.artifactDownloadFailed).toHaveLength(0);
    expect(artifactStore.written).toHaveLength(1);
    await polled(downloads, 3);
    expect(await releaseOf(client)).toBe(NOTHING);
    expect(heard.artifactDownloadSucceeded).toHaveLength(2);
    expect(JSON.parse(artifactStore.written.at(-1) ?? '')).toEqual(BLANK);
    await polled(downloads, 4);
    expect(conditionsOf(downloads)).toEqual([undefined, '"good"', undefined, '"blank"']);
    expect(warnings).toHaveLength(1);
  });

  test('is taken at once when a refresh asks', async () => {
    const { client, warnings } = start({}, good('good'), blank());
    await client.ready();
    await client.refresh();
    expect(await releaseOf(client)).toBe(NOTHING);
    expect(warnings).toEqual([]);
  });

  test('is taken at once when a refresh asks whose ETag is that of the last one', async () => {
    const { client } = start({}, good('good'), blank({}, '"good"'));
    await client.ready();
    await client.refresh();
    expect(await releaseOf(client)).toBe(NOTHING);
  });

  test('is taken at once when a refresh joins the poll', async () => {
    fakeTimers();
    const slow = held(blank());
    const { client, downloads } = start({}, good('good'), slow.script);
    await client.ready();
    while (downloads.length < 2) {
      await pass(10_000);
    }
    const refreshed = client.refresh();
    slow.release();
    await refreshed;
    expect(await releaseOf(client)).toBe(NOTHING);
  });

  test('is a passing fault when the next download has rules, and doubted anew', async () => {
    fakeTimers();
    const { client, downloads, heard } = start({}, good('one'), blank(), good('two'), blank(), blank());
    await client.ready();
    await polled(downloads, 4);
    expect(await releaseOf(client)).toBe('two');
    expect(conditionsOf(downloads)).toEqual([undefined, '"one"', undefined, '"two"']);
    await polled(downloads, 5);
    expect(await releaseOf(client)).toBe(NOTHING);
    expect(heard.artifactDownloadFailed).toHaveLength(0);
  });

  test.each<[string, Script]>([
    ['fails', status(500)],
    ['is half of one', answer('{"version":"1.')],
    ['is a 304 to a question without a condition', status(304)],
  ])('stays in doubt when the next download %s', async (_, script) => {
    fakeTimers();
    const { client, downloads } = start(
      { artifactLocation: 'https://a.example/rules.json', pollingInterval: 1000 },
      ...[good('good'), blank(), script, script, blank()],
    );
    await client.ready();
    await polled(downloads, 4, 100);
    expect(await releaseOf(client)).toBe('good');
    await polled(downloads, 5, 100);
    expect(await releaseOf(client)).toBe(NOTHING);
    expect(conditionsOf(downloads)).toEqual([undefined, '"good"', undefined, undefined, undefined]);
  });

  test('is taken by the second download where the ETag never changes', async () => {
    fakeTimers();
    const { client, downloads } = start({}, good('good'), blank({}, '"good"'));
    await client.ready();
    await polled(downloads, 2);
    expect(await releaseOf(client)).toBe('good');
    await polled(downloads, 3);
    expect(await releaseOf(client)).toBe(NOTHING);
  });

  test('is taken when nothing better is held, and gives way to rules', async () => {
    fakeTimers();
    const { client, downloads, warnings } = start({}, blank(), blank({}, '"again"'), good('good'));
    await client.ready();
    expect(await releaseOf(client)).toBe(NOTHING);
    await polled(downloads, 3);
    expect(await releaseOf(client)).toBe('good');
    expect(warnings).toEqual([]);
  });

  test('may be brought along, stored, and replaced by another of the kind', async () => {
    for (const config of [{ artifactPayload: BLANK }, { artifactStore: memory(JSON.stringify(BLANK)) }]) {
      const { client, heard } = start(config, blank());
      await client.ready();
      await client.refresh();
      expect(heard.artifactDownloadSucceeded).toHaveLength(1);
      await client.close();
    }
  });

  test('does not replace what was brought along before it is confirmed', async () => {
    fakeTimers();
    const { client, downloads, warnings } = start({ artifactPayload: flagsArtifact() }, blank());
    await polled(downloads, 1);
    expect(await releaseOf(client)).toBe('first');
    expect(client.stats().status).toBe('cached');
    expect(warnings).toEqual([NOT_TAKEN]);
    await polled(downloads, 2);
    expect(await releaseOf(client)).toBe(NOTHING);
    expect(client.stats().status).toBe('live');
  });

  test('is asked for once more without polling, for there would be no other word', async () => {
    fakeTimers();
    const cdn = held(blank());
    const artifactStore = memory(textOf({ release: 'stored' }));
    const { client, downloads } = start({ artifactStore, pollingInterval: 0 }, cdn.script, blank());
    await client.ready();
    cdn.release();
    await settle();
    expect(await releaseOf(client)).toBe('stored');
    expect(artifactStore.written).toHaveLength(0);
    await polled(downloads, 2);
    expect(await releaseOf(client)).toBe(NOTHING);
    await pass(DAY);
    expect(downloads).toHaveLength(2);
  });

  test.each<[string, Partial<Artifact>, boolean]>([
    ['no lists at all', { localMboxes: null, remoteViews: undefined, rules: {} } as never, true],
    ['lists of rules that are empty', { rules: { mboxes: { hero: [] }, views: { home: [] } } }, true],
    ['a rule of an mbox', { rules: { mboxes: { other: [{}] } } }, false],
    ['a rule of a view', { rules: { views: { home: [{}] } } }, false],
    ['a name of an mbox here', { localMboxes: ['other'] }, false],
    ['a name of a view here', { localViews: ['home'] }, false],
    ['a name of an mbox of the edge', { remoteMboxes: ['far'] }, false],
    ['a name of a view of the edge', { remoteViews: ['far'] }, false],
  ])('is one with %s: %j (%s)', async (_, fields, isDoubted) => {
    fakeTimers();
    const { client, downloads, warnings } = start({}, good('good'), blank(fields));
    await client.ready();
    await polled(downloads, 2);
    expect(await releaseOf(client)).toBe(isDoubted ? 'good' : NOTHING);
    expect(warnings).toHaveLength(isDoubted ? 1 : 0);
  });

  test('is doubted on real sockets, and taken from them', async () => {
    const { logger, lines } = listeningLogger();
    const client = bench.connect({
      decisioningMethod: 'on-device',
      targetLocationHint: '35',
      artifactLocation: bench.edge.artifactUrl,
      pollingInterval: 30,
      logger,
    });
    await client.ready();
    bench.edge.clearRequests();
    bench.edge.setArtifact(BLANK);
    try {
      await next(client, 'artifactDownloadSucceeded');
      const full = bench.edge.requestsTo(/rules\.json$/).filter((request) => request.status === 200);
      expect(full.map(({ headers }) => headers['if-none-match'] !== undefined)).toEqual([true, false]);
      expect(await releaseOf(client)).toBe(NOTHING);
      expect(lines.warn).toEqual([NOT_TAKEN]);
    } finally {
      bench.edge.setArtifact(flagsArtifact());
    }
  });
});
