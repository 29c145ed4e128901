import type { Address, RequestDetails } from '../delivery-api.js';
import type { JsonRecord } from '../json.js';
import { copyParameters, copyProfileParameters } from './copy-parameters.js';
import { copyOrder, copyProduct } from './copy-purchase.js';
import { type Copying, type Draft, fieldsOf, outward, withoutGaps } from './copying.js';
import { EDGE_LIMITS } from './edge-limits.js';
import { toCutText } from './scalars.js';

/** The details that page loads, mboxes, views and notifications have in common, and the address that a context has too. */

/** One field of those that mboxes, views, page loads and notifications have in common: its copy. */
export function copyDetail(
  copy: Draft<RequestDetails>,
  name: string,
  written: JsonRecord,
  copying: Copying,
): unknown {
  let kept: unknown;
  if (name === 'parameters') kept = copy.parameters = copyParameters(written[name], copying);
  else if (name === 'profileParameters')
    kept = copy.profileParameters = copyProfileParameters(written[name], copying);
  else if (name === 'address') kept = copy.address = copyAddress(written[name], copying);
  else if (name === 'order') kept = copy.order = copyOrder(written[name], copying);
  else if (name === 'product') kept = copy.product = copyProduct(written[name], copying);
  else kept = copying.dropUnknown(name);
  return kept;
}

/** Visitors choose what they ask for and where they come from, so that too long an address is cut. */
export function copyAddress(value: unknown, copying: Copying): Address | undefined {
  const written = fieldsOf(value, copying);
  if (!written) return undefined;
  const copy = copying.newCopy<Address>();
  let kept: unknown;
  let hasGaps = false;
  let field = '';
  try {
    for (const name in written) {
      field = name;
      if (name === 'url') kept = copy.url = toCutText(written[name], EDGE_LIMITS.Address.url);
      else if (name === 'referringUrl')
        kept = copy.referringUrl = toCutText(written[name], EDGE_LIMITS.Address.referringUrl);
      else kept = copying.dropUnknown(name);
      if (kept === undefined) hasGaps = true;
    }
  } catch (thrown) {
    throw outward(thrown, field);
  }
  return hasGaps || kept === undefined ? withoutGaps(copy, copying) : copy;
}
