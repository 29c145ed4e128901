import type { Artifact, Rule, RulesByName } from '../artifact.js';
import { allocationPrefix } from './allocation.js';
import { CompiledLocation, CompiledRule } from './compiled-location.js';
import { type CompiledCondition, compileCondition } from './condition.js';
import type { Activity } from './context.js';

/** What compiling an artifact needs besides the artifact. */
export interface CompileOptions {
  /** The client code, part of every allocation key. */
  readonly client: string;
  /** Mboxes that answer with every rule that holds, not with the first. */
  readonly allMatchingMboxes?: ReadonlySet<string> | undefined;
  /** Told once of each location that has rules which cannot be decided here. */
  readonly warn?: ((message: string) => void) | undefined;
}

const DEFAULT_GLOBAL_MBOX = 'target-global-mbox';

interface LocationKind {
  readonly word: 'mbox' | 'view';
  readonly rules: RulesByName;
  readonly local: ReadonlySet<string>;
  readonly remote: ReadonlySet<string>;
  readonly compiled: Map<string, CompiledLocation>;
}

type ConditionsByText = Map<string, CompiledCondition>;

/**
 * An artifact, ready to be decided from. A location is compiled as a whole when it is first asked for, before
 * anything of it is decided: so taking over an artifact costs next to nothing however large it is, and a rule
 * that we do not understand still makes its location remote in time.
 */
export class CompiledArtifact {
  readonly artifact: Artifact;
  readonly client: string;
  readonly globalMbox: string;
  readonly #options: CompileOptions;
  readonly #mboxes: LocationKind;
  readonly #views: LocationKind;
  readonly #activitiesById = new Map<number | string, Activity>();
  #allViews: readonly CompiledLocation[] | undefined;

  constructor(artifact: Artifact, options: CompileOptions) {
    this.artifact = artifact;
    this.client = options.client;
    this.globalMbox = artifact.globalMbox || DEFAULT_GLOBAL_MBOX;
    this.#options = options;
    this.#mboxes = toKind('mbox', artifact.rules.mboxes, [artifact.localMboxes, artifact.remoteMboxes]);
    this.#views = toKind('view', artifact.rules.views, [artifact.localViews, artifact.remoteViews]);
  }

  /** The mbox of a name; one that the artifact does not know has no rules and is remote. */
  mbox(name: string): CompiledLocation {
    return this.#mboxes.compiled.get(name) ?? this.#compile(this.#mboxes, name);
  }

  /** The view of a name, as {@link mbox}. */
  view(name: string): CompiledLocation {
    return this.#views.compiled.get(name) ?? this.#compile(this.#views, name);
  }

  /** Every view that has rules, in the artifact's order. */
  views(): readonly CompiledLocation[] {
    this.#allViews ??= Object.keys(this.#views.rules).map((name) => this.view(name));
    return this.#allViews;
  }

  #compile(kind: LocationKind, name: string): CompiledLocation {
    const listed = Object.hasOwn(kind.rules, name) ? (kind.rules[name] ?? []) : [];
    const rules: CompiledRule[] = [];
    const conditionsByText: ConditionsByText = new Map();
    let undecidable = 0;
    for (const rule of listed) {
      const compiled = isRule(rule) ? this.#compileRule(rule, conditionsByText) : undefined;
      if (compiled) rules.push(compiled);
      if (!compiled?.condition) undecidable += 1;
    }
    const location = new CompiledLocation({
      name,
      rules,
      allMatching:
        kind.word === 'view' ||
        name === this.globalMbox ||
        this.#options.allMatchingMboxes?.has(name) === true,
      undecidable: undecidable > 0,
      remote: undecidable > 0 || kind.remote.has(name) || !kind.local.has(name),
    });
    if (undecidable > 0) {
      this.#options.warn?.(
        `${undecidable} of ${listed.length} rules of ${kind.word} "${name}" cannot be decided here; it is left to the edge`,
      );
    }
    // Names that the artifact does not know come from requests: there is no end to them.
    if (listed.length > 0 || kind.local.has(name)) kind.compiled.set(name, location);
    return location;
  }

  /** Rules of one experience have the same condition: compiled once, it can be told to be the same. */
  #compileRule(rule: Rule, conditionsByText: ConditionsByText): CompiledRule {
    const text = textOf(rule.condition);
    const known = text === undefined ? undefined : conditionsByText.get(text);
    const condition = known ?? compileCondition(rule.condition);
    if (condition && text !== undefined) conditionsByText.set(text, condition);
    const activity = this.#activity(rule.activityId);
    return new CompiledRule(rule, { activity, condition }, this.artifact.responseTokens ?? []);
  }

  #activity(id: number | string): Activity {
    const known = this.#activitiesById.get(id);
    if (known) return known;
    const activity = { id, prefix: allocationPrefix(this.client, id) };
    this.#activitiesById.set(id, activity);
    return activity;
  }
}

/** Makes an artifact, whose shape was checked by `toArtifact`, ready to be decided from. */
export function compileArtifact(artifact: Artifact, options: CompileOptions): CompiledArtifact {
  return new CompiledArtifact(artifact, options);
}

/** Undefined for a condition that is nested too deeply to be written. */
function textOf(condition: unknown): string | undefined {
  try {
    return JSON.stringify(condition);
  } catch {
    return undefined;
  }
}

type Names = readonly string[] | null | undefined;

function toKind(
  word: LocationKind['word'],
  rules: RulesByName | null | undefined,
  [local, remote]: readonly [local: Names, remote: Names],
): LocationKind {
  return { word, rules: rules ?? {}, local: new Set(local), remote: new Set(remote), compiled: new Map() };
}

function isRule(rule: unknown): rule is Rule {
  if (!isObject(rule)) return false;
  const { meta, consequence, condition } = rule as Partial<Rule>;
  return isObject(meta) && isObject(consequence) && condition !== undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
