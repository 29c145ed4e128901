import type {
  DeliveryRequest,
  ExecuteRequest,
  Notification,
  PrefetchRequest,
  RequestDetails,
} from '../delivery-api.js';

/** Returns true when a location's request holds an order or a product. Only the edge can count them. */
export function hasOrder({ order, product }: RequestDetails): boolean {
  return Boolean(order || product);
}

/** Returns true when any location of a request holds an order or a product. */
export function hasOrders({ execute, prefetch }: DeliveryRequest): boolean {
  return (execute !== undefined && anyOf(execute)) || (prefetch !== undefined && anyOf(prefetch));
}

function anyOf({ mboxes, pageLoad, views }: ExecuteRequest & PrefetchRequest): boolean {
  return Boolean(mboxes?.some(hasOrder) || views?.some(hasOrder) || (pageLoad && hasOrder(pageLoad)));
}

/**
 * Returns the path of the first location whose order or product no notification carries, such as `execute.mboxes[2]`.
 * Returns undefined when there is no such location.
 */
export function unreportedOrder(
  { execute, prefetch }: DeliveryRequest,
  notifications: readonly Notification[],
): string | undefined {
  const carried = new Set<object | undefined>();
  for (const { order, product } of notifications) {
    carried.add(order).add(product);
  }
  const isLost = ({ order, product }: RequestDetails) =>
    Boolean((order && !carried.has(order)) || (product && !carried.has(product)));
  return pathOf('execute', execute, isLost) ?? pathOf('prefetch', prefetch, hasOrder);
}

/** Returns the path of the first mbox, view or page load for which `isWanted` returns true. */
function pathOf(
  name: string,
  { mboxes = [], views = [], pageLoad }: ExecuteRequest & PrefetchRequest = {},
  isWanted: (location: RequestDetails) => boolean,
): string | undefined {
  const mbox = mboxes.findIndex(isWanted);
  if (mbox >= 0) {
    return `${name}.mboxes[${mbox}]`;
  }
  const view = views.findIndex(isWanted);
  if (view >= 0) {
    return `${name}.views[${view}]`;
  }
  return pageLoad && isWanted(pageLoad) ? `${name}.pageLoad` : undefined;
}
