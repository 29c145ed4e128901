import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { invalidOption, TargetError } from '../errors.js';
import { codeOf } from './lock-files.js';

/**
 * Makes an absolute path of the option `directory`, so that a process that changes its current folder keeps its store.
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG`
 */
export function toFolder(directory: unknown): string {
  const path = 'directory';
  if (typeof directory !== 'string' || directory === '' || directory.includes('\0')) {
    throw invalidOption(path, 'the path of a folder', directory);
  }
  try {
    return resolve(directory);
  } catch (cause) {
    const message = 'directory must be an absolute path, because the current folder is gone';
    throw new TargetError('ERR_TARGET_INVALID_CONFIG', message, { path, cause });
  }
}

/**
 * Makes a folder and those above it, each at most once. The recursive `mkdir` of Node goes round for ever where a folder
 * cannot be made although the one above it exists, such as in `/proc` or below a deleted current folder.
 */
export async function makeFolder(path: string): Promise<void> {
  const missing: string[] = [];
  let top = path;
  while (!(await makeOne(top, dirname(top) !== top))) {
    missing.push(top);
    top = dirname(top);
  }
  for (const folder of missing.reverse()) {
    await makeOne(folder, false);
  }
}

/** Makes one folder, unless it exists. Resolves with false when `mayLack` and the folder above it does not exist. */
async function makeOne(path: string, mayLack: boolean): Promise<boolean> {
  try {
    await mkdir(path, { mode: 0o700 });
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' && mayLack) {
      return false;
    }
    // The root of a drive or a read-only disk says other things than EEXIST of a folder that exists.
    if (await isFolder(path)) {
      return true;
    }
    throw error;
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}
