/**
 * A store that all processes of one machine share: workers of `node:cluster`, worker threads, several services, and the
 * next start. Give it to the option `artifactStore`.
 *
 * @packageDocumentation
 */
import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { TargetError } from '../errors.js';
import type { OfferedArtifact, OfferResult, SharedArtifactStore } from '../index.js';
import {
  type Header,
  readArtifact,
  readHeader,
  removeLeftOvers,
  sha256,
  syncDirectory,
  writeArtifact,
} from './artifact-files.js';
import { makeFolder, toFolder } from './folders.js';
import { codeOf, type LockFile, lockFile, statOf } from './lock-files.js';
import { toMs, toOptions } from './store-options.js';

/** The options of {@link fileArtifactStore}. */
export interface FileArtifactStoreOptions {
  /**
   * The folder of the store. It is made when it does not exist. A relative path counts from the current folder of the
   * process at the time of the call. It has to be on a local disk, and whoever can write to
   * it decides what visitors see.
   */
  readonly directory: string;
  /** The time between two looks at the file in ms, at least 10. @default 500 */
  readonly pollingInterval?: number | undefined;
  /**
   * The time in ms after which all processes change to a new version. Make it at least 1.2 times `pollingInterval`, so
   * that each process has seen the new version by then.
   * @default 1000
   */
  readonly activationDelay?: number | undefined;
}

const OPTIONS = ['directory', 'pollingInterval', 'activationDelay'] as const;
/** A lock that is older belongs to a process that died. */
const STALE_LOCK_MS = 10_000;
/** Time between two attempts to get the lock. */
const LOCK_WAIT_MS = 20;
/** A CDN may serve a replaced version for this time. */
const MAX_LAG_MS = 600_000;
const MAX_PAST = 5;

/**
 * Makes a store in a folder of this machine. A version is written as a whole or not at all, also when the process is
 * killed. On a full or read-only disk, the client goes on without the store, with a warning.
 *
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` when an option is wrong.
 * @example
 * ```ts
 * const client = TargetClient.create({
 *   client: 'acmeclient',
 *   organizationId: '1234567890@AdobeOrg',
 *   decisioningMethod: 'on-device',
 *   artifactStore: fileArtifactStore({ directory: '/var/cache/target' }),
 * });
 * ```
 */
export function fileArtifactStore(options: FileArtifactStoreOptions): SharedArtifactStore {
  const wanted = 'an object with directory';
  const { directory, pollingInterval, activationDelay } = toOptions(options, OPTIONS, wanted);
  const folder = toFolder(directory);
  const pollingIntervalMs = toMs('pollingInterval', pollingInterval, { standard: 500, least: 10 });
  const delayMs = toMs('activationDelay', activationDelay, { standard: 1000, least: 0 });
  const files = new ArtifactFolder(folder, delayMs);
  return {
    pollingIntervalMs,
    activationDelayMs: delayMs,
    peek: (key) => files.peek(key),
    read: (key) => files.read(key),
    offer: (key, artifact, { signal }) => files.offer(key, artifact, signal),
    confirm: (key, id) => files.confirm(key, id),
    claim: (key, ttlMs) => files.claim(key, ttlMs),
  };
}

/** The files of a store. All of a key's files begin with the same digits. */
class ArtifactFolder {
  readonly #directory: string;
  readonly #delayMs: number;
  #made: Promise<unknown> | undefined;
  /** The last header of each key, and the mark of the file that it is from. */
  readonly #headers = new Map<string, { readonly mark: string; readonly header: Header }>();

  constructor(directory: string, delayMs: number) {
    this.#directory = directory;
    this.#delayMs = delayMs;
  }

  async peek(key: string) {
    const path = this.#pathOf(key, 'json');
    const found = await statOf(path);
    if (!found) {
      return undefined;
    }
    // Each change and each confirmation makes another mark. An inode alone may be used again for a later file.
    const mark = `${found.ino}:${found.size}:${found.ctimeMs}`;
    const known = this.#headers.get(key);
    const header = known?.mark === mark ? known.header : await readHeader(path, key);
    if (!header) {
      return undefined;
    }
    this.#headers.set(key, { mark, header });
    return { id: header.id, seen: String(found.mtimeMs), activeInMs: this.#msUntil(header.atMs) };
  }

  async read(key: string) {
    const path = this.#pathOf(key, 'json');
    const found = await statOf(path);
    const read = await readArtifact(path, key);
    if (!found || !read) {
      return undefined;
    }
    const { id, order, etag, isForced, atMs } = read.header;
    const seenMsAgo = Math.max(0, Date.now() - found.mtimeMs);
    return { text: read.text, id, order, etag, isForced, activeInMs: this.#msUntil(atMs), seenMsAgo };
  }

  async offer(key: string, artifact: OfferedArtifact, signal: AbortSignal): Promise<OfferResult> {
    return this.#inFolder(async () => {
      const lock = await this.#lock(key, signal);
      try {
        return await this.#offerLocked(key, artifact, lock);
      } finally {
        await lock.release();
      }
    });
  }

