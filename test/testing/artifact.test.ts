import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { decodeBinaryArtifact } from '../../src/artifact.js';
import type { TargetEdge } from '../../src/testing/edge.js';
import { startTargetEdge } from '../../src/testing/edge.js';
import { artifactOf, rule } from '../fixtures/rules.js';

const ARTIFACT = artifactOf({ hero: [rule('hero', { shows: 'Käse 日本' })] });
const OTHER = artifactOf({ hero: [rule('hero', { shows: 'other' })] });

let edge: TargetEdge;
beforeEach(async () => {
  edge = await startTargetEdge({ artifact: ARTIFACT, client: 'acme', organizationId: 'ÄCME@AdobeOrg' });
});
afterEach(() => edge.close());

function get(path: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(edge.url + path, { headers });
}

describe('as JSON', () => {
  test('is at the URL that the edge names, for every environment and property', async () => {
    expect(edge.artifactUrl).toBe(`${edge.url}/acme/production/v1/rules.json`);
    const url = new URL(edge.artifactUrl);
    for (const path of [
      url.pathname,
      '/acme/development/v1/rules.json',
      '/acme/production/v1/property-1/rules.json',
    ]) {
      const answer = await get(path);
      expect([answer.status, answer.headers.get('content-type')]).toEqual([
        200,
        'application/json;charset=UTF-8',
      ]);
      expect(await answer.json()).toEqual(ARTIFACT);
    }
  });

  test.each([
    '/acme/production/v2/rules.json',
    '/acme/v1/rules.json',
    '/acme/production/v1/a/b/rules.json',
    '/acme/production/v1/rules.xml',
  ])('is not at %s', async (path) => {
    expect((await get(path)).status).toBe(404);
  });

  test('is not there for another client, whose visitors it would allocate in another way', async () => {
    const answer = await get('/demo/production/v1/rules.json');
    expect([answer.status, await answer.json()]).toEqual([
      404,
      { status: 404, message: 'no artifact of demo: the client of this edge is acme' },
    ]);
  });

  test('is the same whatever the caller does with the object later', async () => {
    const mine = structuredClone(ARTIFACT) as { version: string };
    edge.setArtifact(mine);
    mine.version = '9.0.0';
    expect(await (await get('/acme/production/v1/rules.json')).json()).toEqual(ARTIFACT);
  });
});

describe('as binary', () => {
  test('can be decoded with the organization id', async () => {
    const answer = await get('/acme/production/v1/property-1/rules.bin');
    const bytes = new Uint8Array(await answer.arrayBuffer());
    expect(answer.headers.get('content-type')).toBe('application/octet-stream');
    expect(new TextDecoder().decode(bytes.subarray(0, 40))).toMatch(/^ATOD:001[0-9a-f]{32}$/);
    expect(JSON.parse(decodeBinaryArtifact(bytes, 'ÄCME@AdobeOrg'))).toEqual(ARTIFACT);
    expect(() => JSON.parse(decodeBinaryArtifact(bytes, 'OTHER@AdobeOrg'))).toThrow();
  });
});

describe('its ETag', () => {
  const tagOf = async () => (await get('/acme/production/v1/rules.json')).headers.get('etag') ?? '';

  test('follows the content', async () => {
    const first = await tagOf();
    expect(first).toMatch(/^"[\w-]{22}"$/);
    edge.setArtifact(OTHER);
    const second = await tagOf();
    expect(second).not.toBe(first);
    edge.setArtifact(ARTIFACT);
    expect(await tagOf()).toBe(first);
  });

  test('can be chosen', async () => {
    edge.setArtifact(ARTIFACT, { etag: 'W/"7"' });
    expect(await tagOf()).toBe('W/"7"');
  });

  test.each(['rules.json', 'rules.bin'])('spares who names it the body of %s', async (file) => {
    edge.setArtifact(ARTIFACT, { etag: '"7"' });
    for (const condition of ['"7"', 'W/"7"', '"6", "7"', '*']) {
      const answer = await get(`/acme/production/v1/${file}`, { 'If-None-Match': condition });
      expect([condition, answer.status, answer.headers.get('etag'), await answer.text()]).toEqual([
        condition,
        304,
        '"7"',
        '',
      ]);
    }
    for (const condition of ['"8"', '7', '"77"']) {
      expect((await get(`/acme/production/v1/${file}`, { 'If-None-Match': condition })).status).toBe(200);
    }
  });
});

describe('on command', () => {
  test('comes, changes and goes', async () => {
    const bare = await startTargetEdge({ client: 'acme' });
    const read = async () => {
      const answer = await fetch(bare.artifactUrl);
      return answer.status === 200 ? answer.json() : answer.status;
    };
    expect(await read()).toBe(404);
    bare.setArtifact(ARTIFACT);
    expect(await read()).toEqual(ARTIFACT);
    bare.setArtifact(OTHER);
    expect(await read()).toEqual(OTHER);
    bare.setArtifact(undefined);
    expect(await read()).toBe(404);
    await bare.close();
  });

  test('is served even when nobody can decide by it', async () => {
    edge.setArtifact({ version: '2.0.0' });
    expect(await (await get('/acme/production/v1/rules.json')).json()).toEqual({ version: '2.0.0' });
  });
});
