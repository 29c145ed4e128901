/** A change of an activity, of one of its experiences, or of the artifact as a whole. */
export interface Change {
  readonly kind:
    | 'added'
    | 'removed'
    | 'renamed'
    | 'type'
    | 'experience-added'
    | 'experience-removed'
    | 'location-added'
    | 'location-removed'
    | 'share'
    | 'audience'
    | 'content'
    | 'metrics'
    | 'property'
    | 'order'
    | 'meta'
    | 'token'
    | 'quiet';
  /** The mbox or view, such as `mbox hero`. It is absent for what is the same in all locations. */
  readonly location?: string;
  /** The name of the experience. */
  readonly experience?: string;
  readonly before?: string;
  readonly after?: string;
  /**
   * The parts of 1 of all visitors that a changed share moves from one experience to another. `none` is no experience.
   * It is absent where no number is true for all visitors, such as for rules of different audiences.
   */
  readonly moved?: readonly Moved[];
  /** The change in words. */
  readonly text: string;
}

/** Visitors who get another experience of an activity than before, as a part of 1 of all visitors. */
export interface Moved {
  readonly from: string;
  readonly to: string;
  readonly share: number;
}

/** The changes of an activity. */
export interface ActivityChanges {
  readonly id: string;
  readonly name: string;
  readonly changes: readonly Change[];
}

/** The options of `diffArtifacts`. */
export interface DiffOptions {
  /**
   * True to list the changes that change nothing for visitors too: event tokens, the ids and names of offers, the date.
   * @default false
   */
  readonly tokens?: boolean;
}

/** The differences between two artifacts. */
export interface ArtifactDiff {
  readonly activities: readonly ActivityChanges[];
  /**
   * Changes of an mbox or view that belong to no activity: the order of its rules, of which the first ones win, and rules
   * that only the edge can read. The order of all views is among them too.
   */
  readonly locations: readonly { readonly name: string; readonly text: string }[];
  /** Changes of the artifact as a whole, such as its lists of remote mboxes. */
  readonly artifact: readonly Change[];
  /** The number of activities that are as before. */
  readonly unchanged: number;
  /** The number of changes that change nothing for visitors: event tokens, the names of offers and the date. */
  readonly quiet: number;
  /** The changes that `quiet` counts. They are there when the option `tokens` asks for them. */
  readonly quietChanges?: readonly Change[];
  /** True when nothing differs but what is counted in `quiet`. */
  readonly isEqual: boolean;
}
