import { quietly } from '../call-safely.js';
import { unreadableError } from '../errors.js';

/** The part of a caller's `AbortSignal` that is used. */
export interface Abortable {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/**
 * Keeps one listener on a signal for as long as the signal lives. A signal that nearly always has calls then does not
 * get a new listener again and again.
 */
export function keepWatch(signal: Abortable): void {
  watch(signal, { watchIndex: 0, onAbort: () => undefined });
}

/** A piece of work that is to end when a signal is aborted. */
export interface Watcher {
  /** The index in the list of watchers. `watch` and `unwatch` keep it up to date. */
  watchIndex: number;
  onAbort(): void;
}

/**
 * A signal and its watchers. They are in a list, and not in a set. A set that lives long makes new internal tables all
 * the time, and the garbage collector cannot free the watchers in an old table.
 */
export interface Watch {
  readonly signal: Abortable;
  readonly watchers: Watcher[];
  readonly listener: () => void;
}

/**
 * One watch for each signal of a caller. All calls of the signal share its listener, because Node warns when there are
 * more than ten.
 */
const watches = new WeakMap<Abortable, Watch>();

/** Adds a watcher, which is called when the signal is aborted. */
export function watch(signal: Abortable, watcher: Watcher): Watch {
  const joined = watches.get(signal) ?? startWatch(signal);
  watcher.watchIndex = joined.watchers.length;
  joined.watchers.push(watcher);
  return joined;
}

/** Removes a watcher. Does nothing if it was removed before. */
export function unwatch({ signal, watchers, listener }: Watch, watcher: Watcher): void {
  if (watchers[watcher.watchIndex] !== watcher) {
    return;
  }
  const last = watchers.pop();
  if (last && last !== watcher) {
    watchers[watcher.watchIndex] = last;
    last.watchIndex = watcher.watchIndex;
  }
  if (watchers.length > 0) {
    return;
  }
  watches.delete(signal);
  // The call has already ended, so an error of the caller's signal cannot change its result.
  quietly(() => signal.removeEventListener('abort', listener));
}

function startWatch(signal: Abortable): Watch {
  const watchers: Watcher[] = [];
  const listener = () => {
    for (const watcher of [...watchers]) {
      watcher.onAbort();
    }
  };
  const started = { signal, watchers, listener };
  let added: unknown;
  try {
    added = signal.addEventListener('abort', listener);
  } catch (cause) {
    throw unreadableError('ERR_TARGET_INVALID_REQUEST', 'signal', cause);
  }
  // The method may be asynchronous, and nobody waits for its end.
  quietly(() => added);
  watches.set(signal, started);
  return started;
}

/**
 * Tells whether a caller's signal is aborted.
 * @throws TargetError `ERR_TARGET_INVALID_REQUEST` when the signal throws
 */
export function isAborted(signal: Pick<Abortable, 'aborted'> | undefined): boolean {
  try {
    return signal?.aborted === true;
  } catch (cause) {
    throw unreadableError('ERR_TARGET_INVALID_REQUEST', 'signal', cause);
  }
}

/** Returns the reason of a caller's signal, for the cause of an error. If reading it throws, returns that exception. */
export function reasonOfAbort(signal: object | undefined): unknown {
  try {
    return signal && Reflect.get(signal, 'reason');
  } catch (thrown) {
    return thrown;
  }
}
