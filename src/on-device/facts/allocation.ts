import type { VisitorId } from '../../delivery-api.js';
import { allocatedBy, beforeDot } from '../../identity/visitor-ids.js';
import { inheritsNames } from '../../inherited-names.js';
import { type HashPrefix, hashFrom, hashPrefix } from './murmur3.js';

/** Salt that ends every allocation key. */
const SALT = '.0';

/**
 * Describes the visitor for whom a call is decided: an id that is hashed for the allocation, and all ids for the
 * response.
 */
export interface AllocatedVisitor {
  /** The visitor's part of the allocation key: it stands between `{client}.{activityId}.` and the salt. */
  readonly key: string;
  /** The visitor's ids. They hold a new tntId when the request had no id that can be hashed. */
  readonly id: VisitorId;
}

/**
 * Returns the visitor to decide for. A visitor who has no id for the allocation gets a new tntId, which the response
 * contains.
 */
export function toAllocatedVisitor(id: VisitorId | undefined, newTntId: () => string): AllocatedVisitor {
  const known = allocatedBy(id);
  if (id && known) {
    return { key: known, id };
  }
  const tntId = newTntId();
  // An assignment fails when objects inherit a getter of this name, and a spread takes longer.
  const own = inheritsNames() ? { ...id, tntId } : Object.assign({}, id, { tntId });
  return { key: beforeDot(tntId) ?? '', id: own };
}

/** Hashes the beginning that all allocation keys of an activity share. Every visitor's hash continues from it. */
export function allocationPrefix(client: string, activityId: number | string): HashPrefix {
  return hashPrefix(`${client}.${activityId}.`);
}

/**
 * Returns the visitor's allocation in an activity: a number from 0 to 99.99 with two decimals. The same visitor
 * always gets the same number. The formula is `abs(hash) % 10000 / 100`.
 */
export function allocate(prefix: HashPrefix, key: string, salt = SALT): number {
  return (Math.abs(hashFrom(prefix, key, salt)) % 10_000) / 100;
}
