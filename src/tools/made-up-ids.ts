/**
 * Makes ids of 32 hexadecimal digits, as Target writes the ids of visitors. The same seed gives the same ids
 * everywhere. They are for simulations: anybody can guess them.
 */
export function* madeUpIds(seed: number): Generator<string, never> {
  let state = seed >>> 0;
  const next = () => {
    // A Weyl sequence goes through the finalizer of MurmurHash3 (https://github.com/aappleby/smhasher/wiki/MurmurHash3).
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return ((mixed ^ (mixed >>> 16)) >>> 0).toString(16).padStart(8, '0');
  };
  while (true) {
    yield next() + next() + next() + next();
  }
}
