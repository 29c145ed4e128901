import { describe, expect, test } from '@jest/globals';
import type { DeliveryRequest, LocationResponse } from '../../src/delivery-api.js';
import { evaluate } from '../../src/on-device/evaluate.js';
import { compileArtifact } from '../../src/on-device/rules/compile.js';
import { artifactOf, decideFrom, NOW_MS, rule } from '../fixtures/rules.js';

const never = { '==': [1, 2] };
const artifact = artifactOf(
  {
    hero: [
      rule('hero', { activity: 1, when: never, audiences: [11, 12] }),
      rule('hero', { activity: 2, audiences: [21], properties: ['other'] }),
      rule('hero', { activity: 1, experience: 1, audiences: [12, 13], shows: 'x' }),
      rule('hero', { activity: 3 }),
    ],
    nothing: [rule('nothing', { activity: 4, when: never })],
  },
  { home: [rule('home', { activity: 5, audiences: [51] })] },
);
const request: DeliveryRequest = {
  trace: {},
  context: { address: { url: 'http://www.shop.example.com/a' }, geo: { city: 'BERLIN' } },
};

function traceOf(location: LocationResponse | undefined) {
  return location?.trace as Record<string, unknown> & {
    request: object;
    campaigns: object[];
    evaluatedCampaignTargets: object[];
  };
}

test('nothing is traced unless it was asked for', () => {
  const { execute } = decideFrom(artifact, {
    ...request,
    trace: undefined,
    execute: { mboxes: [{ name: 'hero' }] },
  });
  expect(execute?.mboxes?.[0]).not.toHaveProperty('trace');
});

describe('a trace', () => {
  test('says why each rule held or not, and what came of it', () => {
    const mbox = { name: 'hero', index: 3, parameters: { a: 'B' }, product: { id: '1' } };
    const { execute, notifications } = decideFrom(artifact, { ...request, execute: { mboxes: [mbox] } });
    expect(traceOf(execute?.mboxes?.[0])).toEqual({
      clientCode: 'acme',
      artifact: {
        artifactLocation: 'Not Applicable',
        artifactVersion: '1.0.0',
        clientCode: 'fixture',
        environment: 'production',
      },
      profile: { visitorId: { tntId: 'visitor', profileLocation: '35_0' } },
      request: {
        sessionId: 'session',
        pageURL: 'http://www.shop.example.com/a',
        host: 'example.com',
        mbox: { ...mbox, type: 'execute' },
      },
      campaigns: [
        { id: 1, campaignType: 'ab', branchId: 1, offers: [11], environment: 'production', notifications },
      ],
      evaluatedCampaignTargets: [
        {
          context: {
            allocation: expect.any(Number),
            current_day: 3,
            current_time: '1430',
            current_timestamp: NOW_MS,
            geo: { city: 'BERLIN' },
            mbox: { a: 'B', a_lc: 'b' },
            page: expect.objectContaining({ subdomain: 'shop', path: '/a' }),
            referring: expect.objectContaining({ url: '', domain: '' }),
            user: { browserType: 'unknown', browserVersion: -1, locale: 'en', platform: 'unknown' },
          },
          campaignId: 1,
          campaignType: 'ab',
          matchedSegmentIds: [12, 13],
          unmatchedSegmentIds: [11, 12],
          matchedRuleConditions: [true],
          unmatchedRuleConditions: [never],
        },
      ],
    });
  });

  test('is there for what nothing matched, too', () => {
    const { execute } = decideFrom(artifact, {
      ...request,
      execute: { mboxes: [{ name: 'nothing' }, { name: 'unknown' }], pageLoad: {} },
    });
    const [nothing, unknown] = execute?.mboxes ?? [];
    expect(traceOf(nothing)).toMatchObject({
      campaigns: [],
      evaluatedCampaignTargets: [{ campaignId: 4, unmatchedRuleConditions: [never] }],
    });
    expect(traceOf(unknown)).toMatchObject({ request: { mbox: { name: 'unknown', type: 'execute' } } });
    expect(traceOf(execute?.pageLoad)).toMatchObject({
      request: { mbox: { name: 'target-global-mbox', type: 'execute' } },
    });
  });

  test('of a prefetch has no notifications', () => {
    const views = [{ name: 'home', key: 'k', parameters: { a: 'b' } }];
    const { prefetch } = decideFrom(artifact, {
      ...request,
      prefetch: { mboxes: [{ name: 'hero' }], views },
    });
    expect(traceOf(prefetch?.mboxes?.[0]).campaigns[0]).not.toHaveProperty('notifications');
    expect(traceOf(prefetch?.views?.[0])).toMatchObject({
      request: { view: { ...views[0], type: 'prefetch' } },
      evaluatedCampaignTargets: [{ campaignId: 1 }, { campaignId: 5, matchedSegmentIds: [51] }],
    });
  });

  test('tells everything that was evaluated until the location was answered, and execute and prefetch apart', () => {
    const mboxes = [{ name: 'hero' }, { name: 'nothing' }];
    const { execute, prefetch } = decideFrom(artifact, {
      ...request,
      execute: { mboxes },
      prefetch: { mboxes },
    });
    for (const part of [execute, prefetch]) {
      const ids = part?.mboxes?.map((mbox) =>
        traceOf(mbox).evaluatedCampaignTargets.map((target) => (target as { campaignId: number }).campaignId),
      );
      expect(ids).toEqual([[1], [1, 4]]);
    }
  });

  test('tells about the artifact’s download', () => {
    const compiled = compileArtifact(artifact, { client: 'acme' });
    const { prefetch } = evaluate(
      { ...request, id: { tntId: 'a' }, prefetch: { mboxes: [{ name: 'hero' }] } },
      compiled,
      {
        nowMs: NOW_MS,
        sessionId: 'session',
        newId: () => 'id',
        artifactFacts: {
          artifactLocation: 'https://assets.example.com/rules.json',
          pollingInterval: 300_000,
          pollingHalted: false,
          artifactRetrievalCount: 3,
          artifactLastRetrievedMs: NOW_MS,
        },
      },
    );
    expect(traceOf(prefetch?.mboxes?.[0])).toMatchObject({
      profile: { visitorId: { tntId: 'a' } },
      artifact: {
        artifactLocation: 'https://assets.example.com/rules.json',
        pollingInterval: 300_000,
        pollingHalted: false,
        artifactRetrievalCount: 3,
        artifactLastRetrieved: '2024-05-15T14:30:00.000Z',
      },
    });
  });

  test('shows a new visitor’s new tntId', () => {
    const { prefetch } = decideFrom(artifact, {
      ...request,
      id: {},
      prefetch: { mboxes: [{ name: 'hero' }] },
    });
    expect(traceOf(prefetch?.mboxes?.[0])).toMatchObject({ profile: { visitorId: { tntId: 'id-1' } } });
  });
});
