import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Artifact, toArtifact } from '../../src/artifact.js';
import type { DeliveryRequest } from '../../src/delivery-api.js';
import { evaluate } from '../../src/on-device/evaluate.js';
import { type CompiledArtifact, compileArtifact } from '../../src/on-device/rules/compile.js';
import type { CompiledRule } from '../../src/on-device/rules/location.js';
import { toConditionResult } from '../../src/tools/condition-result.js';
import { explain } from '../../src/tools/explain.js';
import type { ConditionResult, LocationExplanation, RuleExplanation } from '../../src/tools/explanation.js';
import { phraseOf } from '../../src/tools/phrases.js';
import { toQuestion } from '../../src/tools/question.js';
import { ConditionWatch } from '../../src/tools/search-notes.js';
import { type ArtifactLike, conformanceArtifacts, hasConformance } from './conformance.js';

/** The number of requests; a full run takes 20 000. */
const RUNS = Number(process.env.TOOLS_RUNS ?? 100);

/** A plain check, because thousands of parts are checked. */
function ensure(isSo: boolean, rule: string, about: unknown): void {
  if (!isSo) {
    throw new Error(`${rule}: ${JSON.stringify(about)}`);
  }
}

const URLS = [
  'http://local-target-test/',
  'https://target-perf-site.netlify.app/',
  'https://shop.example/bar?x=1',
  'http://pied.piper.decentralized.test.hooli.com/?implementation=psl',
];
const AGENTS = [
  'Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 14_0) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Safari/605.1.15',
];
const maybe = <Value>(values: fc.Arbitrary<Value>) => fc.option(values, { nil: undefined, freq: 3 });
const address = fc.record({ url: fc.constantFrom(...URLS) });
const parameters = fc.record(
  {
    foo: fc.constantFrom('bar', 'baz'),
    greg: fc.constantFrom('correct', 'x'),
    jason: fc.constantFrom('correct', 'x'),
    'favorite.color': fc.constantFrom('Red', 'blue'),
  },
  { requiredKeys: [] },
);
const details = fc.record({ address, parameters }, { requiredKeys: [] });
const geo = fc.record(
  {
    countryCode: fc.constantFrom('US', 'CA', 'JP', 'ZA'),
    stateCode: fc.constantFrom('CA', 'BC'),
    city: fc.constantFrom('SANFRANCISCO', 'SOUTHSANFRANCISCO'),
    latitude: fc.constantFrom(37.75, 10),
    longitude: fc.constantFrom(-122.4, 3),
  },
  { requiredKeys: [] },
);
const PROPERTY = 'property-token';

function requests(artifact: ArtifactLike): fc.Arbitrary<DeliveryRequest> {
  const tokens = JSON.stringify(artifact).match(/"propertyTokens":\["([^"]+)"/)?.[1] ?? PROPERTY;
  const names = [...Object.keys(artifact.rules.mboxes), 'nobody-knows'];
  const mbox = fc.record({ name: fc.constantFrom(...names), index: fc.nat(9) });
  const mboxes = fc
    .array(
      fc.tuple(mbox, details).map(([one, more]) => ({ ...more, ...one })),
      { minLength: 1, maxLength: 6 },
    )
    .map((list) => [...list, ...list.slice(0, 1).map((one) => ({ ...one, index: 10 }))]);
  const views = fc.array(
    fc.oneof(
      details,
      fc.constantFrom(...Object.keys(artifact.rules.views), 'home').map((name) => ({ name })),
    ),
    { minLength: 1, maxLength: 2 },
  );
  const anyOf = (parts: Record<string, fc.Arbitrary<unknown>>) =>
    fc
      .record(parts, { requiredKeys: [] })
      .map((some) => (Object.keys(some).length > 0 ? some : { pageLoad: {} }));
  const executed = anyOf({ mboxes, pageLoad: details });
  const prefetched = anyOf({ mboxes, pageLoad: details, views });
  const visitor = fc.record({
    id: fc.record({ tntId: fc.uuid() }),
    property: maybe(fc.constantFrom({ token: tokens }, { token: PROPERTY })),
    context: fc.record({
      channel: fc.constant('web' as const),
      userAgent: fc.constantFrom(...AGENTS),
      address,
      geo: maybe(geo),
    }),
  });
  const asked = fc.oneof(
    executed.map((execute) => ({ execute })),
    prefetched.map((prefetch) => ({ prefetch })),
    fc.record({ execute: executed, prefetch: prefetched }),
  );
  return fc.tuple(visitor, asked).map(([who, what]) => ({ ...who, ...what }) as DeliveryRequest);
}

