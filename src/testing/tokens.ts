import { createHash } from 'node:crypto';

/** The number of tokens of offers and artifacts that are remembered. The oldest are forgotten first. */
const REMEMBERED = 100_000;
const CHECKSUM_BYTES = 12;

/**
 * The event tokens and states of the edge. Equal meanings have equal tokens. A token holds its meaning and a checksum,
 * so an edge that is restarted on the same port still knows it. For clients it is an opaque text.
 */
export class Tokens {
  readonly #accept: (token: string) => boolean;
  readonly #remembered = new Set<string>();

  constructor(accept: (token: string) => boolean) {
    this.#accept = accept;
  }

  /** Returns the token of a meaning, such as `['option', 'mbox', 'hero', 0]`. */
  make(...meaning: readonly (string | number)[]): string {
    const text = Buffer.from(JSON.stringify(meaning));
    return Buffer.concat([checksum(text), text]).toString('base64');
  }

  /** Remembers a token that an offer or an artifact names, and returns it. */
  remember(token: string): string {
    this.#remembered.add(token);
    if (this.#remembered.size > REMEMBERED) {
      for (const oldest of this.#remembered) {
        this.#remembered.delete(oldest);
        break;
      }
    }
    return token;
  }

  /** Tells whether the edge accepts an event token: it made it, it remembers it, or `acceptToken` accepts it. */
  isEventToken(token: string): boolean {
    const kind = read(token)?.[0];
    return kind === 'option' || kind === 'metric' || this.#remembered.has(token) || this.#accept(token);
  }

  /**
   * Tells whether the edge accepts a state for a location. Without a name, a state of any location of the kind is
   * accepted.
   */
  isState(state: string, kind: string, name: string | undefined): boolean {
    const meaning = read(state);
    if (!meaning) {
      return this.#accept(state);
    }
    return meaning[0] === 'state' && meaning[1] === kind && (name === undefined || meaning[2] === name);
  }
}

/** Returns the meaning of a token that the edge made; `undefined` for any other text. */
function read(token: string): readonly unknown[] | undefined {
  const bytes = Buffer.from(token, 'base64');
  const text = bytes.subarray(CHECKSUM_BYTES);
  // Different Base64 texts can stand for the same bytes; only the text that the edge gave out is accepted.
  if (text.length === 0 || bytes.toString('base64') !== token) {
    return undefined;
  }
  if (!checksum(text).equals(bytes.subarray(0, CHECKSUM_BYTES))) {
    return undefined;
  }
  const meaning: unknown = JSON.parse(text.toString());
  return Array.isArray(meaning) ? meaning : undefined;
}

function checksum(text: Buffer): Buffer {
  return createHash('sha256')
    .update('event token of the local edge\0')
    .update(text)
    .digest()
    .subarray(0, CHECKSUM_BYTES);
}
