import { invalidOption } from '../errors.js';
import { isObject } from '../json.js';
import type { ArtifactStore } from './config-options.js';
import { check, methodsCheck, milliseconds } from './option-checks.js';
import { isSharedStore, type SharedArtifactStore } from './shared-artifact-store.js';

/** A store of one process, or one that a fleet shares. */
export type AnyArtifactStore = ArtifactStore | SharedArtifactStore;

const plainStore = methodsCheck<ArtifactStore>('an object with get and set', 'get', 'set');
/** Shortest time between two looks at a store that a fleet shares. */
const MIN_PEEK_MS = 10;

/** The check of the option `artifactStore`. */
export const artifactStore = check(
  'an object with get and set, or with peek, read, offer, confirm and claim',
  (value): value is AnyArtifactStore =>
    plainStore.accepts(value) || (isObject(value) && isSharedStore(value)),
);

/** The fields that are read from a store. */
export const STORE_FIELDS: readonly string[] = [
  ...['get', 'set', 'peek', 'read', 'offer', 'confirm', 'claim'],
  ...['pollingIntervalMs', 'activationDelayMs'],
];

/**
 * Checks and copies the times of a store that a fleet shares, because a getter may give another time later, or throw. The
 * methods stay those of the store.
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG`
 */
export function toArtifactStore(store: AnyArtifactStore): AnyArtifactStore {
  if (!isSharedStore(store)) {
    return store;
  }
  const { pollingIntervalMs, activationDelayMs } = store;
  if (!milliseconds.accepts(pollingIntervalMs) || pollingIntervalMs < MIN_PEEK_MS) {
    const wanted = `milliseconds from ${MIN_PEEK_MS} to below 2^31`;
    throw invalidOption('artifactStore.pollingIntervalMs', wanted, pollingIntervalMs);
  }
  if (activationDelayMs !== undefined && !milliseconds.accepts(activationDelayMs)) {
    throw invalidOption('artifactStore.activationDelayMs', milliseconds.wanted, activationDelayMs);
  }
  return Object.freeze<SharedArtifactStore>({
    pollingIntervalMs,
    activationDelayMs,
    peek: (key, options) => store.peek(key, options),
    read: (key, options) => store.read(key, options),
    offer: (key, artifact, options) => store.offer(key, artifact, options),
    confirm: (key, id, options) => store.confirm(key, id, options),
    claim: (key, ttlMs, options) => store.claim(key, ttlMs, options),
  });
}
