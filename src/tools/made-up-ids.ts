/** The bytes as two hexadecimal digits. Writing numbers with `toString(16)` takes longer than deciding for a visitor. */
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/**
 * Makes ids of 32 hexadecimal digits, as Target writes the ids of visitors. The same seed gives the same ids
 * everywhere, and no id comes twice. They are for simulations: anybody can guess them.
 */
export function* madeUpIds(seed: number): Generator<string, never> {
  let state = seed >>> 0;
  const next = () => {
    // A Weyl sequence goes through the finalizer of MurmurHash3 (https://github.com/aappleby/smhasher/wiki/MurmurHash3).
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return toHex((mixed ^ (mixed >>> 16)) >>> 0);
  };
  // Both steps are one to one, so the last digits alone are different for the first four thousand million visitors.
  const start = next() + next() + next();
  while (true) {
    yield start + next();
  }
}

function toHex(word: number): string {
  return `${HEX[word >>> 24]}${HEX[(word >>> 16) & 255]}${HEX[(word >>> 8) & 255]}${HEX[word & 255]}`;
}
