import { LineLimit } from '../../log-limit.js';
import type { Logger } from '../../logger.js';
import type { CompiledArtifact, UndecidableLocation } from '../rules/compile.js';

/**
 * Warns of the locations of one artifact that have rules which only the edge understands, each once. They are known when
 * they are compiled, which is when a request first asks for them.
 */
export class UndecidableLog {
  readonly #compiled: CompiledArtifact;
  readonly #limit: LineLimit;

  constructor(compiled: CompiledArtifact, logger: Logger) {
    this.#compiled = compiled;
    // Each artifact's own: what is wrong with a new one is news, even if it is what was wrong with the last.
    this.#limit = new LineLimit((line) => logger.write('warn', line));
  }

  /** Warns of the locations that were compiled since it was last called. */
  write(): void {
    // Asked with every decision, and nearly always no (benchmark `on-device/prefetch`).
    if (!this.#compiled.hasUndecidable) return;
    for (const location of this.#compiled.takeUndecidable()) this.#limit.say(toLine(location));
  }
}

function toLine({ kind, name, undecidable, rules }: UndecidableLocation): string {
  return `${undecidable} of ${rules} rules of ${kind} "${name}" cannot be decided here; it is left to the edge`;
}
