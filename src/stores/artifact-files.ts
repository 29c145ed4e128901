import { createHash, randomUUID } from 'node:crypto';
import { open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { TargetError } from '../errors.js';
import { isRecord } from '../json.js';
import { statOf } from './lock-files.js';

/** The first line of a file: everything but the artifact. */
export interface Header {
  readonly format: 1;
  readonly key: string;
  readonly id: string;
  readonly order?: number | undefined;
  readonly etag?: string | undefined;
  readonly isForced: boolean;
  /** The common moment of activation, in epoch ms. */
  readonly atMs: number;
  /** Length of the text in UTF-8. */
  readonly bytes: number;
  /** The SHA-256 of the text, in hexadecimal digits. */
  readonly sha256: string;
  /** Versions that were replaced lately, the last one first. */
  readonly past: readonly { readonly id: string; readonly atMs: number }[];
}

const MAX_BYTES = 33 * 1024 * 1024;
const MAX_HEADER_BYTES = 16 * 1024;
/** Age from which a temporary file belongs to a process that died. */
const LEFT_OVER_MS = 60_000;
const TEMPORARY = /^[0-9a-f]{16}\.[\w.-]+\.tmp$/;

/** Returns the digest of a text, in hexadecimal digits. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Reads the first line of a file; undefined when there is no file. */
export async function readHeader(path: string, key: string): Promise<Header | undefined> {
  if (!(await statOf(path))) {
    return undefined;
  }
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(MAX_HEADER_BYTES), position: 0 });
    const end = buffer.subarray(0, bytesRead).indexOf('\n');
    return toHeader(buffer.toString('utf8', 0, Math.max(0, end)), key);
  } finally {
    await file.close();
  }
}

/** Reads a file as a whole; undefined when there is none. */
export async function readArtifact(
  path: string,
  key: string,
): Promise<{ readonly header: Header; readonly text: string } | undefined> {
  const found = await statOf(path);
  if (!found) {
    return undefined;
  }
  if (found.size > MAX_BYTES) {
    throw damaged('is too big');
  }
  const content = await readFile(path);
  const end = content.indexOf('\n');
  const header = toHeader(content.toString('utf8', 0, Math.max(0, end)), key);
  const text = content.toString('utf8', end + 1);
  if (content.length - end - 1 !== header.bytes || sha256(text) !== header.sha256) {
    throw damaged('does not match its checksum');
  }
  return { header, text };
}

/** A version that is written. */
export interface Written {
  /** The first line, without the moment. */
  readonly facts: Omit<Header, 'atMs'>;
  readonly text: string;
  /** Time in ms from the end of the write until the version is used. */
  readonly waitMs: number;
  /** Tells whether the file may still be replaced. */
  readonly isAllowed: () => Promise<boolean>;
}

/**
 * Replaces a file as a whole: other processes see the old one or the new one. Resolves with the moment of activation. A
 * disk may take seconds for a large text, so the moment is counted from the end of the write.
 */
export async function writeArtifact(
  path: string,
  { facts, text, waitMs, isAllowed }: Written,
): Promise<number> {
  const temporary = `${path.replace(/\.json$/, '')}.${process.pid}.${randomUUID()}.tmp`;
  const momentNow = () => Date.now() + Math.round(waitMs);
  const toLine = (atMs: number) => `${JSON.stringify({ ...facts, atMs })}\n`;
  try {
    const file = await open(temporary, 'wx', 0o600);
    let atMs = momentNow();
    try {
      await file.writeFile(toLine(atMs) + text);
      await file.sync();
      if (!(await isAllowed())) {
        throw Object.assign(new Error('another process took the lock'), { name: 'LockError' });
      }
      // The line has the same length as before, because the moment has the same number of digits.
      atMs = momentNow();
      await file.write(toLine(atMs), 0);
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    return atMs;
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** Makes sure that a renamed file is still there after a loss of power. Windows cannot do so, and does not need it. */
export async function syncDirectory(directory: string): Promise<void> {
  try {
    const folder = await open(directory, 'r');
    await folder.sync().finally(() => folder.close());
  } catch {
    // The file is in place. A file system that cannot do this keeps it, or writes it a little later.
  }
}

/** Deletes temporary files that dead processes left. It never rejects. */
export async function removeLeftOvers(directory: string): Promise<void> {
  try {
    for (const name of (await readdir(directory)).filter((one) => TEMPORARY.test(one))) {
      const path = join(directory, name);
      const found = await statOf(path);
      if (found && Date.now() - found.mtimeMs > LEFT_OVER_MS) {
        await rm(path, { force: true });
      }
    }
  } catch {
    // Files that stay cost some space, and nothing else.
  }
}

function toHeader(line: string, key: string): Header {
  let header: unknown;
  try {
    header = JSON.parse(line);
  } catch {
    throw damaged('has no header');
  }
  if (!isRecord(header) || header.format !== 1 || header.key !== key || !hasFields(header)) {
    throw damaged('has a wrong header');
  }
  return header as unknown as Header;
}

function hasFields(header: Readonly<Record<string, unknown>>): boolean {
  const { id, order, etag, isForced, atMs, bytes, sha256: digest, past } = header;
  return (
    typeof id === 'string' &&
    typeof isForced === 'boolean' &&
    typeof atMs === 'number' &&
    typeof bytes === 'number' &&
    typeof digest === 'string' &&
    (order === undefined || typeof order === 'number') &&
    (etag === undefined || typeof etag === 'string') &&
    Array.isArray(past) &&
    past.every((one) => isRecord(one) && typeof one.id === 'string' && typeof one.atMs === 'number')
  );
}

function damaged(why: string): TargetError {
  return new TargetError('ERR_TARGET_ARTIFACT', `the artifact file ${why}`);
}
