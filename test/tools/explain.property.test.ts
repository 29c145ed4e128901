import { afterEach, describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import * as notes from '../../src/tools/search-notes.js';
import { explain } from '../../src/tools/tools.js';
import { conformanceArtifacts, hasConformance } from './conformance.js';
import { type Asked, calls, checkExplanation, checkOrder } from './explain-checks.js';

/** The number of requests; a full run takes 20 000, and some ten minutes. */
const RUNS = Number(process.env.TOOLS_RUNS ?? 100);
const FULL_RUN_MS = 3_600_000;

const artifacts = new Map(conformanceArtifacts());
const anyCall = fc
  .constantFrom(...artifacts)
  .chain(([name, artifact]) => calls(artifact).map((asked) => ({ name, asked })));

function agreement(explained: typeof explain, count: (rules: number) => void = () => undefined) {
  return fc.property(anyCall, ({ name, asked }) => {
    count(checkExplanation(explained, artifacts.get(name) ?? {}, asked));
  });
}

const withArtifacts = hasConformance ? describe : describe.skip;

withArtifacts('an explanation', () => {
  test(
    'agrees with the decision, rule by rule',
    () => {
      let explained = 0;
      fc.assert(
        agreement(explain, (rules) => {
          explained += rules;
        }),
        { numRuns: RUNS },
      );
      expect(explained).toBeGreaterThan(RUNS);
      if (process.env.TOOLS_RUNS !== undefined) {
        process.stdout.write(`${RUNS} requests and ${explained} rules agree\n`);
      }
    },
    FULL_RUN_MS,
  );
});

/** The checks must see faults of the seam. Each row is a seam with one fault. */
const CANARIES: [what: string, faulty: () => Partial<typeof notes>][] = [
  [
    'a watch that turns what a part returns',
    () => ({
      ConditionWatch: class extends notes.ConditionWatch {
        override readonly watch: notes.ConditionWatch['watch'] = (written, run, inner) => {
          const isPart = typeof written === 'object' && JSON.stringify(written).includes('allocation');
          return isPart && !inner ? (data) => !run(data) : run;
        };
      },
    }),
  ],
  [
    'a watch that notes the opposite',
    () => ({
      ConditionWatch: class extends notes.ConditionWatch {
        override take() {
          return new Map([...super.take()].map(([part, value]) => [part, !value]));
        }
      },
    }),
  ],
  [
    'a recorder that keeps the values of rules before',
    () => {
      const kept = new Map<unknown, unknown>();
      return {
        ConditionWatch: class extends notes.ConditionWatch {
          override take() {
            for (const [part, value] of super.take()) {
              kept.set(part, value);
            }
            return new Map(kept);
          }
        },
      };
    },
  ],
  [
    'a recorder that misses the first location',
    () => ({
      SearchNotes: class extends notes.SearchNotes {
        override get locations() {
          return super.locations.slice(1);
        }
      },
    }),
  ],
  [
    'rules that are asked a second time with values of nobody',
    () => ({
      evaluateAfterwards: (...[rule, context, watch]: Parameters<typeof notes.evaluateAfterwards>) => {
        const evaluated = notes.evaluateAfterwards(rule, context, watch);
        return evaluated && { ...evaluated, values: new Map() };
      },
    }),
  ],
];

withArtifacts('the checks', () => {
  afterEach(() => {
    jest.dontMock('../../src/tools/search-notes.js');
    jest.resetModules();
  });

  test.each(CANARIES)('fail for %s', async (_, faulty) => {
    jest.resetModules();
    jest.doMock('../../src/tools/search-notes.js', () => ({ ...notes, ...faulty() }));
    const { explain: explainFaulty } = await import('../../src/tools/explain.js');
    const { failed, numRuns } = fc.check(agreement(explainFaulty), {
      numRuns: 60,
      seed: 19,
      endOnFailure: true,
    });
    expect({ failed, isSoon: numRuns <= 20 }).toEqual({ failed: true, isSoon: true });
  });
});

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
    '/',
  ],
  ...['min', 'max', 'merge', 'and', 'or', 'if', '?:', 'missing', 'missing_some'],
  ...['map', 'filter', 'all', 'some', 'none', 'reduce'],
];
const scalar = fc.constantFrom<unknown>(null, true, false, '', '0', '1', 'a', 'ab', 0, 1, 2, -1, 1.5);
const variable = fc
  .constantFrom('mbox.a', 'mbox.b', 'mbox.no', 'allocation', '')
  .map((path) => ({ var: path }));
const { logic } = fc.letrec<{ logic: unknown }>((tie) => ({
  logic: fc.oneof(
    { depthSize: 'medium' },
    scalar,
    variable,
    fc
      .tuple(fc.constantFrom(...OPERATORS), fc.array(tie('logic'), { maxLength: 3 }))
      // Without operands, a product throws, and the rest of its condition is not looked at.
      .map(([op, operands]) => ({ [op]: op === '*' && operands.length === 0 ? [1] : operands })),
  ),
}));

test(
  'explanations of random conditions of all operators agree with the engine',
  () => {
    fc.assert(
      fc.property(logic, fc.constantFrom('a', 'ab', '1', ''), (written, a) => {
        const asked = callOf({ a });
        const artifact = oneRule(written);
        checkExplanation(explain, artifact, asked);
        const { answer, locations } = explain(artifact, asked);
        const [rule] = locations[0]?.rules ?? [];
        expect(rule?.condition?.result).toBe(answer.prefetch?.mboxes?.[0]?.options !== undefined);
      }),
      { numRuns: 2 * RUNS },
    );
  },
  FULL_RUN_MS,
);

test('the checks see a part that was not looked at, and a hole', () => {
  const part = (result: boolean | undefined) => ({
    op: 'var',
    text: 'a is filled',
    whole: true,
    result,
    saw: [],
    operands: [],
  });
  const both = (...results: (boolean | undefined)[]) => ({
    ...part(false),
    op: 'and',
    whole: false,
    operands: results.map(part),
  });
  expect(() => checkOrder(both(true, false, undefined))).not.toThrow();
  expect(() => checkOrder(both(false, true))).toThrow('behind the decider');
  expect(() => checkOrder(both(undefined, false))).toThrow('no hole');
  expect(() => checkOrder(both(true, undefined))).toThrow('all is evaluated');
  expect(() => checkOrder({ ...both(true, false), result: true })).toThrow('the decider decides');
  expect(() => checkOrder({ ...both(true), result: undefined })).toThrow('inside of what is not');
});

function callOf(parameters: Record<string, string>): Asked {
  const request = { id: { tntId: 'x' }, prefetch: { mboxes: [{ name: 'hero', parameters }] } };
  return { request, now: 0, client: 'targettesting' };
}

function oneRule(condition: unknown) {
  const consequence = { options: [{ type: 'html', content: 'x' }] };
  const rules = [{ ruleKey: '1', activityId: 1, meta: {}, condition, consequence }];
  return { version: '1.0.0', localMboxes: ['hero'], rules: { mboxes: { hero: rules }, views: {} } };
}
