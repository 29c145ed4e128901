import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { TargetClient } from 'target-node-sdk';
import {
  activity,
  buildArtifact,
  html,
  json,
  startTargetEdge,
  type TargetEdge,
} from 'target-node-sdk/testing';
import { runCli, withFiles } from './run-cli.js';
import { springArtifact } from './spring-artifact.js';

const file = withFiles();
const artifact = springArtifact();
const ORGANIZATION = 'DEMO@AdobeOrg';

let edge: TargetEdge;
beforeAll(async () => {
  edge = await startTargetEdge({ artifact, client: 'acme' });
});
afterAll(() => edge.close());

/** The id that a client has for the artifact of the edge. */
async function idOfClient(): Promise<string | undefined> {
  const client = TargetClient.create({ ...edge.config, decisioningMethod: 'on-device', pollingInterval: 0 });
  await client.ready();
  const { id } = client.stats().artifact ?? {};
  await client.close();
  return id;
}

describe('artifact get', () => {
  test.each([
    ['artifact get', ['artifact', 'get', '--client', 'acme']],
    ['its short form', ['artifact', '--client', 'acme']],
  ])('downloads, checks and writes, with the id that a client has: %s', async (_, args) => {
    const out = file('rules.json', 'old');
    const ran = await runCli([...args, '--cdn', edge.host, '--insecure', '--out', out]);
    const size = readFileSync(out).length;
    expect(JSON.parse(readFileSync(out, 'utf8'))).toEqual(JSON.parse(JSON.stringify(artifact)));
    expect(ran.err).toBe('');
    expect(ran.out).toMatch(/^✓ /);
    expect(ran.out.replace(/\s+/g, ' ')).toContain(
      `id ${await idOfClient()}, 2 rules of 1 activity ${size} bytes`,
    );
  });

  test('prints facts as JSON, and the artifact itself without a file', async () => {
    const out = file('rules.json', 'old');
    const { out: facts } = await runCli([
      'artifact',
      'get',
      '--location',
      edge.artifactUrl,
      '--out',
      out,
      '--json',
    ]);
    expect(JSON.parse(facts)).toMatchObject({
      file: out,
      id: await idOfClient(),
      version: '1.0.0',
      counts: { rules: 2 },
    });
    const { out: text } = await runCli(['artifact', 'get', '--location', edge.artifactUrl]);
    expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(artifact)));
  });

  test('asks for the artifact alone, of the environment and the property', async () => {
    edge.clearRequests();
    await runCli([
      'artifact',
      'get',
      '--client',
      'acme',
      '--cdn',
      edge.host,
      '--insecure',
      '--environment',
      'staging',
      '--property',
      'p1',
    ]);
    expect(edge.requests.map(({ path }) => path)).toEqual(['/acme/staging/v1/p1/rules.json']);
  });

  test('leaves a file as it is when the download fails', async () => {
    const out = file('kept.json', 'old');
    for (const fault of [{ kind: 'status', status: 503 } as const, { kind: 'body', body: '{}' } as const]) {
      edge.fault(fault, { times: 1 });
      const { code, err } = await runCli(['artifact', 'get', '--location', edge.artifactUrl, '--out', out]);
      expect(code).toBe(2);
      expect(err).toMatch(/^target-node-sdk: .+\n$/);
    }
    edge.clearFaults();
    expect(readFileSync(out, 'utf8')).toBe('old');
  });
});

