import { isThenable } from './json.js';

/**
 * Calls a function of the user, such as a listener, a callback, a logger or a part of a fetch. An error that it throws
 * or rejects with goes to `onFailure`. Its result is ignored.
 */
export function callSafely(act: () => unknown, onFailure: (thrown: unknown) => void): void {
  try {
    const result = act();
    // The promise may be one of another realm or of a library.
    if (isThenable(result)) {
      result.then(undefined, onFailure);
    }
  } catch (thrown) {
    onFailure(thrown);
  }
}

/**
 * Calls a function of the user and ignores its errors. It is for cases in which no caller is left who could handle
 * them.
 */
export function quietly(act: () => unknown): void {
  callSafely(act, () => undefined);
}
