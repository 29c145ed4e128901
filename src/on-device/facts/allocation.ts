import type { VisitorId } from '../../delivery-api.js';
import { type HashPrefix, hashFrom, hashPrefix } from './murmur3.js';

/** Every allocation key ends with this salt. */
const SALT = '.0';

/** Who is decided for: the part of the allocation key that differs between visitors, and the ids to answer with. */
export interface AllocatedVisitor {
  /** What follows `{client}.{activityId}.` in the key, without the salt. */
  readonly key: string;
  /** The visitor's ids; with a new tntId when none of them could be used. */
  readonly id: VisitorId;
}

/**
 * Whom a visitor's allocation belongs to: the ECID, else the tntId before its first dot, else the thirdPartyId,
 * else an authenticated customer id; undefined of a visitor without any of them.
 */
function allocatedBy(id: VisitorId | undefined): string | undefined {
  if (!id) return undefined;
  return (
    id.marketingCloudVisitorId ||
    beforeDot(id.tntId) ||
    id.thirdPartyId ||
    authenticatedCustomer(id) ||
    undefined
  );
}

/** The visitor to decide for: {@link allocatedBy}, else a new id that also becomes the visitor's tntId. */
export function toAllocatedVisitor(id: VisitorId | undefined, newTntId: () => string): AllocatedVisitor {
  const known = allocatedBy(id);
  if (id && known) return { key: known, id };
  const tntId = newTntId();
  return { key: beforeDot(tntId) ?? '', id: Object.assign({}, id, { tntId }) };
}

/** The beginning of an activity's allocation keys, hashed once. */
export function allocationPrefix(client: string, activityId: number | string): HashPrefix {
  return hashPrefix(`${client}.${activityId}.`);
}

/** Where a visitor falls in an activity: 0 to 99.99, always the same. `abs(hash) % 10000 / 100` */
export function allocate(prefix: HashPrefix, key: string, salt = SALT): number {
  return (Math.abs(hashFrom(prefix, key, salt)) % 10_000) / 100;
}

function beforeDot(tntId: string | undefined | null): string | undefined {
  if (!tntId) return undefined;
  const dot = tntId.indexOf('.');
  return dot === -1 ? tntId : tntId.slice(0, dot);
}

function authenticatedCustomer(id: VisitorId | undefined): string | undefined {
  return id?.customerIds?.find((customer) => customer.id && customer.authenticatedState === 'authenticated')
    ?.id;
}
