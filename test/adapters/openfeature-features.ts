import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AstBuilder, compile, GherkinClassicTokenMatcher, Parser } from '@cucumber/gherkin';
import { IdGenerator, type PickleTable } from '@cucumber/messages';
import { test } from '@jest/globals';
import type { Artifact } from '../../src/artifact.js';
import type { JsonValue } from '../../src/index.js';
import { artifactOf, type RuleSketch, rule } from '../fixtures/rules.js';

const FOLDER = join(process.cwd(), '../shared/openfeature');

/** One scenario of a feature file, or one row of an outline. */
export interface Scenario {
  readonly name: string;
  readonly tags: readonly string[];
  readonly steps: readonly { readonly text: string; readonly table: readonly (readonly string[])[] }[];
}

/** A flag of a suite, with its variants by name. */
export interface SuiteFlag {
  readonly variants: Readonly<Record<string, JsonValue>>;
  readonly defaultVariant?: string | null;
  /** The variant for those to whom a condition applies. */
  readonly targeted?: { readonly variant: string; readonly when: unknown };
}

/** Tells whether a suite is beside the project. Otherwise a skipped test says that it is not. */
export function hasSuite(suite: string): boolean {
  const isThere = existsSync(join(FOLDER, suite));
  if (!isThere) {
    const missing = `skipped: OpenFeature's suite is not beside the project (../shared/openfeature/${suite})`;
    // Jest shows neither the name nor the console of a suite that is skipped.
    process.stderr.write(`${missing}\n`);
    test.skip(missing, () => undefined);
  }
  return isThere;
}

/** Reads a JSON file of the suites. */
export function readJson<Content>(path: string): Content {
  return JSON.parse(readFileSync(join(FOLDER, path), 'utf8'));
}

/** Reads the scenarios of a feature file, or of all those in a folder. Each row of an outline is a scenario. */
export function readScenarios(path: string): Scenario[] {
  const files = path.endsWith('.feature')
    ? [path]
    : readdirSync(join(FOLDER, path)).map((name) => join(path, name));
  return files.flatMap((file) => {
    const newId = IdGenerator.incrementing();
    const parser = new Parser(new AstBuilder(newId), new GherkinClassicTokenMatcher());
    const document = parser.parse(readFileSync(join(FOLDER, file), 'utf8'));
    return compile(document, file, newId).map(({ name, tags, steps }) => ({
      name: `${document.feature?.name}: ${name}`,
      tags: tags.map((tag) => tag.name),
      steps: steps.map(({ text, argument }) => ({ text, table: cellsOf(argument?.dataTable) })),
    }));
  });
}

function cellsOf(table: PickleTable | undefined): string[][] {
  return table?.rows.map(({ cells }) => cells.map(({ value }) => value)) ?? [];
}

/** Makes the rules of flags: each is an mbox with one attribute, and its experiences are named like the variants. */
export function toFlagsArtifact(flags: Readonly<Record<string, SuiteFlag>>): Artifact {
  const entries = Object.entries(flags).map(([key, { variants, defaultVariant, targeted }]) => {
    const ruleOf = (variant: string, sketch: RuleSketch, type: string) => {
      const options = [
        { type: 'json', content: { value: variants[variant] ?? null }, eventToken: `${key}-${variant}` },
      ] as const;
      const made = rule(key, { ...sketch, options });
      return { ...made, meta: { ...made.meta, 'experience.name': variant, 'activity.type': type } };
    };
    const rules = [
      ...(targeted ? [ruleOf(targeted.variant, { activity: 1, when: targeted.when }, 'landing')] : []),
      ...(defaultVariant ? [ruleOf(defaultVariant, { activity: 2 }, 'ab')] : []),
    ];
    return [key, rules] as const;
  });
  return artifactOf(
    Object.fromEntries(entries),
    {},
    { responseTokens: ['activity.type', 'experience.name'] },
  );
}
