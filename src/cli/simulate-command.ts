import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import type { DeliveryRequest } from 'target-node-sdk';
import { type ActivityShare, type SimulateOptions, type Simulation, simulate } from 'target-node-sdk/tools';
import { type DecisionFlags, toExplainOptions, toNumber, toPairs } from './call-options.js';
import { Paper, type Row } from './paper.js';
import { Progress } from './progress.js';
import { readArtifactObject } from './read-artifact.js';
import { EXIT, type ExitCode, reasonOf, type Shell, UsageError } from './shell.js';
import { type Given, isDue, uncountedOf, type Verdict, verdictOf, warningsOf } from './simulation-verdict.js';
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

/** Prints how one location splits visitors. A split that is not as it should be, and one that was not tested, is a finding. */
export async function simulateCommand(source: string, flags: SimulateFlags, shell: Shell): Promise<ExitCode> {
  if (source === '-' && flags.ids === '-') {
    throw new UsageError('standard input cannot be the artifact and --ids: give one of them as a file');
  }
  const options = await toExplainOptions(flags, shell);
  checkLocations(options.request);
  const counts = toPairs('--observed', flags.observed ?? [], true);
  const artifact = await readArtifactObject(source, flags, shell);
  const progress = new Progress(shell);
  // The tools check the kind of the ids, and name the kinds that there are.
  const simulation = await simulate(artifact, {
    ...options,
    ...toOwnOptions(flags, counts, shell),
    onProgress: ({ done, total }: { readonly done: number; readonly total?: number }) =>
      progress.show(`${counted(done, 'visitor')}${total === undefined ? '' : ` of ${total}`}`),
    signal: shell.signal,
  } as SimulateOptions)
    .catch((thrown?: { readonly cause?: unknown }) => {
      // The error of the file of ids says more than the simulation can.
      throw UsageError.is(thrown?.cause) ? thrown.cause : thrown;
    })
    .finally(() => progress.clear());
  const given = flags.observed && new Set(counts.map(([name]) => name));
  const verdict = verdictOf(simulation, given);
  const paper = new Paper(shell.out, shell.env);
  if (flags.json) {
    paper.json(simulation);
  } else {
    printHead(simulation, flags, paper);
    printShares(simulation, given, paper);
    paper.row({ ...SIGNS[verdict.kind], left: verdict.text });
  }
  // A script that asks for the wrong name or visitor must not take the answer for a good split.
  return verdict.kind === 'fine' || verdict.kind === 'untested' ? EXIT.fine : EXIT.finding;
}

const SIGNS: Readonly<Record<Verdict['kind'], Pick<Row, 'sign' | 'tone'>>> = {
  fine: { sign: '✓', tone: 'yes' },
  untested: { sign: '·', tone: 'soft' },
  mismatch: { sign: '✗', tone: 'no' },
  doubtful: { sign: '!', tone: 'warn' },
  nothing: { sign: '!', tone: 'warn' },
};

/** Checks that the request asks for one place, as a person would say it. The tools check the rest of the request. */
function checkLocations({ execute, prefetch }: DeliveryRequest): void {
  const lists = [execute?.mboxes, prefetch?.mboxes, prefetch?.views].map((list) =>
    Array.isArray(list) ? list.length : 0,
  );
  const pageLoads = [execute?.pageLoad, prefetch?.pageLoad].filter((load) => load).length;
  if (lists.reduce((sum, length) => sum + length, pageLoads) > 1) {
    throw new UsageError('simulate decides one place: give one --mbox, --view or --page-load');
  }
}

function toOwnOptions(
  { visitors, seed, ids, idKind, observed }: SimulateFlags,
  counts: readonly (readonly [name: string, count: string])[],
  shell: Shell,
): object {
  return {
    ...(visitors !== undefined && { visitors: toNumber('--visitors', visitors) }),
    ...(seed !== undefined && { seed: toNumber('--seed', seed) }),
    ...(idKind !== undefined && { idKind }),
    ...(observed && {
      observed: Object.fromEntries(counts.map(([name, count]) => [name, toNumber('--observed', count)])),
    }),
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

function printHead(
  { location, visitors, distinct, activities, remote }: Simulation,
  flags: SimulateFlags,
  paper: Paper,
): void {
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
  if (remote && activities.length > 0) {
    paper.row({ sign: '!', left: remote.text, tone: 'warn' });
  }
}

function printShares({ visitors, activities, none, remote }: Simulation, given: Given, paper: Paper): void {
  for (const activity of activities) {
    paper.gap();
    printActivity(activity, { given, isRemote: remote !== undefined }, paper);
  }
  if (!given && activities.length > 0 && (none.count > 0 || none.expected > 0)) {
    paper.gap();
    const share = visitors === 0 ? 0 : none.count / visitors;
    printBar({ name: 'no experience', share, expected: none.expected, count: none.count }, paper);
  }
  if (activities.length > 0) {
    paper.gap();
  }
}

function printActivity(
  activity: ActivityShare,
  { given, isRemote }: { readonly given: Given; readonly isRemote: boolean },
  paper: Paper,
): void {
  const { chiSquare, p, experiences, takenBefore, mismatch } = activity;
  const test = chiSquare === undefined || p === undefined ? '' : `χ² ${chiSquare.toFixed(2)}, p ${shownP(p)}`;
  paper.row({ left: titleOf(activity), right: test, isName: true, tone: 'title' });
  const warn = (left: string) => paper.row({ indent: 2, sign: '!', left, tone: 'warn' });
  if (takenBefore >= SHOWN_SHARE) {
    warn(`activities before it take ${percent(takenBefore)} of the visitors that its shares are meant for`);
  }
  if (takenBefore < 1) {
    for (const experience of experiences) {
      printBar({ ...experience, name: titleOf(experience) }, paper);
    }
  }
  if (!isRemote) {
    warningsOf(activity, given).forEach(warn);
  }
  for (const name of uncountedOf(activity, given)) {
    warn(`no count is given for ${name}: it counts as 0`);
  }
  if (mismatch && isDue(activity)) {
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
