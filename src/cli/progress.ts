import { cutTo, toAsciiSigns, toPlainText } from './plain-text.js';
import type { Shell } from './shell.js';

type Terminal = Pick<Shell, 'err' | 'env'>;

/** Goes to the start of the line and wipes it off. */
const WIPE = '\r\u001b[K';
const USUAL_COLUMNS = 80;

/** One line on a terminal, beside the output, about what is waited for. It is wiped off at the end. */
export class Progress {
  readonly #err: Shell['err'];
  readonly #isTerminal: boolean;
  #isShown = false;

  constructor({ err, env }: Terminal) {
    this.#err = err;
    // A dumb terminal cannot wipe a line off.
    this.#isTerminal = err.isTTY === true && env.TERM !== 'dumb';
  }

  /** Shows a text in place of the one before. A longer one than the terminal is wide could not be wiped off. */
  show(text: string): void {
    if (this.#isTerminal && text !== '') {
      const columns = (this.#err.columns || USUAL_COLUMNS) - 1;
      this.#err.write(WIPE + cutTo(toAsciiSigns(toPlainText(text)), columns, '...'));
      this.#isShown = true;
    }
  }

  /** Wipes the text off. */
  clear(): void {
    if (this.#isShown) {
      this.#err.write(WIPE);
      this.#isShown = false;
    }
  }
}

/** Shows a text while work goes on. */
export async function showing<Value>(
  terminal: Terminal,
  text: string,
  work: () => Promise<Value>,
): Promise<Value> {
  const progress = new Progress(terminal);
  progress.show(text);
  try {
    return await work();
  } finally {
    progress.clear();
  }
}
