import type { VisitorId, VisitorIdResponse } from '../delivery-api.js';
import { emptyLike } from '../inherited-names.js';

/**
 * Returns the id that decides a visitor's allocation: the ECID, else the tntId before its first dot, else the
 * thirdPartyId, else the first authenticated customer id. Returns undefined for a visitor who has none of them.
 * The ids are explained at
 * https://experienceleague.adobe.com/en/docs/target-dev/developer/server-side/core-principles/user-identification-and-bucketing.
 */
export function allocatedBy(id: VisitorId | undefined): string | undefined {
  if (!id) {
    return undefined;
  }
  return (
    id.marketingCloudVisitorId ||
    beforeDot(id.tntId) ||
    id.thirdPartyId ||
    authenticatedCustomer(id) ||
    undefined
  );
}

/** Returns a tntId without its location hint: the part before the first dot. */
export function beforeDot(tntId: string | undefined | null): string | undefined {
  if (!tntId) {
    return undefined;
  }
  const dot = tntId.indexOf('.');
  return dot === -1 ? tntId : tntId.slice(0, dot);
}

function authenticatedCustomer(id: VisitorId | undefined): string | undefined {
  return id?.customerIds?.find((customer) => customer.id && customer.authenticatedState === 'authenticated')
    ?.id;
}

/** Returns a copy of a visitor's ids for an answer. The caller may change it. */
export function toAnsweredIds(id: VisitorId): VisitorIdResponse {
  const own: VisitorIdResponse = emptyLike(id);
  if (id.tntId) {
    own.tntId = id.tntId;
  }
  if (id.thirdPartyId) {
    own.thirdPartyId = id.thirdPartyId;
  }
  if (id.marketingCloudVisitorId) {
    own.marketingCloudVisitorId = id.marketingCloudVisitorId;
  }
  if (id.customerIds) {
    own.customerIds = id.customerIds.map((customer) => ({ ...customer }));
  }
  return own;
}
