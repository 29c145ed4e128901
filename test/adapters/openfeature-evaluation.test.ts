import { beforeEach, describe, expect, test } from '@jest/globals';
import type { DecisioningMethod, JsonValue } from '../../src/index.js';
import { json } from '../../src/testing/edge.js';
import { withEdge } from '../with-edge.js';
import {
  hasSuite,
  readJson,
  readScenarios,
  type Scenario,
  type SuiteFlag,
  toFlagsArtifact,
} from './openfeature-features.js';
import { withOpenFeature } from './openfeature-serving.js';
import { findingFlags, hasSteps, play } from './openfeature-world.js';

/** The numbers of scenarios: played as they are, played but for the reason, and not played. */
const COUNTS: Readonly<
  Record<DecisioningMethod, readonly [whole: number, butForReason: number, not: number]>
> = {
  'on-device': [46, 26, 10],
  hybrid: [40, 26, 16],
  'server-side': [33, 26, 23],
};

interface TestFlag extends SuiteFlag {
  readonly disabled?: boolean;
  readonly flagMetadata?: Readonly<Record<string, JsonValue>> | null;
  readonly contextEvaluator?: string;
}

/** The conditions of the suite's expressions, which are in another language than rules. */
const CONDITIONS: Readonly<Record<string, NonNullable<SuiteFlag['targeted']>>> = {
  "email == 'ballmer@macrosoft.com' ? 'zero' : ''": {
    variant: 'zero',
    when: { '==': [{ var: 'mbox.email' }, 'ballmer@macrosoft.com'] },
  },
  "!customer && email == 'ballmer@macrosoft.com' && age > 10 ? 'internal' : ''": {
    variant: 'internal',
    when: {
      and: [
        { '==': [{ var: 'mbox.customer' }, 'false'] },
        { '==': [{ var: 'mbox.email' }, 'ballmer@macrosoft.com'] },
        { '>': [{ var: 'mbox.age' }, 10] },
      ],
    },
  },
};

/** The flags that the edge alone decides, because rules have no tokens of other names than Target's. */
const WITH_METADATA = 'metadata-flag';

const flags = () => readJson<Record<string, TestFlag>>('gherkin/test-flags.json');

/** Makes the rules of all flags that are on. */
function toSuiteFlags(all: Readonly<Record<string, TestFlag>>): Record<string, SuiteFlag> {
  const on = Object.entries(all).filter(([key, { disabled }]) => !disabled && key !== WITH_METADATA);
  return Object.fromEntries(
    on.map(([key, { variants, defaultVariant, contextEvaluator }]) => {
      const targeted = contextEvaluator === undefined ? undefined : CONDITIONS[contextEvaluator];
      return [
        key,
        { variants, ...(defaultVariant !== undefined && { defaultVariant }), ...(targeted && { targeted }) },
      ];
    }),
  );
}

const reasonOf = (scenario: Scenario) =>
  scenario.steps.flatMap(({ text }) => /^the reason should be "(.*)"$/.exec(text)?.[1] ?? [])[0];

/** Why a scenario cannot be played at all. */
function whyNot(scenario: Scenario, method: DecisioningMethod): string | undefined {
  const given = (pattern: RegExp) => scenario.steps.some(({ text }) => pattern.test(text));
  if (!hasSteps(scenario)) {
    return 'it tests the SDK alone: hooks, and what the SDK freezes';
  }
  if (reasonOf(scenario) === 'CACHED') {
    return 'Target has no CACHED: nothing is kept between two calls';
  }
  if (reasonOf(scenario) === 'DISABLED') {
    return 'Target has no DISABLED: an activity that is off is not there';
  }
  if (method === 'server-side' && given(/^a (not ready|error|fatal|stale) provider$/)) {
    return 'a server-side client is always ready';
  }
  if (method === 'hybrid' && given(/^an? (error|fatal) provider$/)) {
    return 'a hybrid client without rules asks the edge';
  }
  if (method === 'on-device' && given(/^the resolved metadata should contain$/)) {
    return 'rules have the response tokens that Target names, and no others';
  }
  return undefined;
}

/** Reasons that Target does not have, or has for something else. */
const FOREIGN: Readonly<Record<string, string>> = {
  STATIC: 'Target has no STATIC: a flag comes from an activity',
  DEFAULT: 'the variant for everybody else comes from an activity too',
};

/** Tells why the reason of a scenario does not hold, when everything else in it does. */
function whyOtherReason(scenario: Scenario): string | undefined {
  return FOREIGN[reasonOf(scenario) ?? ''];
}

function playAll(method: DecisioningMethod, scenarios: readonly Scenario[]): void {
  const all = flags();
  const suiteFlags = toSuiteFlags(all);
  const bench = withEdge({ artifact: toFlagsArtifact(suiteFlags) });
  withOpenFeature();
  beforeEach(() => {
    const { variants, defaultVariant, flagMetadata } = all[WITH_METADATA] ?? { variants: {} };
    const offer = json({ value: variants[defaultVariant ?? ''] }, { responseTokens: flagMetadata ?? {} });
    bench.edge.setOffers({ mboxes: { [WITH_METADATA]: offer } });
  });
  const options = findingFlags(method, [...Object.keys(suiteFlags), WITH_METADATA]);
  const counts: [number, number, number] = [0, 0, 0];
  scenarios.forEach((scenario, position) => {
    const name = `${scenario.name} (${position + 1})`;
    const reason = whyNot(scenario, method);
    if (reason !== undefined) {
      counts[2] += 1;
      test.skip(`${name}: ${reason}`, () => undefined);
      return;
    }
    const other = whyOtherReason(scenario);
    counts[other === undefined ? 0 : 1] += 1;
    const steps = scenario.steps.filter(
      ({ text }) => other === undefined || !text.startsWith('the reason should be'),
    );
    test(other === undefined ? name : `${name}, but for the reason: ${other}`, () =>
      play({ ...scenario, steps }, { bench, method, flags: suiteFlags, options }),
    );
  });
  test('as many scenarios are played as there are', () => {
    expect(counts).toEqual(COUNTS[method]);
  });
}

if (hasSuite('gherkin')) {
  const scenarios = readScenarios('gherkin/evaluation_v2.feature');
  describe.each<DecisioningMethod>(['on-device', 'hybrid', 'server-side'])(
    "OpenFeature's suite for evaluations, %s",
    (method) => playAll(method, scenarios),
  );
}
