import type { Address, RequestDetails } from '../delivery-api.js';
import { EDGE_LIMITS } from '../delivery-api.js';
import type { JsonRecord } from '../json.js';
import { copyParameters, copyProfileParameters } from './copy-parameters.js';
import { copyOrder, copyProduct } from './copy-purchase.js';
import { type Copying, type Draft, fieldsOf, withOuterPath, withoutGaps } from './copying.js';
import { toCutText } from './scalars.js';

/**
 * This file copies the details that page loads, mboxes, views and notifications share. The context shares the address.
 */

/** Copies the detail of this name into the copy, and returns the detail's copy. An unknown detail is dropped. */
export function copyDetail(
  copy: Draft<RequestDetails>,
  name: string,
  written: JsonRecord,
  copying: Copying,
): unknown {
  let kept: unknown;
  if (name === 'parameters') {
    kept = copy.parameters = copyParameters(written[name], copying);
  } else if (name === 'profileParameters') {
    kept = copy.profileParameters = copyProfileParameters(written[name], copying);
  } else if (name === 'address') {
    kept = copy.address = copyAddress(written[name], copying);
  } else if (name === 'order') {
    kept = copy.order = copyOrder(written[name], copying);
  } else if (name === 'product') {
    kept = copy.product = copyProduct(written[name], copying);
  } else {
    kept = copying.dropUnknown(name);
  }
  return kept;
}

/** Copies an address. A long URL is cut and not refused, because visitors control both URLs. */
export function copyAddress(value: unknown, copying: Copying): Address | undefined {
  const written = fieldsOf(value, copying);
  if (!written) {
    return undefined;
  }
  const copy = copying.newCopy<Address>();
  let kept: unknown;
  let hasGaps = false;
  let field = '';
  try {
    for (const name in written) {
      field = name;
      if (name === 'url') {
        kept = copy.url = toCutText(written[name], EDGE_LIMITS.Address.url);
      } else if (name === 'referringUrl') {
        kept = copy.referringUrl = toCutText(written[name], EDGE_LIMITS.Address.referringUrl);
      } else {
        kept = copying.dropUnknown(name);
      }
      if (kept === undefined) {
        hasGaps = true;
      }
    }
  } catch (thrown) {
    throw withOuterPath(thrown, field, written);
  }
  return hasGaps || kept === undefined ? withoutGaps(copy, copying) : copy;
}