describe('an artifact is read', () => {
  const INSPECT = ['artifact', 'inspect', '--json'];
  const path = file('rules.json', artifact);

  test('from a file, a file URL, a URL and standard input, with the same outcome', async () => {
    const text = JSON.stringify(artifact);
    const outs = [
      await runCli([...INSPECT, path]),
      await runCli([...INSPECT, `file://${path}`]),
      await runCli([...INSPECT, edge.artifactUrl]),
      await runCli([...INSPECT, '-'], { stdin: text }),
      await runCli([...INSPECT, '-'], { stdin: `\ufeff${text}` }),
    ];
    expect(new Set(outs.map(({ out }) => out)).size).toBe(1);
    expect(JSON.parse(outs[0]?.out ?? '').client).toBe('acme');
  });

  test('in the binary format, from a URL, a file and standard input', async () => {
    const url = edge.artifactUrl.replace('.json', '.bin');
    const bytes = new Uint8Array(await (await fetch(url)).arrayBuffer());
    const binary = file('rules.bin', bytes);
    const [expected, ...outs] = [
      await runCli([...INSPECT, path]),
      await runCli([...INSPECT, url, '--organization', ORGANIZATION]),
      await runCli([...INSPECT, binary, '--organization', ORGANIZATION]),
      await runCli([...INSPECT, '-', '--organization', ORGANIZATION], { stdin: bytes }),
    ];
    expect(outs).toEqual(outs.map(() => expected));
    const { code, err } = await runCli([...INSPECT, binary, '--organization', 'OTHER@AdobeOrg']);
    expect(code).toBe(2);
    expect(err).toMatch(/^target-node-sdk: .+\n$/);
  });

  test('in the binary format from any URL, and the error names the flag that is missing', async () => {
    const url = edge.artifactUrl.replace('.json', '.bin');
    const bytes = Buffer.from(await (await fetch(url)).arrayBuffer());
    const line = /^target-node-sdk: http:\S+ is a binary artifact: give --organization, .+\n$/;
    expect(await runCli([...INSPECT, url])).toMatchObject({ code: 2, err: expect.stringMatching(line) });
    edge.fault({ kind: 'body', body: bytes }, { times: 3 });
    const other = edge.artifactUrl;
    expect(await runCli([...INSPECT, other])).toMatchObject({ code: 2, err: expect.stringMatching(line) });
    const { out, err } = await runCli([...INSPECT, other, '--organization', ORGANIZATION]);
    edge.clearFaults();
    expect([err, JSON.parse(out || '{}').client]).toEqual(['', 'acme']);
  });

  test('from a URL and from a file, and validated with the same findings', async () => {
    const bad = { version: '99.0.0', rules: {} };
    edge.setArtifact(bad);
    const fromUrl = await runCli(['artifact', 'validate', edge.artifactUrl, '--json']);
    edge.setArtifact(artifact);
    expect(fromUrl).toEqual(await runCli(['artifact', 'validate', file('bad.json', bad), '--json']));
    expect(fromUrl.code).toBe(1);
    edge.fault({ kind: 'body', body: '<html>' }, { times: 1 });
    const { code, out, err } = await runCli(['artifact', 'validate', edge.artifactUrl]);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(/^target-node-sdk: the artifact is not JSON: /);
  });

  test('and is printed so that it cannot act on a terminal', async () => {
    const name = '\u009b31m\u202egnirps\t';
    const hostile = buildArtifact({
      activities: [
        activity(name)
          .mbox('hero')
          .only(json({ [name]: 1 })),
      ],
      client: 'a',
    });
    edge.setArtifact(hostile);
    const args = ['artifact', 'get', '--location', edge.artifactUrl];
    const [shown, piped] = [await runCli(args, { columns: 80 }), await runCli(args)];
    edge.setArtifact(artifact);
    expect(shown.out).not.toMatch(/[\u009b\u202e]/);
    expect(piped.out).toMatch(/[\u009b\u202e]/);
    expect(JSON.parse(shown.out)).toEqual(JSON.parse(piped.out));
  });

  test('and nobody else is asked for anything', async () => {
    edge.clearRequests();
    await runCli([...INSPECT, edge.artifactUrl]);
    expect(edge.requests.map(({ path: asked }) => asked)).toEqual(['/acme/production/v1/rules.json']);
  });
});

