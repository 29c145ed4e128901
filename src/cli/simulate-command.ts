import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { type ActivityShare, type SimulateOptions, type Simulation, simulate } from 'target-node-sdk/tools';
import { type DecisionFlags, toExplainOptions, toNumber, toPair } from './call-options.js';
import { Paper } from './paper.js';
import { Progress } from './progress.js';
import { readArtifactObject } from './read-artifact.js';
import { EXIT, type ExitCode, reasonOf, type Shell, UsageError } from './shell.js';
import { counted, percent, titleOf } from './titles.js';

/** The options of `simulate`. */
export interface SimulateFlags extends DecisionFlags {
  readonly visitors?: string;
  readonly seed?: string;
  readonly ids?: string;
  readonly idKind?: string;
  readonly observed?: readonly string[];
}

const BAR_COLUMNS = 17;
/** The columns of a bar's line without its name. */
const OTHER_COLUMNS = 51;
const MAX_NAME_COLUMNS = 40;
/** A smaller part of 1 is shown as 0.00 %. */
const SHOWN_SHARE = 0.00005;

/** Prints how one location splits visitors. A mismatch is a finding. */
export async function simulateCommand(source: string, flags: SimulateFlags, shell: Shell): Promise<ExitCode> {
  if (source === '-' && flags.ids === '-') {
    throw new UsageError('standard input cannot be the artifact and --ids: give one of them as a file');
  }
  const options = await toExplainOptions(flags, shell);
  const artifact = await readArtifactObject(source, flags, shell);
  const progress = new Progress(shell);
  // The tools check the kind of the ids, and name the kinds that there are.
  const simulation = await simulate(artifact, {
    ...options,
    ...(await toOwnOptions(flags, shell)),
    onProgress: ({ done, total }: { readonly done: number; readonly total?: number }) =>
      progress.show(`${counted(done, 'visitor')}${total === undefined ? '' : ` of ${total}`}`),
    signal: shell.signal,
  } as SimulateOptions)
    .catch((thrown?: { readonly cause?: unknown }) => {
      // What the file of ids has thrown says more than the simulation can.
      throw UsageError.is(thrown?.cause) ? thrown.cause : thrown;
    })
    .finally(() => progress.clear());
  const paper = new Paper(shell.out, shell.env);
  if (flags.json) {
    paper.json(simulation);
  } else {
    print(simulation, flags, paper);
  }
  const { mismatch, activities } = simulation;
  // A script that asks for the wrong name must not take the answer for a good split.
  return mismatch || activities.length === 0 ? EXIT.finding : EXIT.fine;
}

async function toOwnOptions(flags: SimulateFlags, shell: Shell): Promise<object> {
  const { visitors, seed, ids, idKind, observed } = flags;
  const counts = observed?.map((written): [string, number] => {
    const [name, count] = toPair('--observed', written, true);
    return [name, toNumber('--observed', count)];
  });
  return {
    ...(visitors !== undefined && { visitors: toNumber('--visitors', visitors) }),
    ...(seed !== undefined && { seed: toNumber('--seed', seed) }),
    ...(idKind !== undefined && { idKind }),
    ...(counts && { observed: Object.fromEntries(counts) }),
    ...(ids !== undefined && { ids: readIds(ids, shell) }),
  };
}

/** Reads one id a line. Empty lines are left out. */
async function* readIds(path: string, { stdin, signal }: Shell): AsyncGenerator<string> {
  const input = path === '-' ? Readable.from(stdin) : createReadStream(path);
  // The interface of lines does not pass on errors of its input.
  const failed = new Promise<never>((_, reject) => {
    input.once('error', reject);
    // The simulation looks at the signal between ids, and the next one may never come.
    signal.addEventListener('abort', reject, { once: true });
  });
  failed.catch(() => undefined);
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { done, value } = await Promise.race([lines.next(), failed]);
      if (done) {
        return;
      }
      if (value.trim() !== '') {
        yield value.trim();
      }
    }
  } catch (cause) {
    if (signal.aborted) {
      throw new UsageError('the simulation was aborted', { cause });
    }
    throw new UsageError(
      `${path} cannot be read (${reasonOf(cause)}): give --ids a file with one id a line`,
      {
        cause,
      },
    );
  } finally {
    input.destroy();
  }
}

function print(simulation: Simulation, flags: SimulateFlags, paper: Paper): void {
  const { location, visitors, distinct, activities, none, mismatch } = simulation;
  const source = flags.observed
    ? 'counts of a report'
    : flags.ids === undefined
      ? `made-up ids, seed ${flags.seed ?? 1}`
      : 'ids of a file';
  paper.row({
    left: `${location.kind} ${location.name}`,
    right: `${counted(visitors, 'visitor')}, ${source}`,
    tone: 'title',
  });
  if (distinct < visitors) {
    const text = `only ${counted(distinct, 'different id')}: the counts say little about the shares`;
    paper.row({ sign: '!', left: text, tone: 'warn' });
  }
  if (activities.length === 0) {
    const text = `no rule is for this ${location.kind}, so there is no split: look at its name, or ask explain`;
    paper.row({ sign: '!', left: text, tone: 'warn' });
    return;
  }
  for (const activity of activities) {
    paper.gap();
    printActivity(activity, paper);
  }
  if (!flags.observed && (none.count > 0 || none.expected > 0)) {
    paper.gap();
    const share = visitors === 0 ? 0 : none.count / visitors;
    printBar({ name: 'no experience', share, expected: none.expected, count: none.count }, paper);
  }
  paper.gap();
  paper.row(
    mismatch
      ? { sign: '✗', left: 'the counts do not fit the shares', tone: 'no' }
      : { sign: '✓', left: 'the counts fit the shares', tone: 'yes' },
  );
}

function printActivity(activity: ActivityShare, paper: Paper): void {
  const { chiSquare, p, experiences, takenBefore, mismatch } = activity;
  const test = chiSquare === undefined || p === undefined ? '' : `χ² ${chiSquare.toFixed(2)}, p ${shownP(p)}`;
  paper.row({ left: titleOf(activity), right: test, isName: true, tone: 'title' });
  if (takenBefore >= SHOWN_SHARE) {
    const text = `activities before it take ${percent(takenBefore)} of the visitors that its shares are meant for`;
    paper.row({ indent: 2, sign: '!', left: text, tone: 'warn' });
  }
  if (takenBefore < 1) {
    for (const experience of experiences) {
      printBar({ ...experience, name: titleOf(experience) }, paper);
    }
  }
  if (mismatch) {
    const text = 'right shares do not give such counts: look for the reason before you read the results';
    paper.row({ indent: 2, sign: '✗', left: text, tone: 'no' });
  }
}

interface Bar {
  readonly name: string;
  readonly share: number;
  readonly expected: number;
  readonly count: number;
}

function printBar({ name, share, expected, count }: Bar, paper: Paper): void {
  const columns = Math.min(MAX_NAME_COLUMNS, Math.max(10, paper.width - OTHER_COLUMNS));
  const words = `${percent(share)} of ${percent(expected)}`;
  const left = `${paper.column(name, columns)}  ${paper.bar(share, BAR_COLUMNS)}  ${words}`;
  paper.row({ indent: 2, left, right: String(count) });
}

function shownP(p: number): string {
  return p === 0 || p >= 0.001 ? p.toFixed(3) : p.toPrecision(1);
}
