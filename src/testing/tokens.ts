import { createHash } from 'node:crypto';

/** How many event tokens of the script's own writing are remembered; the oldest are forgotten first. */
const REMEMBERED = 100_000;
const CHECKSUM_BYTES = 12;

/**
 * The edge's event tokens and states. Its own are opaque to a client, the same for the same meaning, and hold
 * their meaning with a checksum, so that an edge that is started again on the same port still knows them.
 */
export class Tokens {
  readonly #accept: (token: string) => boolean;
  readonly #remembered = new Set<string>();

  constructor(accept: (token: string) => boolean) {
    this.#accept = accept;
  }

  /** The token that stands for a meaning, such as `['option', 'mbox', 'hero', 0]`. */
  make(...meaning: readonly (string | number)[]): string {
    const text = Buffer.from(JSON.stringify(meaning));
    return Buffer.concat([checksum(text), text]).toString('base64');
  }

  /** Takes note of a token that the script chose. */
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

  /** Whether an event token came from here, or is taken as if it had. */
  isEventToken(token: string): boolean {
    const kind = read(token)?.[0];
    return kind === 'option' || kind === 'metric' || this.#remembered.has(token) || this.#accept(token);
  }

  /** Whether a state came with that location, or is taken as if it had. Without a name, any of its kind will do. */
  isState(state: string, kind: string, name: string | undefined): boolean {
    const meaning = read(state);
    if (!meaning) return this.#accept(state);
    return meaning[0] === 'state' && meaning[1] === kind && (name === undefined || meaning[2] === name);
  }
}

function read(token: string): readonly unknown[] | undefined {
  const bytes = Buffer.from(token, 'base64');
  const text = bytes.subarray(CHECKSUM_BYTES);
  // Base64 can be read from more than one text; only the one that was given out counts.
  if (text.length === 0 || bytes.toString('base64') !== token) return undefined;
  if (!checksum(text).equals(bytes.subarray(0, CHECKSUM_BYTES))) return undefined;
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
