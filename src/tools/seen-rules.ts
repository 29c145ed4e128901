import type { Artifact, Rule } from '../artifact.js';
import type { ArtifactDiff } from './artifact-diff.js';
import { type PlacedRule, recordOf } from './rule-index.js';
import { stableText } from './same-json.js';
import type { ShareCounter } from './shares.js';

/**
 * Tells which of the names and ids in the meta data of a rule reach visitors: those that are response tokens, and those
 * that a macro such as `${offer.name}` in an offer may read.
 */
export class SeenMeta {
  readonly #tokens: ReadonlySet<string>;

  constructor(...artifacts: readonly Artifact[]) {
    this.#tokens = new Set(artifacts.flatMap(({ responseTokens }) => responseTokens ?? []));
  }

  /** Lists the fields whose value reaches visitors. */
  in({ meta, consequence }: Rule): string[] {
    const names = Object.keys(meta);
    const tokens = names.filter((name) => this.#tokens.has(name));
    const text = JSON.stringify(consequence.options ?? []);
    if (!text.includes('${')) {
      return tokens;
    }
    const macros = (text.match(/\$\{[\w.]*\}/g) ?? []).join();
    return names.filter((name) => this.#tokens.has(name) || macros.includes(name.split('.').at(-1) ?? name));
  }
}

/**
 * Compares everything that reaches visitors, location by location. It finds what no change has words for, so that two
 * artifacts are equal only when they decide alike.
 */
export function otherChanges(
  oldRules: readonly PlacedRule[],
  newRules: readonly PlacedRule[],
  sources: { readonly counter: ShareCounter; readonly seen: SeenMeta },
): ArtifactDiff['locations'] {
  const [was, is] = [textsOf(oldRules, sources), textsOf(newRules, sources)];
  const names = new Set([...was.keys(), ...is.keys()]);
  const other = [...names].filter((name) => was.get(name)?.join() !== is.get(name)?.join());
  return other.map((name) => ({ name, text: 'its rules differ in a way that has no words of its own' }));
}

function textsOf(
  rules: readonly PlacedRule[],
  sources: { readonly counter: ShareCounter; readonly seen: SeenMeta },
): Map<string, string[]> {
  const texts = new Map<string, string[]>();
  const tokens = new Map<string, Map<unknown, number>>();
  for (const { kind, location, rule, names } of rules) {
    const name = `${kind} ${location}`;
    const list = texts.get(name) ?? [];
    const known = tokens.get(name) ?? new Map<unknown, number>();
    texts.set(name, list);
    tokens.set(name, known);
    list.push(seenText(rule, names.activity.id, { ...sources, tokens: known }));
  }
  return texts;
}

interface SeenSources {
  readonly counter: ShareCounter;
  readonly seen: SeenMeta;
  readonly tokens: Map<unknown, number>;
}

/** Writes what of a rule reaches visitors. Tokens of events are numbered: only which of them are the same matters. */
function seenText(rule: Rule, id: string, { counter, seen, tokens }: SeenSources): string {
  const { options, metrics, name } = rule.consequence;
  const { isSplit, buckets, audienceKey } = counter.count(rule.condition);
  const isToken = (token: unknown) => typeof token === 'string' && token !== '';
  const numberOf = (token: unknown) => {
    tokens.set(token, tokens.get(token) ?? tokens.size);
    return token === undefined ? undefined : tokens.get(token);
  };
  return stableText([
    rule.ruleKey,
    id,
    [...new Set(rule.propertyTokens ?? [])].sort(),
    isSplit ? [buckets.runs, audienceKey] : rule.condition,
    name,
    (options ?? []).map((option) => ({ ...option, eventToken: isToken(option.eventToken) })),
    (metrics ?? []).map((metric) => ({
      ...recordOf(metric),
      eventToken: numberOf(recordOf(metric).eventToken),
    })),
    seen
      .in(rule)
      .map((field) => [field, rule.meta[field]])
      .sort(),
  ]);
}
