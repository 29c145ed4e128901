/** murmur3_x86_32 over `{client}.{activityId}.{visitor}.0` as UTF-16, seed 0, the activity's part hashed beforehand. */

/** The state after a text's whole blocks, and the character left over, if any. */
export function prefixOf(text) {
  let hash = 0;
  for (let at = 0; at + 1 < text.length; at += 2) {
    hash = mix(hash, text.charCodeAt(at) | (text.charCodeAt(at + 1) << 16));
  }
  return { hash, length: text.length, rest: text.length % 2 === 1 ? text.charCodeAt(text.length - 1) : -1 };
}

/** The visitor's place in an activity, 0 to 99.99. */
export function allocation({ hash, length, rest }, tntId) {
  const dot = tntId.indexOf('.');
  const end = dot < 0 ? tntId.length : dot;
  let state = hash;
  let low = rest;
  for (let at = 0; at < end; at++) {
    const unit = tntId.charCodeAt(at);
    if (low < 0) {
      low = unit;
    } else {
      state = mix(state, low | (unit << 16));
      low = -1;
    }
  }
  // The `.0` that ends every key.
  if (low < 0) {
    state = mix(state, 0x2e | (0x30 << 16));
  } else {
    state = mix(state, low | (0x2e << 16));
    state ^= scramble(0x30);
  }
  return (Math.abs(finish(state ^ ((length + end + 2) * 2))) % 10_000) / 100;
}

function scramble(block) {
  const spread = Math.imul(block, 0xcc9e2d51);
  return Math.imul((spread << 15) | (spread >>> 17), 0x1b873593);
}

function mix(hash, block) {
  const mixed = hash ^ scramble(block);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

function finish(hash) {
  let state = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
  return state ^ (state >>> 16);
}
