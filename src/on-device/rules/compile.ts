import type { Artifact, Rule, RulesByName } from '../../artifact.js';
import { hasNoPrototype, withoutPrototypes } from '../../json.js';
import { allocationPrefix } from '../facts/allocation.js';
import type { Activity } from '../facts/context.js';
import { type TokenNames, toTokenNames } from '../offers/response-tokens.js';
import { type CompiledCondition, compileCondition } from './condition.js';
import { CompiledLocation, CompiledRule, type RuleKey } from './location.js';
import { isRule } from './rule-shape.js';

/** What compiling an artifact needs besides the artifact. */
export interface CompileOptions {
  /** The client code, part of every allocation key. */
  readonly client: string;
  /** Mboxes that answer with every rule that holds, not with the first. */
  readonly allMatchingMboxes?: ReadonlySet<string> | undefined;
}

/** A location that is left to the edge, because it has rules which cannot be decided here. */
export interface UndecidableLocation {
  readonly kind: 'mbox' | 'view';
  readonly name: string;
  /** The number of its rules that cannot be decided here. */
  readonly undecidable: number;
  /** The number of all of its rules. */
  readonly rules: number;
}

const DEFAULT_GLOBAL_MBOX = 'target-global-mbox';

interface LocationKind {
  readonly word: UndecidableLocation['kind'];
  readonly local: ReadonlySet<string>;
  readonly remote: ReadonlySet<string>;
  /** In the artifact's order; a location that was not asked for yet is still the list of its rules. */
  readonly locations: Map<string, CompiledLocation | readonly unknown[]>;
}

/** What an artifact says besides its rules and the names that can be decided. */
export type ArtifactHeader = Omit<Artifact, 'rules' | 'localMboxes' | 'localViews'>;

/**
 * An artifact, ready to be decided from. A location is compiled as a whole when it is first asked for, before
 * anything of it is decided: so taking over an artifact costs next to nothing however large it is, and a rule
 * that we do not understand still makes its location remote in time. What is compiled takes the place of what it
 * was compiled from, so that both together do not need much more memory than the artifact.
 */
export class CompiledArtifact {
  readonly artifact: ArtifactHeader;
  readonly client: string;
  readonly globalMbox: string;
  readonly tokenNames: TokenNames;
  /** Set while {@link takeUndecidable} has something to give. */
  hasUndecidable = false;
  readonly #options: CompileOptions;
  readonly #mboxes: LocationKind;
  readonly #views: LocationKind;
  readonly #activitiesById = new Map<number | string, Activity>();
  readonly #conditionsByText = new Map<string, CompiledCondition>();
  /** Of views together: who asks for all of them gets one rule of each key. */
  readonly #viewKeys: RuleKeys = new Map();
  #allViews: readonly CompiledLocation[] | undefined;
  #remoteViews: readonly string[] | undefined;
  #undecidable: UndecidableLocation[] = [];

  constructor({ rules, localMboxes, localViews, ...header }: Artifact, options: CompileOptions) {
    this.artifact = hasNoPrototype(rules) ? withoutPrototypes(header) : header;
    this.client = options.client;
    this.globalMbox = this.artifact.globalMbox || DEFAULT_GLOBAL_MBOX;
    this.tokenNames = toTokenNames(this.artifact.responseTokens ?? []);
    this.#options = options;
    this.#mboxes = toKind('mbox', rules.mboxes, [localMboxes, header.remoteMboxes]);
    this.#views = toKind('view', rules.views, [localViews, header.remoteViews]);
  }

  /** The mbox of a name; one that the artifact does not know has no rules and is remote. */
  mbox(name: string): CompiledLocation {
    return this.#location(this.#mboxes, name);
  }

  /** The view of a name, as {@link mbox}. */
  view(name: string): CompiledLocation {
    return this.#location(this.#views, name);
  }

  /** Every view that the artifact knows, in its order. */
  views(): readonly CompiledLocation[] {
    this.#allViews ??= [...this.#views.locations.keys()].map((name) => this.view(name));
    return this.#allViews;
  }

