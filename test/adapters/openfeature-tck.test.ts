import { describe, expect, test } from '@jest/globals';
import type { DecisioningMethod } from '../../src/index.js';
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
import { findingFlags, play, type Suite } from './openfeature-world.js';

/** The capabilities of the provider, whichever side decides. */
const DECLARED = [
  '@variants',
  '@object',
  '@targeting',
  '@large-integers',
  '@string-typing',
  '@fully-typed-values',
  '@lifecycle',
  // With the option `closeClient: false`, because a client cannot be opened again.
  '@reinitialization',
];
/** Those of a provider that decides by rules. */
const BY_RULES = ['@events', '@configuration-change', '@stale'];

const DECLARED_BY: Readonly<Record<DecisioningMethod, ReadonlySet<string>>> = {
  'on-device': new Set([...DECLARED, ...BY_RULES, '@unavailable']),
  hybrid: new Set([...DECLARED, ...BY_RULES]),
  'server-side': new Set(DECLARED),
};

/** Why a capability is not declared. */
const NO_RULES = 'a server-side client has no rules, so it learns of a change with the next call';
const REASONS: Readonly<Record<string, string | Partial<Record<DecisioningMethod, string>>>> = {
  '@standard-reasons':
    'Target has no STATIC: a flag comes from an activity, whose type tells TARGETING_MATCH from SPLIT',
  '@disabled-flags': 'Target does not tell an activity that is off from one that is not for this visitor',
  '@numeric-coercion': 'JavaScript has one type of number, so nobody can ask for an integer',
  '@events': { 'server-side': NO_RULES },
  '@configuration-change': { 'server-side': NO_RULES },
  '@stale': { 'server-side': NO_RULES },
  '@unavailable': {
    'server-side': 'a server-side client asks nothing at its start, and each call tells of an outage',
    hybrid: 'a hybrid client without rules is stale, and asks the edge',
  },
};

/** The numbers of scenarios that are played. A suite that was not found, or read in part, would pass too. */
const PLAYED = { 'on-device': 49, hybrid: 46, 'server-side': 44 };
const ALL = 65;

interface CanonicalFlag extends SuiteFlag {
  readonly state: 'ENABLED' | 'DISABLED';
  readonly targeting?: {
    readonly if: readonly [{ readonly '==': readonly [unknown, string] }, string, null];
  };
}

/** Reads the flags that the suite assumes. A flag that is off has no activity. */
function readFlags(): Record<string, SuiteFlag> {
  const { flags } = readJson<{ flags: Record<string, CanonicalFlag> }>(
    'provider-tck/flags/canonical-flags.json',
  );
  const on = Object.entries(flags).filter(([, { state }]) => state === 'ENABLED');
  return Object.fromEntries(
    on.map(([key, { targeting, variants, defaultVariant }]) => {
      const [equal, variant = ''] = targeting?.if ?? [];
      const when = { '==': [{ var: 'mbox.targetingKey' }, equal?.['=='][1]] };
      return [
        key,
        {
          variants,
          ...(defaultVariant !== undefined && { defaultVariant }),
          ...(targeting && { targeted: { variant, when } }),
        },
      ];
    }),
  );
}

function reasonOf(tag: string, method: DecisioningMethod): string | undefined {
  const reason = REASONS[tag];
  return typeof reason === 'string' ? reason : reason?.[method];
}

function playAll(method: DecisioningMethod, scenarios: readonly Scenario[]): void {
  const flags = readFlags();
  const bench = withEdge({ artifact: toFlagsArtifact(flags) });
  withOpenFeature();
  const suite: Suite = {
    bench,
    method,
    flags,
    options: {
      ...findingFlags(method, Object.keys(flags)),
      // Rules read parameters and not ids, and the suite has a rule on the targeting key.
      toCall: ({ targetingKey }) => ({
        request: { id: { thirdPartyId: targetingKey } },
        parameters: { targetingKey },
      }),
    },
  };
  let played = 0;
  for (const scenario of scenarios) {
    const missing = scenario.tags.find((tag) => !DECLARED_BY[method].has(tag));
    if (missing !== undefined) {
      test.skip(`${scenario.name} (${missing}: ${reasonOf(missing, method)})`, () => undefined);
      continue;
    }
    played += 1;
    const isReopened = scenario.tags.includes('@reinitialization');
    test(`${scenario.name} (${played})`, async () => {
      bench.edge.setArtifact(toFlagsArtifact(flags));
      await play(scenario, { ...suite, options: { ...suite.options, closeClient: !isReopened } });
    });
  }
  test('as many scenarios are played as there are', () => {
    expect([scenarios.length, played]).toEqual([ALL, PLAYED[method]]);
  });
  test('each capability that is not declared has its reason', () => {
    const tags = new Set(scenarios.flatMap((scenario) => scenario.tags));
    const undeclared = [...tags].filter((tag) => !DECLARED_BY[method].has(tag));
    expect(undeclared.filter((tag) => reasonOf(tag, method) === undefined)).toEqual([]);
  });
}

if (hasSuite('provider-tck')) {
  const scenarios = readScenarios('provider-tck/gherkin');
  describe.each<DecisioningMethod>(['on-device', 'hybrid', 'server-side'])(
    "OpenFeature's suite for providers, %s",
    (method) => playAll(method, scenarios),
  );
}
