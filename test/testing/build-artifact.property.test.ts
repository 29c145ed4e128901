import { type Schema, Validator } from '@cfworker/json-schema';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Artifact } from '../../src/artifact.js';
import type { DeliveryRequest, DeliveryResponse } from '../../src/delivery-api.js';
import { TargetClient } from '../../src/index.js';
import {
  type Audience,
  activity,
  audience,
  buildArtifact,
  createTestClient,
  html,
  json,
  startTargetEdge,
  type TargetEdge,
} from '../../src/testing/edge.js';
import { ARTIFACT_SCHEMA } from './artifact-schema.js';

const validator = new Validator(ARTIFACT_SCHEMA as Schema, '2019-09', false);

/** Each of the 10 000 visitors has an id of its own. */
const VISITORS = Array.from({ length: 10_000 }, (_, index) => `visitor${index}`);

test('10 000 visitors are split as configured', async () => {
  const weights = { A: 10, B: 20, C: 69.9, D: 0.1 };
  const experiences = Object.fromEntries(
    Object.entries(weights).map(([name, weight]) => [name, [weight, json({ name })] as const]),
  );
  const { client } = createTestClient({
    artifact: buildArtifact({ activities: [activity('Split').mbox('hero').split(experiences)] }),
  });
  const counts = new Map<unknown, number>();
  for (const tntId of VISITORS) {
    const { response } = await client.getOffers({
      request: { id: { tntId }, execute: { mboxes: [{ name: 'hero' }] } },
    });
    const name = response.execute?.mboxes?.[0]?.options?.[0]?.responseTokens?.['experience.name'];
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  expect([...counts.values()].reduce((sum, count) => sum + count)).toBe(10_000);
  for (const [name, weight] of Object.entries(weights)) {
    const expected = 100 * weight;
    // Seven standard deviations: by chance one of 10^11 splits is outside.
    const bound = 7 * Math.sqrt(expected * (1 - weight / 100)) + 1;
    expect([name, Math.abs((counts.get(name) ?? 0) - expected) <= bound]).toEqual([name, true]);
  }
});

describe('any artifact', () => {
  let edge: TargetEdge;
  beforeAll(async () => {
    edge = await startTargetEdge();
  });
  afterAll(() => edge.close());

  const { param, url, browser, country, between, time, all, any, not } = audience;
  const leaf = fc.constantFrom<Audience>(
    param('plan').is('gold', 'red'),
    param('n').isAtLeast(3),
    param('plan').ignoringCase.startsWith('G'),
    url.path.contains('sale'),
    browser('chrome'),
    country('CH'),
    between('2020-01-01', '2100-01-01'),
    time('00:00', '23:59'),
  );
  const { visitors } = fc.letrec<{ visitors: Audience }>((tie) => ({
    visitors: fc.oneof(
      { maxDepth: 3 },
      leaf,
      fc.array(tie('visitors'), { minLength: 1, maxLength: 3 }).map((list) => all(...list)),
      fc.array(tie('visitors'), { minLength: 1, maxLength: 3 }).map((list) => any(...list)),
      tie('visitors').map(not),
    ),
  }));
  const offer = fc.oneof(
    fc.string().map((text) => html(text)),
    fc.jsonValue().map((value) => json(value)),
  );
  const weighted = fc.tuple(
    fc.integer({ min: 1, max: 99 }),
    fc.oneof(offer, fc.array(offer, { minLength: 1, maxLength: 2 })),
  );
  const experiences = fc.dictionary(fc.string({ minLength: 1, maxLength: 5 }), weighted, {
    minKeys: 1,
    maxKeys: 4,
  });
  const plan = fc.record({
    locations: fc.uniqueArray(fc.constantFrom('hero', 'footer', 'view:cart', 'view:home', 'page'), {
      minLength: 1,
    }),
    offers: fc.oneof(experiences, offer),
    visitors: fc.option(visitors),
    property: fc.option(fc.constant('shop')),
    priority: fc.integer({ min: 0, max: 999 }),
    clicks: fc.boolean(),
  });
  const plans = fc.array(plan, { minLength: 1, maxLength: 4 });

  function toArtifact(given: typeof plans extends fc.Arbitrary<infer Plans> ? Plans : never): Artifact {
    const activities = given.map((one, index) => {
      let builder = activity(`Activity ${index}`).priority(one.priority);
      for (const location of one.locations) {
        const [, view] = location.split(':');
        builder =
          location === 'page' ? builder.pageLoad() : view ? builder.view(view) : builder.mbox(location);
      }
      const { offers } = one;
      builder = isOffer(offers) ? builder.only(offers) : builder.split(offers);
      builder = one.visitors ? builder.when(one.visitors) : builder;
      builder = one.property ? builder.property(one.property) : builder;
      return one.clicks ? builder.clicks() : builder;
    });
    return buildArtifact({ activities });
  }

  /** What the visitor gets, without the ids of the call and without what only prefetched offers of the edge have. */
  function decisionsOf({ execute, prefetch }: DeliveryResponse): unknown {
    return JSON.parse(
      JSON.stringify({ execute, prefetch }, (key, value) =>
        key === 'state' || key === 'activity.decisioningMethod' ? undefined : value,
      ),
    );
  }

  test('fits the schema, and decides alike in this process, on the edge, and with a client of the edge', async () => {
    const visit = fc.record({
      tntId: fc.integer({ min: 1 }).map((id) => `visitor${id}.35_0`),
      parameters: fc.record({ plan: fc.constantFrom('gold', 'Gold', 'blue'), n: fc.constantFrom('2', '3') }),
      isInShop: fc.boolean(),
      path: fc.constantFrom('/', '/sale/hats'),
      countryCode: fc.constantFrom('CH', 'DE'),
    });
    await using remote = TargetClient.create({ ...edge.config, timeout: 60_000 });
    await fc.assert(
      fc.asyncProperty(plans, fc.array(visit, { minLength: 2, maxLength: 2 }), async (given, visits) => {
        const artifact = toArtifact(given);
        expect(validator.validate(JSON.parse(JSON.stringify(artifact))).errors).toEqual([]);
        edge.setArtifact(artifact);
        const { client } = createTestClient({ artifact });
        const inProcess = createTestClient({ artifact, config: { decisioningMethod: 'server-side' } });
        for (const { tntId, parameters, isInShop, path, countryCode } of visits) {
          const names = [{ name: 'hero', parameters }, { name: 'footer' }];
          const request: DeliveryRequest = {
            id: { tntId },
            context: {
              channel: 'web',
              address: { url: `https://shop.example${path}` },
              geo: { countryCode },
            },
            ...(isInShop && { property: { token: 'shop' } }),
            execute: { mboxes: names, pageLoad: { parameters } },
            prefetch: { views: [{ parameters }], mboxes: names },
          };
          const { response } = await client.getOffers({ request });
          const here = decisionsOf(response);
          expect(decisionsOf((await inProcess.client.getOffers({ request })).response)).toEqual(here);
          expect(decisionsOf((await remote.getOffers({ request })).response)).toEqual(here);
        }
      }),
      { seed: 17, numRuns: 30, endOnFailure: true },
    );
  });

  function isOffer(offers: object): offers is ReturnType<typeof html> {
    return 'type' in offers && typeof (offers as { type: unknown }).type === 'string';
  }
});
