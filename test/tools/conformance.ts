import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The artifacts and suites that all SDKs share, where they are beside the project. */
const ROOT = join(__dirname, '../../../shared/conformance');

export const hasConformance = existsSync(ROOT);

export function readConformance<Content>(...path: string[]): Content {
  return JSON.parse(readFileSync(join(ROOT, ...path), 'utf8'));
}

interface RuleLike {
  readonly condition: unknown;
  readonly meta: Record<string, unknown>;
  readonly [field: string]: unknown;
}

export interface ArtifactLike {
  readonly version: string;
  readonly rules: {
    readonly mboxes: Record<string, RuleLike[]>;
    readonly views: Record<string, RuleLike[]>;
  };
  readonly [field: string]: unknown;
}

/** The artifacts of the version that is decided on-device, by their name. */
export function conformanceArtifacts(): [name: string, artifact: ArtifactLike][] {
  const files = hasConformance ? readdirSync(join(ROOT, 'artifacts')) : [];
  const all = files.map((file): [string, ArtifactLike] => [
    file.replace('.json', ''),
    readConformance('artifacts', file),
  ]);
  const sample = hasConformance ? [['sample', readConformance('artifact.schema.json')] as const] : [];
  return [
    ...all,
    ...sample.map(([name, artifact]): [string, ArtifactLike] => [name, artifact as ArtifactLike]),
  ].filter(([, { version }]) => version.startsWith('1.'));
}

/** All rules of an artifact. */
export function rulesOf({ rules }: ArtifactLike): RuleLike[] {
  return [...Object.values(rules.mboxes), ...Object.values(rules.views)].flat();
}
