import { type Artifact, DEFAULT_GLOBAL_MBOX, type Rule, type RulesByName } from '../../artifact.js';
import { hasNoPrototype, withoutPrototypes } from '../../inherited-names.js';
import { allocationPrefix } from '../facts/allocation.js';
import type { Activity } from '../facts/context.js';
import { type TokenNames, toTokenNames } from '../offers/response-tokens.js';
import { type CompiledCondition, compileCondition, type Watch } from './condition.js';
import { CompiledLocation, CompiledRule, type RuleKey } from './location.js';
import { activityIdOf, isRule } from './rule-shape.js';

/** The inputs of compiling an artifact, in addition to the artifact itself. */
export interface CompileOptions {
  /** Client code; it is a part of every allocation key. */
  readonly client: string;
  /**
   * Names of mboxes whose response has an entry for every rule that holds. Other mboxes get one entry, for the first
   * such rule.
   */
  readonly allMatchingMboxes?: ReadonlySet<string> | undefined;
  /**
   * Sees the parts of all conditions. Tools give one to a copy that they compile for themselves; with it, compiled rules
   * keep the rules as they are written. A client gives none.
   */
  readonly watch?: Watch | undefined;
}

/**
 * Describes a location (mbox or view) that only the edge can decide, because some of its rules cannot be evaluated
 * on-device.
 */
export interface UndecidableLocation {
  readonly kind: 'mbox' | 'view';
  /** Name of the mbox or view. */
  readonly name: string;
  /** Number of the location's rules that cannot be evaluated on-device. */
  readonly undecidable: number;
  /** Number of all rules of the location. */
  readonly rules: number;
}

interface LocationKind {
  readonly word: UndecidableLocation['kind'];
  /** Names that the artifact lists as decidable on-device. */
  readonly local: ReadonlySet<string>;
  /** Names that the artifact lists as decidable by the edge alone. */
  readonly remote: ReadonlySet<string>;
  /**
   * Locations by name, in the artifact's order. A location that no request has asked for yet is a list of rules that
   * are not compiled.
   */
  readonly locations: Map<string, CompiledLocation | readonly unknown[]>;
}

/** Artifact without its rules and without the names that can be decided on-device. */
export type ArtifactHeader = Omit<Artifact, 'rules' | 'localMboxes' | 'localViews'>;

/**
 * Holds an artifact in the form from which calls are decided. A location is compiled, with all of its rules, when a
 * request first asks for it. Taking over an artifact is therefore quick, however large it is. A rule that cannot be
 * evaluated is found then, before anything of its location is decided. So the location is left to the edge in time.
 * Compiled rules replace the rules from which they were made. So they take little more memory than the artifact. The
 * artifact is described at
 * https://experienceleague.adobe.com/en/docs/target-dev/developer/server-side/on-device-decisioning/rule-artifact/rule-artifact-overview.
 */
export class CompiledArtifact {
  /** The artifact's own fields, without its rules. */
  readonly artifact: ArtifactHeader;
  readonly client: string;
  readonly globalMbox: string;
  readonly tokenNames: TokenNames;
  /** True while {@link takeUndecidable} has locations to return. */
  hasUndecidable = false;
  readonly #options: CompileOptions;
  readonly #mboxes: LocationKind;
  readonly #views: LocationKind;
  readonly #activitiesById = new Map<number | string, Activity>();
  readonly #conditionsByText = new Map<string, CompiledCondition>();
  /**
   * Keys of the rules of all views. They are shared by all views, because a request for all views gets at most one
   * rule of each key.
   */
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

  /**
   * Returns the mbox of a name. An mbox that the artifact does not know has no rules, and only the edge can decide
   * it.
   */
  mbox(name: string): CompiledLocation {
    return this.#location(this.#mboxes, name);
  }

  /**
   * Returns the view of a name. A view that the artifact does not know has no rules, and only the edge can decide it.
   */
  view(name: string): CompiledLocation {
    return this.#location(this.#views, name);
  }

