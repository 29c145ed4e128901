import { type Artifact, DEFAULT_GLOBAL_MBOX } from '../artifact.js';
import { BUCKETS, Buckets } from './buckets.js';
import { type Finding, pathTo, toFinding } from './finding.js';
import { shownName } from './rule-facts.js';
import { groupBy, type PlacedRule } from './rule-index.js';
import { stableText } from './same-json.js';
import { type CountedCondition, percent, type ShareCounter } from './shares.js';

interface SharedRule extends PlacedRule, CountedCondition {}

/** Looks for experiences that take the same visitors, for visitors that no experience takes, and for rules that nobody reaches. */
export function shareFindings(
  artifact: Artifact,
  rules: readonly PlacedRule[],
  counter: ShareCounter,
): Finding[] {
  const shared = rules.map((placed): SharedRule => ({ ...placed, ...counter.count(placed.rule.condition) }));
  const split = shared.filter(({ isSplit }) => isSplit);
  const findings = [
    ...[...groupBy(split, groupKey).values()].flatMap(overlaps),
    ...[...groupBy(shared, activityKey).values()].flatMap(gaps),
  ];
  const globalMbox = artifact.globalMbox || DEFAULT_GLOBAL_MBOX;
  const firstOnly = shared.filter(({ kind, location }) => kind === 'mbox' && location !== globalMbox);
  const byMbox = groupBy(firstOnly, ({ location }) => location);
  return onceByActivity([...findings, ...[...byMbox.values()].flatMap(unreachables)]);
}

/** Rules of one group are meant for the same visitors, who get one of them, so their shares can be compared. */
function groupKey(one: SharedRule): string {
  return stableText([activityKey(one), audienceOf(one)]);
}

function activityKey({ kind, location, names }: SharedRule): string {
  return stableText([kind, location, names.activity.id]);
}

function audienceOf({ audienceKey, rule }: SharedRule): string {
  return stableText([audienceKey, tokensOf(rule.propertyTokens)]);
}

function tokensOf(tokens: readonly string[] | null | undefined): readonly string[] {
  return [...(tokens ?? [])].sort();
}

/** Returns the path of a rule. */
export function rulePath({ kind, location, index }: PlacedRule): string {
  return `${pathTo(kind === 'mbox' ? 'rules.mboxes' : 'rules.views', location)}[${index}]`;
}

/** Tells once of an experience that its share has visitors of experiences before it. */
function overlaps(group: readonly SharedRule[]): Finding[] {
  const byExperience = groupBy(group, ({ names }) => `${names.experience.id} ${names.experience.name}`);
  const shares = [...byExperience.values()].map((rules) => ({ first: rules[0], buckets: union(rules) }));
  let before = Buckets.NONE;
  return shares.flatMap(({ first: one, buckets }, at) => {
    const common = buckets.common(before);
    before = Buckets.union([before, buckets]);
    const others = shares.slice(0, at).find((other) => other.buckets.common(common).size > 0);
    if (common.size === 0 || !one || !others?.first) {
      return [];
    }
    const [mine, theirs] = [one, others.first].map(({ names }) => shownName(names.experience));
    const text = `${shownName(one.names.activity)}: ${percent(common.size)} of visitors are in the shares of ${theirs} and of ${mine}`;
    return [toFinding('overlap', rulePath(one), text, 'the first rule wins: look at the shares in Target')];
  });
}

/** Rules of other audiences or properties share visitors in ways that shares do not tell. */
function gaps(group: readonly SharedRule[]): Finding[] {
  const [first] = group;
  const isOne = group.every((one) => one.isSplit && first && audienceOf(one) === audienceOf(first));
  if (first?.names.activity.type !== 'ab' || !isOne || !group.some(({ share }) => share.length > 0)) {
    return [];
  }
  const missing = 1 - union(group).size;
  if (missing < 0.5 / BUCKETS) {
    return [];
  }
  const text = `${shownName(first.names.activity)}: ${percent(missing)} of visitors are in no share`;
  return [toFinding('gap', rulePath(first), text, 'they get default content: look at the shares in Target')];
}

interface Taker {
  readonly first: SharedRule;
  readonly tokens: readonly string[];
  buckets: Buckets;
}

/** The first rule of an mbox answers, so nobody gets behind rules of one activity that take everybody. */
function unreachables(rules: readonly SharedRule[]): Finding[] {
  const takers = new Map<string, Taker>();
  const full = new Set<Taker>();
  const reached = new Set<string>();
  const findings: Finding[] = [];
  for (const one of rules) {
    const { id } = one.names.activity;
    const tokens = tokensOf(one.rule.propertyTokens);
    const taker = [...full].find(({ tokens: others }) => isWithin(tokens, others));
    if (taker) {
      findings.push(unreachable(one, taker, reached.has(id)));
      continue;
    }
    reached.add(id);
    if (one.audience.length > 0) {
      continue;
    }
    const key = JSON.stringify([id, tokens]);
    const own: Taker = takers.get(key) ?? { first: one, tokens, buckets: Buckets.NONE };
    own.buckets = Buckets.union([own.buckets, one.buckets]);
    takers.set(key, own);
    if (own.buckets.size === 1) {
      full.add(own);
    }
  }
  return findings;
}

function unreachable(one: SharedRule, { first }: Taker, isReached: boolean): Finding {
  const { activity, experience } = one.names;
  const what = isReached ? `${shownName(experience)} of ${shownName(activity)}` : shownName(activity);
  const isOwn = first.names.activity.id === activity.id;
  const who = isOwn ? 'its other rules take' : `${shownName(first.names.activity)} takes`;
  const text = `nobody reaches ${what} on ${one.location}: ${who} everybody before it`;
  return toFinding('unreachable', rulePath(one), text, 'change the priority or the audience');
}

/** Tells whether rules of some properties are asked only where rules of others are. None are all properties. */
function isWithin(tokens: readonly string[], others: readonly string[]): boolean {
  return others.length === 0 || (tokens.length > 0 && tokens.every((token) => others.includes(token)));
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
