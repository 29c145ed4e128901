import { closestMatch } from 'leven';

/** A longer word is no typo of a command. */
const MAX_LENGTH = 64;

/**
 * Suggests a word in the end of a message, or else names the help that has all of them. At most three letters of a typo
 * differ, and at most half of them.
 * @param known the words that there are, each with what is shown of it.
 */
export function didYouMean(typed: string, known: ReadonlyMap<string, string>, help: string): string {
  const word = lettersOf(typed.slice(0, MAX_LENGTH));
  const byLetters = new Map([...known].map(([name, shown]) => [lettersOf(name), shown]));
  const maxDistance = Math.min(3, Math.floor(word.length / 2));
  const meant = byLetters.get(closestMatch(word, [...byLetters.keys()], { maxDistance }) ?? '');
  return meant === undefined ? `: see ${help}` : ` (Did you mean ${meant}?)`;
}

/** The letters alone, because a sign or a capital is the smaller part of a mistake. */
function lettersOf(word: string): string {
  return word.toLowerCase().replace(/[^a-z]/g, '');
}
