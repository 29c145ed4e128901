/** Returns the name to show of an activity or an experience, which may have an id alone, or nothing. */
export function titleOf({ id, name }: { readonly id: string; readonly name: string }): string {
  return name || id || '(no name)';
}

/** Writes a part of 1 as percent with two decimals. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}

/** Writes a count with its noun, such as `1 rule` and `2 rules`. */
export function counted(count: number, one: string, more = `${one}s`): string {
  return `${count} ${count === 1 ? one : more}`;
}