const times = fc.integer({ min: Date.UTC(2021, 1, 1), max: Date.UTC(2021, 2, 1) });

const compiledPlainly = new WeakMap<object, CompiledArtifact>();

function plainlyCompiled(artifact: object): CompiledArtifact {
  const known = compiledPlainly.get(artifact);
  const compiled = known ?? compileArtifact(toArtifact(artifact), { client: 'targettesting' });
  compiledPlainly.set(artifact, compiled);
  return compiled;
}

/** The plain evaluation of a request: its answer, and what it asks, told by a recorder of its own. */
function plainly(artifact: object, request: DeliveryRequest, now: number) {
  const { call } = toQuestion(oneRule(true), { request, now, client: 'targettesting' });
  const compiled = plainlyCompiled(artifact);
  const asked: string[] = [];
  const inputs = { nowMs: call.nowMs, sessionId: call.sessionId, newId: () => 'id' };
  const { status, execute, prefetch } = evaluate(call.request, compiled, inputs);
  evaluate(call.request, compiled, {
    ...inputs,
    recorder: (mode) => ({
      noteRule: (rule: CompiledRule, holds: boolean) => {
        asked.push(`${mode} ${rule.activity.id} ${rule.meta['experience.id']} ${holds}`);
      },
      noteAnswer: () => {},
      draft: () => undefined,
    }),
  });
  const answer = { status, ...(execute && { execute }), ...(prefetch && { prefetch }) };
  return { answer: JSON.stringify(answer), asked };
}

/** Nothing is evaluated behind the part that decides, and nothing before it is left out. */
function checkOrder(condition: ConditionResult): void {
  const { op, operands, result } = condition;
  if ((op === 'and' || op === 'or') && !condition.whole) {
    const decider = op === 'or';
    const asked = operands.filter((part) => !isConstant(part)).map((part) => part.result);
    const end = asked.indexOf(decider);
    const wasLooked = (part: boolean | undefined) => part !== undefined;
    if (result === undefined) {
      ensure(!asked.some(wasLooked), 'nothing is evaluated inside of what is not', condition);
    } else if (end >= 0) {
      ensure(result === decider, 'the decider decides', condition);
      ensure(asked.slice(0, end).every(wasLooked), 'there is no hole before the decider', condition);
      ensure(!asked.slice(end + 1).some(wasLooked), 'nothing is evaluated behind the decider', condition);
    } else if (!operands.some(isConstant)) {
      ensure(asked.every(wasLooked) && result !== decider, 'without a decider all is evaluated', condition);
    }
  }
  operands.forEach(checkOrder);
}

const isConstant = ({ text }: ConditionResult) => text === 'always' || text === 'never';
const wasAsked = ({ outcome }: RuleExplanation) => outcome === 'answered' || outcome === 'no-match';

function checkLocation({ rules, answersWith }: LocationExplanation): number {
  for (const rule of rules) {
    const { outcome, condition, wouldHold, share } = rule;
    const isAfterwards = condition !== undefined && !wasAsked(rule);
    ensure(
      (wouldHold !== undefined) === isAfterwards,
      'rules that were not asked say what they would do',
      rule,
    );
    ensure(
      !wasAsked(rule) || condition?.result === (outcome === 'answered'),
      'the root is what the engine says',
      rule,
    );
    ensure(!(share && condition?.result) || share.inside, 'who gets it is inside of the share', rule);
    if (condition) {
      checkOrder(condition);
    }
  }
  const first = rules.findIndex(({ outcome }) => outcome === 'answered');
  const isLast = answersWith !== 'first' || first < 0 || !rules.slice(first + 1).some(wasAsked);
  ensure(isLast, 'nothing is asked behind the answer', rules);
  return rules.length;
}

