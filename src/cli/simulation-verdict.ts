import type { ActivityShare, ExperienceShare, Simulation } from 'target-node-sdk/tools';
import { percent, titleOf } from './titles.js';

/** A smaller part of 1 is shown as 0.00 %. */
const SHOWN_SHARE = 0.00005;
/** Allocations have steps of 0.01 %, and the one between two shares may be in both or in none. */
const STEP = 0.0001;
/** The χ² test needs a count of 5 to be due, https://en.wikipedia.org/wiki/Chi-squared_test. */
const MIN_DUE = 5;

/** The verdict of a simulation about a split. `fine` alone has nothing to look at. */
export interface Verdict {
  readonly kind: 'fine' | 'untested' | 'mismatch' | 'doubtful' | 'nothing';
  readonly text: string;
}

/** The names of the experiences of which a report has counts. It is undefined where visitors were simulated. */
export type Given = ReadonlySet<string> | undefined;

/** Says what a simulation proves. Counts fit any shares when nobody is counted, so that is looked at first. */
export function verdictOf(simulation: Simulation, given: Given): Verdict {
  const { location, visitors, activities, mismatch, remote } = simulation;
  if (activities.length === 0) {
    const why = remote?.text ?? `no rule is for this ${location.kind}`;
    return { kind: 'nothing', text: `there is no split: ${why}` };
  }
  // A report has the visitors for whom the edge decided too.
  if (remote && !given) {
    const text = 'only the edge can decide this: the counts say nothing of what your visitors get';
    return { kind: 'nothing', text };
  }
  if (!activities.some(isDue)) {
    return { kind: 'nothing', text: nobodyText(given) };
  }
  if (visitors === 0) {
    const text = given
      ? 'the report counts nobody: nothing was tested'
      : 'there was no visitor: give more ids';
    return { kind: 'nothing', text };
  }
  if (mismatch) {
    return { kind: 'mismatch', text: 'the counts do not fit the shares' };
  }
  if (activities.every(({ reached }) => reached === 0)) {
    return { kind: 'nothing', text: nobodyText(given) };
  }
  if (activities.some((activity) => warningsOf(activity, given).length > 0)) {
    const text = 'the counts fit what is expected, but the shares are doubtful: ask artifact validate';
    return { kind: 'doubtful', text };
  }
  return testVerdict(simulation, given);
}

function testVerdict({ visitors, activities }: Simulation, given: Given): Verdict {
  const split = activities.filter(({ experiences }) => experiences.filter(isExpected).length > 1);
  if (split.length === 0) {
    return {
      kind: 'untested',
      text: 'nothing is split: all visitors get the same experience of an activity',
    };
  }
  if (split.some(isTested)) {
    return { kind: 'fine', text: 'the counts fit the shares' };
  }
  const more = given ? 'wait for more of them' : 'give more --visitors or --ids';
  return { kind: 'nothing', text: `too few visitors to test the split (${visitors}): ${more}` };
}

function nobodyText(given: Given): string {
  const what = given ? 'by these rules nobody gets an experience' : 'nobody got an experience';
  return `${what}: give what the rules ask for, such as --param, --url, --browser, --geo or --property; explain shows what failed`;
}

/** Tells whether anybody should get an experience of an activity. */
export function isDue({ experiences }: ActivityShare): boolean {
  return experiences.some(isExpected);
}

function isExpected({ expected }: ExperienceShare): boolean {
  return expected >= SHOWN_SHARE;
}

function isTested({ p, reached, experiences }: ActivityShare): boolean {
  const all = sumOf(experiences, ({ expected }) => expected);
  return (
    p !== undefined && experiences.filter(({ expected }) => (reached * expected) / all >= MIN_DUE).length > 1
  );
}

/** Says which shares of an activity cannot be meant, in the order of its experiences. */
export function warningsOf(activity: ActivityShare, given: Given): string[] {
  const { experiences, type } = activity;
  const all = sumOf(experiences, ({ configured }) => configured);
  const lost = experiences.flatMap((one) => lostWords(one, { activity, all, given }));
  // Nobody is in the audience of an activity without any share, which is no gap.
  const isGap = type === 'ab' && all > 0 && all < 1 - 2 * STEP;
  return isGap ? [...lost, `${percent(1 - all)} of the visitors are in no share of it`] : lost;
}

interface Around {
  readonly activity: ActivityShare;
  /** The sum of the configured shares. */
  readonly all: number;
  readonly given: Given;
}

/** Says that an experience loses more than the activities before take from all experiences of its activity. */
function lostWords(one: ExperienceShare, { activity, all, given }: Around): string[] {
  const { configured, expected } = one;
  // The shares of a report are parts of those whom it counts.
  const left = given ? configured / all : configured * (1 - activity.takenBefore);
  if (activity.takenBefore === 1 || all === 0 || left - expected <= 2 * STEP) {
    return [];
  }
  const part = given ? 'some of them' : percent(configured - expected);
  return [`${titleOf(one)}: configured ${percent(configured)}, ${part} go to other experiences before it`];
}

/** Names the experiences of a counted activity of which a report has no count. */
export function uncountedOf({ id, name, experiences }: ActivityShare, given: Given): string[] {
  const hasCount = (one: ExperienceShare) =>
    [one.name, one.id, `${name}/${one.name}`, `${id}/${one.id}`].some((label) => given?.has(label));
  const uncounted = experiences.filter((one) => !hasCount(one));
  return given && uncounted.length < experiences.length ? uncounted.map(titleOf) : [];
}

function sumOf(experiences: readonly ExperienceShare[], of: (one: ExperienceShare) => number): number {
  return experiences.reduce((sum, one) => sum + of(one), 0);
}
