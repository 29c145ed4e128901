import { LineLimit } from '../../log-limit.js';
import type { Logger } from '../../logger.js';
import type { CompiledArtifact, UndecidableLocation } from '../rules/compile.js';

/**
 * Warns of locations with rules that only the edge can evaluate, once for each location of an artifact. Such rules
 * are found when a location is compiled, which is when a request first asks for it.
 */
export class UndecidableLog {
  readonly #compiled: CompiledArtifact;
  readonly #limit: LineLimit;

  constructor(compiled: CompiledArtifact, logger: Logger) {
    this.#compiled = compiled;
    // Each artifact has a limit of its own. So a fault of a new artifact is logged even when the last artifact had the
    // same fault.
    this.#limit = new LineLimit((line) => logger.write('warn', line));
  }

  /** Warns of the locations that were compiled since the last call. */
  write(): void {
    // This runs with every decision, and nearly always there is nothing to log (benchmark on-device/prefetch).
    if (!this.#compiled.hasUndecidable) {
      return;
    }
    for (const location of this.#compiled.takeUndecidable()) {
      this.#limit.say(toLine(location));
    }
  }
}

function toLine({ kind, name, undecidable, rules }: UndecidableLocation): string {
  return `${undecidable} of ${rules} rules of ${kind} "${name}" cannot be decided here; it is left to the edge`;
}