describe('an explanation', () => {
  const artifacts = conformanceArtifacts();

  (hasConformance ? test : test.skip)('agrees with the decision, rule by rule', () => {
    let explained = 0;
    const byName = new Map(artifacts);
    const asked = fc
      .constantFrom(...artifacts)
      .chain(([name, artifact]) =>
        fc.record({ name: fc.constant(name), request: requests(artifact), now: times }),
      );
    fc.assert(
      fc.property(asked, ({ name, request, now }) => {
        const artifact = byName.get(name) ?? {};
        const { answer, locations } = explain(artifact, { request, now, client: 'targettesting' });
        const plain = plainly(artifact, request, now);
        expect(JSON.stringify(answer)).toBe(plain.answer);
        for (const location of locations) {
          explained += checkLocation(location);
        }
        const told = locations.flatMap(({ mode, rules }) =>
          rules
            .filter(wasAsked)
            .map(
              (rule) => `${mode} ${rule.activity.id} ${rule.experience.id} ${rule.outcome === 'answered'}`,
            ),
        );
        expect(told).toEqual(plain.asked);
      }),
      { numRuns: RUNS },
    );
    expect(explained).toBeGreaterThan(RUNS);
  });

  test('of random conditions of all operators agrees with the engine', () => {
    const scalar = fc.constantFrom<unknown>(null, true, false, '', '0', '1', 'a', 'ab', 0, 1, 2, -1, 1.5);
    const variable = fc
      .constantFrom('mbox.a', 'mbox.b', 'mbox.no', 'allocation')
      .map((path) => ({ var: path }));
    const OPERATORS = [
      ...[
        '==',
        '===',
        '!=',
        '!==',
        '>',
        '>=',
        '<',
        '<=',
        '!!',
        '!',
        '%',
        'in',
        'cat',
        'substr',
        '+',
        '*',
        '-',
      ],
      ...[
        '/',
        'min',
        'max',
        'merge',
        'and',
        'or',
        'if',
        '?:',
        'missing',
        'map',
        'filter',
        'all',
        'some',
        'none',
      ],
    ];
    const { logic } = fc.letrec<{ logic: unknown }>((tie) => ({
      logic: fc.oneof(
        { depthSize: 'medium' },
        scalar,
        variable,
        fc
          .tuple(fc.constantFrom(...OPERATORS), fc.array(tie('logic'), { maxLength: 3 }))
          .map(([op, operands]) => ({ [op]: operands })),
      ),
    }));
    fc.assert(
      fc.property(logic, fc.constantFrom('a', 'ab', '1', ''), (written, a) => {
        const artifact = oneRule(written);
        const request = { id: { tntId: 'x' }, prefetch: { mboxes: [{ name: 'hero', parameters: { a } }] } };
        const { answer, locations } = explain(artifact, { request, now: 0, client: 'targettesting' });
        expect(JSON.stringify(answer)).toBe(plainly(artifact, request, 0).answer);
        const [rule] = locations[0]?.rules ?? [];
        expect(rule?.condition?.result).toBe(answer.prefetch?.mboxes?.[0]?.options !== undefined);
        if (rule?.condition) {
          checkOrder(rule.condition);
        }
      }),
      { numRuns: 2 * RUNS },
    );
  });

  test('fails the same checks when a watch turns a value, or old values are kept', () => {
    const written = { and: [{ '==': ['a', { var: 'mbox.a' }] }, { '==': ['b', { var: 'mbox.b' }] }] };
    const watch = new ConditionWatch();
    const evaluated = (parameters: Record<string, string>, turned: boolean) => {
      const artifact = toArtifact(oneRule(written)) as Artifact;
      const compiled = compileArtifact(artifact, {
        client: 'acme',
        watch: (part, run, inner) => {
          const watched = watch.watch(part, run, inner);
          return turned && typeof part === 'object' ? (data) => !watched(data) : watched;
        },
      });
      const request = { id: { tntId: 'x' }, prefetch: { mboxes: [{ name: 'hero', parameters }] } };
      const { prefetch } = evaluate(request, compiled, { nowMs: 0, sessionId: 's', newId: () => 'id' });
      return prefetch?.mboxes?.[0]?.options !== undefined;
    };
    expect(evaluated({ a: 'a', b: 'b' }, false)).toBe(true);
    expect(evaluated({ a: 'a', b: 'b' }, true)).toBe(false);
    watch.take();
    // The first evaluation looks at both parts, the second at one. Kept together they show a part that was not looked at.
    const parts = oneRule(written).rules.mboxes.hero[0]?.condition;
    const phrase = phraseOf(parts);
    const [first, second] = written.and;
    const kept = new Map<unknown, unknown>([
      [parts, false],
      [first, false],
      [second, true],
    ]);
    expect(() => checkOrder(toConditionResult(phrase, kept))).toThrow();
  });
});

function oneRule(condition: unknown) {
  return {
    version: '1.0.0',
    meta: { clientCode: 'acme' },
    localMboxes: ['hero'],
    rules: {
      mboxes: {
        hero: [
          {
            ruleKey: '1',
            activityId: 1,
            meta: {},
            condition,
            consequence: { options: [{ type: 'html', content: 'x' }] },
          },
        ],
      },
      views: {},
    },
  };
}
