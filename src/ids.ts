import { randomFillSync } from 'node:crypto';
import { v4 } from 'uuid';

/** Ids are made so many at a time: one by one they were a fifth of an on-device decision (`on-device/prefetch-url`). */
const POOLED = 128;
const BYTES = 16;
const DASH = '-'.charCodeAt(0);

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
    (_, at) => 2 * at + dashesBefore.filter((dash) => dash <= at).length,
  );
  const pool = Buffer.alloc(POOLED * length, DASH);
  let at = pool.length;
  const fill = () => {
    const bytes = newBytes();
    for (let id = 0; id < POOLED; id += 1) {
      for (let byte = 0; byte < BYTES; byte += 1) {
        const value = bytes[id * BYTES + byte] as number;
        const place = id * length + (places[byte] as number);
        pool[place] = codes[value >> 4] as number;
        pool[place + 1] = codes[value & 15] as number;
      }
    }
  };
  return () => {
    if (at === pool.length) {
      fill();
      at = 0;
    }
    at += length;
    // Never a slice of one long text: that would live for as long as one of its ids.
    return pool.toString('latin1', at - length, at);
  };
}

const random = new Uint8Array(POOLED * BYTES);
const seeds = Array.from({ length: POOLED }, (_, id) => ({
  random: random.subarray(id * BYTES, (id + 1) * BYTES),
}));
const uuids = new Uint8Array(POOLED * BYTES);

/** The bytes of new uuids. */
function newBytes(): Uint8Array {
  randomFillSync(random);
  for (let id = 0; id < POOLED; id += 1) v4(seeds[id], uuids, id * BYTES);
  return uuids;
}