describe('options of a call', () => {
  const path = file('rules.json', artifact);
  const explained = async (...args: string[]) => {
    const { out, err } = await runCli(['explain', path, ...args, '--json']);
    expect(err).toBe('');
    return JSON.parse(out);
  };

  test('come from flags, or from a file with the options of the function', async () => {
    const flags = ['--mbox', 'hero', '--tnt-id', 'visitor-1', '--client', 'other', '--property', 'p1'];
    const options = {
      request: { id: { tntId: 'visitor-1' }, execute: { mboxes: [{ index: 0, name: 'hero' }] } },
      client: 'other',
      propertyToken: 'p1',
      now: Date.parse('2026-11-29T09:24:00Z'),
    };
    const byFlags = await explained(...flags);
    expect(byFlags).toMatchObject({
      client: 'other',
      property: 'p1',
      visitor: { by: 'tntId', isNew: false },
    });
    expect(await explained('--options', file('options.json', options))).toEqual(byFlags);
    const other = { ...options, client: 'third', request: { ...options.request, prefetch: { views: [{}] } } };
    expect(await explained('--options', file('options.json', other), ...flags)).toEqual(byFlags);
  });

  test.each([
    [['--ecid', '12345678901234567890123456789012345678'], 'marketingCloudVisitorId'],
    [['--third-party-id', 'crm-1'], 'thirdPartyId'],
    [['--cookie', 'PC#visitor-1.35_0#1900000000'], 'tntId'],
  ])('%p say who the visitor is: %s', async (flags, by) => {
    expect((await explained('--mbox', 'hero', ...flags)).visitor).toEqual({ by, isNew: false });
  });

  test('ask for several locations, in execute or prefetch', async () => {
    const flags = ['--mbox', 'hero', '--mbox', 'hero', '--page-load'];
    const modes = ({ locations }: { locations: { mode: string; name: string }[] }) =>
      locations.map(({ mode, name }) => `${mode} ${name}`).toSorted();
    expect(modes(await explained(...flags))).toEqual([
      ...['execute hero', 'execute hero', 'execute target-global-mbox'],
    ]);
    expect(modes(await explained(...flags, '--prefetch', '--view', 'home'))).toEqual([
      ...['prefetch hero', 'prefetch hero', 'prefetch home', 'prefetch target-global-mbox'],
    ]);
  });

  test('name parameters as they like', async () => {
    const { out } = await runCli([
      'explain',
      path,
      '--mbox',
      'hero',
      '--param',
      '__proto__=1',
      '--param',
      'a==',
    ]);
    expect(out).toContain('mbox hero');
  });
});

describe('simulate', () => {
  const path = file('rules.json', artifact);
  const simulated = async (args: readonly string[], stdin = '') => {
    const { out, err } = await runCli(['simulate', path, '--mbox', 'hero', ...args, '--json'], { stdin });
    expect(err).toBe('');
    return JSON.parse(out);
  };

  test('takes ids of a file or of standard input', async () => {
    const ids = 'one\r\ntwo\n\n  three \nthree';
    const facts = { visitors: 4, distinct: 3 };
    expect(await simulated(['--ids', file('ids.txt', ids)])).toMatchObject(facts);
    expect(await simulated(['--ids', '-', '--id-kind', 'thirdPartyId'], ids)).toMatchObject(facts);
    expect(await simulated(['--ids', '-', '--visitors', '2'], ids)).toMatchObject({ visitors: 2 });
  });

  test('is ended by the user, also while it waits for an id', async () => {
    const args = ['simulate', path, '--mbox', 'hero'];
    const aborted = { code: 2, out: '', err: 'target-node-sdk: the simulation was aborted\n' };
    expect(await runCli(args, { signal: AbortSignal.abort() })).toEqual(aborted);
    const ending = new AbortController();
    const waiting = async function* () {
      yield Buffer.from('one\ntwo\n');
      ending.abort();
      await new Promise(() => undefined);
    };
    expect(await runCli([...args, '--ids', '-'], { signal: ending.signal, stdin: waiting() })).toEqual(
      aborted,
    );
  });

  test('makes other ids of another seed, and the same of the same', async () => {
    const countsOf = async (seed: string) => {
      const { activities } = await simulated(['--visitors', '1000', '--seed', seed]);
      return activities[0].histogram;
    };
    expect(await countsOf('5')).toEqual(await countsOf('5'));
    expect(await countsOf('5')).not.toEqual(await countsOf('6'));
  });
});

