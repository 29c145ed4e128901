import { v4 } from 'uuid';
import { fillRandom, fromLatin1, toHex } from '#platform';

/*
 * Ids are made some at a time, and random bytes are drawn for many: one by one they were a fifth of an on-device
 * decision (`on-device/prefetch-url`). An id is a slice of the text of its batch and keeps that alive, so that batches are small.
 */

const BATCH = 32;
const BYTES = 16;
const DRAWN = 16 * BATCH;

const drawn = new Uint8Array(DRAWN * BYTES);
const slots = Array.from({ length: DRAWN }, (_, at) => drawn.subarray(at * BYTES, (at + 1) * BYTES));
let taken = DRAWN;

/** Random bytes for a batch: where they begin. */
function draw(): number {
  if (taken === DRAWN) {
    fillRandom(drawn);
    taken = 0;
  }
  taken += BATCH;
  return taken - BATCH;
}

const seed: { random: Uint8Array } = { random: drawn };

/** The same as uuids of version 4. */
function drawUuids(): number {
  const first = draw();
  for (let at = first; at < taken; at += 1) {
    seed.random = slots[at] as Uint8Array;
    v4(seed, drawn, at * BYTES);
  }
  return first;
}

function hexFrom(first: number): string {
  return toHex(drawn.subarray(first * BYTES, (first + BATCH) * BYTES));
}

/** Hands out the texts of one length that were written in a row. */
function oneByOne(length: number, write: () => string): () => string {
  let batch = '';
  let at = 0;
  return () => {
    if (at === batch.length) {
      batch = write();
      at = 0;
    }
    at += length;
    return batch.slice(at - length, at);
  };
}

const DASHES_BEFORE = [4, 6, 8, 10];
const UUID_LENGTH = 2 * BYTES + DASHES_BEFORE.length;
/** Where the digits of each byte go. */
const PLACES = Array.from(
  { length: BYTES },
  (_, byte) => 2 * byte + DASHES_BEFORE.filter((dash) => dash <= byte).length,
);
/** The two digits of each byte, as one number: half as many of them are to be written. */
const DIGITS = Uint16Array.from({ length: 256 }, (_, byte) => {
  const [first, second] = byte.toString(16).padStart(2, '0');
  return codeOf(first) | (codeOf(second) << 8);
});
const dashed = new Uint8Array(BATCH * UUID_LENGTH).fill(codeOf('-'));
const digits = new DataView(dashed.buffer);

function codeOf(character = ''): number {
  return character.charCodeAt(0);
}

function writeUuids(): string {
  const first = drawUuids();
  for (let at = 0; at < BATCH; at += 1) {
    for (let byte = 0; byte < BYTES; byte += 1) {
      const value = drawn[(first + at) * BYTES + byte] as number;
      digits.setUint16(at * UUID_LENGTH + (PLACES[byte] as number), DIGITS[value] as number, true);
    }
  }
  return fromLatin1(dashed);
}

const newHalf = oneByOne(BYTES, () => hexFrom(draw()).toUpperCase());

/** A uuid of version 4. */
export const newUuid = oneByOne(UUID_LENGTH, writeUuids);

/** A uuid of version 4 without dashes, as Target writes the ids of sessions and visitors. */
export const newHexId = oneByOne(2 * BYTES, () => hexFrom(drawUuids()));

/** `XXXXXXXXXXXXXXXX-XXXXXXXXXXXXXXXX`, as Analytics writes supplemental data ids. */
export function newSupplementalDataId(): string {
  return `${newHalf()}-${newHalf()}`;
}
