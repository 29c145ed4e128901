import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { toArtifact } from '../../examples/feature-flags/releases.js';
import { startTargetEdge, type TargetEdge } from '../../src/testing/edge.js';
import { type Browser, isChromiumMissing, launchChromium, type Page } from './chromium.js';
import { accountOf, type ExampleServer, killExamples, startExample } from './express-server.js';

const EXAMPLE = 'feature-flags';
const NO_RULES = 'Default: nothing to decide by';
const ALL = {
  'Several pages': 'false Continue €50',
  'One page': 'true Pay now €50',
  Express: 'true Pay with one tap €30',
};

afterAll(killExamples);

/** A row of the table: the customer, the experience and the flags. */
type Row = readonly [customer: string, experience: string, flags: string];

interface Shown {
  readonly text: string;
  readonly rows: readonly Row[];
}

async function open(server: ExampleServer): Promise<Shown> {
  const answer = await fetch(server.url);
  expect(answer.status).toBe(200);
  const text = await answer.text();
  const cells =
    /<th scope="row">([^<]+)<\/th><td><span class="tag \w+">([^<]+)<\/span>.*?<\/td>\s*<td>([^<]+)<\/td><td>([^<]+)<\/td><td>([^<]+)<\/td>/g;
  const rows = [...text.matchAll(cells)].map(
    ([, customer = '', experience = '', ...flags]): Row => [customer, experience, flags.join(' ')],
  );
  return { text, rows };
}

const press = (server: ExampleServer, action: string) =>
  fetch(`${server.url}/${action}`, { method: 'POST', redirect: 'manual' });

/** A row of the table of facts. */
function fact({ text }: Shown, name: string): string | undefined {
  return new RegExp(`<th scope="row">${name}</th><td>([^<]*)</td>`).exec(text)?.[1];
}

function counts({ rows }: Shown): Record<string, number> {
  const found: Record<string, number> = {};
  for (const [, experience] of rows) {
    found[experience] = (found[experience] ?? 0) + 1;
  }
  return found;
}

describe('without configuration', () => {
  let server: ExampleServer;
  beforeEach(async () => {
    server = await startExample(EXAMPLE);
  });
  afterEach(async () => {
    // By itself, whatever state its edge is in.
    expect(await server.stop()).toBe(0);
  });

  test('prints one line with its URL, and shows twenty customers with the flags of their experiences', async () => {
    const page = await open(server);
    expect(server.lines).toEqual([expect.stringMatching(/^http:\/\/localhost:\d+ /)]);
    expect(new Set(page.rows.map(([customer]) => customer)).size).toBe(20);
    for (const [customer, experience, flags] of page.rows) {
      expect([customer, flags]).toEqual([customer, ALL[experience as keyof typeof ALL]]);
    }
    expect(counts(page)).toEqual({ 'Several pages': 10, 'One page': 10 });
    expect(fact(page, 'Artifact version')).toBe('1');
    expect(server.errors()).toBe('');
  });

  test('decides the same for everybody after a reload and after a restart, without asking the edge', async () => {
    const first = await open(server);
    const again = await open(server);
    expect(again.rows).toEqual(first.rows);
    // One for the rules, one that asks which edge is near.
    expect(Number(fact(again, 'Requests to the edge'))).toBeLessThanOrEqual(2);
    expect(fact(again, 'Decisions since the start')).toBe('40');
    const other = await startExample(EXAMPLE);
    expect((await open(other)).rows).toEqual(first.rows);
    await other.stop();
  });

  test('takes new rules without a restart, and says who has another experience', async () => {
    const first = await open(server);
    const answer = await press(server, 'publish');
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/']);
    const second = await open(server);
    expect(fact(second, 'Artifact version')).toBe('2');
    expect(Date.parse(fact(second, 'Made at') ?? '')).toBeGreaterThan(
      Date.parse(fact(first, 'Made at') ?? ''),
    );
    expect(counts(second)).toEqual({ 'Several pages': 4, 'One page': 8, Express: 8 });
    const changed = second.rows.filter((row, position) => row[1] !== first.rows[position]?.[1]);
    expect(second.text).toContain(`${changed.length} of 20 customers have another experience now`);
    expect(second.text.match(/<small>was /g)).toHaveLength(changed.length);
    // Who had several pages and lost them has one page; nobody jumps over an experience for no reason.
    for (const [, experience] of changed) {
      expect(experience).not.toBe('Several pages');
    }
    await press(server, 'publish');
    expect(counts(await open(server))).toEqual({ Express: 20 });
  });

  test('goes on deciding the same when the edge is stopped, and takes rules again when it is back', async () => {
    const first = await open(server);
    await press(server, 'stop');
    const stopped = await open(server);
    expect(stopped.rows).toEqual(first.rows);
    expect(stopped.text).toContain('The edge is stopped. Decisions go on');
    expect(fact(stopped, 'Edge')).toBe('stopped');

    await press(server, 'publish');
    const refused = await open(server);
    expect([refused.rows, fact(refused, 'Artifact version')]).toEqual([first.rows, '1']);
    expect(server.errors()).toMatch(/the old rules stay in use: TargetError: the artifact download failed/);

    await press(server, 'restart');
    await press(server, 'restart');
    await press(server, 'publish');
    const back = await open(server);
    expect([fact(back, 'Edge'), fact(back, 'Artifact version')]).toEqual(['running', '2']);
    expect(back.rows).not.toEqual(first.rows);
    await press(server, 'stop');
  });
});

