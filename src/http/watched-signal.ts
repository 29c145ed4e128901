import { quietly } from '../call-safely.js';
import { unreadableError } from '../errors.js';

/** The part of an `AbortSignal` that is used of one that the caller made. */
export interface Abortable {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** Keeps the one listener of a signal that has calls all the time, until the signal goes. */
export function keepWatch(signal: Abortable): void {
  watch(signal, { watchIndex: 0, onAbort: () => undefined });
}

/** Somebody to be told of an abort, with the place in the list. */
export interface Watcher {
  watchIndex: number;
  onAbort(): void;
}

/** A list, for a set that outlives its members makes new tables all the time, which old ones keep from the collector. */
export interface Watch {
  readonly signal: Abortable;
  readonly watchers: Watcher[];
  readonly listener: () => void;
}

/** One listener for each signal of a caller, however many calls share it: Node warns of more than ten. */
const watches = new WeakMap<Abortable, Watch>();

/** Has somebody told when a signal is aborted. */
export function watch(signal: Abortable, watcher: Watcher): Watch {
  const joined = watches.get(signal) ?? startWatch(signal);
  watcher.watchIndex = joined.watchers.length;
  joined.watchers.push(watcher);
  return joined;
}

/** Forgets somebody who need not be told any more. */
export function unwatch({ signal, watchers, listener }: Watch, watcher: Watcher): void {
  if (watchers[watcher.watchIndex] !== watcher) return;
  const last = watchers.pop();
  if (last && last !== watcher) {
    watchers[watcher.watchIndex] = last;
    last.watchIndex = watcher.watchIndex;
  }
  if (watchers.length > 0) return;
  watches.delete(signal);
  // A call is over then, and must end as it has, whatever the caller's signal is.
  quietly(() => signal.removeEventListener('abort', listener));
}

function startWatch(signal: Abortable): Watch {
  const watchers: Watcher[] = [];
  const listener = () => {
    for (const watcher of [...watchers]) watcher.onAbort();
  };
  const started = { signal, watchers, listener };
  try {
    signal.addEventListener('abort', listener);
  } catch (cause) {
    throw unreadableError('ERR_TARGET_INVALID_REQUEST', 'signal', cause);
  }
  watches.set(signal, started);
  return started;
}

/** Tells whether a signal of the caller's is aborted. */
export function isAborted(signal: Pick<Abortable, 'aborted'> | undefined): boolean {
  try {
    return signal?.aborted === true;
  } catch (cause) {
    throw unreadableError('ERR_TARGET_INVALID_REQUEST', 'signal', cause);
  }
}

/** The reason of a signal of the caller's, for the cause of an error. */
export function reasonOfAbort(signal: object | undefined): unknown {
  try {
    return signal && Reflect.get(signal, 'reason');
  } catch (thrown) {
    return thrown;
  }
}
