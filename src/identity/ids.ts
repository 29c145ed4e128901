import { v4 } from 'uuid';
import { fillRandom, fromLatin1, toBytes, toHex } from '#platform';

const BYTES = 16;
/** Ids of one draw. An id is a slice of the draw's text and keeps all of it alive: 4 KB. */
const BATCH = 128;
const drawn = new Uint8Array(BATCH * BYTES);
const slots = Array.from({ length: BATCH }, (_, at) => drawn.subarray(at * BYTES, (at + 1) * BYTES));

/** Draws the bytes of many uuids of version 4 at once. */
function drawUuids(): void {
  fillRandom(drawn);
  for (const random of slots) v4({ random }, random);
}

const DASHED_LENGTH = 36;
/** The places of the bytes in a uuid's text. Between them are the dashes, which nothing ever overwrites. */
const PLACES = Uint8Array.of(0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34);
/** The two digits of each byte as one number, because one number takes less time to write than two. */
const DIGITS = Uint16Array.from({ length: 256 }, (_, byte) => {
  const [high = 0, low = 0] = toBytes(byte.toString(16).padStart(2, '0'));
  return (high << 8) | low;
});
const dashed = new Uint8Array(BATCH * DASHED_LENGTH).fill('-'.charCodeAt(0));
const written = new DataView(dashed.buffer);

/**
 * Writes many uuids to one flat text. A decision of ten flags needs twelve of them: `v4()` for each takes 0.2 µs
 * longer, and pieces that are joined live until the notification is sent (benchmark flags/10-mboxes).
 */
function writeUuids(): string {
  drawUuids();
  for (let at = 0; at < drawn.length; at += 1) {
    // The id's number is at / 16 and the byte's place in it at % 16, which take longer to reckon than shifts.
    const to = (at >> 4) * DASHED_LENGTH + (PLACES[at & 15] ?? 0);
    written.setUint16(to, DIGITS[drawn[at] ?? 0] ?? 0);
  }
  return fromLatin1(dashed);
}

/** Makes a function that hands out a text piece by piece and has the next one drawn when it is used up. */
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

/** Makes a uuid of version 4. */
export const newUuid = inPieces(DASHED_LENGTH, writeUuids);

/** Makes a uuid of version 4 without dashes, as Target writes the ids of sessions and visitors. */
export const newHexId = inPieces(2 * BYTES, () => {
  drawUuids();
  return toHex(drawn);
});

const newHalf = inPieces(BYTES, () => {
  fillRandom(drawn);
  return toHex(drawn).toUpperCase();
});

const SUPPLEMENTAL_DATA_ID = /^[\dA-F]{16}-[\dA-F]{16}$/i;

/** Tells whether a value has the form of a supplemental data id. */
export function isSupplementalDataId(value: unknown): value is string {
  return typeof value === 'string' && SUPPLEMENTAL_DATA_ID.test(value);
}

/** Makes a supplemental data id as Analytics writes it: `XXXXXXXXXXXXXXXX-XXXXXXXXXXXXXXXX`. */
export function newSupplementalDataId(): string {
  return `${newHalf()}-${newHalf()}`;
}

/** A source of ids, for tests that know them beforehand. */
export interface IdSource {
  readonly newHexId: () => string;
  readonly newSupplementalDataId: () => string;
}

/** The source of ids that nobody can guess. */
export const RANDOM_IDS: IdSource = { newHexId, newSupplementalDataId };
