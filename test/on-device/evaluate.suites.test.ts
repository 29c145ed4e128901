import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { toArtifact } from '../../src/artifact.js';
import type { DeliveryRequest } from '../../src/delivery-api.js';
import { evaluate } from '../../src/on-device/evaluate.js';
import { compileArtifact } from '../../src/on-device/rules/compile.js';

const root = join(__dirname, '../../../shared/conformance');

interface Case {
  description: string;
  artifact?: string;
  conf?: { client: string };
  input: { request: DeliveryRequest; sessionId?: string };
  output?: Record<string, unknown>;
  notificationOutput?: { request: { notifications?: unknown[] } } | null;
  mockDate?: { year: number; month: number; date: number; hours?: number; minutes?: number };
}

type Suite = Omit<Case, 'input'> & { test: Record<string, Case> };

/** `expect.any(…)` in a suite stands for any value of that type. */
function withWildcards(expected: unknown): unknown {
  if (typeof expected === 'string') {
    const type = /^expect\.any\((\w+)\)$/.exec(expected)?.[1];
    const types: Record<string, unknown> = { String, Number, Object, Boolean, Array };
    return type ? expect.any(types[type]) : expected;
  }
  if (Array.isArray(expected)) {
    return expected.map(withWildcards);
  }
  if (typeof expected !== 'object' || expected === null) {
    return expected;
  }
  return Object.fromEntries(Object.entries(expected).map(([key, value]) => [key, withWildcards(value)]));
}

function readJson<Content>(...path: string[]): Content {
  return JSON.parse(readFileSync(join(root, ...path), 'utf8'));
}

function decide(testCase: Case, suite: Suite) {
  const name = testCase.artifact ?? suite.artifact ?? '';
  const client = (testCase.conf ?? suite.conf)?.client ?? '';
  const {
    year,
    month,
    date,
    hours = 0,
    minutes = 0,
  } = testCase.mockDate ?? { year: 2020, month: 1, date: 1 };
  let ids = 0;
  return evaluate(
    testCase.input.request,
    compileArtifact(toArtifact(readJson('artifacts', `${name}.json`)), { client }),
    {
      nowMs: Date.UTC(year, month, date, hours, minutes),
      sessionId: testCase.input.sessionId ?? 'session',
      newId: () => `id-${ids++}`,
    },
  );
}

if (!existsSync(root)) {
  test.skip(`the conformance suites are not beside this project (${root}): skipped`, () => {});
} else {
  for (const file of readdirSync(join(root, 'suites'))) {
    const suite = readJson<Suite>('suites', file);
    describe(file, () => {
      test.each(Object.entries(suite.test))('%s', (_name, testCase) => {
        const { status, id, execute, prefetch, report } = decide(testCase, suite);
        if (testCase.output) {
          const { requestId, client, ...expected } = testCase.output;
          expect({ status, id, execute, prefetch }).toMatchObject(withWildcards(expected) as object);
        }
        if (testCase.notificationOutput !== undefined) {
          const expected = testCase.notificationOutput?.request.notifications ?? [];
          expect(report?.notifications ?? []).toEqual(withWildcards(expected));
        }
      });
    });
  }
}