  /** Besides the views that it lists as remote, those whose rules we do not understand. */
  remoteViews(): readonly string[] {
    this.#remoteViews ??= [
      ...(this.artifact.remoteViews ?? []),
      ...this.views()
        .filter((view) => view.undecidable)
        .map((view) => view.name),
    ];
    return this.#remoteViews;
  }

  /** The locations with rules that cannot be decided here, of those that were compiled since it was last asked. */
  takeUndecidable(): readonly UndecidableLocation[] {
    const taken = this.#undecidable;
    this.#undecidable = [];
    this.hasUndecidable = false;
    return taken;
  }

  #location(kind: LocationKind, name: string): CompiledLocation {
    const known = kind.locations.get(name);
    return known instanceof CompiledLocation ? known : this.#compile(kind, name, known ?? []);
  }

  #compile(kind: LocationKind, name: string, listed: readonly unknown[]): CompiledLocation {
    const rules: CompiledRule[] = [];
    const allMatching = this.#isAllMatching(kind, name);
    const keys: RuleKeys | undefined =
      kind.word === 'view' ? this.#viewKeys : allMatching ? new Map() : undefined;
    let undecidable = 0;
    for (const rule of listed) {
      const compiled = isRule(rule) ? this.#compileRule(rule, keys) : undefined;
      if (compiled) rules.push(compiled);
      if (!compiled?.condition) undecidable += 1;
    }
    const location = new CompiledLocation({
      name,
      rules,
      allMatching,
      undecidable: undecidable > 0,
      remote: undecidable > 0 || kind.remote.has(name) || !kind.local.has(name),
    });
    if (undecidable > 0) {
      this.hasUndecidable = true;
      this.#undecidable.push({ kind: kind.word, name, undecidable, rules: listed.length });
    }
    // Names that the artifact does not know come from requests: there is no end to them.
    if (listed.length > 0 || kind.local.has(name)) kind.locations.set(name, location);
    return location;
  }

  #isAllMatching({ word }: LocationKind, name: string): boolean {
    return word === 'view' || name === this.globalMbox || this.#options.allMatchingMboxes?.has(name) === true;
  }

  /** Equal conditions are compiled once, and can be told to be the same. */
  #compileRule(rule: Rule, keys: RuleKeys | undefined): CompiledRule {
    const text = textOf(rule.condition);
    const known = text === undefined ? undefined : this.#conditionsByText.get(text);
    const condition = known ?? compileCondition(rule.condition);
    if (condition && !known && text !== undefined) this.#conditionsByText.set(text, condition);
    const key = keys && keyOf(rule, keys);
    const activity = this.#activity(rule.activityId);
    return new CompiledRule(rule, { key, activity, condition }, this.tokenNames);
  }

  #activity(id: number | string): Activity {
    const known = this.#activitiesById.get(id);
    if (known) return known;
    const prefix = allocationPrefix(this.client, id);
    const activity: Activity = { id, prefix, lastCall: 0, lastAllocation: Number.NaN };
    this.#activitiesById.set(id, activity);
    return activity;
  }
}

/** Makes an artifact, whose shape was checked by `toArtifact`, ready to be decided from. */
export function compileArtifact(artifact: Artifact, options: CompileOptions): CompiledArtifact {
  return new CompiledArtifact(artifact, options);
}

type RuleKeys = Map<string, RuleKey>;

function keyOf({ ruleKey }: Rule, keys: RuleKeys): RuleKey {
  const known = keys.get(ruleKey);
  if (known) return known;
  const key: RuleKey = { lastSearch: 0 };
  keys.set(ruleKey, key);
  return key;
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
  const locations: LocationKind['locations'] = new Map();
  for (const name of Object.keys(rules ?? {})) locations.set(name, rules?.[name] ?? []);
  return { word, local: new Set(local), remote: new Set(remote), locations };
}
