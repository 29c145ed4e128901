import { beforeAll, describe, expect, test } from '@jest/globals';
import type { DeliveryRequest, TargetClient, VisitorId } from '../src/index.js';
import { flagsArtifact } from './fixtures/flags.js';
import { withScripts } from './scripted-cdn.js';
import { withEdge } from './with-edge.js';

const VISITORS = 10_000;
/** Calls over a socket cost a thousand times as much as decisions in this process. */
const VISITORS_OF_EDGE = 1_000;
const AT_ONCE = 10;
/** Long enough for any machine: these tests are about the answers, not about their time. */
const TIMEOUT_MS = 60_000;
const bench = withEdge({ artifact: flagsArtifact() });
const startWith = withScripts();

/** The same visitors each time: ids of every kind, made by a generator that always begins alike. */
function visitorsOf(count: number): VisitorId[] {
  let seed = 42;
  const random = () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed;
  };
  const hex = () => [random(), random(), random(), random()].map((part) => part.toString(16)).join('');
  const kinds: (() => VisitorId)[] = [
    () => ({ marketingCloudVisitorId: `${random()}${random()}${random()}` }),
    () => ({ tntId: `${hex()}.${random() % 99}_0` }),
    () => ({ thirdPartyId: `user ${random()} é` }),
    () => ({
      customerIds: [
        { id: `guest ${random()}`, integrationCode: 'a', authenticatedState: 'logged_out' },
        { id: hex(), integrationCode: 'crm', authenticatedState: 'authenticated' },
      ],
    }),
  ];
  return Array.from({ length: count }, (_, index) => kinds[index % kinds.length]?.() ?? {});
}

async function isInBeta(client: TargetClient, id: VisitorId): Promise<boolean> {
  const request: DeliveryRequest = { id, prefetch: { mboxes: [{ name: 'flags' }] } };
  const { response } = await client.getOffers({ request, timeout: TIMEOUT_MS });
  const content = response.prefetch?.mboxes?.[0]?.options?.[0]?.content as { beta: boolean };
  return content.beta;
}

async function decideAll(client: TargetClient, visitors: readonly VisitorId[]): Promise<boolean[]> {
  const decided: boolean[] = [];
  let next = 0;
  const work = async () => {
    for (let index = next++; index < visitors.length; index = next++) {
      decided[index] = await isInBeta(client, visitors[index] ?? {});
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return decided;
}

function onDevice(): TargetClient {
  return startWith({ artifactPayload: flagsArtifact(), pollingInterval: 0 }).client;
}

describe('ten thousand visitors, of whom a thousand ask the edge too', () => {
  const visitors = visitorsOf(VISITORS);
  let decided: boolean[];

  beforeAll(async () => {
    const client = onDevice();
    decided = await decideAll(client, visitors);
    await client.close();
  });

  test.each([
    [0, 'ECID'],
    [1, 'tntId'],
    [2, 'third-party id'],
    [3, 'customer id'],
  ])('get the same experience from the edge and on-device (%i: by their %s)', async (kind) => {
    const isAsked = (_: unknown, index: number) => index < VISITORS_OF_EDGE && index % 4 === kind;
    const client = bench.connect();
    expect(await decideAll(client, visitors.filter(isAsked))).toEqual(decided.filter(isAsked));
    expect(bench.edge.lastRequest?.path).toBe('/rest/v1/delivery');
  });

  test('get the same experience from every client, and whenever they come', async () => {
    const reversed = await decideAll(onDevice(), [...visitors].reverse());
    expect(reversed.reverse()).toEqual(decided);
  });

  test('are split in halves, as far as chance lets halves be', () => {
    const share = decided.filter(Boolean).length;
    // 99.9 % of all splits by a fair coin are within 3.29 standard deviations.
    expect(Math.abs(share - VISITORS / 2)).toBeLessThan(3.29 * Math.sqrt(VISITORS / 4));
  });

  test('are split in halves whatever id they are known by', () => {
    for (const kind of [0, 1, 2, 3]) {
      const group = decided.filter((_, index) => index % 4 === kind);
      const share = group.filter(Boolean).length;
      expect(Math.abs(share - group.length / 2)).toBeLessThan(3.89 * Math.sqrt(group.length / 4));
    }
  });

  test('get another experience in another account', async () => {
    const { client } = startWith({
      client: 'another',
      artifactPayload: flagsArtifact(),
      pollingInterval: 0,
    });
    const other = await decideAll(client, visitors.slice(0, 1000));
    const same = other.filter((beta, index) => beta === decided[index]).length;
    expect(Math.abs(same - 500)).toBeLessThan(3.89 * Math.sqrt(250));
  });
});

describe('a visitor', () => {
  test('keeps the experience when the device id gets or changes its cluster', async () => {
    const client = onDevice();
    for (const { tntId = 'abc.1_0' } of visitorsOf(200)) {
      const bare = tntId.slice(0, tntId.indexOf('.'));
      const [first, ...others] = await Promise.all(
        [bare, `${bare}.28_0`, `${bare}.35_0`].map((id) => isInBeta(client, { tntId: id })),
      );
      expect(others).toEqual([first, first]);
    }
  });

  test('who comes back with the cookie of the first answer keeps the experience', async () => {
    const [first, second] = [onDevice(), onDevice()];
    const request: DeliveryRequest = { prefetch: { mboxes: [{ name: 'flags' }] } };
    for (let visitor = 0; visitor < 100; visitor += 1) {
      const come = await first.getOffers({ request });
      const back = await second.getOffers({ request, targetCookie: come.targetCookie?.value });
      expect(back.response.prefetch).toEqual(come.response.prefetch);
      expect(back.response.id).toEqual(come.response.id);
    }
  });

  test('who moves between the edge and on-device keeps the experience', async () => {
    const [edge, device] = [bench.connect(), onDevice()];
    const request: DeliveryRequest = { prefetch: { mboxes: [{ name: 'flags' }] } };
    const contentOf = (response: { prefetch?: { mboxes?: { options?: { content?: unknown }[] }[] } }) =>
      response.prefetch?.mboxes?.[0]?.options?.[0]?.content;
    for (let visitor = 0; visitor < 50; visitor += 1) {
      const come = await edge.getOffers({ request });
      const moved = await device.getOffers({ request, targetCookie: come.targetCookie?.value });
      expect(contentOf(moved.response)).toEqual(contentOf(come.response));
    }
  });
});
