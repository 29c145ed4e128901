import type { Artifact } from '../artifact.js';
import { isRecord } from '../json.js';
import { seenMeta } from './activity-diff.js';
import type { Change } from './artifact-diff.js';
import { cut } from './clause-words.js';
import { shownName } from './rule-facts.js';
import type { PlacedRule } from './rule-index.js';
import { isSameRule, locationName, type Pair } from './rule-pairs.js';
import { isSameJson } from './same-json.js';
import type { SeenMeta } from './seen-rules.js';

const QUIET_META = ['offer.id', 'offer.name', 'option.id', 'option.name', 'audience.ids', 'location.id'];

/** Lists the changes of rules that change nothing for visitors: tokens of events, and ids and names of offers. */
export function quietChanges(pairs: readonly Pair[], seen: SeenMeta): Change[] {
  const changed = pairs.filter((pair) => !isSameRule(pair));
  return changed.flatMap(([was, is]) => {
    const visible = seenMeta([was, is], seen);
    const [before, after] = [tokensOf(was), tokensOf(is)];
    const meta = QUIET_META.map((name): Difference => [name, was.rule.meta[name], is.rule.meta[name]]);
    const differences = meta.filter(
      ([name, one, other]) => !isSameJson(one, other) && !visible.includes(name),
    );
    // Another number of tokens is another offer or another metric, which is listed as that.
    if (before.length === after.length && before.join() !== after.join()) {
      differences.unshift(['event token', before, after]);
    }
    const where = { location: locationName(is), experience: shownName(is.names.experience) };
    const whose = `${shownName(is.names.activity)}, ${where.experience} on ${where.location}`;
    return differences.map((difference) => ({ ...where, ...toQuiet(whose, difference) }));
  });
}

/** Tells of the date of an artifact, which is another one each time. */
export function quietMeta({ meta: old }: Artifact, { meta: now }: Artifact): Change[] {
  const [before, after] = [old?.generatedAt, now?.generatedAt];
  return before === after ? [] : [toQuiet('the artifact', ['generatedAt', before, after])];
}

type Difference = [what: string, before: unknown, after: unknown];

function toQuiet(whose: string, [what, was, is]: Difference): Change {
  const [before, after] = [shown(was), shown(is)];
  return { kind: 'quiet', before, after, text: `${whose}: ${what} ${cut(before)} → ${cut(after)}` };
}

function shown(value: unknown): string {
  if (value === undefined) {
    return 'none';
  }
  const isList = Array.isArray(value);
  return isList ? value.map(shown).join(', ') : typeof value === 'string' ? value : JSON.stringify(value);
}

function tokensOf({ rule }: PlacedRule): unknown[] {
  const { options, metrics } = rule.consequence;
  return [...(options ?? []), ...(metrics ?? [])].map((one) => (isRecord(one) ? one.eventToken : 0));
}
