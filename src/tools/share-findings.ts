import { type Artifact, DEFAULT_GLOBAL_MBOX } from '../artifact.js';
import { BUCKETS, Buckets } from './buckets.js';
import { type Finding, pathTo, toFinding } from './finding.js';
import { shownName } from './rule-facts.js';
import { groupBy, type PlacedRule, stableText } from './rule-index.js';
import { type CountedCondition, percent, type ShareCounter } from './shares.js';

interface SharedRule extends PlacedRule, CountedCondition {}

/** Looks for experiences that take the same visitors, for visitors that no experience takes, and for rules that nobody reaches. */
export function shareFindings(
  artifact: Artifact,
  rules: readonly PlacedRule[],
  counter: ShareCounter,
): Finding[] {
  const shared = rules.map((placed): SharedRule => ({ ...placed, ...counter.count(placed.rule.condition) }));
  const findings = [...groupBy(shared, placeKey).values()].flatMap((one) => {
    const audiences = [...groupBy(one, audienceKey).values()];
    // Audiences may have visitors in common, so a gap is certain when all the rules are for one audience.
    return [...audiences.flatMap(overlaps), ...(audiences.length === 1 ? gaps(one) : [])];
  });
  const globalMbox = artifact.globalMbox || DEFAULT_GLOBAL_MBOX;
  const firstOnly = shared.filter(({ kind, location }) => kind === 'mbox' && location !== globalMbox);
  const byMbox = groupBy(firstOnly, ({ location }) => location);
  return onceByActivity([...findings, ...[...byMbox.values()].flatMap(unreachables)]);
}

/** The rules of an activity in one place, for the same properties. */
function placeKey({ kind, location, names, rule }: SharedRule): string {
  return stableText([kind, location, names.activity.id, tokensOf(rule.propertyTokens)]);
}

/** Rules with the same audience are meant for the same visitors, so their shares can be compared. */
function audienceKey({ audience }: SharedRule): string {
  return audience.map(stableText).sort().join();
}

function tokensOf(tokens: readonly string[] | null | undefined): readonly string[] {
  return [...(tokens ?? [])].sort();
}

/** Returns the path of a rule. */
export function rulePath({ kind, location, index }: PlacedRule): string {
  return `${pathTo(kind === 'mbox' ? 'rules.mboxes' : 'rules.views', location)}[${index}]`;
}

function overlaps(group: readonly SharedRule[]): Finding[] {
  const byExperience = [
    ...groupBy(group, ({ names }) => `${names.experience.id} ${names.experience.name}`).values(),
  ];
  const shares = byExperience.map((rules) => ({ first: rules[0], buckets: union(rules) }));
  return shares.flatMap(({ first, buckets }, index) =>
    shares.slice(0, index).flatMap((other) => {
      const common = buckets.common(other.buckets).size;
      if (common === 0 || !first || !other.first) {
        return [];
      }
      const [one, two] = [other.first, first].map(({ names }) => shownName(names.experience));
      const text = `${shownName(first.names.activity)}: ${percent(common)} of visitors are in the shares of ${one} and of ${two}`;
      return [
        toFinding('overlap', rulePath(first), text, 'the first rule wins: look at the shares in Target'),
      ];
    }),
  );
}

function gaps(group: readonly SharedRule[]): Finding[] {
  const [first] = group;
  if (first?.names.activity.type !== 'ab' || !group.some(({ share }) => share.length > 0)) {
    return [];
  }
  const missing = 1 - union(group).size;
  if (missing < 0.5 / BUCKETS) {
    return [];
  }
  const text = `${shownName(first.names.activity)}: ${percent(missing)} of visitors are in no share`;
  return [toFinding('gap', rulePath(first), text, 'they get default content: look at the shares in Target')];
}

/** The first rule of an mbox answers, so nobody gets behind rules of one activity that take everybody. */
function unreachables(rules: readonly SharedRule[]): Finding[] {
  const takers: SharedRule[] = [];
  const reached = new Set<string>();
  const findings: Finding[] = [];
  for (const one of rules) {
    const taker = takers.find((other) => takesAll(other, one, takers));
    if (taker) {
      const isReached = reached.has(one.names.activity.id);
      const text = `nobody reaches ${unreachedName(one, isReached)} on ${one.location}: ${takerName(taker, one)} everybody before it`;
      findings.push(toFinding('unreachable', rulePath(one), text, 'change the priority or the audience'));
      continue;
    }
    reached.add(one.names.activity.id);
    if (one.audience.length === 0) {
      takers.push(one);
    }
  }
  return findings;
}

/** Some visitors get an activity of which rules stand before and behind the taker, so its experience is named. */
function unreachedName({ names: { activity, experience } }: SharedRule, isReached: boolean): string {
  return isReached ? `${shownName(experience)} of ${shownName(activity)}` : shownName(activity);
}

function takerName({ names: { activity } }: SharedRule, one: SharedRule): string {
  return activity.id === one.names.activity.id ? 'its other rules take' : `${shownName(activity)} takes`;
}

function takesAll(taker: SharedRule, one: SharedRule, takers: readonly SharedRule[]): boolean {
  const tokens = tokensOf(taker.rule.propertyTokens);
  const own = tokensOf(one.rule.propertyTokens);
  const isBefore = tokens.length === 0 || (own.length > 0 && own.every((token) => tokens.includes(token)));
  const same = takers.filter(
    ({ names, rule }) =>
      names.activity.id === taker.names.activity.id && tokensOf(rule.propertyTokens).join() === tokens.join(),
  );
  return isBefore && union(same).size === 1;
}

function union(rules: readonly SharedRule[]): Buckets {
  return Buckets.union(rules.map(({ buckets }) => buckets));
}

/** An activity on many locations has the same fault on each of them. */
function onceByActivity(findings: readonly Finding[]): Finding[] {
  const byText = new Map<string, Finding>();
  for (const finding of findings) {
    const key = `${finding.code} ${finding.text}`;
    byText.set(key, byText.get(key) ?? finding);
  }
  return [...byText.values()];
}
