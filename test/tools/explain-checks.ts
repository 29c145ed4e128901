import fc from 'fast-check';
import { toArtifact } from '../../src/artifact.js';
import type { DeliveryRequest } from '../../src/delivery-api.js';
import { evaluate } from '../../src/on-device/evaluate.js';
import { type CompiledArtifact, compileArtifact } from '../../src/on-device/rules/compile.js';
import type { CompiledRule } from '../../src/on-device/rules/location.js';
import type { ConditionResult, LocationExplanation, RuleExplanation } from '../../src/tools/explanation.js';
import { type ExplainOptions, toQuestion } from '../../src/tools/question.js';
import type { explain } from '../../src/tools/tools.js';
import type { ArtifactLike } from './conformance.js';

/** The call that is explained. */
export type Asked = ExplainOptions & { readonly now: number; readonly client: string };

/** A plain check, because thousands of parts are checked. */
function ensure(isSo: boolean, rule: string, about: unknown): void {
  if (!isSo) {
    throw new Error(`${rule}: ${JSON.stringify(about)}`);
  }
}

/** Checks an explanation against a plain evaluation of the same call. Returns the number of rules that it explains. */
export function checkExplanation(explained: typeof explain, artifact: object, asked: Asked): number {
  const { answer, locations } = explained(artifact, asked);
  const plain = plainly(artifact, asked);
  ensure(JSON.stringify(answer) === plain.answer, 'the answer is the decision', [answer, plain.answer]);
  const told = locations.flatMap((location) => [
    ...headOf(location),
    ...location.rules.filter(wasAsked).map(({ activity, experience, outcome }) => {
      return `${activity.id} ${experience.id} ${outcome === 'answered'}`;
    }),
  ]);
  ensure(
    told.join() === plain.asked.join(),
    'the rules that were asked are those of the search, in its order',
    [told, plain.asked],
  );
  return locations.reduce((sum, location) => sum + checkLocation(location), 0);
}

/**
 * A request for all views goes through views that were asked for before and have no rule too. They add nothing to an
 * answer, so they are left out.
 */
function headOf({
  mode,
  kind,
  name,
  rules,
}: Pick<LocationExplanation, 'mode' | 'kind' | 'name'> & { rules: readonly unknown[] }): string[] {
  return rules.length > 0 ? [`${mode} ${kind} ${name}`] : [];
}

const compiledPlainly = new WeakMap<object, Map<string, CompiledArtifact>>();

/** Compiles an artifact once, as a client does, however many calls are decided by it. */
function plainlyCompiled(artifact: object, { client, allMatchingMboxes }: Asked): CompiledArtifact {
  const known = compiledPlainly.get(artifact) ?? new Map<string, CompiledArtifact>();
  compiledPlainly.set(artifact, known);
  const key = JSON.stringify([client, allMatchingMboxes]);
  const options = { client, allMatchingMboxes: new Set(allMatchingMboxes) };
  const compiled = known.get(key) ?? compileArtifact(toArtifact(artifact), options);
  known.set(key, compiled);
  return compiled;
}

/** Stands in for the artifact where a call is completed: nothing of the artifact counts there. */
const NO_RULES = { version: '1.0.0', rules: { mboxes: {}, views: {} } };

/** The plain evaluation of a request: its answer, and what it asks, told by a recorder of its own. */
function plainly(artifact: object, options: Asked) {
  const { call } = toQuestion(NO_RULES, options);
  const compiled = plainlyCompiled(artifact, options);
  const asked: string[] = [];
  const inputs = { nowMs: call.nowMs, sessionId: call.sessionId, newId: () => 'id' };
  const { status, execute, prefetch } = evaluate(call.request, compiled, inputs);
  evaluate(call.request, compiled, {
    ...inputs,
    recorder: (mode) => ({
      noteLocation: ({ kind, name, rules }) => {
        asked.push(...headOf({ mode, kind, name, rules }));
      },
      noteRule: (rule: CompiledRule, holds: boolean) => {
        asked.push(`${rule.activity.id} ${rule.meta['experience.id'] ?? ''} ${holds}`);
      },
      noteAnswer: () => {},
      draft: () => undefined,
    }),
  });
  const answer = { status, ...(execute && { execute }), ...(prefetch && { prefetch }) };
  return { answer: JSON.stringify(answer), asked };
}

