import { writeFile } from 'node:fs/promises';
import { reasonOf, UsageError } from './shell.js';

/** Writes a file of the user. */
export async function writeText(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text);
  } catch (cause) {
    const reason = reasonOf(cause);
    throw new UsageError(`${path} cannot be written (${reason}): give a path in a folder that exists`, {
      cause,
    });
  }
}
