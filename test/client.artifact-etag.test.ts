import { createServer } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import { flagsArtifact } from './fixtures/flags.js';
import { withServers } from './listening.js';
import { type RecordedCall, type Script, status } from './recording-fetch.js';
import { releaseOf, withScripts } from './scripted-cdn.js';
import { withEdge } from './with-edge.js';

const bench = withEdge({ artifact: flagsArtifact() });
const running = withServers();
const startWith = withScripts();
const start = (...downloads: Script[]) => startWith({}, { downloads });

function conditionsOf(calls: readonly RecordedCall[]): (string | undefined)[] {
  return calls.map(({ init }) => (init.headers as Record<string, string>)['If-None-Match']);
}

describe('an ETag', () => {
  /** An answer as no fetch of ours would make it, but an injected one may. */
  const tagged =
    (etag: string, release: string): Script =>
    () => ({
      ok: true,
      status: 200,
      headers: { get: (name: string) => (name.toLowerCase() === 'etag' ? etag : null) },
      text: async () => JSON.stringify(flagsArtifact({ release })),
    });
  const long = (length: number) => `"${'x'.repeat(length - 2)}"`;

  test.each<[string, string]>([
    ['that is weak', 'W/"v1"'],
    ['of 1 KB', long(1024)],
    ['with letters of Latin-1', '"vé"'],
    ['without quotes', 'v1'],
  ])('%s goes with the next download', async (_, etag) => {
    const { client, downloads } = start(tagged(etag, 'first'), status(304));
    await client.ready();
    await client.refresh();
    expect(conditionsOf(downloads)).toEqual([undefined, etag]);
  });

  test.each<[string, string]>([
    ['over 1 KB', long(1025)],
    ['of 15 KB', long(15 * 1024)],
    ['with a line break', '"v1"\r\nX-Injected: 1'],
    ['with a control character', '"v\u00011"'],
    ['with a null', '"v\u00001"'],
    ['with a deletion', '"v\u007f1"'],
    ['beyond Latin-1', '"vβ"'],
    ['that stands for any', '*'],
    ['that is empty', ''],
    ['that is nothing but space', '  '],
  ])('%s is not kept, and its artifact is taken', async (_, etag) => {
    const { client, downloads, heard } = start(tagged(etag, 'first'), tagged(etag, 'second'));
    await client.ready();
    expect(await releaseOf(client)).toBe('first');
    await client.refresh();
    expect(conditionsOf(downloads)).toEqual([undefined, undefined]);
    expect(await releaseOf(client)).toBe('second');
    expect(heard.artifactDownloadFailed).toHaveLength(0);
  });

  test('of 15 KB, on real sockets, is not sent to a CDN that would refuse so much of a header', async () => {
    const conditions: (string | undefined)[] = [];
    const cdn = createServer({ maxHeaderSize: 8192 }, ({ headers }, response) => {
      conditions.push(headers['if-none-match']);
      const artifact = flagsArtifact({ release: `release ${conditions.length}` });
      response.writeHead(200, { ETag: long(15_000) }).end(JSON.stringify(artifact));
    });
    const { host } = await running.listen(cdn);
    const artifactLocation = `http://${host}/rules.json`;
    const client = bench.connect({
      decisioningMethod: 'on-device',
      targetLocationHint: '35',
      artifactLocation,
      pollingInterval: 0,
    });
    await client.ready();
    await client.refresh();
    expect(await releaseOf(client)).toBe('release 2');
    expect(conditions).toEqual([undefined, undefined]);
  });
});
