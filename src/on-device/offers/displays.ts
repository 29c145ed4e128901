/** What is displayed of a rule. */
export interface Displayed {
  /** Name of the mbox or view, as the artifact gives it. */
  readonly name: string | undefined;
  /** Event tokens, each once. */
  readonly displayTokens: readonly string[];
  /** Room for the JSON that all visitors' notifications of the rule have in common, once it was written. */
  displayJson: string | undefined;
}

/** The event tokens that a call has displayed, by mbox. */
export class DisplayedTokens {
  #firstMbox: string | undefined;
  #firstTokens: readonly string[] = [];
  #tokensByMbox: Map<string, readonly string[] | Set<string>> | undefined;

  /**
   * Notes tokens, and gives those of them that were not displayed yet in the mbox. Most calls display one mbox, and most
   * mboxes are displayed once: their tokens are unique as they are, and need no set.
   */
  add(mbox: string, tokens: readonly string[]): string[] {
    if (tokens.length === 0) return [];
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
    if (displayed !== known) this.#tokensByMbox.set(mbox, displayed);
    const fresh: string[] = [];
    for (const token of tokens) {
      if (displayed.has(token)) continue;
      displayed.add(token);
      fresh.push(token);
    }
    return fresh;
  }
}