describe('with an account', () => {
  const artifact = toArtifact(0, new Date(0));
  let edge: TargetEdge;
  beforeEach(async () => {
    edge = await startTargetEdge({ artifact, client: 'harbour', organizationId: 'HARBOUR@AdobeOrg' });
  });
  afterEach(() => edge.close());
  const start = () => startExample(EXAMPLE, { ...accountOf(edge), TARGET_CDN: edge.host });

  test("decides by the account's rules, and has no buttons", async () => {
    const server = await start();
    const page = await open(server);
    expect(page.rows).toHaveLength(20);
    expect(Object.keys(counts(page)).sort()).toEqual(['One page', 'Several pages']);
    expect(fact(page, 'Made at')).toBe('1970-01-01T00:00:00.000Z');
    expect(page.text).not.toContain('<button');
    expect(fact(page, 'Edge')).toBeUndefined();
    for (const action of ['publish', 'stop', 'restart']) {
      expect((await press(server, action)).status).toBe(404);
    }
    expect(edge.requestsTo(/rules/).map(({ path }) => path)).toEqual(['/harbour/production/v1/rules.json']);
    expect(edge.requests.flatMap(({ violations }) => violations)).toEqual([]);
    await server.stop();
  });

  test('uses the defaults until there are rules, and then the rules', async () => {
    edge.setArtifact(undefined);
    const server = await start();
    expect(counts(await open(server))).toEqual({ [NO_RULES]: 20 });
    edge.setArtifact(artifact);
    const tries = edge.requestsTo(/rules/).length;
    await edge.waitForRequests(tries + 1, { where: /rules/, timeoutMs: 60_000 });
    let page = await open(server);
    // The answer is on its way.
    while (counts(page)[NO_RULES]) {
      page = await open(server);
    }
    expect(Object.keys(counts(page)).sort()).toEqual(['One page', 'Several pages']);
    await server.stop();
  });

  test('uses the defaults for what only the edge can decide, and for flags of the wrong type', async () => {
    edge.setArtifact({ ...artifact, localMboxes: [], remoteMboxes: ['checkout-flags'] });
    const remote = await start();
    expect(counts(await open(remote))).toEqual({ 'Default: only the edge can decide': 20 });
    await remote.stop();
    edge.setArtifact(JSON.parse(JSON.stringify(artifact).replaceAll('"Pay now"', '7')));
    const server = await start();
    const wrong = (await open(server)).rows.filter(([, experience]) => experience === 'One page');
    expect(new Set(wrong.map(([, , flags]) => flags))).toEqual(new Set(['true Continue €50']));
    await server.stop();
  });

  test('does not start with half an account', async () => {
    await expect(startExample(EXAMPLE, { TARGET_CLIENT: 'harbour' })).rejects.toThrow(
      /ended with 1.*set both TARGET_CLIENT and TARGET_ORGANIZATION_ID/s,
    );
  });
});

(isChromiumMissing ? describe.skip : describe)('in a browser', () => {
  let browser: Browser;
  let server: ExampleServer;
  let page: Page;
  const complaints: string[] = [];
  beforeAll(async () => {
    [browser, server] = await Promise.all([launchChromium(), startExample(EXAMPLE)]);
    page = await (await browser.newContext()).newPage();
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
  });
  afterAll(async () => {
    await browser.close();
    await server.stop();
  });

  const table = () => page.locator('#customers tbody').innerText();
  const heading = (name: string) => page.getByRole('heading', { name, level: 1 }).waitFor();

  test('buttons publish rules, stop the edge and start it again', async () => {
    await page.goto(server.url);
    await heading('Rules, version 1');
    expect(await page.locator('#customers tbody tr').count()).toBe(20);
    const first = await table();
    await page.reload();
    expect(await table()).toBe(first);

    await page.getByRole('button', { name: 'Publish the next rules' }).click();
    await heading('Rules, version 2');
    const second = await table();
    expect(second).not.toBe(first);

    await page.getByRole('button', { name: 'Stop the edge' }).click();
    await page.getByText('The edge is stopped.').waitFor();
    expect(await table()).toBe(second);
    expect(await page.getByRole('button', { name: 'Publish the next rules' }).isDisabled()).toBe(true);
    await page.reload();
    expect(await table()).toBe(second);

    await page.getByRole('button', { name: 'Start the edge again' }).click();
    await page.getByRole('button', { name: 'Stop the edge' }).waitFor();
    await page.getByRole('button', { name: 'Publish the next rules' }).click();
    await heading('Rules, version 3');
    expect(await table()).not.toBe(second);
    expect(complaints).toEqual([]);
  });

  test('the page fits a phone', async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    await page.goto(server.url);
    const box = await page.locator('main').boundingBox();
    expect((box?.x ?? 0) + (box?.width ?? Infinity)).toBeLessThanOrEqual(360);
  });
});
