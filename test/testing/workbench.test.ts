import { existsSync, readFileSync } from 'node:fs';
import { request as send } from 'node:http';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { TargetClient } from '../../src/index.js';
import { startTargetEdge, type TargetEdge, type TargetEdgeOptions } from '../../src/testing/edge.js';
import { flagsArtifact } from '../fixtures/flags.js';
import { allocated, artifactOf, rule } from '../fixtures/rules.js';

let edge: TargetEdge;

afterEach(() => edge.close());

async function start(options: TargetEdgeOptions = {}): Promise<TargetEdge> {
  edge = await startTargetEdge({ workbench: true, artifact: flagsArtifact(), ...options });
  return edge;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** Sends a request with any headers, also those that `fetch` does not let anybody set. */
function ask(
  path: string,
  { method = 'GET', headers = {}, body = '' }: { method?: string; headers?: object; body?: string } = {},
): Promise<Answer> {
  const { host, port } = edge;
  return new Promise((resolve, reject) => {
    const outgoing = send(
      { port, host: '127.0.0.1', path, method, headers: { host, ...headers } },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () =>
          resolve({
            status: answer.statusCode ?? 0,
            headers: answer.headers,
            text: Buffer.concat(chunks).toString(),
          }),
        );
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

const page = (name: string) => ask(`/_workbench/${name}`);
const post = (name: string, fields: Record<string, string>) =>
  ask(`/_workbench/${name}`, {
    method: 'POST',
    headers: { origin: edge.url },
    body: String(new URLSearchParams(fields)),
  });

async function deliver(name: string): Promise<void> {
  await fetch(`${edge.url}/rest/v1/delivery?client=demo&imsOrgId=DEMO@AdobeOrg&sessionId=s`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ context: { channel: 'web' }, execute: { mboxes: [{ index: 0, name }] } }),
  });
}

describe('the workbench', () => {
  test('is not there unless it is asked for', async () => {
    await start({ workbench: false });
    expect(edge.workbenchUrl).toBeUndefined();
    expect((await page('live')).status).toBe(404);
    expect(edge.requests).toHaveLength(1);
  });

  test.each(['live', 'visitor', 'allocation', 'rules', 'changes', 'faults'])(
    'has the page %s, and logs nothing of itself',
    async (name) => {
      await start();
      expect(edge.workbenchUrl).toBe(`${edge.url}/_workbench/`);
      const { status, text, headers } = await page(name);
      expect(status).toBe(200);
      expect(text).toContain(`href="/_workbench/${name}" aria-current="page"`);
      expect(headers['content-security-policy']).toMatch(
        /^default-src 'none'; style-src 'self'; script-src 'self'/,
      );
      expect(headers['cache-control']).toBe('no-store');
      expect(edge.requests).toEqual([]);
    },
  );

  test.each(['live', 'visitor', 'allocation', 'rules', 'changes', 'faults'])(
    'has the page %s without rules, and with rules that nobody can use',
    async (name) => {
      await start({ artifact: undefined });
      expect((await page(name)).status).toBe(200);
      edge.setArtifact({ version: '99.0.0' });
      expect((await page(name)).status).toBe(200);
    },
  );

  test('leads to the live page, and says what it does not have', async () => {
    await start();
    expect((await page('')).headers.location).toBe('/_workbench/live');
    expect((await ask('/_workbench')).headers.location).toBe('/_workbench/live');
    expect((await page('nope')).status).toBe(404);
    expect((await ask('/_workbench/../rest')).status).toBe(404);
    expect(edge.requests).toHaveLength(1);
    expect((await ask('/_workbench/live', { method: 'DELETE' })).status).toBe(405);
  });

  test('explains a decision to the visitor page, with what the conditions saw', async () => {
    await start();
    const { text } = await page('visitor?mbox=members&parameters=plan%3Dsilver');
    expect(text).toContain('Default content');
    expect(text).toContain('parameter plan is “gold”');
    expect(text).toContain('saw “silver”');
    expect((await page('visitor?mbox=members&parameters=plan%3Dgold')).text).toContain('>answered<');
    expect((await page('visitor?mbox=&time=soon')).text).toContain('time must be such as');
    expect((await page('visitor?mbox=view+home')).text).toContain('home first');
  });

  test('decides as the edge and its clients do, by their client code', async () => {
    const half = (at: number) =>
      rule('hero', {
        activity: 7,
        experience: at,
        when: allocated(at * 50, at * 50 + 50),
        shows: `half ${at}`,
      });
    await start({ artifact: artifactOf({ hero: [half(0), half(1)] }), client: 'shop' });
    const client = TargetClient.create({ ...edge.config, decisioningMethod: 'on-device' });
    await client.ready();
    for (let at = 0; at < 20; at++) {
      const request = { id: { tntId: `v${at}` }, execute: { mboxes: [{ index: 0, name: 'hero' }] } };
      const { response } = await client.getOffers({ request });
      const content = response.execute?.mboxes?.[0]?.options?.[0]?.content;
      expect((await page(`visitor?mbox=hero&id=v${at}`)).text).toContain(`>${content}</pre>`);
    }
    await client.close();
  });

  test('offers each place that the rules name, and keeps the one that is chosen', async () => {
    await start({
      artifact: {
        ...artifactOf({ 'view home': [rule('view home', { activity: 1, shows: 'an mbox' })] }),
        remoteMboxes: ['far'],
      },
    });
    const { text } = await page('visitor?mbox=gone&browser=constructor&time=2026-11-29T10:00');
    for (const place of ['far', 'mbox view home', 'gone']) {
      expect(text).toContain(`<option value="${place}"`);
    }
    expect(text).toContain('<option value="gone" selected>');
    expect(text).toContain('2026-11-29 10:00 UTC');
    expect((await page('visitor?mbox=mbox+view+home')).text).toContain('an mbox');
    expect((await page('visitor?mbox=far')).text).toContain('remote');
  });

  test('simulates a split', async () => {
    await start();
    const { text } = await page('allocation?mbox=flags&step=5');
    expect(text).toContain('Visitors: 1,000');
    expect(text).toMatch(/✓ χ² \d+\.\d\d, p \d\.\d{3}/);
    expect((await page('allocation?mbox=members&step=0')).text).toContain('in none of its audiences');
    const gold = (await page('allocation?mbox=members&step=0&parameters=plan%3Dgold')).text;
    expect(gold).not.toContain('in none of its audiences');
    expect((await page('allocation?mbox=members&time=soon')).text).toContain('time must be such as');
  });

  test('compares the rules before with the rules now, and two that are pasted', async () => {
    await start();
    expect((await page('changes')).text).toContain('had no other rules before');
    edge.setArtifact(flagsArtifact({ release: 'second' }));
    expect((await page('changes')).text).toContain('activities changed');
    const [before, after] = [flagsArtifact(), flagsArtifact()].map((one) => JSON.stringify(one));
    const body = `before=${before}\r\nafter=${after}\r\n`;
    const { text } = await ask('/_workbench/changes', {
      method: 'POST',
      headers: { origin: edge.url },
      body,
    });
    expect(text).toContain('Nothing changed for visitors.');
    const paste = async (pasted: string) =>
      (await ask('/_workbench/changes', { method: 'POST', headers: { origin: edge.url }, body: pasted }))
        .text;
    const wrong = await paste('before={\r\nafter=\r\n');
    expect(wrong).toContain('The artifact before is not JSON');
    expect(wrong).toContain('The artifact after is not JSON: it is empty');
    expect(await paste(`before=\ufeff${before}\r\nafter=1\r\n`)).toContain('They cannot be compared');
    edge.setArtifact(undefined);
    expect((await page('changes')).text).toContain('This edge has no rules now.');
  });

  test('does not send a long text back that was pasted', async () => {
    await start();
    const long = JSON.stringify({ ...flagsArtifact(), filler: 'x'.repeat(200_000) });
    const body = `before=${long}\r\nafter=${long}\r\n`;
    const { text } = await ask('/_workbench/changes', {
      method: 'POST',
      headers: { origin: edge.url },
      body,
    });
    expect(text).toContain('Nothing changed for visitors.');
    expect(text.length).toBeLessThan(5000);
  });

  test('switches faults on and off', async () => {
    await start();
    const on = await post('faults', { kind: 'status', value: '503', times: '', where: 'delivery' });
    expect(on.status).toBe(303);
    await deliver('hero');
    expect(edge.lastRequest?.fault).toBe('status');
    const { text } = await page('faults');
    expect(text).toContain('status 503, 1 hit');
    const id = /name="off" value="(\d+)"/.exec(text)?.[1] ?? '';
    await post('faults', { off: id });
    await deliver('hero');
    expect(edge.lastRequest?.fault).toBeUndefined();
    expect((await post('faults', { kind: 'status', value: '1000' })).status).toBe(400);
    expect((await post('faults', { kind: 'delay', value: 'x' })).text).toContain('the wait must be');
    for (const fields of [{}, { kind: 'foo' }, { kind: '__proto__' }, { kind: 'hang', where: 'nowhere' }]) {
      expect((await post('faults', fields)).status).toBe(400);
    }
    expect((await page('faults')).text).toContain('None.');
  });

  test('sends a row for each request that arrives', async () => {
    await start();
    const stream = await fetch(`${edge.url}/_workbench/events`);
    const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
    await deliver('hero');
    let text = '';
    while (!text.includes('\n\n')) {
      text += (await reader?.read())?.value ?? '';
    }
    expect(text).toMatch(/^event: row\ndata: \{"row":".*execute hero.*","count":"1 request"\}\n\n$/);
    await reader?.cancel();
    expect((await page('live')).text).toContain('1 request');
    expect(await ask('/_workbench/events', { method: 'HEAD' })).toMatchObject({ status: 200, text: '' });
  });
});

const large = join(__dirname, '../../../shared/bench/artifact-large.json');

// The large artifact is kept beside the project.
(existsSync(large) ? describe : describe.skip)('the workbench with 741 kB of rules', () => {
  test.each(['visitor', 'allocation?step=0', 'rules'])(
    'shows the page %s in less than 40 kB',
    async (name) => {
      await start({ artifact: JSON.parse(readFileSync(large, 'utf8')) });
      const { text, status } = await page(name);
      expect(status).toBe(200);
      expect(text.length).toBeLessThan(40_000);
    },
  );
});

describe('the workbench is for this machine alone', () => {
  test.each<[string, object, number]>([
    ['its own page', { 'sec-fetch-site': 'same-origin' }, 200],
    ['an address that is typed', { 'sec-fetch-site': 'none' }, 200],
    [
      'a link of another site',
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
      200,
    ],
    [
      'a frame of another site',
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' },
      403,
    ],
    [
      'an image of another site',
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' },
      403,
    ],
    ['another name of this machine', { host: 'evil.example:80' }, 403],
    ['another port', { host: 'localhost:1' }, 403],
  ])('%s', async (_name, headers, status) => {
    await start();
    expect((await ask('/_workbench/live', { headers })).status).toBe(status);
  });

  test.each<[string, object]>([
    ['another site', { origin: 'http://evil.example' }],
    ['a page without an origin', { origin: 'null' }],
    ['nobody', {}],
  ])('takes no form of %s', async (_name, headers) => {
    await start();
    const body = 'kind=hang';
    expect((await ask('/_workbench/faults', { method: 'POST', headers, body })).status).toBe(403);
    await deliver('hero');
    expect(edge.requests).toHaveLength(1);
    expect(edge.lastRequest?.fault).toBeUndefined();
  });

  test('shows hostile names and offers as text', async () => {
    const name = '<img src=x onerror=alert(1)>';
    const evil = '"><script>alert(1)</script>';
    await start({
      artifact: artifactOf({ [name]: [rule(name, { activity: 1, shows: evil })] }),
      client: evil,
    });
    await deliver(name);
    for (const path of [
      'live',
      `visitor?mbox=${encodeURIComponent(name)}&id=${encodeURIComponent(evil)}`,
      'rules',
    ]) {
      const { text } = await page(path);
      expect(text).not.toContain('<img');
      expect(text).not.toContain('<script>');
    }
  });
});
