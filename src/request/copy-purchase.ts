import type { Order, Product } from '../delivery-api.js';
import { EDGE_LIMITS } from '../delivery-api.js';
import { invalidField } from '../errors.js';
import type { JsonRecord } from '../json.js';
import { type Copying, copyFields, copyList, type Draft } from './copying.js';
import { toFlag, toInteger, toNumber, toText } from './scalars.js';

/** This file copies orders and products. */

const ORDER = EDGE_LIMITS.Order;
const PRODUCT = EDGE_LIMITS.Product;

export function copyOrder(value: unknown, copying: Copying): Order | undefined {
  return copyFields<Order>(value, copying, copyOrderField);
}

function copyOrderField(copy: Draft<Order>, name: string, written: JsonRecord, copying: Copying): unknown {
  let kept: unknown;
  if (name === 'id') {
    kept = copy.id = toText(written.id, ORDER.id);
  } else if (name === 'total') {
    kept = copy.total = toNumber(written.total, 0);
  } else if (name === 'purchasedProductIds') {
    kept = copy.purchasedProductIds = copyProductIds(written.purchasedProductIds, copying);
  } else if (name === 'time') {
    kept = copy.time = toTime(written.time);
  } else if (name === 'experienceLocalId') {
    kept = copy.experienceLocalId = toInteger(written.experienceLocalId, 0, ORDER.experienceLocalId);
  } else if (name === 'duplicate') {
    kept = copy.duplicate = toFlag(written.duplicate);
  } else if (name === 'outlier') {
    kept = copy.outlier = toFlag(written.outlier);
  } else {
    kept = copying.dropUnknown(name);
  }
  return kept;
}

function copyProductIds(value: unknown, copying: Copying): string[] | undefined {
  const copies = copyList(value, copying, toProductId);
  if (!copies || copies.join().length <= ORDER.purchasedProductIds) {
    return copies;
  }
  throw invalidField('', `at most ${ORDER.purchasedProductIds} characters with its commas`, value);
}

function toProductId(value: unknown): string | undefined {
  return toText(value, ORDER.purchasedProductId);
}

/**
 * Takes a text, or an object such as a date whose `toJSON` gives a text. A number is refused, because it may count
 * seconds or milliseconds.
 */
function toTime(value: unknown): string | undefined {
  if (typeof value === 'number' || typeof value === 'boolean') {
    throw invalidField('', 'a string', value);
  }
  return toText(value);
}

export function copyProduct(value: unknown, copying: Copying): Product | undefined {
  return copyFields<Product>(value, copying, copyProductField);
}

function copyProductField(
  copy: Draft<Product>,
  name: string,
  written: JsonRecord,
  copying: Copying,
): unknown {
  let kept: unknown;
  if (name === 'id') {
    kept = copy.id = toText(written.id, PRODUCT.id);
  } else if (name === 'categoryId') {
    kept = copy.categoryId = toText(written.categoryId, PRODUCT.categoryId);
  } else {
    kept = copying.dropUnknown(name);
  }
  return kept;
}
