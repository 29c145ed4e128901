import type { AbortSignalLike } from '../http/fetch-api.js';

/** Options of each call of a {@link SharedArtifactStore}. */
export interface StoreCallOptions {
  /** Aborted when the client no longer waits for the call: after a second, or when it closes. */
  readonly signal: AbortSignalLike;
}

/** Facts about the version that a store holds. */
export interface StoredVersion {
  /** The first 16 hexadecimal digits of the SHA-256 of the artifact's text. */
  readonly id: string;
  /** A mark that changes whenever the version is confirmed as the current one. */
  readonly seen: string;
  /**
   * The time in ms until all processes take the version into use; 0 after that moment. A store may leave it out when it
   * answered with the same version before. With it, a process spreads its read over the time that is left.
   */
  readonly activeInMs?: number | undefined;
}

/** An artifact that is offered to a store. */
export interface OfferedArtifact {
  /** The artifact's JSON as it was downloaded. */
  readonly text: string;
  /** The first 16 hexadecimal digits of the SHA-256 of the text. */
  readonly id: string;
  /** The time at which the artifact was made, or last modified, in epoch ms. Absent when nobody knows. */
  readonly order?: number | undefined;
  /** The ETag of the download. */
  readonly etag?: string | undefined;
  /** True when it replaces whatever the store holds. */
  readonly isForced: boolean;
}

/** An artifact that a store holds. */
export interface SharedArtifact extends OfferedArtifact {
  /** The time in ms until all processes take it into use. It is 0 after that moment. */
  readonly activeInMs: number;
  /** The time in ms since a process last confirmed it as the current one. */
  readonly seenMsAgo: number;
}

/** The answer of a store to an offer. */
export interface OfferResult {
  /**
   * `taken`: the store now holds the offered version. `same`: it held it before. `older`: it holds a newer version,
   * which is read next.
   */
  readonly verdict: 'taken' | 'same' | 'older';
  /** The id of the version that the store holds now. */
  readonly id: string;
  /** The time in ms until all processes take that version into use. */
  readonly activeInMs: number;
}

/**
 * Keeps one artifact for many processes, which change to a new version at one time. It is never asked by a decision.
 * Each call has a second. While a store fails, the client works as if it had none. `target-node-sdk/stores/redis` and
 * `target-node-sdk/stores/file` make such stores.
 *
 * The `key` of each method is the URL of the artifact. A method may reject. An error whose `code` is
 * `ERR_TARGET_ARTIFACT` means that the content is damaged or forged: one process then replaces it.
 *
 * @example
 * ```ts
 * const artifactStore: SharedArtifactStore = fileArtifactStore({ directory: '/var/cache/target' });
 * ```
 */
export interface SharedArtifactStore {
  /** The time between two calls of `peek` in ms, at least 10. */
  readonly pollingIntervalMs: number;
  /**
   * The time in ms from an offer until its version is used. Reads of a large fleet are spread over 60 % of it.
   * @default 0: each process reads as soon as it sees a new version
   */
  readonly activationDelayMs?: number | undefined;
  /** Tells which version the store holds. It is called often, so it should cost little. */
  peek(key: string, options: StoreCallOptions): PromiseLike<StoredVersion | undefined>;
  /** Reads the artifact. Resolves with `undefined` when the store holds none. */
  read(key: string, options: StoreCallOptions): PromiseLike<SharedArtifact | undefined>;
  /** Stores an artifact, unless the store holds a newer one. The comparison and the change are one step. */
  offer(key: string, artifact: OfferedArtifact, options: StoreCallOptions): PromiseLike<OfferResult>;
  /** Notes that a version is the current one. Resolves with `false` when the store holds another one. */
  confirm(key: string, id: string, options: StoreCallOptions): PromiseLike<boolean>;
  /** Resolves with `true` for one of all callers within `ttlMs`. */
  claim(key: string, ttlMs: number, options: StoreCallOptions): PromiseLike<boolean>;
}

const METHODS = ['peek', 'read', 'offer', 'confirm', 'claim'] as const;

/** Tells a store that a fleet shares from one with `get` and `set`. */
export function isSharedStore(store: object | undefined): store is SharedArtifactStore {
  return store !== undefined && METHODS.every((name) => typeof Reflect.get(store, name) === 'function');
}
