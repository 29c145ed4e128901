import { expect, test } from '@jest/globals';
import type { EdgeCall, EdgeLocation } from '../../src/testing/edge.js';
import { abTest, html, json, startTargetEdge } from '../../src/testing/edge.js';
import { toScript } from '../../src/testing/offers.js';
import { CONTEXT, deliver } from './deliver.js';

const LOCATION: EdgeLocation = { kind: 'mbox', mode: 'execute', name: 'hero' };

function experienceOf(offers: ReturnType<typeof abTest>, visitor: string, location = LOCATION): unknown {
  const call: EdgeCall = { request: {}, organizationId: 'o', sessionId: 's', tntId: 't', visitor };
  return toScript(offers(location, call) ?? []).options[0]?.responseTokens?.['experience.name'];
}

function split(offers: ReturnType<typeof abTest>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let visitor = 0; visitor < 4000; visitor += 1) {
    const name = String(experienceOf(offers, `visitor ${visitor}`));
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

test('a visitor sees the same experience at every call, and its response tokens name it', async () => {
  await using edge = await startTargetEdge({
    offers: { mboxes: { hero: abTest({ control: html('A'), treatment: [html('B'), json({})] }) } },
  });
  const ask = async (tntId: string) => {
    const request = { id: { tntId }, context: CONTEXT, execute: { mboxes: [{ index: 1, name: 'hero' }] } };
    return (await deliver(edge, request)).response.execute?.mboxes?.[0]?.options;
  };
  const seen = new Set<unknown>();
  for (let visitor = 0; visitor < 20; visitor += 1) {
    const options = await ask(`visitor${visitor}`);
    expect(await ask(`visitor${visitor}.35_0`)).toEqual(options);
    const treated = options?.[0]?.content === 'B';
    expect(options).toHaveLength(treated ? 2 : 1);
    for (const option of options ?? []) {
      expect(option.responseTokens).toEqual({
        'activity.type': 'ab',
        'activity.name': 'hero',
        'experience.id': treated ? 1 : 0,
        'experience.name': treated ? 'treatment' : 'control',
      });
    }
    seen.add(treated);
  }
  expect(seen.size).toBe(2);
});

test('the split follows the weights', () => {
  const experiences = { a: html('a'), b: html('b'), c: html('c') };
  const even = split(abTest({ a: html('a'), b: html('b') }));
  expect(even.a).toBeGreaterThan(1800);
  expect(even.b).toBeGreaterThan(1800);
  const weighted = split(abTest(experiences, { weights: { a: 90, b: 10 } }));
  expect(weighted.a).toBeGreaterThan(3450);
  expect(weighted.b).toBeGreaterThan(250);
  expect(weighted.c).toBeUndefined();
});

test('locations of one activity agree, other activities are independent', () => {
  const experiences = { a: html('a'), b: html('b') };
  const other: EdgeLocation = { ...LOCATION, name: 'footer' };
  const shared = abTest(experiences, { activity: 'summer' });
  const own = abTest(experiences);
  const visitors = Array.from({ length: 200 }, (_, position) => `visitor ${position}`);
  const agreement = (offers: typeof own) =>
    visitors.filter((visitor) => experienceOf(offers, visitor) === experienceOf(offers, visitor, other))
      .length;
  expect(agreement(shared)).toBe(200);
  expect(agreement(own)).toBeLessThan(150);
  expect(agreement(own)).toBeGreaterThan(50);
});

test.each([[{}], [{ a: -1 }], [{ a: Number.NaN }], [{ a: 0 }]])('weights %j are refused', (weights) => {
  expect(() => abTest({ a: html('a') }, { weights })).toThrow('abTest');
});

test('a misspelt option, and the weight of an unknown experience, are refused', () => {
  const make = (options: object) => () => abTest({ A: html('a'), B: html('b') }, options);
  expect(make({ weight: { A: 1 } })).toThrow('abTest: unknown option "weight": did you mean "weights"?');
  expect(make({ weights: { A: 1, control: 1 } })).toThrow(
    'abTest.weights: unknown option "control": known are A, B',
  );
});
