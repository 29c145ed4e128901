/** MurmurHash3 x86 32-bit, seed 0, over the UTF-16 code units of a string as two little-endian bytes each. */

const C1 = 0xcc9e2d51;
const C2 = 0x1b873593;

/** The hash of a string's beginning, to be continued any number of times. */
export interface HashPrefix {
  /** State after the blocks of two code units that are complete. */
  readonly state: number;
  /** The code unit that waits for the second half of its block, or -1. */
  readonly pending: number;
  readonly length: number;
}

/** Hashes a beginning that many strings share. */
export function hashPrefix(text: string): HashPrefix {
  let state = 0;
  for (let i = 1; i < text.length; i += 2)
    state = mixBlock(state, text.charCodeAt(i - 1), text.charCodeAt(i));
  const pending = text.length % 2 === 1 ? text.charCodeAt(text.length - 1) : -1;
  return { state, pending, length: text.length };
}

/** The signed hash of a beginning and the rest of its string, which may come in two: joining them takes as long. */
export function hashFrom(prefix: HashPrefix, rest: string, end = ''): number {
  const length = rest.length + end.length;
  let state = prefix.state;
  let pending = prefix.pending;
  let i = 0;
  if (pending !== -1 && length > 0) {
    state = mixBlock(state, pending, unitAt(0, rest, end));
    pending = -1;
    i = 1;
  }
  for (; i + 1 < rest.length; i += 2) state = mixBlock(state, rest.charCodeAt(i), rest.charCodeAt(i + 1));
  for (; i + 1 < length; i += 2) state = mixBlock(state, unitAt(i, rest, end), unitAt(i + 1, rest, end));
  if (i < length) pending = unitAt(i, rest, end);
  if (pending !== -1) state ^= scramble(pending);
  return finish(state ^ ((prefix.length + length) * 2));
}

function unitAt(index: number, rest: string, end: string): number {
  return index < rest.length ? rest.charCodeAt(index) : end.charCodeAt(index - rest.length);
}

function mixBlock(state: number, low: number, high: number): number {
  const mixed = state ^ scramble(low | (high << 16));
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

function scramble(block: number): number {
  const product = Math.imul(block, C1);
  return Math.imul((product << 15) | (product >>> 17), C2);
}

function finish(state: number): number {
  let hash = state;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
