import { v4 } from 'uuid';
import { fillRandom, toHex } from '#platform';

const BYTES = 16;
/** Ids of one draw. An id without dashes is a slice of the draw's text and keeps that alive: 4 KB. */
const BATCH = 128;
const drawn = new Uint8Array(BATCH * BYTES);
const slots = Array.from({ length: BATCH }, (_, at) => drawn.subarray(at * BYTES, (at + 1) * BYTES));

function drawDigits(): string {
  fillRandom(drawn);
  return toHex(drawn);
}

/**
 * Draws the digits of many uuids of version 4 at once. A decision needs up to six ids, and `v4()` for each, with its
 * dashes taken out again, would cost it 1 µs, a fifth of a small one (benchmark on-device/prefetch-url).
 */
function drawUuidDigits(): string {
  fillRandom(drawn);
  for (const random of slots) v4({ random }, random);
  return toHex(drawn);
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

/** Makes a uuid of version 4 without dashes, as Target writes the ids of sessions and visitors. */
export const newHexId = inPieces(2 * BYTES, drawUuidDigits);

const newHalf = inPieces(BYTES, () => drawDigits().toUpperCase());

/** Makes a uuid of version 4. */
export function newUuid(): string {
  const id = newHexId();
  return `${id.slice(0, 8)}-${id.slice(8, 12)}-${id.slice(12, 16)}-${id.slice(16, 20)}-${id.slice(20)}`;
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
