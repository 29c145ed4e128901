import { randomUUID } from 'node:crypto';
import type { Stats } from 'node:fs';
import { link, open, rename, rm, stat } from 'node:fs/promises';
import { isObject } from '../json.js';

/** A file that exists for one of all processes of a machine. */
export interface LockFile {
  /** Tells whether the file is still the own one. It is not, when it was so old that another process replaced it. */
  isOwn(): Promise<boolean>;
  /** Deletes the file, unless it is another's by now. */
  release(): Promise<void>;
}

/**
 * Makes a file that must not exist yet. Resolves with `undefined` when there is one that is younger than `staleMs`. An
 * older one was left by a process that died, and is replaced.
 */
export async function lockFile(path: string, staleMs: number): Promise<LockFile | undefined> {
  const own = (await create(path)) ?? ((await removeStale(path, staleMs)) ? await create(path) : undefined);
  if (own === undefined) {
    return undefined;
  }
  const isOwn = async () => (await markOf(path)) === own;
  return {
    isOwn,
    release: async () => {
      if (await isOwn()) {
        await rm(path, { force: true });
      }
    },
  };
}

/** Creates a file and returns its mark. Returns `undefined` when the file exists. */
async function create(path: string): Promise<string | undefined> {
  try {
    const file = await open(path, 'wx', 0o600);
    try {
      return toMark(await file.stat());
    } finally {
      await file.close();
    }
  } catch (error) {
    if (codeOf(error) === 'EEXIST') {
      return undefined;
    }
    throw error;
  }
}

/** Removes a file if it is too old. Returns false when it is not, or when another process removed it first. */
async function removeStale(path: string, staleMs: number): Promise<boolean> {
  const found = await statOf(path);
  if (!found) {
    return true;
  }
  const ageMs = Date.now() - found.mtimeMs;
  // A file from the future was made before the clock was set back.
  if (ageMs < staleMs && ageMs > -staleMs) {
    return false;
  }
  const aside = `${path}.${randomUUID()}.tmp`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') {
      return false;
    }
    throw error;
  }
  const isTheStaleOne = (await markOf(aside)) === toMark(found);
  if (!isTheStaleOne) {
    // Another process had replaced the stale file in between, so its file goes back.
    await link(aside, path).catch(() => undefined);
  }
  await rm(aside, { force: true });
  return isTheStaleOne;
}

async function markOf(path: string): Promise<string | undefined> {
  const found = await statOf(path);
  return found && toMark(found);
}

/** Names a file that nobody writes to. Its inode alone may be that of a file that was deleted. */
function toMark({ ino, mtimeMs }: Pick<Stats, 'ino' | 'mtimeMs'>): string {
  return `${ino}:${mtimeMs}`;
}

/** Reads the facts of a file; undefined when there is none. */
export async function statOf(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') {
      return undefined;
    }
    throw error;
  }
}

/** The code of a system error, such as `ENOENT`. */
export function codeOf(error: unknown): unknown {
  return isObject(error) && 'code' in error ? error.code : undefined;
}
