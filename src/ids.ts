import { randomFillSync } from 'node:crypto';
import { v4 } from 'uuid';

/*
 * Ids are made some at a time, and random bytes are drawn for many: one by one they were a fifth of an on-device
 * decision (`on-device/prefetch-url`). An id is a slice of the text of its batch and keeps that alive, so that batches are small.
 */

const BATCH = 32;
const BYTES = 16;

/** A uuid of version 4. */
export const newUuid = idsOf('0123456789abcdef', [4, 6, 8, 10]);

/** A uuid of version 4 without dashes, as Target writes the ids of sessions and visitors. */
export const newHexId = idsOf('0123456789abcdef', []);

/** `XXXXXXXXXXXXXXXX-XXXXXXXXXXXXXXXX`, as Analytics writes supplemental data ids. */
export const newSupplementalDataId = idsOf('0123456789ABCDEF', [8]);

/** Makes ids of 16 bytes, with a dash in front of some of them. */
function idsOf(digits: string, dashesBefore: readonly number[]): () => string {
  const codes = Buffer.from(digits, 'latin1');
  const length = 2 * BYTES + dashesBefore.length;
  const places = Array.from(
    { length: BYTES },
    (_, byte) => 2 * byte + dashesBefore.filter((dash) => dash <= byte).length,
  );
  const written = Buffer.alloc(BATCH * length, '-');
  let batch = '';
  let at = 0;
  const write = (from: number) => {
    const uuid = newBytes();
    for (let byte = 0; byte < BYTES; byte += 1) {
      const value = uuid[byte] as number;
      const place = from + (places[byte] as number);
      written[place] = codes[value >> 4] as number;
      written[place + 1] = codes[value & 15] as number;
    }
  };
  return () => {
    if (at === batch.length) {
      for (at = 0; at < written.length; at += length) write(at);
      batch = written.toString('latin1');
      at = 0;
    }
    at += length;
    return batch.slice(at - length, at);
  };
}

const drawn = new Uint8Array(8192);
let taken = drawn.length;
const seed = { random: new Uint8Array(BYTES) };
const uuid = new Uint8Array(BYTES);

/** The bytes of a new uuid, until the next one is made. */
function newBytes(): Uint8Array {
  if (taken === drawn.length) {
    randomFillSync(drawn);
    taken = 0;
  }
  for (let byte = 0; byte < BYTES; byte += 1) seed.random[byte] = drawn[taken + byte] as number;
  taken += BYTES;
  return v4(seed, uuid);
}
