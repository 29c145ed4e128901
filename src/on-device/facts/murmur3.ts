/**
 * This file implements MurmurHash3 (x86, 32 bits, seed 0), which Target uses to allocate visitors. It hashes the
 * UTF-16 code units of a string, each as two little-endian bytes. The reference implementation is at
 * https://github.com/aappleby/smhasher.
 */

const C1 = 0xcc9e2d51;
const C2 = 0x1b873593;

/** State of a hash whose string is not complete yet. Many strings with the same beginning can continue from it. */
export interface HashPrefix {
  /** State after all complete blocks. A block is two code units. */
  readonly state: number;
  /** The last code unit, when it still waits for the second one of its block; else -1. */
  readonly pending: number;
  /** Number of code units in the beginning. */
  readonly length: number;
}

/** Hashes the beginning that many strings share. */
export function hashPrefix(text: string): HashPrefix {
  let state = 0;
  for (let i = 1; i < text.length; i += 2) {
    state = mixBlock(state, text.charCodeAt(i - 1), text.charCodeAt(i));
  }
  const pending = text.length % 2 === 1 ? text.charCodeAt(text.length - 1) : -1;
  return { state, pending, length: text.length };
}

/**
 * Returns the hash, as a signed 32-bit number, of the string that begins with `prefix` and goes on with `rest` and
 * `end`. `rest` and `end` are separate, because joining them takes as long as hashing them.
 */
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
  for (; i + 1 < rest.length; i += 2) {
    state = mixBlock(state, rest.charCodeAt(i), rest.charCodeAt(i + 1));
  }
  for (; i + 1 < length; i += 2) {
    state = mixBlock(state, unitAt(i, rest, end), unitAt(i + 1, rest, end));
  }
  if (i < length) {
    pending = unitAt(i, rest, end);
  }
  if (pending !== -1) {
    state ^= scramble(pending);
  }
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
