import { v4 } from 'uuid';
import { fillRandom, fromLatin1, toBytes, toHex } from '#platform';

const BYTES = 16;
/**
 * The number of ids that are drawn at once. Each id is a slice of one text, and keeps all 4 KB of the text in memory.
 */
const BATCH = 128;
const drawn = new Uint8Array(BATCH * BYTES);
const slots = Array.from({ length: BATCH }, (_, at) => drawn.subarray(at * BYTES, (at + 1) * BYTES));

/** Random bytes of several draws, because the platform takes nearly as long for a few bytes as for many. */
const pool = new Uint8Array(4 * drawn.length);
let unused = pool.subarray(0, 0);

/** Draws random bytes. Each byte is used once. */
function draw(): void {
  if (unused.length === 0) {
    fillRandom(pool);
    unused = pool;
  }
  drawn.set(unused.subarray(0, drawn.length));
  unused = unused.subarray(drawn.length);
}

/** Draws the bytes of a batch of uuids of version 4. */
function drawUuids(): void {
  draw();
  for (const random of slots) {
    v4({ random }, random);
  }
}

const DASHED_LENGTH = 36;
/** The position of each byte's digits in the text of a uuid. The dashes between them are never overwritten. */
const DIGIT_OFFSETS = Uint8Array.of(0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34);
/** The two digits of each byte as one number, because writing one number takes less time than writing two. */
const DIGITS = Uint16Array.from({ length: 256 }, (_, byte) => {
  const [high = 0, low = 0] = toBytes(byte.toString(16).padStart(2, '0'));
  return (high << 8) | low;
});
const dashed = new Uint8Array(BATCH * DASHED_LENGTH).fill('-'.charCodeAt(0));
const written = new DataView(dashed.buffer);

/**
 * Writes a batch of uuids to one flat text. A decision of ten flags needs twelve uuids. Calling `v4()` for each takes
 * 0.2 µs longer, and the pieces of a joined text stay in memory until the notification is sent (benchmark
 * flags/10-mboxes).
 */
function writeUuids(): string {
  drawUuids();
  for (let at = 0; at < drawn.length; at += 1) {
    // The shift gives the number of the id, and the mask the position of the byte in it. Both are faster than division.
    const to = (at >> 4) * DASHED_LENGTH + (DIGIT_OFFSETS[at & 15] ?? 0);
    written.setUint16(to, DIGITS[drawn[at] ?? 0] ?? 0);
  }
  return fromLatin1(dashed);
}

/**
 * Makes a function that returns one piece of a text after the other, and draws a new text when the old one is used up.
 */
function inPieces(length: number, draw: () => string): () => string {
  let text = '';
  let at = 0;
  return () => {
    if (at === text.length) {
      text = draw();
      at = 0;
    }
    at += length;
    return text.slice(at - length, at);
  };
}

/** Makes a uuid of version 4. @see https://www.rfc-editor.org/rfc/rfc9562#section-5.4 */
export const newUuid = inPieces(DASHED_LENGTH, writeUuids);

/** Makes a uuid of version 4 without dashes, as Target writes the ids of sessions and visitors. */
export const newHexId = inPieces(2 * BYTES, () => {
  drawUuids();
  return toHex(drawn);
});

/**
 * Makes a tntId as the edge does: 32 hexadecimal digits, followed by a dot, the location hint and `_0` when a hint is
 * known.
 */
export function newTntId(locationHint: string | undefined, ids: IdSource): string {
  return locationHint === undefined ? ids.newHexId() : `${ids.newHexId()}.${locationHint}_0`;
}

const newHalf = inPieces(BYTES, () => {
  draw();
  return toHex(drawn).toUpperCase();
});

/**
 * Makes a supplemental data id for a decision, from random bytes that are drawn for many ids at once. The function of
 * the same name in `supplemental-data-id.ts` needs nothing of the platform, but takes several times as long.
 */
export function newSupplementalDataId(): string {
  return `${newHalf()}-${newHalf()}`;
}

/** A source of ids. Tests pass one whose ids they know in advance. */
export interface IdSource {
  readonly newUuid: () => string;
  readonly newHexId: () => string;
  readonly newSupplementalDataId: () => string;
}

/** The source of ids that nobody can guess. */
export const RANDOM_IDS: IdSource = { newUuid, newHexId, newSupplementalDataId };