  /** Tells whether the artifact has rules of an mbox, or names it as one that can be decided by them. */
  hasMbox(name: string): boolean {
    return this.#mboxes.locations.has(name) || this.#mboxes.local.has(name);
  }

  /**
   * Returns the rules of each mbox as they came. Returns undefined when a call has asked for an mbox already: compiled rules
   * cannot be written as they came.
   */
  writtenMboxes(): ReadonlyMap<string, readonly unknown[]> | undefined {
    const written = new Map<string, readonly unknown[]>();
    for (const [name, rules] of this.#mboxes.locations) {
      if (rules instanceof CompiledLocation) {
        return undefined;
      }
      written.set(name, rules);
    }
    return written;
  }

  /** Returns every view that the artifact knows, in the artifact's order. */
  views(): readonly CompiledLocation[] {
    this.#allViews ??= [...this.#views.locations.keys()].map((name) => this.view(name));
    return this.#allViews;
  }

  /**
   * Returns the names of views that only the edge can decide: those that the artifact lists as remote, then those
   * with rules that cannot be evaluated on-device.
   */
  remoteViews(): readonly string[] {
    this.#remoteViews ??= [
      ...(this.artifact.remoteViews ?? []),
      ...this.views()
        .filter((view) => view.undecidable)
        .map((view) => view.name),
    ];
    return this.#remoteViews;
  }

  /**
   * Returns the locations with rules that cannot be evaluated on-device. Each location is returned once, by the first
   * call after it was compiled.
   */
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
      if (compiled) {
        rules.push(compiled);
      }
      if (!compiled?.condition) {
        undecidable += 1;
      }
    }
    const location = new CompiledLocation({
      kind: kind.word,
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
    // Locations that the artifact does not know are not kept: requests can name any number of them.
    if (listed.length > 0 || kind.local.has(name)) {
      kind.locations.set(name, location);
    }
    return location;
  }

  #isAllMatching({ word }: LocationKind, name: string): boolean {
    return word === 'view' || name === this.globalMbox || this.#options.allMatchingMboxes?.has(name) === true;
  }

  /**
   * Compiles one rule. Returns undefined when its activity has no id, because no allocation can be computed then. Rules
   * with equal conditions share one compiled condition. A search recognises it and evaluates it once.
   */
  #compileRule(rule: Rule, keys: RuleKeys | undefined): CompiledRule | undefined {
    const activityId = activityIdOf(rule);
    if (activityId === undefined) {
      return undefined;
    }
    const text = textOf(rule.condition);
    const known = text === undefined ? undefined : this.#conditionsByText.get(text);
    const condition = known ?? compileCondition(rule.condition, this.#options.watch);
    if (condition && !known && text !== undefined) {
      this.#conditionsByText.set(text, condition);
    }
    const key = keys && keyOf(rule, keys);
    const activity = this.#activity(activityId);
    const written = this.#options.watch && rule;
    return new CompiledRule(rule, { key, activity, condition, written }, this.tokenNames);
  }

  #activity(id: number | string): Activity {
    const known = this.#activitiesById.get(id);
    if (known) {
      return known;
    }
    const prefix = allocationPrefix(this.client, id);
    const activity: Activity = { id, prefix, lastCall: 0, lastAllocation: Number.NaN };
    this.#activitiesById.set(id, activity);
    return activity;
  }
}

/** Compiles an artifact whose shape `toArtifact` has checked. */
export function compileArtifact(artifact: Artifact, options: CompileOptions): CompiledArtifact {
  return new CompiledArtifact(artifact, options);
}

type RuleKeys = Map<string, RuleKey>;

function keyOf({ ruleKey }: Rule, keys: RuleKeys): RuleKey {
  const known = keys.get(ruleKey);
  if (known) {
    return known;
  }
  const key: RuleKey = { lastSearch: 0 };
  keys.set(ruleKey, key);
  return key;
}

/** Returns a condition as JSON; undefined when it is nested too deeply to be written. */
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
  for (const name of Object.keys(rules ?? {})) {
    locations.set(name, rules?.[name] ?? []);
  }
  return { word, local: new Set(local), remote: new Set(remote), locations };
}
