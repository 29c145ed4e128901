import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { DeliveryRequest } from '../../src/delivery-api.js';
import { isRecord } from '../../src/json.js';
import { diffArtifacts, explain } from '../../src/tools/tools.js';

/** The number of pairs of artifacts; a full run takes 20 000. */
const RUNS = Number(process.env.TOOLS_RUNS ?? 100);

const share = (from: number, to: number) => ({
  and: [{ [from === 0 ? '<=' : '<']: [from, { var: 'allocation' }] }, { '>=': [to, { var: 'allocation' }] }],
});
const plan = (name: string) => ({ '==': [name, { var: 'mbox.plan' }] });

const CONDITIONS: readonly unknown[] = [
  true,
  false,
  [],
  { and: [] },
  share(0, 50),
  share(50, 100),
  share(0, 100),
  plan('gold'),
  { and: [share(0, 50), plan('gold')] },
  { and: [plan('gold'), share(0, 50)] },
  { and: [share(0, 50), []] },
  { and: [{ missing: ['mbox.plan'] }, share(0, 50)] },
  { or: [share(0, 90), plan('gold')] },
  { or: [plan('gold'), plan('silver')] },
  { or: [plan('silver'), plan('gold')] },
  { or: [{ '*': [] }, plan('gold')] },
  { or: [plan('gold'), { '*': [] }] },
  { regex: ['x'] },
];

const macros = ['offer.name', 'user.plan'].map((name) => `\${${name}}`);
const TEXTS = ['hello', 'hallo', ...macros, 'x'.repeat(70), `${'x'.repeat(70)}y`];

const options = fc.array(
  fc.record({
    type: fc.constantFrom('html', 'json'),
    content: fc.oneof(fc.constantFrom(...TEXTS), fc.constantFrom({ a: 1 }, { a: 2 }, [1], null)),
    eventToken: fc.constantFrom('t1', 't2', undefined),
  }),
  { maxLength: 2 },
);
const metrics = fc.array(
  fc.record({
    type: fc.constantFrom('click', 'display'),
    eventToken: fc.constantFrom('m1', 'm2', undefined),
  }),
  { maxLength: 2 },
);

const rule = fc.record(
  {
    ruleKey: fc.constantFrom('1', '2', '3'),
    activityId: fc.constantFrom(1, 2, '2'),
    propertyTokens: fc.constantFrom(undefined, null, [], ['p'], ['p', 'q']),
    meta: fc.record({
      'activity.name': fc.constantFrom('Spring', 'Summer'),
      'activity.type': fc.constantFrom('ab', 'xt'),
      'experience.id': fc.constantFrom(0, 1),
      'experience.name': fc.constantFrom('A', 'B', 'none'),
      'location.name': fc.constantFrom('hero', 'side'),
      'offer.name': fc.constantFrom('one', 'two'),
    }),
    condition: fc.constantFrom(...CONDITIONS),
    consequence: fc.record({ name: fc.constantFrom(undefined, 'hero', 'other'), options, metrics }),
  },
  { requiredKeys: ['ruleKey', 'meta', 'condition', 'consequence'] },
);
const broken = fc.constantFrom<unknown>({ bad: 1 }, null, 7, { meta: {}, condition: true, consequence: {} });
const rules = fc.array(fc.oneof({ weight: 9, arbitrary: rule }, { weight: 1, arbitrary: broken }), {
  maxLength: 4,
});

const artifact = fc.record({
  version: fc.constant('1.0.0'),
  meta: fc.constant({ clientCode: 'acme' }),
  localMboxes: fc.constantFrom(['hero', 'side', 'body'], ['hero']),
  remoteMboxes: fc.constantFrom([], ['side']),
  localViews: fc.constant(['home', 'cart']),
  responseTokens: fc.constantFrom<string[]>([], ['location.name', 'activity.id'], ['offer.name']),
  globalMbox: fc.constant('body'),
  rules: fc.record({
    mboxes: fc.record({ hero: rules, side: rules, body: rules }),
    views: fc.record({ home: rules, cart: rules }),
  }),
});

