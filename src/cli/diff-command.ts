import { type ArtifactDiff, type Change, diffArtifacts } from 'target-node-sdk/tools';
import type { ArtifactFlags } from './artifact-commands.js';
import { Paper } from './paper.js';
import { readArtifactObject } from './read-artifact.js';
import { EXIT, type ExitCode, type Shell, UsageError } from './shell.js';
import { counted, percent, titleOf } from './titles.js';

/** The options of `artifact diff`. */
export interface DiffFlags extends ArtifactFlags {
  readonly tokens?: boolean;
}

/** Prints what differs between two artifacts. A difference is a finding. */
export async function diffCommand(
  sources: readonly [before: string, after: string],
  flags: DiffFlags,
  shell: Shell,
): Promise<ExitCode> {
  if (sources.every((source) => source === '-')) {
    throw new UsageError('standard input cannot be both artifacts: give one of them as a file or a URL');
  }
  const before = await readArtifactObject(sources[0], flags, shell);
  const after = await readArtifactObject(sources[1], flags, shell);
  const diff = diffArtifacts(before, after, { tokens: flags.tokens === true });
  const paper = new Paper(shell.out, shell.env);
  if (flags.json) {
    paper.json(diff);
  } else {
    printDiff(diff, paper);
  }
  return diff.isEqual ? EXIT.fine : EXIT.finding;
}

function printDiff(
  { activities, locations, artifact, unchanged, quiet, quietChanges = [], isEqual }: ArtifactDiff,
  paper: Paper,
): void {
  for (const { text } of artifact) {
    paper.row({ sign: '~', left: text, tone: 'warn' });
    const meaning = meaningOf(text);
    if (meaning !== '') {
      paper.row({ indent: 4, left: meaning, tone: 'soft' });
    }
  }
  for (const { name, text } of locations) {
    paper.row({ sign: '~', left: `${name}: ${text}`, tone: 'warn' });
  }
  for (const { id, name, changes } of activities) {
    const kinds = changes.map(({ kind }) => kind);
    const [sign, tone] = kinds.includes('added')
      ? (['+', 'yes'] as const)
      : kinds.includes('removed')
        ? (['−', 'no'] as const)
        : (['~', 'warn'] as const);
    paper.row({ sign, tone, left: titleOf({ id, name }), right: id, isName: true });
    for (const text of textsOf(changes)) {
      paper.row({ indent: 4, left: text });
    }
  }
  for (const { text } of quietChanges) {
    paper.row({ sign: '·', left: text, tone: 'soft' });
  }
  const same = `${unchanged} as before`;
  const still = quiet > 0 ? `; ${counted(quiet, 'change')} that no visitor sees` : '';
  const changed = counted(activities.length, 'activity', 'activities');
  paper.row(
    isEqual
      ? {
          sign: '✓',
          left: `nothing differs: ${counted(unchanged, 'activity', 'activities')} as before${still}`,
          tone: 'yes',
        }
      : { left: `${changed} changed, ${same}${still}` },
  );
}

/** Writes changes. A move belongs to the shares of two experiences, and is told with the first of them. */
function textsOf(changes: readonly Change[]): string[] {
  const listed = new Set<string>();
  return changes.map(({ kind, location, experience, before, after, moved, text }) => {
    if (kind !== 'share' || moved === undefined) {
      return text;
    }
    const words = moved.flatMap((move) => {
      const key = JSON.stringify([location, move]);
      const isListed = listed.has(key);
      listed.add(key);
      const [from, to] = [move.from, move.to].map((name) => (name === 'none' ? 'no experience' : name));
      return isListed ? [] : [`${percent(move.share)} of visitors move from ${from} to ${to}`];
    });
    const share = `${experience} share: ${before} → ${after}`;
    return words.length > 0 ? `${share} (${words.join('; ')})` : share;
  });
}

const MEANINGS: readonly (readonly [list: string, come: string, gone: string])[] = [
  ['remote ', 'the edge decides these now', 'the edge is no longer needed for these'],
  ['local ', 'these are decided on-device now', 'these are no longer decided on-device'],
];

/** Says what it means for visitors that names came into a list of the artifact, or went. */
function meaningOf(text: string): string {
  const [, come, gone] = MEANINGS.find(([list]) => text.startsWith(list)) ?? [];
  const parts = [/[:,] \+/.test(text) && come && `+ ${come}`, /[:,] −/.test(text) && gone && `− ${gone}`];
  return parts.filter(Boolean).join('; ');
}