  async confirm(key: string, id: string): Promise<boolean> {
    const path = this.#pathOf(key, 'json');
    const header = await readHeader(path, key);
    if (header?.id !== id) {
      return false;
    }
    const now = new Date();
    await utimes(path, now, now);
    return true;
  }

  async claim(key: string, ttlMs: number): Promise<boolean> {
    return this.#inFolder(async () => (await lockFile(this.#pathOf(key, 'ticket'), ttlMs)) !== undefined);
  }

  async #offerLocked(key: string, artifact: OfferedArtifact, lock: LockFile): Promise<OfferResult> {
    const path = this.#pathOf(key, 'json');
    const { text, id, order, etag, isForced } = artifact;
    const nowMs = Date.now();
    const current = await readHeader(path, key).catch(ignoreDamage);
    const isSame = current?.id === id;
    if (current && !isForced) {
      if (isSame) {
        await utimes(path, new Date(), new Date());
        return { verdict: 'same', id, activeInMs: this.#msUntil(current.atMs) };
      }
      if (isOlder(artifact, current, nowMs)) {
        return { verdict: 'older', id: current.id, activeInMs: 0 };
      }
    }
    // A version that is repaired keeps its moment, because other processes wait for it.
    const keptMs = isSame ? this.#msUntil(current.atMs) : this.#delayMs;
    const waitMs = current ? keptMs : 0;
    const replaced = current && !isSame ? [{ id: current.id, atMs: nowMs }] : [];
    const past = [...replaced, ...(current?.past ?? [])].slice(0, MAX_PAST);
    const about = { order, etag, isForced, bytes: Buffer.byteLength(text), sha256: sha256(text) };
    const facts = { format: 1, key, id, ...about, past } as const;
    const atMs = await writeArtifact(path, { facts, text, waitMs, isAllowed: lock.isOwn });
    await syncDirectory(this.#directory);
    return { verdict: 'taken', id, activeInMs: this.#msUntil(atMs) };
  }

  /** Time until a moment in ms. One that is further away than any delay means that the clock was set back. */
  #msUntil(atMs: number): number {
    return Math.min(Math.max(0, atMs - Date.now()), this.#delayMs);
  }

  async #lock(key: string, signal: AbortSignal): Promise<LockFile> {
    const path = this.#pathOf(key, 'lock');
    for (;;) {
      const lock = await lockFile(path, STALE_LOCK_MS);
      if (lock) {
        return lock;
      }
      signal.throwIfAborted();
      await new Promise((resolve) => setTimeout(resolve, LOCK_WAIT_MS));
    }
  }

  /** Writes into the folder, and makes it again when somebody has deleted it. */
  async #inFolder<Result>(write: () => Promise<Result>): Promise<Result> {
    await this.#make();
    try {
      return await write();
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') {
        throw error;
      }
      this.#made = undefined;
      await this.#make();
      return write();
    }
  }

  /** Makes the folder once. A failure is forgotten, because the disk may be back at the next call. */
  #make(): Promise<unknown> {
    this.#made ??= makeFolder(this.#directory)
      .then(() => removeLeftOvers(this.#directory))
      .catch((error: unknown) => {
        this.#made = undefined;
        throw error;
      });
    return this.#made;
  }

  #pathOf(key: string, kind: 'json' | 'lock' | 'ticket'): string {
    return join(this.#directory, `${sha256(key).slice(0, 16)}.${kind}`);
  }
}

/** Tells whether an offered version is older than the current one, or was replaced by it a short time ago. */
function isOlder({ id, order }: OfferedArtifact, current: Header, nowMs: number): boolean {
  if (order !== undefined && current.order !== undefined) {
    return order < current.order;
  }
  return current.past.some((one) => one.id === id && nowMs - one.atMs < MAX_LAG_MS);
}

/** A damaged file counts as absent for an offer, which replaces it. */
function ignoreDamage(error: unknown): undefined {
  if (error instanceof TargetError) {
    return undefined;
  }
  throw error;
}
