import type { Logger } from '../logger.js';

const written = new Set<string>();

/** Writes a warning that concerns the whole program, and not one visitor. Each is written once in a process. */
export function warnOnce(logger: Logger, line: string): void {
  if (!written.has(line)) {
    written.add(line);
    logger.warn(line);
  }
}
