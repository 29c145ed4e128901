import { isThenable } from './json.js';

/**
 * Calls a function of the user's: a listener, a callback, a logger, a part of an injected fetch. What it throws or
 * rejects with harms nothing and is handed to `onFailure`; what it answers is nobody's.
 */
export function callSafely(act: () => unknown, onFailure: (thrown: unknown) => void): void {
  try {
    const result = act();
    // Whatever can be awaited, of this or another realm or library.
    if (isThenable(result)) result.then(undefined, onFailure);
  } catch (thrown) {
    onFailure(thrown);
  }
}

/** Calls a function that may fail without a word: there is nobody left to tell. */
export function quietly(act: () => unknown): void {
  callSafely(act, () => undefined);
}