/**
 * Nothing is evaluated behind the part that decides, and nothing before it is left out. The result of a whole condition is
 * that of the engine: there an empty list holds, and as a part of a condition it does not.
 */
export function checkOrder(condition: ConditionResult, isWhole = false): void {
  const { op, operands, result } = condition;
  if ((op === 'and' || op === 'or') && !condition.whole) {
    const decider = op === 'or';
    const asked = operands.filter((part) => !isConstant(part)).map((part) => part.result);
    const end = asked.indexOf(decider);
    const wasLooked = (part: boolean | undefined) => part !== undefined;
    if (result === undefined) {
      ensure(!asked.some(wasLooked), 'nothing is evaluated inside of what is not', condition);
    } else if (end >= 0) {
      ensure(isWhole || result === decider, 'the decider decides', condition);
      ensure(asked.slice(0, end).every(wasLooked), 'there is no hole before the decider', condition);
      ensure(!asked.slice(end + 1).some(wasLooked), 'nothing is evaluated behind the decider', condition);
    } else if (!operands.some(isConstant)) {
      ensure(asked.every(wasLooked), 'without a decider all is evaluated', condition);
      ensure(isWhole || result !== decider, 'without a decider nothing is decided', condition);
    }
  }
  for (const operand of operands) {
    checkOrder(operand);
  }
}

const isConstant = ({ text }: ConditionResult) => text === 'always' || text === 'never';
const wasAsked = ({ outcome }: RuleExplanation) => outcome === 'answered' || outcome === 'no-match';

function checkLocation({ rules, answersWith }: LocationExplanation): number {
  for (const rule of rules) {
    checkRule(rule);
  }
  const first = rules.findIndex(({ outcome }) => outcome === 'answered');
  const isLast = answersWith !== 'first' || first < 0 || !rules.slice(first + 1).some(wasAsked);
  ensure(isLast, 'nothing is asked behind the answer', rules);
  return rules.length;
}

function checkRule(rule: RuleExplanation): void {
  const { outcome, condition, wouldHold, share, because } = rule;
  const isAfterwards = condition !== undefined && !wasAsked(rule);
  ensure(
    (wouldHold !== undefined) === isAfterwards,
    'rules that were not asked say what they would do',
    rule,
  );
  const root = isAfterwards ? wouldHold : outcome === 'answered';
  ensure(!condition || condition.result === root, 'the root is what the engine says', rule);
  ensure(!(share && condition?.result) || share.inside, 'who gets it is inside of the share', rule);
  ensure(because !== '', 'each outcome has a reason', rule);
  if (condition) {
    checkOrder(condition, true);
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
  'Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko',
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
const ids = fc.oneof(
  fc.record({ tntId: fc.uuid() }),
  fc.record({ tntId: fc.uuid(), marketingCloudVisitorId: fc.uuid() }),
  fc.record({ thirdPartyId: fc.uuid() }),
);
const PROPERTY = 'property-token';
/** Time frames of the artifacts lie in this month, on all days of the week and at all hours. */
const times = fc.integer({ min: Date.UTC(2021, 1, 1), max: Date.UTC(2021, 2, 1) });

/** Makes calls of everything that the rules of an artifact can ask for. */
export function calls(artifact: ArtifactLike): fc.Arbitrary<Asked> {
  const names = [...Object.keys(artifact.rules.mboxes), 'nobody-knows'];
  const more = fc.record({
    now: times,
    client: fc.constantFrom('targettesting', 'acme'),
    propertyToken: maybe(fc.constantFrom(tokenIn(artifact), PROPERTY)),
    allMatchingMboxes: fc.constantFrom(undefined, names, names.slice(0, 2)),
  });
  return fc.tuple(requests(artifact, names), more).map(([request, options]) => ({ request, ...options }));
}

function tokenIn(artifact: ArtifactLike): string {
  return JSON.stringify(artifact).match(/"propertyTokens":\["([^"]+)"/)?.[1] ?? PROPERTY;
}

/** The first of one to six mboxes is repeated. */
function requests(artifact: ArtifactLike, names: readonly string[]): fc.Arbitrary<DeliveryRequest> {
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
    id: ids,
    property: maybe(fc.constantFrom({ token: tokenIn(artifact) }, { token: PROPERTY })),
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