/** A way to change one place of a value: the numbers choose the place and what happens there. */
type Step = readonly [where: number, how: number];

/** Removes, repeats, swaps or replaces something inside of a value, which is changed in place. */
function mutate(value: unknown, steps: readonly Step[]): void {
  const [step, ...deeper] = steps;
  if (!step || typeof value !== 'object' || value === null) {
    return;
  }
  const [where, how] = step;
  const list: unknown[] | undefined = Array.isArray(value) ? value : undefined;
  const names = Object.keys(value);
  const name = names[where % Math.max(1, names.length)];
  if (name === undefined) {
    return;
  }
  const inner: unknown = Reflect.get(value, name);
  if (deeper.length > 0 && typeof inner === 'object' && inner !== null) {
    mutate(inner, deeper);
    return;
  }
  const other = names[(where + 1) % names.length] ?? name;
  if (list && how % 4 === 0) {
    list.splice(Number(name), 1);
  } else if (list && how % 4 === 1) {
    list.splice(Number(name), 0, structuredClone(list[Number(other)]));
  } else if (how % 4 === 2) {
    Reflect.set(value, name, Reflect.get(value, other));
    Reflect.set(value, other, inner);
  } else {
    Reflect.set(
      value,
      name,
      typeof inner === 'number' ? inner + 1 : typeof inner === 'string' ? `${inner}x` : true,
    );
  }
}

const steps = fc.array(fc.tuple(fc.nat(30), fc.nat(3)), { minLength: 2, maxLength: 7 });

const REQUESTS: readonly DeliveryRequest[] = [
  { execute: { mboxes: ['hero', 'side', 'body'].map((name) => ({ name })), pageLoad: {} } },
  { prefetch: { mboxes: ['hero', 'side'].map((name) => ({ name })), views: [{}], pageLoad: {} } },
  { prefetch: { views: [{ name: 'home' }, { name: 'cart', parameters: { plan: 'gold' } }] } },
  { execute: { mboxes: ['hero', 'side'].map((name) => ({ name, parameters: { plan: 'gold' } })) } },
];

/** The tokens of events are new in each artifact. */
function withoutTokens(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(withoutTokens);
  }
  return isRecord(value)
    ? Object.fromEntries(
        Object.entries(value).flatMap(([name, inner]) =>
          name === 'eventToken' ? [] : [[name, withoutTokens(inner)]],
        ),
      )
    : value;
}

function answersOf(given: object): unknown[] {
  return REQUESTS.flatMap((request) =>
    ['visitor-1', 'visitor-2', 'visitor-3'].flatMap((tntId) =>
      [undefined, 'p'].map((propertyToken) => {
        try {
          const { answer } = explain(given, {
            request: { ...request, id: { tntId } },
            propertyToken,
            now: 0,
          });
          return withoutTokens(answer);
        } catch (error) {
          return String(error);
        }
      }),
    ),
  );
}

test('artifacts that are equal decide alike, whatever was changed', () => {
  let equal = 0;
  fc.assert(
    fc.property(artifact, fc.array(steps, { minLength: 1, maxLength: 3 }), (before, changes) => {
      const after = structuredClone(before);
      for (const change of changes) {
        mutate(after.rules, change);
      }
      let isEqual = false;
      try {
        ({ isEqual } = diffArtifacts(before, after));
      } catch {
        return;
      }
      if (isEqual) {
        equal += 1;
        expect(answersOf(after)).toEqual(answersOf(before));
      }
    }),
    { numRuns: RUNS },
  );
  expect(equal).toBeGreaterThan(0);
});

test('an artifact equals its copy', () => {
  fc.assert(
    fc.property(artifact, (given) => {
      expect(diffArtifacts(given, structuredClone(given))).toMatchObject({ isEqual: true, quiet: 0 });
    }),
    { numRuns: RUNS / 4 },
  );
});