describe('edge', () => {
  test('runs until it is ended, and decides by the artifact', async () => {
    const ending = new AbortController();
    let answered: unknown;
    const { code, out } = await runCli(['edge', file('rules.json', artifact), '--client', 'acme', '--json'], {
      signal: ending.signal,
      onOut: (text) => {
        const { config } = JSON.parse(text);
        const client = TargetClient.create({ ...config, telemetryEnabled: false });
        const request = { execute: { mboxes: [{ name: 'hero' }] } };
        void client
          .getOffers({ request })
          .then(({ response }) => {
            answered = response.execute?.mboxes?.[0]?.options?.[0]?.type;
            return client.close();
          })
          .finally(() => ending.abort());
      },
    });
    expect([code, answered]).toEqual([0, 'json']);
    await expect(fetch(JSON.parse(out).url)).rejects.toThrow();
  });

  test.each([
    [[], true],
    [['--no-workbench'], false],
  ])('with the flags %p has a workbench: %p', async (flags, hasWorkbench) => {
    const ending = new AbortController();
    const found: unknown[] = [];
    const { code } = await runCli(['edge', file('rules.json', artifact), '--json', ...flags], {
      signal: ending.signal,
      onOut: (text) => {
        const { url, workbenchUrl } = JSON.parse(text);
        void fetch(workbenchUrl ?? `${url}/_workbench/`)
          .then(async (page) =>
            found.push(workbenchUrl !== undefined, page.ok, (await page.text()).includes('<html')),
          )
          .finally(() => ending.abort());
      },
    });
    expect([code, ...found]).toEqual([0, hasWorkbench, hasWorkbench, hasWorkbench]);
  });

  test('shows offers of a file, and says in words what it is', async () => {
    const offers = file('offers.json', { mboxes: { hero: html('<p>hello</p>') } });
    const ending = AbortSignal.abort();
    const { code, out } = await runCli(['edge', '--offers', offers], { signal: ending });
    expect(code).toBe(0);
    expect(out).toMatch(/^the local edge runs at http:\/\/127\.0\.0\.1:\d+/);
    expect(out).toContain('no rules: give it an artifact');
    expect(out).toMatch(/^look into it with a browser: http:\/\/127\.0\.0\.1:\d+\/_workbench\/$/m);
    const { out: without } = await runCli(['edge', '--no-workbench'], { signal: ending });
    expect(without).not.toContain('workbench');
  });

  test('says that a port is in use', async () => {
    const { code, err } = await runCli(['edge', '--port', String(edge.port)]);
    expect(code).toBe(2);
    expect(err).toBe(
      `target-node-sdk: port ${edge.port} cannot be used (EADDRINUSE): give --port another number\n`,
    );
  });
});

describe('types', () => {
  const path = file('rules.json', artifact);

  test('are written, checked, and found stale', async () => {
    const out = file('mboxes.d.ts', 'stale');
    const check = ['types', path, '--out', out, '--check'];
    const { code, out: said } = await runCli(check);
    expect(code).toBe(1);
    expect(said.replace(/\s+/g, ' ')).toContain(`run target-node-sdk types ${path} --out ${out}`);
    expect((await runCli(['types', '--artifact', path, '--out', out])).code).toBe(0);
    expect(readFileSync(out, 'utf8')).toContain('export interface TargetMboxes');
    expect((await runCli(check)).code).toBe(0);
    expect((await runCli([...check, '--no-literals'])).code).toBe(0);
  });

  test('are printed without a file, with or without literals', async () => {
    const plan = activity('Plan')
      .mbox('plan')
      .only(json({ color: 'red' }));
    const given = file('plan.json', buildArtifact({ activities: [plan], client: 'acme' }));
    expect((await runCli(['types', given])).out).toContain('color: "red";');
    expect((await runCli(['types', given, '--no-literals'])).out).toContain('color: string;');
  });
});
