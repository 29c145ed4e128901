/** Describes the display of a rule's options. */
export interface Displayed {
  /** Name of the mbox or view in the artifact; undefined when the rule has none. */
  readonly name: string | undefined;
  /** Event tokens to report. Each appears once. */
  readonly displayTokens: readonly string[];
  /**
   * JSON that the display notifications of all visitors have in common. It is undefined until the first one was
   * written.
   */
  displayJson: string | undefined;
}

/** Remembers the event tokens that one call has displayed in each mbox. */
export class DisplayedTokens {
  #firstMbox: string | undefined;
  #firstTokens: readonly string[] = [];
  #tokensByMbox: Map<string, readonly string[] | Set<string>> | undefined;

  /**
   * Adds tokens, and returns those that are new in the mbox. Most calls display one mbox once. Its tokens are unique
   * already, so no Map or Set is made.
   */
  add(mbox: string, tokens: readonly string[]): string[] {
    if (tokens.length === 0) {
      return [];
    }
    if (this.#firstMbox === undefined) {
      this.#firstMbox = mbox;
      this.#firstTokens = tokens;
      return tokens.slice();
    }
    this.#tokensByMbox ??= new Map([[this.#firstMbox, this.#firstTokens]]);
    const known = this.#tokensByMbox.get(mbox);
    if (!known) {
      this.#tokensByMbox.set(mbox, tokens);
      return tokens.slice();
    }
    const displayed = 'has' in known ? known : new Set(known);
    if (displayed !== known) {
      this.#tokensByMbox.set(mbox, displayed);
    }
    const fresh: string[] = [];
    for (const token of tokens) {
      if (displayed.has(token)) {
        continue;
      }
      displayed.add(token);
      fresh.push(token);
    }
    return fresh;
  }
}
